//! Finds the sessions of a capture and names every byte of their datagrams, without any key.
//!
//! A handshake shows itself by its attempt id and address pair. SHORT datagrams belong to the session
//! whose connection id they carry; an id seen for the first time, to the newest finished handshake of
//! the same two addresses that has none yet.

mod datagram;
mod handshake;
mod order;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use datagram::Kind;
pub(crate) use handshake::bodies;
pub use order::Stage;

use spec::wire::long::AttemptId;
use spec::wire::short::ConnectionId;

use crate::packet::{Endpoint, Packet, Protocol};
use crate::tree::{Class, Tree};
use crate::verdict::{Finding, Level};
use datagram::Claim;
use order::Event;

/// One handshake and what followed it, between one pair of addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Session {
    /// The attempt id.
    #[serde(serialize_with = "hex_of_attempt")]
    pub attempt_id: AttemptId,
    /// Who sent INIT.
    pub client: Endpoint,
    /// Who was asked.
    pub hub: Endpoint,
    /// How far it came.
    pub stage: Stage,
    /// Its datagrams in the order of the capture.
    pub members: Vec<Member>,
    /// The different connection ids the client sent to, in hexadecimal, in order of appearance.
    pub client_connection_ids: Vec<String>,
    /// The different connection ids the hub sent to.
    pub hub_connection_ids: Vec<String>,
    /// Which INIT fragments were seen.
    #[serde(skip)]
    fragments_seen: [bool; 2],
}

/// One datagram of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Index into the packets of the report.
    pub index: usize,
    /// What it is.
    pub kind: Kind,
    /// Who sent it.
    pub from_client: bool,
}

impl Serialize for Member {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut state = serializer.serialize_struct("Member", 3)?;
        state.serialize_field("packet", &(self.index + 1))?;
        state.serialize_field("message", self.kind.name())?;
        state.serialize_field("from_client", &self.from_client)?;
        state.end()
    }
}

impl Session {
    /// The attempt id, in hexadecimal.
    #[must_use]
    pub fn attempt(&self) -> String {
        hex(&self.attempt_id.0)
    }

    /// The connection ids that one side sent to.
    fn ids_of(&self, from_client: bool) -> &[String] {
        if from_client { &self.client_connection_ids } else { &self.hub_connection_ids }
    }

    /// Whether the client sends what goes to this address. A client may move to another address in the middle
    /// of a session, so that only the hub's address tells the two sides apart.
    fn is_clients(&self, destination: Endpoint) -> bool {
        self.hub == destination
    }

    /// Marks an INIT fragment as seen; whether the other one was.
    fn see_fragment(&mut self, second: bool) -> bool {
        let [seen_first, seen_second] = &mut self.fragments_seen;
        let (own, other) = if second { (seen_second, seen_first) } else { (seen_first, seen_second) };
        *own = true;
        *other
    }

    /// Indices of its packets of one kind.
    pub fn packets(&self, kind: Kind) -> impl Iterator<Item = usize> + '_ {
        self.members.iter().filter(move |member| member.kind == kind).map(|member| member.index)
    }
}

fn hex_of_attempt<S: serde::Serializer>(attempt: &AttemptId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex(&attempt.0))
}

/// What recognition found.
#[derive(Clone, Debug, Default)]
pub struct Recognised {
    /// The sessions, in order of their first datagram.
    pub sessions: Vec<Session>,
    /// What was odd.
    pub findings: Vec<Finding>,
    /// The address pairs that Sealgram datagrams travelled between, lower endpoint first.
    pub pairs: BTreeSet<(Endpoint, Endpoint)>,
}

/// Recognises Sealgram datagrams, refines their fields and groups them into sessions.
#[must_use]
pub fn recognise(bytes: &[u8], packets: &mut [Packet]) -> Recognised {
    let mut pairs: BTreeSet<_> = packets
        .iter()
        .filter(|packet| matches!(datagram::claim(payload(bytes, packet)), Claim::Long(..)))
        .filter_map(pair)
        .collect();
    let mut tracker = Tracker::default();
    for (index, packet) in packets.iter_mut().enumerate() {
        let Some(pair) = pair(packet) else { continue };
        if pairs.contains(&pair) {
            tracker.take(index, packet, bytes);
        } else if tracker.knows(packet, bytes) {
            pairs.insert(pair);
            tracker.take(index, packet, bytes);
        }
    }
    let mut findings = tracker.findings;
    findings.extend(handshake::check(&tracker.sessions, bytes, packets));
    Recognised { sessions: tracker.sessions, findings, pairs }
}

/// The payload of a UDP packet; empty for others.
pub(crate) fn payload<'a>(bytes: &'a [u8], packet: &Packet) -> &'a [u8] {
    if packet.dissection.protocol != Protocol::Udp {
        return &[];
    }
    packet.payload_in_file().and_then(|range| bytes.get(range)).unwrap_or_default()
}

/// Whether a payload has the form and one of the lengths of a SHORT datagram.
pub(crate) fn looks_short(payload: &[u8]) -> bool {
    matches!(datagram::claim(payload), Claim::Short(_, true))
}

fn pair(packet: &Packet) -> Option<(Endpoint, Endpoint)> {
    let (source, destination) = packet.dissection.ends?;
    (packet.dissection.protocol == Protocol::Udp).then(|| (source.min(destination), source.max(destination)))
}

/// The state of recognition while it walks through the capture.
#[derive(Default)]
struct Tracker {
    sessions: Vec<Session>,
    findings: Vec<Finding>,
    /// Sessions of an attempt id between a pair of addresses.
    attempts: BTreeMap<((Endpoint, Endpoint), AttemptId), usize>,
    /// Sessions of a connection id from one address to another.
    connections: BTreeMap<(Endpoint, Endpoint, ConnectionId), usize>,
    /// The same by receiver alone: a client behind another address sends to the same hub.
    towards: BTreeMap<(Endpoint, ConnectionId), usize>,
    /// The connection ids that one side of a session (the client's: true) sent to.
    known: BTreeSet<(usize, bool, ConnectionId)>,
    /// Sessions of a pair, in order of appearance.
    of_pair: BTreeMap<(Endpoint, Endpoint), Vec<usize>>,
}

impl Tracker {
    fn take(&mut self, index: usize, packet: &mut Packet, bytes: &[u8]) {
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
            Claim::Short(id, length_is_legal) => match self.connection(id, source, destination) {
                Some((_, true)) if !length_is_legal => {
                    self.refuse(packet, "a SHORT datagram whose length is none of the allowed ones");
                }
                Some((at, _)) if length_is_legal => {
                    name(packet, Kind::Short, payload, format!("SHORT, connection {}", hex(&id.0)));
                    self.note_connection(at, id, source, destination);
                    let from_client =
                        self.sessions.get(at).is_some_and(|session| session.is_clients(destination));
                    self.join(at, Member { index, kind: Kind::Short, from_client }, destination);
                }
                _ => unknown(packet),
            },
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
            self.sessions.push(Session {
                attempt_id: attempt,
                client,
                hub,
                stage: Stage::Unseen,
                members: Vec::new(),
                client_connection_ids: Vec::new(),
                hub_connection_ids: Vec::new(),
                fragments_seen: [false; 2],
            });
            self.of_pair.entry(pair).or_default().push(new);
        }
        at
    }

    /// The session a connection id belongs to, and whether the id was seen before.
    fn connection(&self, id: ConnectionId, source: Endpoint, destination: Endpoint) -> Option<(usize, bool)> {
        if let Some(&at) = self.connections.get(&(source, destination, id)) {
            return Some((at, true));
        }
        let own: &[usize] =
            self.of_pair.get(&(source.min(destination), source.max(destination))).map_or(&[], Vec::as_slice);
        let session = |at: &&usize| self.sessions.get(**at);
        let is_finished = |at: &&usize| session(at).is_some_and(|session| session.stage >= Stage::Finished);
        let has_no_id = |at: &&usize| {
            session(at).is_some_and(|session| session.ids_of(session.is_clients(destination)).is_empty())
        };
        let finished = || own.iter().rev().filter(is_finished);
        if let Some(at) = finished().find(has_no_id) {
            return Some((*at, false));
        }
        // No session of these addresses waits for its first id: a known id is a session that moved here.
        if let Some(&at) = self.towards.get(&(destination, id)) {
            return Some((at, true));
        }
        let at = finished().next().or_else(|| own.last())?;
        Some((*at, false))
    }

    /// Whether this is a SHORT datagram of a session that moved to another address.
    fn knows(&self, packet: &Packet, bytes: &[u8]) -> bool {
        let destination = packet.dissection.ends.map(|(_, destination)| destination);
        match (datagram::claim(payload(bytes, packet)), destination) {
            (Claim::Short(id, true), Some(destination)) => self.towards.contains_key(&(destination, id)),
            _ => false,
        }
    }

    fn note_connection(&mut self, at: usize, id: ConnectionId, source: Endpoint, destination: Endpoint) {
        let is_new = self.connections.insert((source, destination, id), at).is_none();
        self.towards.insert((destination, id), at);
        let (true, Some(session)) = (is_new, self.sessions.get_mut(at)) else { return };
        let from_client = session.is_clients(destination);
        if !self.known.insert((at, from_client, id)) {
            let text = format!("connection id {} is used by {source} and {destination} too", hex(&id.0));
            self.findings.push(Finding::note(Level::E1, "session.moved", format!("{text}: it links them")));
            // What the other side sends there is of this session as well.
            self.of_pair.entry((source.min(destination), source.max(destination))).or_default().push(at);
        } else if from_client {
            session.client_connection_ids.push(hex(&id.0));
        } else {
            session.hub_connection_ids.push(hex(&id.0));
        }
    }

    /// Adds a datagram to its session and moves the session's stage.
    fn join(&mut self, at: usize, member: Member, destination: Endpoint) {
        let Some(session) = self.sessions.get_mut(at) else { return };
        let other_fragment_seen = match member.kind {
            Kind::Init(fragment) => session.see_fragment(fragment == 1),
            _ => false,
        };
        let from_client = session.is_clients(destination);
        match order::next(session.stage, Event { kind: member.kind, from_client, other_fragment_seen }) {
            Ok(stage) => session.stage = stage,
            // The capture may have begun too late or lost a datagram, so this refutes nothing.
            Err(reason) => self.findings.push(
                Finding::gap(Level::E1, "session.order", format!("attempt {}: {reason}", session.attempt()))
                    .in_packet(member.index + 1),
            ),
        }
        session.members.push(member);
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

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
