//! What we seal with in one generation.

use super::identity::Identity;
use super::policy::KeyPolicy;
use alloc::vec::Vec;
use spec::key_schedule::Root;
use spec::seal::{SealError, Sealer};
use spec::time::Instant;
use spec::wire::frame::Side;
use spec::wire::short::{ConnectionId, ShortHeader};

/// Root, keys and ids that we send under. Dropping it wipes them.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) root: Root,
    pub(super) ids: Identity,
    sealer: Sealer,
    /// Number and time of the first packet under the present key.
    first: Option<(u64, Instant)>,
    /// Whether a packet under the present key was acknowledged.
    is_heard: bool,
    bytes: u64,
}

impl Sending {
    pub(super) fn new(side: Side, root: Root, policy: &KeyPolicy) -> Self {
        let keys = root.direction(side);
        let sealer = Sealer::with_limit(&keys, policy.sealed_max);
        Self { root, ids: Identity::new(keys.ids), sealer, first: None, is_heard: false, bytes: 0 }
    }

    pub(super) const fn generation(&self) -> u64 {
        self.root.generation()
    }

    pub(super) const fn epoch(&self) -> u64 {
        self.sealer.epoch()
    }

    /// Epoch bits and id for packet `number`.
    pub(super) fn mark(&mut self, now: Instant, last_seen: Instant, number: u64) -> (u8, ConnectionId) {
        (self.sealer.epoch_bits(), self.ids.for_packet(now, last_seen, number))
    }

    pub(super) fn seal(
        &mut self,
        now: Instant,
        header: &ShortHeader,
        out: &mut Vec<u8>,
        start: usize,
    ) -> Result<(), SealError> {
        self.sealer.seal(header, out, start)?;
        self.first = self.first.or(Some((header.number, now)));
        self.bytes += (out.len() - start) as u64;
        Ok(())
    }

    /// Packet `largest` was acknowledged.
    pub(super) fn acknowledged(&mut self, largest: u64) {
        self.is_heard |= self.first.is_some_and(|(first, _)| largest >= first);
        self.ids.acknowledged(largest);
    }

    /// The peer shows by its own keys that it has opened a packet under ours.
    pub(super) const fn heard(&mut self) {
        self.is_heard = true;
    }

    /// Goes on to the next epoch when the present key was used for long enough and the peer has it.
    pub(super) fn update_if_due(&mut self, now: Instant, policy: &KeyPolicy) {
        let is_old = self.first.is_some_and(|(_, since)| now.since(since) >= policy.update_after);
        let is_worn = self.sealer.sealed() >= policy.update_packets || self.bytes >= policy.update_bytes;
        //= spec/PROTOCOL.md#key-updates
        //# A sender MUST NOT move to the next epoch before a packet of the present one was acknowledged.
        if self.is_heard && (is_old || is_worn) {
            self.sealer.update();
            (self.first, self.is_heard, self.bytes) = (None, false, 0);
        }
    }
}
