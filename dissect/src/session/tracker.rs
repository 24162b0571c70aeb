//! The walk through a capture that gives every datagram its session.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use spec::wire::frame::Side;
use spec::wire::long::AttemptId;
use spec::wire::short::ConnectionId;

use super::datagram::{self, Claim};
use super::order::{self, Event};
use super::{
    BODIES_BYTES_MAX, Datagram, Directory, IDS_MAX, Kind, LastHeard, Member, Moment, Pair, Recognised,
    SESSIONS_MAX, Session, Stage, handshake, hex, ids,
};
use crate::dissection::Endpoint;
use crate::packet::Packet;
use crate::tree::{Class, Tree};
use crate::verdict::{Finding, Findings, Level};

/// Sessions between two addresses that an unknown id may be of: the newest.
const PAIR_SESSIONS_MAX: usize = 64;
/// Pairs of addresses that are compared for one attempt id: a relay shows it between two, and a client that
/// moves in the middle of its handshake between a few.
const ATTEMPT_SESSIONS_MAX: usize = 16;
/// Sessions looked at, over the whole capture, to find the one that moved.
const SEARCH_STEPS_MAX: usize = 1 << 26;

/// What a capture may have too many of: a rule, and what it means.
const SESSIONS_MANY: (&str, &str) = (
    "session.many",
    "more sessions than can be told apart: what belongs to which is not known of all of them",
);
const IDS_MANY: (&str, &str) = (
    "session.ids-many",
    "more connection ids than can be remembered: what belongs to which is not known of all",
);

/// The state of recognition while it walks through the capture.
pub(crate) struct Tracker<'a> {
    sessions: Vec<Session>,
    findings: Findings,
    last_heard: &'a LastHeard,
    /// The attempts whose handshake bodies somebody wants.
    wanted: &'a BTreeSet<AttemptId>,
    /// The pairs that handshakes and sessions were seen between so far.
    pairs: BTreeSet<Pair>,
    /// The pairs at the end of the capture, where an earlier walk found them.
    pairs_at_end: &'a BTreeSet<Pair>,
    /// Sessions of an attempt id between a pair of addresses.
    attempts: BTreeMap<(Pair, AttemptId), usize>,
    /// Sessions of an attempt id between any addresses.
    of_attempt: BTreeMap<AttemptId, Vec<usize>>,
    /// Sessions of a connection id from one address to another.
    connections: BTreeMap<(Endpoint, Endpoint, ConnectionId), usize>,
    /// The same without the client's address, which changes: by hub and whether the client sends.
    by_hub: BTreeMap<(Endpoint, bool, ConnectionId), usize>,
    /// The newest sessions of a pair, in order of appearance.
    of_pair: BTreeMap<Pair, VecDeque<usize>>,
    /// When the client of each session was heard last, under all its ids so far.
    heard: BTreeMap<usize, Moment>,
    /// Ids towards a hub that no session explained when they appeared.
    unexplained: BTreeSet<(Endpoint, ConnectionId)>,
    search_steps: usize,
    bodies_bytes: usize,
    /// What there was no room for.
    crowded: BTreeMap<&'static str, &'static str>,
}

/// A SHORT datagram as an observer sees it.
#[derive(Clone, Copy)]
struct Sighting {
    id: ConnectionId,
    source: Endpoint,
    destination: Endpoint,
    moment: Moment,
}

impl Sighting {
    const fn of(seen: &Datagram<'_>, id: ConnectionId) -> Self {
        Self { id, source: seen.source, destination: seen.destination, moment: seen.moment }
    }

    fn pair(&self) -> Pair {
        (self.source.min(self.destination), self.source.max(self.destination))
    }
}

/// Where a SHORT datagram belongs.
#[derive(Clone, Copy)]
struct Place {
    session: usize,
    from_client: bool,
    /// Whether its id is known to be the session's.
    is_known: bool,
}

impl<'a> Tracker<'a> {
    /// Begins a walk. `pairs` are those that LONG datagrams travel between anywhere in the capture.
    pub(crate) fn new(
        pairs: BTreeSet<Pair>,
        pairs_at_end: &'a BTreeSet<Pair>,
        last_heard: &'a LastHeard,
        wanted: &'a BTreeSet<AttemptId>,
    ) -> Self {
        Self {
            sessions: Vec::new(),
            findings: Findings::default(),
            last_heard,
            wanted,
            pairs,
            pairs_at_end,
            attempts: BTreeMap::new(),
            of_attempt: BTreeMap::new(),
            connections: BTreeMap::new(),
            by_hub: BTreeMap::new(),
            of_pair: BTreeMap::new(),
            heard: BTreeMap::new(),
            unexplained: BTreeSet::new(),
            search_steps: 0,
            bodies_bytes: 0,
            crowded: BTreeMap::new(),
        }
    }

    /// The sessions so far.
    pub(crate) fn sessions(&self) -> &[Session] {
        &self.sessions
    }

    /// Gives a packet its place in a session, if it has one, and names its fields. What `directory` knows is
    /// certain; it is empty without keys.
    pub(crate) fn take(
        &mut self,
        packet: &mut Packet,
        data: &[u8],
        directory: &mut Directory,
    ) -> Option<Member> {
        let seen = Datagram::of(packet, data)?;
        let pair = seen.pair();
        if self.pairs.contains(&pair) || self.welcomes(&seen, directory) {
            self.pairs.insert(pair);
            return self.place_datagram(packet, &seen, directory);
        }
        // What went between two addresses before a session moved there was of no session.
        if self.pairs_at_end.contains(&pair) {
            unknown(packet);
        }
        None
    }

    /// What was recognised.
    pub(crate) fn finish(mut self, directory: &Directory) -> Recognised {
        if self.last_heard.is_full {
            self.crowded(IDS_MANY);
        }
        for (rule, text) in self.crowded {
            self.findings.push(Finding::gap(Level::E1, rule, text));
        }
        let mut findings = self.findings.finish();
        findings.extend(handshake::check(&self.sessions));
        findings.extend(ids::check(&self.sessions, directory));
        Recognised { sessions: self.sessions, findings, pairs: self.pairs }
    }

    fn crowded(&mut self, (rule, text): (&'static str, &'static str)) {
        self.crowded.insert(rule, text);
    }

    /// Whether this is a SHORT datagram of a session that moved to a pair of addresses without a handshake.
    fn welcomes(&mut self, seen: &Datagram<'_>, directory: &mut Directory) -> bool {
        let Claim::Short(id, length_is_legal) = datagram::claim(seen.payload) else { return false };
        let place = self.place(&Sighting::of(seen, id), directory);
        place.is_some_and(|place| place.is_known || length_is_legal)
    }

    /// Gives a datagram between the addresses of a session its name and its session.
    fn place_datagram(
        &mut self,
        packet: &mut Packet,
        seen: &Datagram<'_>,
        directory: &mut Directory,
    ) -> Option<Member> {
        match datagram::claim(seen.payload) {
            Claim::Long(kind @ (Kind::KeyReq | Kind::Key), _) => {
                name(packet, kind, seen.payload, kind.name().to_owned());
            }
            Claim::Long(kind, attempt) => {
                let info = format!("{}, attempt {}", kind.label(), hex(&attempt.0));
                name(packet, kind, seen.payload, info);
                let session = self.attempt(kind, attempt, seen)?;
                self.remember_body(session, kind, seen);
                return Some(self.join(
                    Member { session, kind, from_client: kind.is_clients() },
                    seen,
                    false,
                ));
            }
            Claim::BadLong => self.refuse(packet, "a LONG datagram of no legal type and length"),
            Claim::Short(id, length_is_legal) => {
                let sighting = Sighting::of(seen, id);
                match self.place(&sighting, directory) {
                    Some(place) if length_is_legal => {
                        name(packet, Kind::Short, seen.payload, format!("SHORT, connection {}", hex(&id.0)));
                        let has_room = self.settle(&sighting, place);
                        let Place { session, from_client, .. } = place;
                        let member = Member { session, kind: Kind::Short, from_client };
                        return Some(self.join(member, seen, has_room));
                    }
                    Some(place) if place.is_known => {
                        self.refuse(packet, "a SHORT datagram whose length is none of the allowed ones");
                    }
                    _ => unknown(packet),
                }
            }
            Claim::Other => unknown(packet),
        }
        None
    }

    /// The session of an attempt id, begun if it is new.
    fn attempt(&mut self, kind: Kind, attempt: AttemptId, seen: &Datagram<'_>) -> Option<usize> {
        let pair = seen.pair();
        if let Some(at) = self.attempts.get(&(pair, attempt)) {
            return Some(*at);
        }
        let new = self.sessions.len();
        if new >= SESSIONS_MAX {
            self.crowded(SESSIONS_MANY);
            return None;
        }
        let (client, hub) =
            if kind.is_clients() { (seen.source, seen.destination) } else { (seen.destination, seen.source) };
        self.attempts.insert((pair, attempt), new);
        self.sessions.push(Session::new(attempt, client, hub));
        self.note_pair(pair, new);
        let of_attempt = self.of_attempt.entry(attempt).or_default();
        if of_attempt.len() < ATTEMPT_SESSIONS_MAX {
            of_attempt.push(new);
        } else {
            self.crowded(SESSIONS_MANY);
        }
        Some(new)
    }

    /// Takes note that a session is between these addresses. The oldest makes room.
    fn note_pair(&mut self, pair: Pair, at: usize) {
        let of_pair = self.of_pair.entry(pair).or_default();
        if of_pair.contains(&at) {
            return;
        }
        of_pair.push_back(at);
        if of_pair.len() <= PAIR_SESSIONS_MAX {
            return;
        }
        let oldest = of_pair.pop_front().and_then(|oldest| self.sessions.get(oldest));
        let waits = |session: &Session| {
            session.stage >= Stage::Finished
                && (session.ids_of(true).is_empty() || session.ids_of(false).is_empty())
        };
        // Its first ids, which are still to come, would be taken for those of another.
        if oldest.is_some_and(waits) {
            self.crowded(SESSIONS_MANY);
        }
    }

    fn remember_body(&mut self, at: usize, kind: Kind, seen: &Datagram<'_>) {
        if !matches!(kind, Kind::Init(_) | Kind::Resp | Kind::Fin) {
            return;
        }
        if self.bodies_bytes > BODIES_BYTES_MAX {
            self.crowded(SESSIONS_MANY);
            return;
        }
        let Some(session) = self.sessions.get_mut(at) else { return };
        let (attempt, packet) = (session.attempt_id, seen.moment.packet());
        let is_wanted = self.wanted.contains(&attempt);
        let grown = session.bodies.take(kind, attempt, seen.payload, packet, is_wanted);
        self.bodies_bytes = self.bodies_bytes.saturating_add_signed(grown);
    }

    /// The session of a SHORT datagram: by its keys, by its addresses, by its id, or as the one session that may
    /// have moved here.
    fn place(&mut self, sighting: &Sighting, directory: &mut Directory) -> Option<Place> {
        if let Some(place) = self.by_keys(sighting, directory) {
            return Some(place);
        }
        let known = |session| Some((session, true));
        let new = |session| Some((session, false));
        let (session, is_known) = self
            .by_ends(sighting)
            .and_then(known)
            .or_else(|| self.without_id(sighting, directory).and_then(new))
            .or_else(|| self.by_id(sighting).and_then(known))
            .or_else(|| self.finished(sighting, directory).next().and_then(new))
            .or_else(|| self.moved_here(sighting, directory).and_then(new))
            .or_else(|| self.own(sighting).next_back().and_then(new))?;
        let from_client =
            self.sessions.get(session).is_some_and(|session| session.is_clients(sighting.destination));
        Some(Place { session, from_client, is_known })
    }

    /// The owner of the id. A relay shows its session between several pairs of addresses.
    fn by_keys(&self, sighting: &Sighting, directory: &mut Directory) -> Option<Place> {
        let owner = directory.find(sighting.id)?;
        let from_client = owner.side == Side::Client;
        let hub = if from_client { sighting.destination } else { sighting.source };
        let sessions = self.of_attempt.get(&owner.attempt)?;
        let has_hub = |at: &usize| self.sessions.get(*at).is_some_and(|session| session.hub == hub);
        let here = self.own(sighting).rev().find(|at| sessions.contains(at));
        let elsewhere = || sessions.iter().find(|at| has_hub(at)).or_else(|| sessions.first()).copied();
        let session = here.or_else(elsewhere)?;
        Some(Place { session, from_client, is_known: true })
    }

    fn by_ends(&self, sighting: &Sighting) -> Option<usize> {
        self.connections.get(&(sighting.source, sighting.destination, sighting.id)).copied()
    }

    /// The newest finished handshake between these addresses that has no id yet.
    fn without_id(&self, sighting: &Sighting, directory: &Directory) -> Option<usize> {
        let has_none = |at: &usize| {
            let session = self.sessions.get(*at);
            session.is_some_and(|s| s.ids_of(s.is_clients(sighting.destination)).is_empty())
        };
        self.finished(sighting, directory).find(has_none)
    }

    /// The session that used this id with the same hub from, or to, another address.
    fn by_id(&self, Sighting { id, source, destination, .. }: &Sighting) -> Option<usize> {
        let of = |hub, from_client| self.by_hub.get(&(hub, from_client, *id)).copied();
        of(*destination, true).or_else(|| of(*source, false))
    }

    /// The sessions of these addresses, in order of appearance.
    fn own(&self, sighting: &Sighting) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.of_pair.get(&sighting.pair()).into_iter().flatten().copied()
    }

    /// Those whose handshake is finished, newest first. An id that no key gave is of one without keys, if there
    /// is one.
    fn finished(&self, sighting: &Sighting, directory: &Directory) -> impl Iterator<Item = usize> + use<> {
        let is_finished =
            |at: &usize| self.sessions.get(*at).is_some_and(|session| session.stage >= Stage::Finished);
        let is_covered =
            |at: &usize| self.sessions.get(*at).is_some_and(|session| directory.covers(session.attempt_id));
        let (covered, own): (Vec<usize>, Vec<usize>) =
            self.own(sighting).rev().filter(is_finished).partition(is_covered);
        own.into_iter().chain(covered)
    }

    /// The session of this hub whose client may have moved to the address of the sender: it is not heard any
    /// more where it was, not long ago it was, and of such sessions it was heard last.
    fn moved_here(&mut self, sighting: &Sighting, directory: &Directory) -> Option<usize> {
        let thread = (sighting.destination, sighting.id);
        if self.unexplained.contains(&thread) {
            return None;
        }
        self.search_steps += self.sessions.len();
        if self.search_steps > SEARCH_STEPS_MAX {
            self.crowded(SESSIONS_MANY);
            return None;
        }
        let may_have_moved = |(at, session): (usize, &Session)| {
            let is_candidate = session.hub == sighting.destination
                && session.stage == Stage::Established
                && !directory.covers(session.attempt_id);
            let last = self.heard.get(&at).copied();
            let last = last.or_else(|| self.last_heard.between(session.client, session.hub));
            let now = sighting.moment;
            let has_left = last.is_none_or(|last| last.is_over_at(now) && last.lives_at(now));
            (is_candidate && has_left).then_some((last, at))
        };
        let session = self.sessions.iter().enumerate().filter_map(may_have_moved).max();
        if session.is_none() && self.unexplained.len() < IDS_MAX {
            self.unexplained.insert(thread);
        } else if session.is_none() {
            self.crowded(IDS_MANY);
        }
        session.map(|(_, at)| at)
    }

    /// Takes note that this id and these addresses are the session's; whether there was room for that.
    fn settle(&mut self, sighting: &Sighting, place: Place) -> bool {
        let Sighting { id, source, destination, .. } = *sighting;
        let Place { session: at, from_client, .. } = place;
        let hub = if from_client { destination } else { source };
        let connection = (source, destination, id);
        let is_known = self.connections.contains_key(&connection);
        if !is_known && self.connections.len() >= IDS_MAX {
            self.crowded(IDS_MANY);
            return false;
        }
        if self.connections.insert(connection, at) != Some(at) {
            self.note_pair(sighting.pair(), at);
        }
        if self.by_hub.insert((hub, from_client, id), at) == Some(at) {
            return true;
        }
        if let Some(last) = self.last_heard.under(destination, id).filter(|_| from_client) {
            let heard = self.heard.entry(at).or_insert(last);
            *heard = last.max(*heard);
        }
        true
    }

    /// Adds a datagram to its session and moves the session's stage.
    fn join(&mut self, member: Member, seen: &Datagram<'_>, has_room: bool) -> Member {
        let at = member.session;
        let Some(session) = self.sessions.get_mut(at) else { return member };
        let other_fragment_seen = match member.kind {
            Kind::Init(fragment) => session.see_fragment(fragment == 1),
            _ => false,
        };
        let from_client = if member.kind == Kind::Short {
            member.from_client
        } else {
            session.is_clients(seen.destination)
        };
        let event = Event { kind: member.kind, from_client, other_fragment_seen };
        let next = order::next(session.stage, event);
        session.take(member, seen, has_room);
        match next {
            Ok(stage) => session.stage = stage,
            // The client's address changed in the middle of the handshake: the hub drops what comes from the
            // new one, and so nothing follows from it.
            Err(_) if self.is_legal_elsewhere(at, event) => {}
            // The capture may have begun too late or lost a datagram, so this refutes nothing.
            Err(reason) => self.note_order(at, seen.moment.packet(), reason),
        }
        member
    }

    /// Whether the same attempt at the same hub, from another address of its client, has come so far.
    fn is_legal_elsewhere(&self, at: usize, event: Event) -> bool {
        let Some(session) = self.sessions.get(at) else { return false };
        let others = self.of_attempt.get(&session.attempt_id).into_iter().flatten();
        others.filter_map(|other| self.sessions.get(*other)).any(|other| {
            (other.hub, other.client != session.client) == (session.hub, true)
                && order::next(other.stage, event).is_ok()
        })
    }

    fn note_order(&mut self, at: usize, packet: usize, reason: &str) {
        let attempt = self.sessions.get(at).map(Session::attempt).unwrap_or_default();
        let finding = Finding::gap(Level::E1, "session.order", format!("attempt {attempt}: {reason}"));
        self.findings.push(finding.in_packet(packet));
    }

    fn refuse(&mut self, packet: &mut Packet, what: &str) {
        self.findings.push(Finding::violation(Level::E1, "session.format", what).in_packet(packet.number));
        unknown(packet);
        what.clone_into(&mut packet.info);
    }
}

fn name(packet: &mut Packet, kind: Kind, payload: &[u8], info: String) {
    packet.message = Some(kind.name());
    packet.info = info;
    refine(packet, &datagram::tree(kind, payload.len()));
}

/// A datagram between the addresses of a session that is none of the protocol's.
fn unknown(packet: &mut Packet) {
    let mut tree = Tree::default();
    tree.push(
        "unknown",
        Class::Unparsed,
        packet.dissection.payload.as_ref().map_or(0, ExactSizeIterator::len),
    );
    refine(packet, &tree);
    "unknown datagram between the addresses of a session".clone_into(&mut packet.info);
}

fn refine(packet: &mut Packet, parts: &Tree) {
    if let Some(range) = packet.dissection.payload.clone() {
        packet.dissection.tree.refine(&range, parts);
    }
}
