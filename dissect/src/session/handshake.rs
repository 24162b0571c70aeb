//! What can be checked of handshakes without keys: the attempt id, the rule that a handshake datagram
//! is built once, fresh ephemeral keys, and connection ids of one session only.

use std::collections::{BTreeMap, BTreeSet};

use spec::handshake;
use spec::limits::{KEM_CIPHERTEXT_BYTES, KEY_BYTES};
use spec::wire::long::{AttemptId, field};

use super::{Kind, Session, payload};
use crate::packet::{Endpoint, Packet};
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
    findings.extend(shared_connection_ids(sessions));
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

/// Ids of 64 bits are never shared by chance: not by both directions, and not by address pairs that have
/// no attempt in common. (A relay shows one attempt between two pairs.)
fn shared_connection_ids(sessions: &[Session]) -> Vec<Finding> {
    let mut attempts: BTreeMap<_, BTreeSet<AttemptId>> = BTreeMap::new();
    let mut owners: BTreeMap<&str, BTreeSet<_>> = BTreeMap::new();
    for session in sessions {
        let pair = (session.client, session.hub);
        attempts.entry(pair).or_default().insert(session.attempt_id);
        for (ids, from_client) in
            [(&session.client_connection_ids, true), (&session.hub_connection_ids, false)]
        {
            for id in ids {
                owners.entry(id).or_default().insert((from_client, pair));
            }
        }
    }
    let of_pair = |pair: &(Endpoint, Endpoint)| attempts.get(pair).cloned().unwrap_or_default();
    let mut findings = Vec::new();
    // Most ids have one place, and a pair may have many attempts: only ids of several places are compared.
    for (id, places) in owners.into_iter().filter(|(_, places)| places.len() > 1) {
        let both_directions = places.iter().any(|place| place.0) && places.iter().any(|place| !place.0);
        let common = places.iter().map(|(_, pair)| of_pair(pair)).reduce(|a, b| &a & &b);
        if both_directions || common.is_some_and(|common| common.is_empty()) {
            let text = format!("connection id {id} is used by two sessions or in both directions");
            findings.push(Finding::violation(Level::E1, "session.connection-id-shared", text));
        }
    }
    findings
}
