//! The handshake end to end, and what a forged message does to it: nothing.

use super::audit::Audit;
use super::*;
use crate::gate::Gate;
use crate::wire::frame::Frame;
use crate::wire::long::Long;
use alloc::vec::Vec;

const FRAMES: &[u8] = b"\x04\x00\x00\x05hello";

struct World {
    hub: KeyPair,
    client: KeyPair,
    access: Secret<32>,
    gate: Gate,
}

impl World {
    fn new() -> Self {
        let hub = KeyPair::new(Secret::new([1; 32]));
        let access = Secret::new([9; 32]);
        let gate = Gate::new(hub.public(), &access);
        Self { hub, client: KeyPair::new(Secret::new([2; 32])), access, gate }
    }

    fn start(&self, salt: u8) -> (Initiator, Flight) {
        let keys = InitiatorKeys {
            own_static: self.client.clone(),
            ephemeral: Secret::new([salt; 32]),
            kem_seed: Secret::new([salt; 64]),
            noise: u64::from(salt) << 30,
        };
        Initiator::start(keys, *self.hub.public(), &self.access).unwrap()
    }

    fn respond(&self, flight: &Flight) -> Result<(Responder, Vec<u8>), Discard> {
        let message = message_one(flight);
        let attempt = Long::parse(&flight.datagrams()[0]).unwrap().attempt;
        let init = ReceivedInit::read(&message, attempt, &self.hub, &self.access)?;
        init.respond(Secret::new([5; 32]), &Secret::new([6; 32]), &self.gate, 0)
    }
}

fn message_one(flight: &Flight) -> Vec<u8> {
    flight.datagrams().iter().flat_map(|datagram| Long::parse(datagram).unwrap().body).copied().collect()
}

#[test]
fn both_ends_arrive_at_the_same_root() {
    let world = World::new();
    let (initiator, flight) = world.start(7);
    let (responder, resp) = world.respond(&flight).unwrap();
    let ready = initiator.read_resp(&Long::parse(&resp).unwrap()).unwrap();
    let (fin, client) = ready.finish(FRAMES, &world.gate, 0).unwrap();
    let finished = responder.read_fin(&Long::parse(&fin).unwrap()).unwrap();
    assert_eq!(finished.client_key, *world.client.public());
    assert!(finished.frames.starts_with(FRAMES));
    assert_eq!(finished.established.root.secret(), client.root.secret());
    assert_eq!(finished.established.attempt, client.attempt);

    let mut audit = Audit::new(client.secrets);
    audit.message_one(&message_one(&flight)).unwrap();
    audit.message_two(Long::parse(&resp).unwrap().body).unwrap();
    let (key, frames, root) = audit.message_three(Long::parse(&fin).unwrap().body).unwrap();
    assert_eq!(key, *world.client.public());
    assert_eq!(frames, finished.frames);
    //= spec/PROTOCOL.md#key-schedule
    //= type=test
    //# An endpoint MUST erase the chaining key, k_c and k_h once root0 is made.
    assert_eq!(root.secret(), client.root.secret());
}

#[test]
fn another_access_secret_or_attempt_is_refused() {
    let world = World::new();
    let (_, flight) = world.start(7);
    let message = message_one(&flight);
    let attempt = attempt_id(&message);
    let read = |attempt, access: &_| ReceivedInit::read(&message, attempt, &world.hub, access).map(|_| ());
    //= spec/PROTOCOL.md#handshake-flow
    //= type=test
    //# The hub MUST refuse a pair of fragments whose SHA-256 does not begin with the attempt id before it
    //# computes any key exchange.
    assert_eq!(read(AttemptId([0; 8]), &world.access), Err(Discard::AttemptId));
    assert_eq!(read(attempt, &Secret::new([8; 32])), Err(Discard::Unauthentic));
    assert_eq!(read(attempt, &world.access), Ok(()));
}

/// RUSTSEC-2024-0011's class: a forged RESP before the real one must not cost the attempt.
#[test]
fn a_forged_resp_changes_nothing() {
    let world = World::new();
    let (initiator, flight) = world.start(7);
    let (responder, resp) = world.respond(&flight).unwrap();
    for at in [13, 600, 1100, 1110, 1140, 1167] {
        let mut forged = resp.clone();
        forged[at] ^= 1;
        let long = Long::parse(&forged).unwrap();
        assert!(initiator.read_resp(&long).is_err(), "byte {at}");
    }
    //= spec/PROTOCOL.md#handshake
    //= type=test
    //# An endpoint MUST try a handshake message on a copy of its state, so that a forged one leaves the
    //# attempt as it was.
    let ready = initiator.read_resp(&Long::parse(&resp).unwrap()).unwrap();
    let (fin, _) = ready.finish(FRAMES, &world.gate, 0).unwrap();
    for at in [13, 50, 61, 1000, 1167] {
        let mut forged = fin.clone();
        forged[at] ^= 1;
        assert!(responder.read_fin(&Long::parse(&forged).unwrap()).is_err(), "byte {at}");
    }
    assert!(responder.read_fin(&Long::parse(&fin).unwrap()).is_ok());
}

#[test]
fn attempts_share_nothing() {
    //= spec/PROTOCOL.md#handshake
    //= type=test
    //# The client MUST make a fresh X25519 key and a fresh ML-KEM key for every attempt.
    let world = World::new();
    let (one, flight) = world.start(7);
    let (two, _) = world.start(8);
    assert_ne!(one.attempt(), two.attempt());
    let (_, resp) = world.respond(&flight).unwrap();
    assert!(two.read_resp(&Long::parse(&resp).unwrap()).is_err());
}

#[test]
fn low_order_points_are_refused() {
    let world = World::new();
    let (_, flight) = world.start(7);
    let mut message = message_one(&flight);
    message[..32].fill(0);
    let attempt = attempt_id(&message);
    //= spec/PROTOCOL.md#handshake
    //= type=test
    //# An endpoint MUST abort the handshake when an X25519 result is all zero.
    let result = ReceivedInit::read(&message, attempt, &world.hub, &world.access).map(|_| ());
    assert_eq!(result, Err(Discard::LowOrder));
    let keys = InitiatorKeys {
        own_static: world.client.clone(),
        ephemeral: Secret::new([1; 32]),
        kem_seed: Secret::new([1; 64]),
        noise: 0,
    };
    assert!(Initiator::start(keys, [0; 32], &world.access).is_err());
}

#[test]
fn a_fin_with_other_frames_is_refused() {
    let world = World::new();
    for (frame, allowed) in [
        (Frame::Stream { stream: 0, offset: 0, data: b"x" }, true),
        (Frame::Extension { kind: 0x40, data: b"x" }, true),
        (Frame::Padding { len: 3 }, true),
        (Frame::Ping, false),
        (Frame::Done, false),
        (Frame::MaxStream { stream: 0, limit: 1 }, false),
    ] {
        let (initiator, flight) = world.start(7);
        let (responder, resp) = world.respond(&flight).unwrap();
        let ready = initiator.read_resp(&Long::parse(&resp).unwrap()).unwrap();
        let mut frames = Vec::new();
        frame.encode(&mut frames);
        let (fin, _) = ready.finish(&frames, &world.gate, 0).unwrap();
        //= spec/PROTOCOL.md#payload-of-message-three
        //= type=test
        //# FIN may carry STREAM, PADDING and extension frames; the hub MUST drop a FIN that carries any
        //# other frame.
        assert_eq!(responder.read_fin(&Long::parse(&fin).unwrap()).is_ok(), allowed, "{frame:?}");
    }
}

/// F3: the version stands in the prologue, so that an INIT with another one fails its first AEAD.
#[test]
fn every_byte_of_the_prologue_counts() {
    let world = World::new();
    for at in 0..12 {
        let mut other = prologue(crate::VERSION);
        other[at] ^= 1;
        let mut noise = noise::Handshake::new(
            noise::XK_PSK0_PSK2,
            crate::wire::frame::Side::Client,
            &other,
            world.client.clone(),
            *world.hub.public(),
        );
        let mut message = Vec::new();
        let ephemeral = Some(KeyPair::new(Secret::new([3; 32])));
        let psk = crate::gate::psk0(&world.access);
        noise.write(ephemeral, Some(&psk), &[0; crate::limits::PAYLOAD_ONE_BYTES], &mut message).unwrap();
        let result = ReceivedInit::read(&message, attempt_id(&message), &world.hub, &world.access);
        assert_eq!(result.map(|_| ()), Err(Discard::Unauthentic), "byte {at}");
    }
}
