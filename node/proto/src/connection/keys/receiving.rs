//! What we open with in one generation.

use super::identity::PeerIdentity;
use super::policy::KeyPolicy;
use core::ops::Range;
use spec::discard::Discard;
use spec::key_schedule::Root;
use spec::seal::Opener;
use spec::time::Instant;
use spec::wire::frame::Side;

/// A packet that opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::connection) struct Unsealed {
    /// Its number.
    pub(in crate::connection) number: u64,
    /// Where its frames stand in the datagram.
    pub(in crate::connection) frames: Range<usize>,
}

/// Keys and ids that the peer sends under. Dropping it wipes them.
#[derive(Debug)]
pub(super) struct Receiving {
    pub(super) generation: u64,
    pub(super) ids: PeerIdentity,
    /// When the keys go.
    pub(super) until: Option<Instant>,
    opener: Opener,
    /// When the key of the epoch before the present one goes.
    previous_until: Option<Instant>,
}

impl Receiving {
    pub(super) fn new(peer: Side, root: &Root, policy: &KeyPolicy) -> Self {
        let keys = root.direction(peer);
        Self {
            generation: root.generation(),
            opener: Opener::with_limit(&keys, policy.failed_max),
            ids: PeerIdentity::new(keys.ids),
            until: None,
            previous_until: None,
        }
    }

    pub(super) const fn epoch(&self) -> u64 {
        self.opener.epoch()
    }

    /// Packets that did not open.
    pub(super) const fn failed(&self) -> u64 {
        self.opener.failed()
    }

    /// Opens a packet under the id with `index`; what it replaces stays until `kept`.
    pub(super) fn open(
        &mut self,
        kept: Instant,
        index: u64,
        datagram: &mut [u8],
        largest: Option<u64>,
    ) -> Result<Unsealed, Discard> {
        let before = self.opener.epoch();
        let opened = self.opener.open(datagram, largest)?;
        if self.opener.epoch() > before {
            self.previous_until = Some(kept);
        }
        self.ids.advance(index, kept);
        Ok(Unsealed { number: opened.header.number, frames: opened.frames })
    }

    /// The keys go at `at`, or when it was said before.
    pub(super) fn end_at(&mut self, at: Instant) {
        self.until = Some(self.until.map_or(at, |until| until.min(at)));
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        [self.until, self.previous_until, self.ids.deadline()].into_iter().flatten().min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.ids.handle_timeout(now);
        if self.previous_until.is_some_and(|until| until <= now) {
            self.previous_until = None;
            self.opener.forget_previous();
        }
    }
}
