//! One direction of a link: a queue in front of a line of some rate, then a delay, then loss.

use core::time::Duration;
use node_proto::random::Random;
use spec::time::{Instant, micros};

/// What a direction of a link does to packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// Time from the end of the line to the other side.
    pub(crate) delay: Duration,
    /// Of 1000 packets, so many are lost.
    pub(crate) loss_per_mille: u64,
    /// Bytes a second; `None` is a line that takes no time.
    pub(crate) rate: Option<u64>,
    /// Bytes that may wait for the line; what comes then is dropped.
    pub(crate) queue_bytes: u64,
}

impl Link {
    /// Half of a path with this round-trip time, as fast as one likes.
    #[must_use]
    pub(crate) fn of_rtt(rtt: Duration, loss_per_mille: u64) -> Self {
        Self { delay: rtt / 2, loss_per_mille, rate: None, queue_bytes: u64::MAX }
    }

    /// The same with a rate in bytes a second, and a queue of one bandwidth-delay product.
    #[must_use]
    pub(crate) fn with_rate(self, rate: u64) -> Self {
        let queue_bytes = rate * micros(2 * self.delay) / 1_000_000;
        Self { rate: Some(rate), queue_bytes, ..self }
    }
}

/// A link at work.
#[derive(Debug)]
pub(crate) struct Pipe {
    link: Link,
    random: Random,
    line_free_at: Instant,
    /// Bytes put into it, headers included.
    pub(crate) sent_bytes: u64,
    /// Packets put into it.
    pub(crate) sent_packets: u64,
    /// Packets that the queue had no room for.
    pub(crate) dropped_packets: u64,
}

impl Pipe {
    /// A pipe whose losses `seed` decides.
    #[must_use]
    pub(crate) fn new(link: Link, seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let (random, line_free_at) = (Random::new(bytes), Instant(0));
        Self { link, random, line_free_at, sent_bytes: 0, sent_packets: 0, dropped_packets: 0 }
    }

    /// From now on it loses so many of 1000.
    pub(crate) fn set_loss(&mut self, loss_per_mille: u64) {
        self.link.loss_per_mille = loss_per_mille;
    }

    /// When a packet of `bytes` that is sent now arrives, if it does.
    pub(crate) fn carry(&mut self, now: Instant, bytes: u64) -> Option<Instant> {
        self.sent_bytes += bytes;
        self.sent_packets += 1;
        // Drawn for each packet, lost or not, so that the n-th packet has the fate of the n-th packet.
        let is_lost = self.random.number() % 1000 < self.link.loss_per_mille;
        let Some(rate) = self.link.rate else {
            return (!is_lost).then(|| now + self.link.delay);
        };
        let waiting = self.line_free_at.since(now);
        if micros(waiting) * rate / 1_000_000 + bytes > self.link.queue_bytes {
            self.dropped_packets += 1;
            return None;
        }
        let on_the_line = Duration::from_micros((bytes * 1_000_000).div_ceil(rate));
        self.line_free_at = now.max(self.line_free_at) + on_the_line;
        (!is_lost).then(|| self.line_free_at + self.link.delay)
    }
}
