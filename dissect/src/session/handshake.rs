//! What can be checked of handshakes without keys: the attempt id, the rule that a handshake datagram
//! is built once, and fresh ephemeral keys.

use std::collections::{BTreeMap, BTreeSet};

use super::{Kind, Session};
use crate::verdict::{Finding, Level};

/// All checks over all sessions.
pub(super) fn check(sessions: &[Session]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut keys = BTreeMap::new();
    for session in sessions {
        findings.extend(attempt_id(session));
        for kind in [Kind::Init(0), Kind::Init(1), Kind::Fin] {
            findings.extend(rebuilt(session, kind));
        }
        for body in session.bodies.all() {
            if let Some(key) = body.key {
                keys.entry(key).or_insert_with(|| (BTreeSet::new(), body.packet)).0.insert(body.digest);
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

fn attempt_id(session: &Session) -> Option<Finding> {
    let packet = session.bodies.contradicts()?;
    let text = format!("attempt {} is not the hash of its message 1", session.attempt());
    Some(Finding::violation(Level::E1, "handshake.attempt-id", text).in_packet(packet))
}

/// PROTOCOL.md#long-datagrams: handshake datagrams are built once. A rebuilt one would seal two
/// plaintexts under one key and nonce.
fn rebuilt(session: &Session, kind: Kind) -> Option<Finding> {
    let second = session.bodies.of(kind).get(1)?;
    let text = format!("attempt {} has two different {} datagrams", session.attempt(), kind.name());
    Some(Finding::violation(Level::E1, "handshake.rebuilt", text).in_packet(second.packet))
}
