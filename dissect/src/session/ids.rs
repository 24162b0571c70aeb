//! What connection ids show without keys: where a session moved to, ids that two sessions share, and more ids
//! than a session needs.

use std::collections::{BTreeMap, BTreeSet};

use spec::wire::long::AttemptId;
use spec::wire::short::{ConnectionId, connection_id};

use super::last_heard::Moment;
use super::{Directory, Kind, Session, hex, payload};
use crate::dissection::Endpoint;
use crate::packet::Packet;
use crate::verdict::{Finding, Level};

/// A sender moves to its next id after 15 minutes of silence, and to the ids of the next generation 15 minutes
/// after the last ratchet (PROTOCOL.md, Connection ids in use, Ratchet).
const IDS_EACH_PERIOD: i128 = 2;
const PERIOD_NS: i128 = 900_000_000_000;

/// All checks over all sessions.
pub(super) fn check(
    sessions: &[Session],
    directory: &Directory,
    bytes: &[u8],
    packets: &[Packet],
) -> Vec<Finding> {
    let mut findings = shared(sessions);
    for session in sessions {
        let uses = uses(session, bytes, packets);
        findings.extend(moved(session, &uses));
        // Keys tell of every id whose it is.
        if !directory.covers(session.attempt_id) {
            findings.extend(changing(session, packets));
            findings.extend(in_two_places(session, &uses));
        }
    }
    findings
}

/// When one side used an id, and where its client was.
struct Use {
    first: Moment,
    last: Moment,
    clients: BTreeSet<Endpoint>,
}

type Uses = BTreeMap<(bool, ConnectionId), Use>;

fn uses(session: &Session, bytes: &[u8], packets: &[Packet]) -> Uses {
    let mut uses = Uses::new();
    for member in session.members.iter().filter(|member| member.kind == Kind::Short) {
        let Some(packet) = packets.get(member.index) else { continue };
        let id = connection_id(payload(bytes, packet));
        let (Some(id), Some((source, destination))) = (id, packet.dissection.ends) else { continue };
        let now = Moment::of(packet);
        let client = if member.from_client { source } else { destination };
        let new = || Use { first: now, last: now, clients: BTreeSet::new() };
        let entry = uses.entry((member.from_client, id)).or_insert_with(new);
        entry.last = now;
        entry.clients.insert(client);
    }
    uses
}

/// Ids of 64 bits are never shared by chance: not by both directions, and not by address pairs that have
/// no attempt in common. (A relay shows one attempt between two pairs.)
fn shared(sessions: &[Session]) -> Vec<Finding> {
    let mut attempts: BTreeMap<_, BTreeSet<AttemptId>> = BTreeMap::new();
    let mut owners: BTreeMap<ConnectionId, BTreeSet<_>> = BTreeMap::new();
    for session in sessions {
        let pair = (session.client, session.hub);
        attempts.entry(pair).or_default().insert(session.attempt_id);
        for from_client in [true, false] {
            for id in session.ids_of(from_client) {
                owners.entry(*id).or_default().insert((from_client, pair));
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
            let text = format!("connection id {} is used by two sessions or in both directions", hex(&id.0));
            findings.push(Finding::violation(Level::E1, "session.connection-id-shared", text));
        }
    }
    findings
}

/// Says that the client of a session was elsewhere too, and how many ids link its addresses.
fn moved(session: &Session, uses: &Uses) -> Option<Finding> {
    let clients: BTreeSet<Endpoint> = uses.values().flat_map(|used| &used.clients).copied().collect();
    let others = clients.iter().filter(|client| **client != session.client).count();
    let linking = uses.values().filter(|used| used.clients.len() > 1).count();
    let text = format!(
        "attempt {} goes on at {others} more addresses of its client, and {linking} of its connection ids link them",
        session.attempt()
    );
    (others > 0).then(|| Finding::note(Level::E1, "session.moved", text))
}

/// A client that moves goes on under another id and does not come back to an older one, so that what is heard
/// for long under two ids from two addresses is not one client.
fn in_two_places(session: &Session, uses: &Uses) -> Option<Finding> {
    let mut own: Vec<&Use> =
        uses.iter().filter(|((from_client, _), _)| *from_client).map(|(_, used)| used).collect();
    own.sort_by_key(|used| used.first);
    let mut lasting: Vec<&Use> = Vec::new();
    for used in own {
        lasting.retain(|earlier| !earlier.last.is_over_at(used.first));
        if lasting.iter().any(|earlier| earlier.clients.is_disjoint(&used.clients)) {
            let text =
                format!("attempt {} seems to have its client in two places at once", session.attempt());
            return Some(Finding::gap(Level::E1, "session.two-places", text));
        }
        lasting.push(used);
    }
    None
}

/// More ids than time and moves explain carry something else.
fn changing(session: &Session, packets: &[Packet]) -> Option<Finding> {
    let times = session.members.iter().filter_map(|member| packets.get(member.index)?.time_ns);
    let (first, last) = (times.clone().min().unwrap_or(0), times.max().unwrap_or(0));
    let periods = last.saturating_sub(first) / PERIOD_NS;
    let excess = |from_client: bool| {
        let count = |count: usize| i128::try_from(count).unwrap_or(i128::MAX);
        let ids = count(session.ids_of(from_client).len());
        let allowed = count(moves(session, from_client, packets))
            .saturating_add(2)
            .saturating_add(periods.saturating_mul(IDS_EACH_PERIOD));
        (ids > allowed).then_some((ids, allowed))
    };
    let (ids, allowed) = excess(true).or_else(|| excess(false))?;
    let text = format!("attempt {} has {ids} connection ids in one direction", session.attempt());
    let text = format!("{text}, where {allowed} are enough");
    Some(Finding::gap(Level::E1, "session.connection-ids", text))
}

/// How often one side sent to, or from, another address than before.
fn moves(session: &Session, from_client: bool, packets: &[Packet]) -> usize {
    let own = |member: &&super::Member| member.kind == Kind::Short && member.from_client == from_client;
    let ends: Vec<_> = session
        .members
        .iter()
        .filter(own)
        .filter_map(|member| packets.get(member.index)?.dissection.ends)
        .collect();
    ends.windows(2).filter(|pair| pair.first() != pair.last()).count()
}
