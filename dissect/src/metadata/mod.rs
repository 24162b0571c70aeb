//! What remains visible of a sealed conversation: who, when, how much, and how much a header could hide.
//!
//! Nothing here is a leak of content, and nothing here decides the verdict: an observer of any protocol learns
//! addresses, times and lengths. It is measured, in bits where that is possible, so that nobody has to guess.

mod covert;
mod direction;
mod information;

use std::collections::BTreeMap;

use serde::Serialize;
use spec::limits::BUCKETS_BYTES;

use crate::bytes::count;
use crate::dissection::Endpoint;
use crate::row::Row;
use crate::session::{Kind, has_short_length};
use covert::Covert;
use direction::Direction;
use information::Joint;

pub use covert::{Bits, CovertReport};
pub use direction::DirectionReport;
pub use information::Information;

/// Pairs of a client and a hub that are told apart; packets of others are counted together.
const PAIRS: usize = 1_024;

/// One datagram of a session.
#[derive(Clone, Copy, Debug)]
struct Observation<'a> {
    kind: Kind,
    from_client: bool,
    client: Endpoint,
    hub: Endpoint,
    time_ns: Option<i128>,
    payload: &'a [u8],
}

/// Counts datagrams of sessions in bounded memory.
#[derive(Debug, Default)]
pub struct Observer {
    directions: [Direction; 2],
    pairs: BTreeMap<(Endpoint, Endpoint), Traffic>,
    others: Traffic,
    covert: Covert,
    short: u64,
    short_of_other_lengths: u64,
    opened: Joint,
}

/// How much went between two ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Datagrams in both directions.
    pub datagrams: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Who talked to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Talk {
    /// The client.
    pub client: Endpoint,
    /// The hub.
    pub hub: Endpoint,
    /// What went between them.
    pub traffic: Traffic,
}

/// What an observer without keys learns besides content.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetadataReport {
    /// From clients to hubs.
    pub from_clients: DirectionReport,
    /// From hubs to clients.
    pub from_hubs: DirectionReport,
    /// Who talked to whom, in order of their addresses.
    pub talks: Vec<Talk>,
    /// The traffic of pairs beyond the first 1,024.
    pub other_talks: Traffic,
    /// What header fields could carry unnoticed.
    pub covert: CovertReport,
    /// SHORT datagrams.
    pub short: u64,
    /// Those of them that have none of the lengths the protocol pads to.
    pub short_of_other_lengths: u64,
    /// What the length of a datagram tells of the length of what was said in it; `None` without keys.
    pub message_lengths: Option<Information>,
}

impl Observer {
    /// An observer who has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a packet; one that is no datagram of a session says nothing.
    pub fn take(&mut self, row: &Row<'_>) {
        let (Some(member), Some((source, destination))) = (row.member, row.packet.dissection.ends) else {
            return;
        };
        let (client, hub) = if member.from_client { (source, destination) } else { (destination, source) };
        let payload = row.packet.datagram(row.data);
        let (kind, from_client, time_ns) = (member.kind, member.from_client, row.packet.time_ns);
        self.observe(&Observation { kind, from_client, client, hub, time_ns, payload });
        if let Some(opened) = row.opened.filter(|opened| opened.repeats.is_none()) {
            self.opened.take(opened.said_bytes, payload.len());
        }
    }

    fn observe(&mut self, seen: &Observation<'_>) {
        let [from_clients, from_hubs] = &mut self.directions;
        let direction = if seen.from_client { from_clients } else { from_hubs };
        direction.take(seen.payload.len(), seen.time_ns);
        self.covert.take(seen.kind, seen.payload);
        if seen.kind == Kind::Short {
            self.short += 1;
            self.short_of_other_lengths += u64::from(!has_short_length(seen.payload.len()));
        }
        let pair = (seen.client, seen.hub);
        let traffic = if self.pairs.len() < PAIRS || self.pairs.contains_key(&pair) {
            self.pairs.entry(pair).or_default()
        } else {
            &mut self.others
        };
        traffic.datagrams += 1;
        traffic.bytes += count(seen.payload.len());
    }

    /// What was learnt.
    #[must_use]
    pub fn finish(self) -> MetadataReport {
        let [from_clients, from_hubs] = self.directions.map(Direction::finish);
        let talk = |((client, hub), traffic)| Talk { client, hub, traffic };
        MetadataReport {
            from_clients,
            from_hubs,
            talks: self.pairs.into_iter().map(talk).collect(),
            other_talks: self.others,
            covert: self.covert.finish(),
            short: self.short,
            short_of_other_lengths: self.short_of_other_lengths,
            message_lengths: self.opened.finish(),
        }
    }
}

impl MetadataReport {
    /// The report in plain words.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = vec![self.about_pairs(), self.about_lengths()];
        for (who, direction) in [("clients", &self.from_clients), ("hubs", &self.from_hubs)] {
            sentences.extend(direction.sentence(who));
        }
        sentences.push(self.covert.sentence());
        sentences.extend(self.message_lengths.as_ref().map(Information::sentence));
        sentences
    }

    fn about_pairs(&self) -> String {
        let datagrams: u64 = self.talks.iter().map(|talk| talk.traffic.datagrams).sum();
        let pairs = self.talks.len();
        let rest = match self.other_talks.datagrams {
            0 => String::new(),
            other => format!(", and {other} between further ones"),
        };
        format!("an observer sees who talks to whom: {datagrams} datagrams between {pairs} pairs{rest}")
    }

    fn about_lengths(&self) -> String {
        let steps = BUCKETS_BYTES.windows(2).filter_map(|pair| pair.last()?.checked_sub(*pair.first()?));
        let (least, most) =
            steps.fold((usize::MAX, 0), |(least, most), step| (least.min(step), most.max(step)));
        let padded = "lengths are those the protocol pads to and reveal how much was sent";
        match self.short_of_other_lengths {
            0 => format!("{padded} to within {least} to {most} bytes"),
            odd => format!(
                "{odd} of {} SHORT datagrams are not padded: their lengths reveal how much was sent to the byte",
                self.short
            ),
        }
    }
}

#[cfg(test)]
mod tests;
