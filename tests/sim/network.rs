//! What a link is: how long it takes, what it loses, and how much it carries. [`Pipe`](crate::pipe::Pipe) carries.

use core::time::Duration;

/// One direction of a link; the same for all datagrams on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Time every datagram takes at least.
    pub delay: Duration,
    /// Time it may take more, evenly spread: datagrams closer together than this may overtake each other.
    pub jitter: Duration,
    /// Of 1000 datagrams, so many are lost.
    pub loss_per_mille: u64,
    /// Losses that come in bursts.
    pub burst: Option<Burst>,
    /// Of 1000 datagrams, so many arrive twice.
    pub duplicate_per_mille: u64,
    /// Of 1000 datagrams, so many take [`Link::reorder_by`] longer.
    pub reorder_per_mille: u64,
    /// How much longer a reordered datagram takes.
    pub reorder_by: Duration,
    /// Of 1000 datagrams, so many have one bit flipped.
    pub flip_per_mille: u64,
    /// Longer datagrams vanish, as where a router's complaint never comes back.
    pub mtu_bytes: usize,
    /// The slowest part of the way, when there is one that matters.
    pub bottleneck: Option<Bottleneck>,
}

/// Losses in bursts: a link that is now and then bad (Gilbert 1960, Elliott 1963). It goes from one state to the
/// other with each datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// Of 1000 datagrams on the good link, so many find it bad from then on.
    pub begins_per_mille: u64,
    /// Of 1000 datagrams on the bad link, so many find it good again.
    pub ends_per_mille: u64,
    /// Of 1000 datagrams on the bad link, so many are lost.
    pub loss_per_mille: u64,
}

/// A line of some rate and the queue in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bottleneck {
    /// What it carries, in bytes of the datagrams it is given.
    pub bytes_per_s: u64,
    /// What the queue holds; a datagram that does not fit is dropped.
    pub queue_bytes: u64,
    /// Above so many queued bytes, datagrams whose sender takes part in ECN are marked (RFC 3168).
    pub mark_above_bytes: Option<u64>,
}

impl Bottleneck {
    /// A line of `mbit_per_s` with a drop-tail queue that takes `queue` to empty.
    #[must_use]
    pub fn new(mbit_per_s: u64, queue: Duration) -> Self {
        let bytes_per_s = mbit_per_s * 125_000;
        let millis = u64::try_from(queue.as_millis()).unwrap_or(u64::MAX);
        Self { bytes_per_s, queue_bytes: (bytes_per_s / 1000).saturating_mul(millis), mark_above_bytes: None }
    }
}

impl Link {
    /// A link that does nothing but take 10 milliseconds.
    pub const GOOD: Self = Self {
        delay: Duration::from_millis(10),
        jitter: Duration::ZERO,
        loss_per_mille: 0,
        burst: None,
        duplicate_per_mille: 0,
        reorder_per_mille: 0,
        reorder_by: Duration::ZERO,
        flip_per_mille: 0,
        mtu_bytes: usize::MAX,
        bottleneck: None,
    };

    /// The bad link that everything has to live with: 30 % lost, 10 % doubled, 25 % out of order, 1 % damaged.
    pub const BAD: Self = Self {
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(5),
        loss_per_mille: 300,
        duplicate_per_mille: 100,
        reorder_per_mille: 250,
        reorder_by: Duration::from_millis(40),
        flip_per_mille: 10,
        ..Self::GOOD
    };

    /// A link on which nothing arrives.
    pub const DEAD: Self = Self { loss_per_mille: 1000, ..Self::GOOD };

    /// The same link without faults: as long and as fast as before, and it takes datagrams of any length.
    #[must_use]
    pub const fn healed(self) -> Self {
        Self { delay: self.delay, bottleneck: self.bottleneck, ..Self::GOOD }
    }
}
