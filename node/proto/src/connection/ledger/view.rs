//! What the judge of a model sees of a ledger, and nobody else does.

use super::{Ledger, SentPacket, State, contents_of};
use crate::content::Content;
use spec::time::Instant;

impl Ledger {
    /// The number behind the last.
    pub(in crate::connection) fn next_number(&self) -> u64 {
        self.base + self.packets.len() as u64
    }

    /// What the packets in flight carry.
    pub(in crate::connection) fn contents_in_flight(&self) -> impl Iterator<Item = &Content> {
        let contents = |packet| self.contents.range(contents_of(packet, self.contents_base));
        self.packets_in_flight().flat_map(contents).map(|carried| &carried.content)
    }

    /// Bytes of the packets in flight, added up anew.
    pub(in crate::connection) fn counted_bytes(&self) -> usize {
        let counted = self.packets_in_flight().filter(|packet| packet.is_counted);
        counted.map(|packet| usize::from(packet.bytes)).sum()
    }

    /// Whether packet `number` counts as lost.
    pub(in crate::connection) fn is_lost(&self, number: u64) -> bool {
        let packet = self.place(number).and_then(|place| self.packets.get(place));
        packet.is_some_and(|packet| packet.state == State::Lost)
    }

    /// When the oldest packet will be forgotten, if it counts as lost.
    pub(in crate::connection) fn forgets_at(&self) -> Option<Instant> {
        let oldest = self.packets.front().filter(|packet| packet.state == State::Lost);
        oldest.map(|packet| packet.sent + self.lost_kept)
    }

    /// Whether nothing is kept account of but numbers that were left out.
    pub(in crate::connection) fn is_settled(&self) -> bool {
        self.contents.is_empty() && self.packets.iter().all(|packet| packet.state == State::LeftOut)
    }

    fn packets_in_flight(&self) -> impl Iterator<Item = &SentPacket> {
        self.packets.iter().filter(|packet| packet.state == State::InFlight)
    }
}
