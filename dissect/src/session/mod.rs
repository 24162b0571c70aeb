//! Finds the sessions of a capture and names every byte of their datagrams.
//!
//! A handshake shows itself by its attempt id and address pair. SHORT datagrams belong to the session
//! whose connection id they carry. Where keys are known, they say whose an id is, wherever it appears.
//! Else an id seen for the first time is that of the newest finished handshake of the same two addresses
//! that has none yet; or, between other addresses, that of a session with the same hub whose client is not
//! heard any more where it was.

mod datagram;
mod directory;
mod handshake;
mod ids;
mod last_heard;
mod order;
mod tracker;

use std::collections::BTreeSet;

use serde::Serialize;

pub use datagram::Kind;
pub(crate) use datagram::has_short_length;
pub(crate) use directory::Directory;
pub(crate) use handshake::bodies;
pub use order::Stage;

use spec::wire::long::AttemptId;
use spec::wire::short::ConnectionId;

use crate::dissection::{Endpoint, Protocol};
use crate::packet::Packet;
use crate::verdict::Finding;
use datagram::Claim;
use last_heard::LastHeard;
use tracker::Tracker;

/// One handshake between one pair of addresses, and what followed it wherever the client went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    /// Its datagrams in the order of the capture.
    pub members: Vec<Member>,
    /// The different connection ids the client sent to, in order of appearance.
    #[serde(serialize_with = "hex_of_ids")]
    pub client_connection_ids: Vec<ConnectionId>,
    /// The different connection ids the hub sent to.
    #[serde(serialize_with = "hex_of_ids")]
    pub hub_connection_ids: Vec<ConnectionId>,
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
    const fn new(attempt_id: AttemptId, client: Endpoint, hub: Endpoint) -> Self {
        Self {
            attempt_id,
            client,
            hub,
            stage: Stage::Unseen,
            members: Vec::new(),
            client_connection_ids: Vec::new(),
            hub_connection_ids: Vec::new(),
            fragments_seen: [false; 2],
        }
    }

    /// The attempt id, in hexadecimal.
    #[must_use]
    pub fn attempt(&self) -> String {
        hex(&self.attempt_id.0)
    }

    /// The connection ids that one side sent to.
    fn ids_of(&self, from_client: bool) -> &[ConnectionId] {
        if from_client { &self.client_connection_ids } else { &self.hub_connection_ids }
    }

    fn note_id(&mut self, id: ConnectionId, from_client: bool) {
        let ids = if from_client { &mut self.client_connection_ids } else { &mut self.hub_connection_ids };
        if !ids.contains(&id) {
            ids.push(id);
        }
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

fn hex_of_ids<S: serde::Serializer>(ids: &[ConnectionId], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().map(|id| hex(&id.0)))
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

/// Recognises Sealgram datagrams, refines their fields and groups them into sessions. What `directory` knows
/// is certain; it is empty without keys.
#[must_use]
pub(crate) fn recognise(bytes: &[u8], packets: &mut [Packet], directory: &mut Directory) -> Recognised {
    let mut pairs: BTreeSet<_> = packets
        .iter()
        .filter(|packet| matches!(datagram::claim(payload(bytes, packet)), Claim::Long(..)))
        .filter_map(pair)
        .collect();
    let mut tracker = Tracker::new(directory, LastHeard::of(bytes, packets));
    let mut passed_over = Vec::new();
    for (index, packet) in packets.iter_mut().enumerate() {
        let Some(pair) = pair(packet) else { continue };
        if pairs.contains(&pair) || tracker.welcomes(packet, bytes) {
            pairs.insert(pair);
            tracker.take(index, packet, bytes);
        } else {
            passed_over.push(index);
        }
    }
    let Tracker { sessions, mut findings, .. } = tracker;
    // What went between two addresses before a session moved there was of no session.
    for index in passed_over {
        if let Some(packet) =
            packets.get_mut(index).filter(|packet| pair(packet).is_some_and(|pair| pairs.contains(&pair)))
        {
            tracker::unknown(packet);
        }
    }
    findings.extend(handshake::check(&sessions, bytes, packets));
    findings.extend(ids::check(&sessions, directory, bytes, packets));
    Recognised { sessions, findings, pairs }
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

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
