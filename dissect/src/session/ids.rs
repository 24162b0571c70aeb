//! What connection ids show without keys: where a session moved to, ids that two sessions share, and more ids
//! than a session needs.

use std::collections::{BTreeMap, BTreeSet};

use spec::wire::long::AttemptId;
use spec::wire::short::ConnectionId;

use super::last_heard::Moment;
use super::{Datagram, Directory, Session, hex};
use crate::dissection::Endpoint;
use crate::verdict::{Finding, Level};

/// A sender moves to its next id after 15 minutes of silence, and to the ids of the next generation 15 minutes
/// after the last ratchet (PROTOCOL.md, Connection ids in use, Ratchet).
const IDS_EACH_PERIOD: i128 = 2;
const PERIOD_NS: i128 = 900_000_000_000;
/// Addresses of a client under one id that are told apart.
const CLIENTS_MAX: usize = 64;
/// More ids of a client than this that last at once are of more than one client.
const LASTING_MAX: usize = 64;

/// When one side used an id, and where its client was.
#[derive(Clone, Debug)]
struct Use {
    first: Moment,
    last: Moment,
    clients: BTreeSet<Endpoint>,
}

/// What the datagrams of a session leave behind.
#[derive(Clone, Debug, Default)]
pub(super) struct Traces {
    uses: BTreeMap<(bool, ConnectionId), Use>,
    /// The earliest and the latest time of a datagram.
    times_ns: Option<(i128, i128)>,
    /// Where each side's last datagram came from and went to, the hub's first.
    ends: [Option<(Endpoint, Endpoint)>; 2],
    /// How often that changed.
    moves: [usize; 2],
}

impl Traces {
    pub(super) fn at(&mut self, moment: Moment) {
        let Some(now) = moment.time_ns() else { return };
        let (first, last) = self.times_ns.get_or_insert((now, now));
        (*first, *last) = ((*first).min(now), (*last).max(now));
    }

    /// Takes in a SHORT datagram; whether its id is new.
    pub(super) fn short(&mut self, from_client: bool, id: ConnectionId, seen: &Datagram<'_>) -> bool {
        let now = seen.moment;
        let client = if from_client { seen.source } else { seen.destination };
        let known = self.uses.len();
        let new = || Use { first: now, last: now, clients: BTreeSet::new() };
        let used = self.uses.entry((from_client, id)).or_insert_with(new);
        used.last = now;
        if used.clients.len() < CLIENTS_MAX {
            used.clients.insert(client);
        }
        let ends = (seen.source, seen.destination);
        let [hub, clients] = &mut self.ends;
        let before = if from_client { clients } else { hub }.replace(ends);
        let [hub, clients] = &mut self.moves;
        *if from_client { clients } else { hub } += usize::from(before.is_some_and(|before| before != ends));
        self.uses.len() > known
    }

    /// How often one side sent to, or from, another address than before.
    fn moves(&self, from_client: bool) -> usize {
        let [hub, client] = self.moves;
        if from_client { client } else { hub }
    }

    fn lasted_ns(&self) -> i128 {
        self.times_ns.map_or(0, |(first, last)| last.saturating_sub(first))
    }
}

/// All checks over all sessions.
pub(super) fn check(sessions: &[Session], directory: &Directory) -> Vec<Finding> {
    let mut findings = shared(sessions);
    for session in sessions {
        findings.extend(moved(session));
        // Keys tell of every id whose it is.
        if !directory.covers(session.attempt_id) {
            findings.extend(changing(session));
            findings.extend(in_two_places(session));
        }
    }
    findings
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
    // Many ids may have the same places.
    let mut known: BTreeMap<BTreeSet<_>, bool> = BTreeMap::new();
    let mut findings = Vec::new();
    // Most ids have one place, and a pair may have many attempts: only ids of several places are compared.
    for (id, places) in owners.into_iter().filter(|(_, places)| places.len() > 1) {
        let both_directions = places.iter().any(|place| place.0) && places.iter().any(|place| !place.0);
        let is_foreign = *known.entry(places).or_insert_with_key(|places| {
            let common = places.iter().map(|(_, pair)| of_pair(pair)).reduce(|a, b| &a & &b);
            common.is_some_and(|common| common.is_empty())
        });
        if both_directions || is_foreign {
            let text = format!("connection id {} is used by two sessions or in both directions", hex(&id.0));
            findings.push(Finding::violation(Level::E1, "session.connection-id-shared", text));
        }
    }
    findings
}

/// Says that the client of a session was elsewhere too, and how many ids link its addresses.
fn moved(session: &Session) -> Option<Finding> {
    let uses = || session.traces.uses.values();
    let clients: BTreeSet<Endpoint> = uses().flat_map(|used| &used.clients).copied().collect();
    let others = clients.iter().filter(|client| **client != session.client).count();
    let linking = uses().filter(|used| used.clients.len() > 1).count();
    let text = format!(
        "attempt {} goes on at {others} more addresses of its client, and {linking} of its connection ids link them",
        session.attempt()
    );
    (others > 0).then(|| Finding::note(Level::E1, "session.moved", text))
}

/// A client that moves goes on under another id and does not come back to an older one, so that what is heard
/// for long under two ids from two addresses is not one client.
fn in_two_places(session: &Session) -> Option<Finding> {
    let uses = session.traces.uses.iter();
    let mut own: Vec<&Use> =
        uses.filter(|((from_client, _), _)| *from_client).map(|(_, used)| used).collect();
    own.sort_by_key(|used| used.first);
    let mut lasting: Vec<&Use> = Vec::new();
    for used in own {
        lasting.retain(|earlier| !earlier.last.is_over_at(used.first));
        let is_elsewhere = lasting.iter().any(|earlier| earlier.clients.is_disjoint(&used.clients));
        if is_elsewhere || lasting.len() >= LASTING_MAX {
            let text =
                format!("attempt {} seems to have its client in two places at once", session.attempt());
            return Some(Finding::gap(Level::E1, "session.two-places", text));
        }
        lasting.push(used);
    }
    None
}

/// More ids than time and moves explain carry something else.
fn changing(session: &Session) -> Option<Finding> {
    let periods = session.traces.lasted_ns() / PERIOD_NS;
    let excess = |from_client: bool| {
        let count = |count: usize| i128::try_from(count).unwrap_or(i128::MAX);
        let ids = count(session.ids_of(from_client).len());
        let allowed = count(session.traces.moves(from_client))
            .saturating_add(2)
            .saturating_add(periods.saturating_mul(IDS_EACH_PERIOD));
        (ids > allowed).then_some((ids, allowed))
    };
    let (ids, allowed) = excess(true).or_else(|| excess(false))?;
    let text = format!("attempt {} has {ids} connection ids in one direction", session.attempt());
    let text = format!("{text}, where {allowed} are enough");
    Some(Finding::gap(Level::E1, "session.connection-ids", text))
}
