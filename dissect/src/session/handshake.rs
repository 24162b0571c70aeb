//! What can be checked of handshakes without keys: the attempt id, the rule that a handshake datagram
//! is built once, and fresh ephemeral keys.

use std::collections::{BTreeMap, BTreeSet};

use spec::handshake;
use spec::limits::{KEM_CIPHERTEXT_BYTES, KEY_BYTES};
use spec::wire::long::field;

use super::{Kind, Session, payload};
use crate::packet::Packet;
use crate::verdict::{Finding, Level};

/// Different bodies of one fragment that are tried; the hub itself keeps two.
const CANDIDATES_MAX: usize = 4;

/// All checks over all sessions.
pub(super) fn check(sessions: &[Session], bytes: &[u8], packets: &[Packet]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut keys: BTreeMap<&[u8], (BTreeSet<&[u8]>, usize)> = BTreeMap::new();
    for session in sessions {
        let bodies = |kind| bodies(session, kind, bytes, packets);
        findings.extend(attempt_id(session, &bodies(Kind::Init(0)), &bodies(Kind::Init(1))));
        for kind in [Kind::Init(0), Kind::Init(1), Kind::Fin] {
            findings.extend(rebuilt(session, kind, &bodies(kind)));
        }
        let initiator = bodies(Kind::Init(0)).into_iter().map(|(body, packet)| (body, 0, packet));
        let responder =
            bodies(Kind::Resp).into_iter().map(|(body, packet)| (body, KEM_CIPHERTEXT_BYTES, packet));
        for (body, at, packet) in initiator.chain(responder) {
            if let Some(key) = body.get(at..at + KEY_BYTES) {
                keys.entry(key).or_insert_with(|| (BTreeSet::new(), packet)).0.insert(body);
            }
        }
    }
    for (key, (bodies, packet)) in keys {
        if bodies.len() > 1 {
            let text = format!("{} handshake messages use the same ephemeral key", bodies.len());
            findings
                .push(Finding::violation(Level::E1, "handshake.ephemeral-reused", text).in_packet(packet));
        }
        if key.iter().all(|byte| *byte == 0) {
            let text = "an ephemeral key of zero bytes";
            findings.push(Finding::violation(Level::E1, "handshake.ephemeral-zero", text).in_packet(packet));
        }
    }
    findings
}

/// The different bodies of the datagrams of one kind, each with the number of its first packet.
pub(crate) fn bodies<'a>(
    session: &Session,
    kind: Kind,
    bytes: &'a [u8],
    packets: &[Packet],
) -> Vec<(&'a [u8], usize)> {
    let mut bodies: Vec<(&[u8], usize)> = Vec::new();
    for index in session.packets(kind) {
        let Some(packet) = packets.get(index) else { continue };
        let body = payload(bytes, packet).get(field::BODY);
        if let Some(body) = body.filter(|body| bodies.iter().all(|(seen, _)| seen != body)) {
            bodies.push((body, packet.number));
        }
        if bodies.len() == CANDIDATES_MAX {
            break;
        }
    }
    bodies
}

/// PROTOCOL.md#handshake: the attempt id is the beginning of the hash of message 1.
fn attempt_id(session: &Session, first: &[(&[u8], usize)], second: &[(&[u8], usize)]) -> Option<Finding> {
    let (_, packet) = second.first()?;
    first.first()?;
    let matches = |a: &[u8], b: &[u8]| handshake::attempt_id(&[a, b].concat()) == session.attempt_id;
    let found = first.iter().any(|(a, _)| second.iter().any(|(b, _)| matches(a, b)));
    (!found).then(|| {
        let text = format!("attempt {} is not the hash of its message 1", session.attempt());
        Finding::violation(Level::E1, "handshake.attempt-id", text).in_packet(*packet)
    })
}

/// PROTOCOL.md#long-datagrams: handshake datagrams are built once. A rebuilt one would seal two
/// plaintexts under one key and nonce.
fn rebuilt(session: &Session, kind: Kind, bodies: &[(&[u8], usize)]) -> Option<Finding> {
    let (_, packet) = bodies.get(1)?;
    let text = format!("attempt {} has two different {} datagrams", session.attempt(), kind.name());
    Some(Finding::violation(Level::E1, "handshake.rebuilt", text).in_packet(*packet))
}
