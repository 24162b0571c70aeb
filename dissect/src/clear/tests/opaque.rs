//! Sealed protocols, and what they show nevertheless.

use insta::assert_snapshot;

use super::{CLIENT, SERVER, datagrams, ends, hex, stream, told};
use crate::clear::quic::tests::CLIENT_INITIAL;
use crate::clear::{FlowFinding, Nature, Piece, Protocol, Watch, Watched, judge};
use crate::dissection;
use crate::test_random::random_bytes;
use crate::verdict::Severity;

/// A ClientHello for `example.org` that offers `h2`.
fn client_hello() -> Vec<u8> {
    let extensions = hex("0000 0010 000e 00 000b 6578616d706c652e6f7267  0010 0005 0003 02 6832");
    let mut body = [vec![3, 3], vec![0x55; 32], hex("00 0002 1301 01 00")].concat();
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    let mut message = vec![1, 0, 0, u8::try_from(body.len()).unwrap()];
    message.extend(body);
    message
}

fn record(record_type: u8, content: &[u8]) -> Vec<u8> {
    let mut record = vec![record_type, 3, 3];
    record.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
    record.extend(content);
    record
}

#[test]
fn tls() {
    let hello = client_hello();
    let (front, back) = hello.split_at(20);
    let server =
        [hex("02 000035 0303"), vec![7; 32], hex("00 1301 00 000d 002b 0002 0304 0010 0005 0003 02 6832")]
            .concat();
    let flow = stream(&[
        (CLIENT, [record(22, front), record(22, back)].concat()),
        (SERVER, record(22, &server)),
        (SERVER, record(23, &random_bytes(1, 500))),
    ]);
    assert_snapshot!(told(&flow), @r"
    TLS, Opaque, from packet None
      SNI example.org
      ALPN h2
      version TLS 1.3
    ");
}

#[test]
fn text_in_records_that_claim_to_be_sealed() {
    let flow = stream(&[
        (CLIENT, record(22, &client_hello())),
        (CLIENT, record(23, b"the quick brown fox jumps over the lazy dog")),
    ]);
    assert_eq!((flow.protocol, flow.nature), (Protocol::Tls, Nature::Readable));
}

#[test]
fn dtls_in_fragments() {
    let hello = client_hello();
    // The body of DTLS has a cookie behind the session id, which is empty.
    let mut body = hello[4..].to_vec();
    body.insert(35, 0);
    let fragment = |offset: usize, part: &[u8]| {
        let length = |n: usize| u32::try_from(n).unwrap().to_be_bytes()[1..].to_vec();
        let content =
            [vec![1], length(body.len()), vec![0, 0], length(offset), length(part.len()), part.to_vec()]
                .concat();
        let header = hex("16 fefd 0000 000000000000");
        [header, u16::try_from(content.len()).unwrap().to_be_bytes().to_vec(), content].concat()
    };
    let flow = datagrams(&[
        (CLIENT, fragment(30, &body[30..])),
        (CLIENT, fragment(0, &body[..40])),
        (SERVER, [hex("17 fefd 0001 000000000001 0040"), random_bytes(2, 64)].concat()),
    ]);
    assert_snapshot!(told(&flow), @r"
    DTLS, Opaque, from packet None
      record version DTLS 1.2
      SNI example.org
      ALPN h2
    ");
}

#[test]
fn quic_initial_of_rfc_9001() {
    let flow =
        datagrams(&[(CLIENT, hex(CLIENT_INITIAL)), (CLIENT, [vec![0x40], random_bytes(3, 80)].concat())]);
    assert_snapshot!(told(&flow), @r"
    QUIC, Opaque, from packet None
      version 1
      SNI example.com
      ALPN alpn
    ");
}

#[test]
fn ssh() {
    let names = b"\0\0\0\x1acurve25519-sha256,x-sha512\0\0\0\x0bssh-ed25519\0\0\0\x0aaes256-ctr";
    let mut packet = [vec![4, 20], vec![9; 16], names.to_vec(), vec![0; 20]].concat();
    let length = u32::try_from(packet.len()).unwrap().to_be_bytes();
    packet.splice(0..0, length);
    let flow = stream(&[
        (SERVER, b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
        (CLIENT, b"SSH-2.0-client\r\n".to_vec()),
        (CLIENT, packet),
        (CLIENT, [hex("0000000c 0a 15"), vec![0; 10], random_bytes(4, 400)].concat()),
    ]);
    assert_snapshot!(told(&flow), @r"
    SSH, Opaque, from packet None
      server SSH-2.0-OpenSSH_9.6
      client SSH-2.0-client
      key exchange curve25519-sha256
      host key ssh-ed25519
      cipher aes256-ctr
    ");
}

#[test]
fn wireguard() {
    let initiation = [vec![1, 0, 0, 0], random_bytes(5, 144)].concat();
    let data = [vec![4, 0, 0, 0], random_bytes(6, 92)].concat();
    assert_snapshot!(told(&datagrams(&[(CLIENT, initiation), (SERVER, data)])), @r"
    WireGuard, Opaque, from packet None
      message handshake initiation
      message data
    ");
}

/// Severity, rule and text of the finding on a flow.
fn judged(flow: FlowFinding) -> String {
    let watched = Watched { flows: vec![flow], unwatched_pieces: 0 };
    let findings = judge(&watched, false);
    findings
        .iter()
        .map(|finding| format!("{:?} {} {}\n", finding.severity, finding.rule, finding.text))
        .collect()
}

#[test]
fn findings_on_what_is_not_known() {
    let noise = stream(&[(CLIENT, random_bytes(7, 300)), (SERVER, random_bytes(8, 300))]);
    let filling = datagrams(&[(CLIENT, vec![0; 100])]);
    let structure = datagrams(&[(CLIENT, [0, 0, 0, 7].repeat(25))]);
    let short = datagrams(&[(CLIENT, vec![200, 201, 202])]);
    let text =
        datagrams(&[(CLIENT, "\u{1}this is what somebody said to somebody else, in clear".as_bytes())]);
    let findings = [noise, filling, structure, short, text].map(judged).concat();
    assert_snapshot!(findings, @r"
    Gap flow.opaque TCP 10.0.0.1:40000 ↔ 10.0.0.2:40001: opaque, unknown protocol, shows nothing but that; what it seals cannot be judged
    Violation clear.filling UDP 10.0.0.1:40000 ↔ 10.0.0.2:40001: nine tenths of a direction are the byte 0x00: nobody sealed them
    Gap flow.unknown UDP 10.0.0.1:40000 ↔ 10.0.0.2:40001: 100 bytes that are neither readable nor known to be sealed
    Gap flow.unknown UDP 10.0.0.1:40000 ↔ 10.0.0.2:40001: 3 bytes that are neither readable nor known to be sealed
    Violation clear.text UDP 10.0.0.1:40000 ↔ 10.0.0.2:40001: unknown protocol in clear: 1 text
    ");
}

#[test]
fn noise_is_not_called_readable() {
    for seed in 0..200 {
        let flow = stream(&[(CLIENT, random_bytes(seed, 4000)), (SERVER, random_bytes(seed + 1000, 4000))]);
        assert_eq!(flow.nature, Nature::Opaque, "seed {seed}");
    }
}

#[test]
fn a_flow_that_says_nothing_has_no_finding() {
    let watch = Watch::new(ends(dissection::Protocol::Tcp));
    assert_eq!(judge(&Watched { flows: vec![watch.finish()], unwatched_pieces: 0 }, false), []);
}

#[test]
fn a_hole_is_survived() {
    let mut watch = Watch::new(ends(dissection::Protocol::Tcp));
    watch.take(CLIENT, 1, Piece::Bytes(b"NICK ada\r\nPRIVMSG #a :on"));
    watch.take(CLIENT, 2, Piece::Gap(10));
    watch.take(CLIENT, 3, Piece::Bytes(b"cut\r\nPRIVMSG #a :whole\r\n"));
    let flow = watch.finish();
    let revealed: Vec<String> = flow.secrets.iter().map(super::super::Secret::reveal).collect();
    assert_eq!(revealed, ["ada", "#a", "whole"]);
    assert_eq!(flow.missing_bytes, 10);
    assert_eq!(
        judge(&Watched { flows: vec![flow], unwatched_pieces: 0 }, false)[0].severity,
        Severity::Violation
    );
}
