//! The walk through a capture that gives every datagram its session.

use std::collections::{BTreeMap, BTreeSet};

use spec::wire::frame::Side;
use spec::wire::long::AttemptId;
use spec::wire::short::ConnectionId;

use super::datagram::{self, Claim};
use super::last_heard::{LastHeard, Moment};
use super::order::{self, Event};
use super::{Directory, Kind, Member, Session, Stage, hex, payload};
use crate::dissection::Endpoint;
use crate::packet::Packet;
use crate::tree::{Class, Tree};
use crate::verdict::{Finding, Level};

/// The state of recognition while it walks through the capture.
pub(super) struct Tracker<'a> {
    pub(super) sessions: Vec<Session>,
    pub(super) findings: Vec<Finding>,
    directory: &'a mut Directory,
    last_heard: LastHeard,
    /// Sessions of an attempt id between a pair of addresses.
    attempts: BTreeMap<((Endpoint, Endpoint), AttemptId), usize>,
    /// Sessions of an attempt id between any addresses.
    of_attempt: BTreeMap<AttemptId, Vec<usize>>,
    /// Sessions of a connection id from one address to another.
    connections: BTreeMap<(Endpoint, Endpoint, ConnectionId), usize>,
    /// The same without the client's address, which changes: by hub and whether the client sends.
    by_hub: BTreeMap<(Endpoint, bool, ConnectionId), usize>,
    /// Sessions of a pair, in order of appearance.
    of_pair: BTreeMap<(Endpoint, Endpoint), Vec<usize>>,
    /// When the client of each session was heard last, under all its ids so far.
    heard: BTreeMap<usize, Moment>,
    /// Ids towards a hub that no session explained when they appeared.
    unexplained: BTreeSet<(Endpoint, ConnectionId)>,
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
    fn pair(&self) -> (Endpoint, Endpoint) {
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
    pub(super) fn new(directory: &'a mut Directory, last_heard: LastHeard) -> Self {
        Self {
            sessions: Vec::new(),
            findings: Vec::new(),
            directory,
            last_heard,
            attempts: BTreeMap::new(),
            of_attempt: BTreeMap::new(),
            connections: BTreeMap::new(),
            by_hub: BTreeMap::new(),
            of_pair: BTreeMap::new(),
            heard: BTreeMap::new(),
            unexplained: BTreeSet::new(),
        }
    }

    /// Whether this is a SHORT datagram of a session that moved to a pair of addresses without a handshake.
    pub(super) fn welcomes(&mut self, packet: &Packet, bytes: &[u8]) -> bool {
        let Some((source, destination)) = packet.dissection.ends else { return false };
        let Claim::Short(id, length_is_legal) = datagram::claim(payload(bytes, packet)) else { return false };
        self.place(&Sighting { id, source, destination, moment: Moment::of(packet) })
            .is_some_and(|place| place.is_known || length_is_legal)
    }

    /// Gives a datagram between the addresses of a session its name and its session.
    pub(super) fn take(&mut self, index: usize, packet: &mut Packet, bytes: &[u8]) {
        let Some((source, destination)) = packet.dissection.ends else { return };
        let payload = payload(bytes, packet);
        match datagram::claim(payload) {
            Claim::Long(kind @ (Kind::KeyReq | Kind::Key), _) => {
                name(packet, kind, payload, kind.name().to_owned());
            }
            Claim::Long(kind, attempt) => {
                let info = match kind {
                    Kind::Init(fragment) => format!("INIT {}/2, attempt {}", fragment + 1, hex(&attempt.0)),
                    other => format!("{}, attempt {}", other.name(), hex(&attempt.0)),
                };
                name(packet, kind, payload, info);
                let at = self.attempt(kind, attempt, source, destination);
                self.join(at, Member { index, kind, from_client: kind.is_clients() }, destination);
            }
            Claim::BadLong => self.refuse(packet, "a LONG datagram of no legal type and length"),
            Claim::Short(id, length_is_legal) => {
                let sighting = Sighting { id, source, destination, moment: Moment::of(packet) };
                match self.place(&sighting) {
                    Some(place) if length_is_legal => {
                        name(packet, Kind::Short, payload, format!("SHORT, connection {}", hex(&id.0)));
                        self.settle(&sighting, place);
                        let member = Member { index, kind: Kind::Short, from_client: place.from_client };
                        self.join(place.session, member, destination);
                    }
                    Some(place) if place.is_known => {
                        self.refuse(packet, "a SHORT datagram whose length is none of the allowed ones");
                    }
                    _ => unknown(packet),
                }
            }
            Claim::Other => unknown(packet),
        }
    }

    /// The session of an attempt id, begun if it is new.
    fn attempt(&mut self, kind: Kind, attempt: AttemptId, source: Endpoint, destination: Endpoint) -> usize {
        let pair = (source.min(destination), source.max(destination));
        let new = self.sessions.len();
        let at = *self.attempts.entry((pair, attempt)).or_insert(new);
        if at == new {
            let (client, hub) = if kind.is_clients() { (source, destination) } else { (destination, source) };
            self.sessions.push(Session::new(attempt, client, hub));
            self.of_pair.entry(pair).or_default().push(new);
            self.of_attempt.entry(attempt).or_default().push(new);
        }
        at
    }

    /// The session of a SHORT datagram: by its keys, by its addresses, by its id, or as the one session that may
    /// have moved here.
    fn place(&mut self, sighting: &Sighting) -> Option<Place> {
        if let Some(place) = self.by_keys(sighting) {
            return Some(place);
        }
        let known = |session| Some((session, true));
        let new = |session| Some((session, false));
        let (session, is_known) = self
            .by_ends(sighting)
            .and_then(known)
            .or_else(|| self.without_id(sighting).and_then(new))
            .or_else(|| self.by_id(sighting).and_then(known))
            .or_else(|| self.finished(sighting).next().and_then(new))
            .or_else(|| self.moved_here(sighting).and_then(new))
            .or_else(|| self.own(sighting).last().copied().and_then(new))?;
        let from_client =
            self.sessions.get(session).is_some_and(|session| session.is_clients(sighting.destination));
        Some(Place { session, from_client, is_known })
    }

    /// The owner of the id. A relay shows its session between several pairs of addresses.
    fn by_keys(&mut self, sighting: &Sighting) -> Option<Place> {
        let owner = self.directory.find(sighting.id)?;
        let from_client = owner.side == Side::Client;
        let hub = if from_client { sighting.destination } else { sighting.source };
        let sessions = self.of_attempt.get(&owner.attempt)?;
        let has_hub = |at: &usize| self.sessions.get(*at).is_some_and(|session| session.hub == hub);
        let here = self.own(sighting).iter().rev().find(|at| sessions.contains(at));
        let session = here.or_else(|| sessions.iter().find(|at| has_hub(at))).or_else(|| sessions.first());
        let session = *session?;
        Some(Place { session, from_client, is_known: true })
    }

    fn by_ends(&self, sighting: &Sighting) -> Option<usize> {
        self.connections.get(&(sighting.source, sighting.destination, sighting.id)).copied()
    }

    /// The newest finished handshake between these addresses that has no id yet.
    fn without_id(&self, sighting: &Sighting) -> Option<usize> {
        let has_none = |at: &usize| {
            let session = self.sessions.get(*at);
            session.is_some_and(|s| s.ids_of(s.is_clients(sighting.destination)).is_empty())
        };
        self.finished(sighting).find(has_none)
    }

    /// The session that used this id with the same hub from, or to, another address.
    fn by_id(&self, Sighting { id, source, destination, .. }: &Sighting) -> Option<usize> {
        let of = |hub, from_client| self.by_hub.get(&(hub, from_client, *id)).copied();
        of(*destination, true).or_else(|| of(*source, false))
    }

    /// The sessions of these addresses, in order of appearance.
    fn own(&self, sighting: &Sighting) -> &[usize] {
        self.of_pair.get(&sighting.pair()).map_or(&[], Vec::as_slice)
    }

    /// Those whose handshake is finished, newest first. An id that no key gave is of one without keys, if there
    /// is one.
    fn finished(&self, sighting: &Sighting) -> impl Iterator<Item = usize> + '_ {
        let own = self.own(sighting);
        let of = move |covered: bool| {
            own.iter().rev().copied().filter(move |at| {
                let session = self.sessions.get(*at).filter(|session| session.stage >= Stage::Finished);
                session.is_some_and(|session| self.directory.covers(session.attempt_id) == covered)
            })
        };
        of(false).chain(of(true))
    }

    /// The session of this hub whose client may have moved to the address of the sender: it is not heard any
    /// more where it was, not long ago it was, and of such sessions it was heard last.
    fn moved_here(&mut self, sighting: &Sighting) -> Option<usize> {
        let thread = (sighting.destination, sighting.id);
        if self.unexplained.contains(&thread) {
            return None;
        }
        let may_have_moved = |(at, session): (usize, &Session)| {
            let is_candidate = session.hub == sighting.destination
                && session.stage == Stage::Established
                && !self.directory.covers(session.attempt_id);
            let last = self.heard.get(&at).copied();
            let last = last.or_else(|| self.last_heard.between(session.client, session.hub));
            let now = sighting.moment;
            let has_left = last.is_none_or(|last| last.is_over_at(now) && last.lives_at(now));
            (is_candidate && has_left).then_some((last, at))
        };
        let session = self.sessions.iter().enumerate().filter_map(may_have_moved).max();
        if session.is_none() {
            self.unexplained.insert(thread);
        }
        session.map(|(_, at)| at)
    }

    /// Takes note that this id and these addresses are the session's.
    fn settle(&mut self, sighting: &Sighting, place: Place) {
        let Sighting { id, source, destination, .. } = *sighting;
        let Place { session: at, from_client, .. } = place;
        let hub = if from_client { destination } else { source };
        self.connections.insert((source, destination, id), at);
        let of_pair = self.of_pair.entry(sighting.pair()).or_default();
        if !of_pair.contains(&at) {
            of_pair.push(at);
        }
        if self.by_hub.insert((hub, from_client, id), at) == Some(at) {
            return;
        }
        if let Some(last) = self.last_heard.under(destination, id).filter(|_| from_client) {
            let heard = self.heard.entry(at).or_insert(last);
            *heard = last.max(*heard);
        }
        if let Some(session) = self.sessions.get_mut(at) {
            session.note_id(id, from_client);
        }
    }

    /// Adds a datagram to its session and moves the session's stage.
    fn join(&mut self, at: usize, member: Member, destination: Endpoint) {
        let Some(session) = self.sessions.get_mut(at) else { return };
        let other_fragment_seen = match member.kind {
            Kind::Init(fragment) => session.see_fragment(fragment == 1),
            _ => false,
        };
        let from_client =
            if member.kind == Kind::Short { member.from_client } else { session.is_clients(destination) };
        let event = Event { kind: member.kind, from_client, other_fragment_seen };
        let next = order::next(session.stage, event);
        session.members.push(member);
        match next {
            Ok(stage) => session.stage = stage,
            // The client's address changed in the middle of the handshake: the hub drops what comes from the
            // new one, and so nothing follows from it.
            Err(_) if self.is_legal_elsewhere(at, event) => {}
            // The capture may have begun too late or lost a datagram, so this refutes nothing.
            Err(reason) => self.note_order(at, member, reason),
        }
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

    fn note_order(&mut self, at: usize, member: Member, reason: &str) {
        let attempt = self.sessions.get(at).map(Session::attempt).unwrap_or_default();
        let finding = Finding::gap(Level::E1, "session.order", format!("attempt {attempt}: {reason}"));
        self.findings.push(finding.in_packet(member.index + 1));
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
pub(super) fn unknown(packet: &mut Packet) {
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
