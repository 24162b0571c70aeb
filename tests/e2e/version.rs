//! A hub of another protocol version.

use crate::harness::Place;
use spec::gate::Gate;
use spec::handshake::KeyPair;
use spec::invite::Invite;
use spec::secret::Secret;
use spec::wire::long::{Long, LongKind};
use std::net::UdpSocket;
use std::time::Duration;

/// The version this hub speaks.
const OTHER: [u8; 4] = *b"SGM2";

/// A hub that speaks another version answers so, and the person reads which versions there are instead of silence.
#[test]
fn another_version_is_a_sentence() {
    let place = Place::new();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let (identity, access_secret) = (KeyPair::new(Secret::new([3; 32])), Secret::new([4; 32]));
    let address = socket.local_addr().unwrap().to_string().parse().unwrap();
    let gate = Gate::new(identity.public(), &access_secret);
    let invite = Invite { address, hub_key: *identity.public(), access_secret, token: None };
    let mut ann = place.join(&invite.to_string(), "ann", &["--timeout", "10"]);
    ann.say("hello?");
    let mut buffer = [0; 2048];
    let (len, client) = socket.recv_from(&mut buffer).unwrap();
    let init = Long::parse(&buffer[..len]).unwrap();
    assert!(init.kind == LongKind::Init && gate.check_mac1(&init).is_ok());
    let mut body = vec![0x55; LongKind::Version.body_bytes()];
    body[..16].fill(0);
    body[..4].copy_from_slice(&OTHER);
    let answer = gate.build(LongKind::Version, 0, 0, OTHER, init.attempt, &body);
    socket.send_to(&answer, client).unwrap();
    let ended = ann.ended();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    for part in ["SGM2", "SGM1", "try:"] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
}
