//! Finds the sessions of a capture and names every byte of their datagrams.
//!
//! A handshake shows itself by its attempt id and address pair. SHORT datagrams belong to the session
//! whose connection id they carry. Where keys are known, they say whose an id is, wherever it appears.
//! Else an id seen for the first time is that of the newest finished handshake of the same two addresses
//! that has none yet; or, between other addresses, that of a session with the same hub whose client is not
//! heard any more where it was.

mod bodies;
mod datagram;
mod directory;
mod handshake;
mod ids;
mod last_heard;
mod order;
mod recognised;
mod tracker;

use std::collections::BTreeMap;

use serde::Serialize;

pub(crate) use bodies::{Body, Digest, digest};
pub use datagram::Kind;
pub(crate) use datagram::has_short_length;
pub(crate) use directory::{Directory, Owner};
pub(crate) use last_heard::LastHeard;
pub use order::Stage;
pub(crate) use recognised::{Pair, Recognised};
pub(crate) use tracker::Tracker;

use spec::wire::long::AttemptId;
use spec::wire::short::{ConnectionId, connection_id};

use crate::dissection::Endpoint;
use crate::packet::Packet;
use bodies::Bodies;
use datagram::Claim;
use ids::Traces;
use last_heard::Moment;

/// Sessions that are told apart in a capture.
pub const SESSIONS_MAX: usize = 16_384;
/// Connection ids that are remembered, each between two addresses.
pub const IDS_MAX: usize = 131_072;
/// Bytes of handshake messages that are kept, where they have to be compared or opened.
pub const BODIES_BYTES_MAX: usize = 32 << 20;

/// One handshake between one pair of addresses, and what followed it wherever the client went.
#[derive(Clone, Debug, Serialize)]
pub struct Session {
    /// The attempt id.
    #[serde(serialize_with = "hex_of_attempt")]
    pub attempt_id: AttemptId,
    /// Who sent INIT; a client may go on from other addresses.
    pub client: Endpoint,
    /// Who was asked.
    pub hub: Endpoint,
    /// How far it came.
    pub stage: Stage,
    /// Its handshake, kind by kind.
    #[serde(serialize_with = "by_name")]
    pub handshake: BTreeMap<Kind, Step>,
    /// SHORT datagrams of the client.
    pub client_datagrams: u64,
    /// SHORT datagrams of the hub.
    pub hub_datagrams: u64,
    /// The different connection ids the client sent to, in order of appearance.
    #[serde(serialize_with = "hex_of_ids")]
    pub client_connection_ids: Vec<ConnectionId>,
    /// The different connection ids the hub sent to.
    #[serde(serialize_with = "hex_of_ids")]
    pub hub_connection_ids: Vec<ConnectionId>,
    /// Which INIT fragments were seen.
    #[serde(skip)]
    fragments_seen: [bool; 2],
    #[serde(skip)]
    traces: Traces,
    #[serde(skip)]
    pub(crate) bodies: Bodies,
}

/// The datagrams of one kind in a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Number of the packet that carried the first of them.
    pub first_packet: usize,
    /// How many there were.
    pub count: u64,
}

/// The place of a datagram in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Index of the session among those of the report.
    pub session: usize,
    /// What it is.
    pub kind: Kind,
    /// Who sent it.
    pub from_client: bool,
}

/// A packet that carries a UDP datagram.
#[derive(Clone, Copy)]
struct Datagram<'a> {
    payload: &'a [u8],
    moment: Moment,
    source: Endpoint,
    destination: Endpoint,
}

impl<'a> Datagram<'a> {
    fn of(packet: &Packet, data: &'a [u8]) -> Option<Self> {
        packet.pair()?;
        let (source, destination) = packet.dissection.ends?;
        Some(Self { payload: packet.datagram(data), moment: Moment::of(packet), source, destination })
    }

    fn pair(&self) -> Pair {
        (self.source.min(self.destination), self.source.max(self.destination))
    }
}

impl Session {
    fn new(attempt_id: AttemptId, client: Endpoint, hub: Endpoint) -> Self {
        Self {
            attempt_id,
            client,
            hub,
            stage: Stage::Unseen,
            handshake: BTreeMap::new(),
            client_datagrams: 0,
            hub_datagrams: 0,
            client_connection_ids: Vec::new(),
            hub_connection_ids: Vec::new(),
            fragments_seen: [false; 2],
            traces: Traces::default(),
            bodies: Bodies::default(),
        }
    }

    /// The attempt id, in hexadecimal.
    #[must_use]
    pub fn attempt(&self) -> String {
        hex(&self.attempt_id.0)
    }

    /// The number of the packet that carried the first datagram of a kind.
    #[must_use]
    pub fn first(&self, kind: Kind) -> Option<usize> {
        self.handshake.get(&kind).map(|step| step.first_packet)
    }

    /// The connection ids that one side sent to.
    fn ids_of(&self, from_client: bool) -> &[ConnectionId] {
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

    /// Takes in a datagram that is its; `has_room` says whether its connection id may be remembered.
    fn take(&mut self, member: Member, seen: &Datagram<'_>, has_room: bool) {
        let Member { kind, from_client, .. } = member;
        self.traces.at(seen.moment);
        if kind != Kind::Short {
            let first = Step { first_packet: seen.moment.packet(), count: 0 };
            self.handshake.entry(kind).or_insert(first).count += 1;
            return;
        }
        let (datagrams, ids) = if from_client {
            (&mut self.client_datagrams, &mut self.client_connection_ids)
        } else {
            (&mut self.hub_datagrams, &mut self.hub_connection_ids)
        };
        *datagrams += 1;
        let id = connection_id(seen.payload).filter(|_| has_room);
        if let Some(id) = id.filter(|id| self.traces.short(from_client, *id, seen)) {
            ids.push(id);
        }
    }
}

fn hex_of_attempt<S: serde::Serializer>(attempt: &AttemptId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex(&attempt.0))
}

fn hex_of_ids<S: serde::Serializer>(ids: &[ConnectionId], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().map(|id| hex(&id.0)))
}

fn by_name<S: serde::Serializer>(steps: &BTreeMap<Kind, Step>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(steps.iter().map(|(kind, step)| (kind.label(), step)))
}

/// The pair of addresses and the hub of a LONG datagram: who wants to be taken for Sealgram.
pub(crate) fn long_between(packet: &Packet, data: &[u8]) -> Option<(Pair, Endpoint)> {
    let seen = Datagram::of(packet, data)?;
    let Claim::Long(kind, _) = datagram::claim(seen.payload) else { return None };
    Some((seen.pair(), if kind.is_clients() { seen.destination } else { seen.source }))
}

/// Whether a payload has the form and one of the lengths of a SHORT datagram.
pub(crate) fn looks_short(payload: &[u8]) -> bool {
    matches!(datagram::claim(payload), Claim::Short(_, true))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
