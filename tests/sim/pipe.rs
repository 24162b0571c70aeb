//! A link at work: it remembers what is queued on it and whether it is having a bad time.
//!
//! It stands alone: whatever makes datagrams, of whatever protocol, can be sent through one.

use crate::network::Link;
use core::ops::{AddAssign, Range};
use core::time::Duration;
use node_proto::random::Random;
use node_proto::transmit::Ecn;
use spec::time::Instant;

/// One direction of a link and what is on it. The link may be changed at any time.
#[derive(Debug)]
pub struct Pipe {
    /// What the link is like at present.
    pub link: Link,
    random: Random,
    is_bad: bool,
    /// When the bottleneck will have sent all that is queued, in nanoseconds: a datagram may take less than a
    /// microsecond.
    idle_at_ns: u64,
    outages: Vec<Range<Instant>>,
    counts: Counts,
}

/// What befell the datagrams of a pipe: a fault that never happens tests nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Datagrams sent.
    pub sent: u64,
    /// Lost by chance.
    pub lost: u64,
    /// Sent while the pipe was cut.
    pub cut: u64,
    /// Longer than the link takes.
    pub too_long: u64,
    /// Dropped by a full queue.
    pub dropped: u64,
    /// Marked by a long one.
    pub marked: u64,
    /// Doubled.
    pub doubled: u64,
    /// Made late.
    pub reordered: u64,
    /// Damaged.
    pub damaged: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.sent += more.sent;
        self.lost += more.lost;
        self.cut += more.cut;
        self.too_long += more.too_long;
        self.dropped += more.dropped;
        self.marked += more.marked;
        self.doubled += more.doubled;
        self.reordered += more.reordered;
        self.damaged += more.damaged;
    }
}

/// A datagram that arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// When.
    pub at: Instant,
    /// Its bytes, which may be damaged.
    pub datagram: Vec<u8>,
    /// Its congestion mark.
    pub ecn: Ecn,
}

impl Pipe {
    /// An empty pipe; `seed` decides what befalls each datagram.
    #[must_use]
    pub fn new(link: Link, seed: [u8; 32]) -> Self {
        let (random, outages, counts) = (Random::new(seed), Vec::new(), Counts::default());
        Self { link, random, is_bad: false, idle_at_ns: 0, outages, counts }
    }

    /// What befell the datagrams so far.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Nothing that is sent in `time` arrives: one direction of a partition.
    pub fn cut(&mut self, time: Range<Instant>) {
        self.outages.push(time);
    }

    /// Every outage is over.
    pub fn mend(&mut self) {
        self.outages.clear();
    }

    /// Bytes that wait at the bottleneck at `now`.
    #[must_use]
    pub fn queued_bytes(&self, now: Instant) -> u64 {
        let Some(bottleneck) = self.link.bottleneck else { return 0 };
        let left_ns = u128::from(self.idle_at_ns.saturating_sub(nanos(now)));
        u64::try_from(left_ns * u128::from(bottleneck.bytes_per_s) / 1_000_000_000).unwrap_or(u64::MAX)
    }

    /// Sends `datagram` at `now`; the copies of it that arrive, in no order.
    pub fn carry(&mut self, now: Instant, datagram: &[u8], ecn: Ecn) -> Vec<Delivery> {
        self.counts.sent += 1;
        if self.outages.iter().any(|outage| outage.contains(&now)) {
            self.counts.cut += 1;
            return Vec::new();
        }
        if datagram.len() > self.link.mtu_bytes {
            self.counts.too_long += 1;
            return Vec::new();
        }
        let Some((leaves, ecn)) = self.queue(now, datagram.len() as u64, ecn) else {
            self.counts.dropped += 1;
            return Vec::new();
        };
        let is_doubled = self.happens(self.link.duplicate_per_mille);
        self.counts.doubled += u64::from(is_doubled);
        let mut deliveries = Vec::new();
        for _ in 0..=u8::from(is_doubled) {
            if self.is_lost() {
                self.counts.lost += 1;
            } else {
                deliveries.push(self.deliver(leaves, datagram, ecn));
            }
        }
        deliveries
    }

    /// When a datagram of `len` bytes has left the bottleneck, and the mark it bears then; `None` when the queue
    /// is full.
    fn queue(&mut self, now: Instant, len: u64, ecn: Ecn) -> Option<(Instant, Ecn)> {
        let Some(bottleneck) = self.link.bottleneck else { return Some((now, ecn)) };
        let queued = self.queued_bytes(now);
        if queued + len > bottleneck.queue_bytes {
            return None;
        }
        let takes_ns = u128::from(len) * 1_000_000_000 / u128::from(bottleneck.bytes_per_s.max(1));
        let takes_ns = u64::try_from(takes_ns).unwrap_or(u64::MAX);
        self.idle_at_ns = self.idle_at_ns.max(nanos(now)).saturating_add(takes_ns);
        let is_congested = bottleneck.mark_above_bytes.is_some_and(|above| queued > above);
        let is_marked = is_congested && ecn != Ecn::NotEct;
        self.counts.marked += u64::from(is_marked);
        let ecn = if is_marked { Ecn::Ce } else { ecn };
        Some((Instant(self.idle_at_ns.div_ceil(1000)), ecn))
    }

    fn is_lost(&mut self) -> bool {
        let Some(burst) = self.link.burst else { return self.happens(self.link.loss_per_mille) };
        let turns = if self.is_bad { burst.ends_per_mille } else { burst.begins_per_mille };
        self.is_bad ^= self.happens(turns);
        self.happens(if self.is_bad { burst.loss_per_mille } else { self.link.loss_per_mille })
    }

    fn deliver(&mut self, leaves: Instant, datagram: &[u8], ecn: Ecn) -> Delivery {
        let jitter = u64::try_from(self.link.jitter.as_micros()).unwrap_or(u64::MAX);
        let mut at = leaves + self.link.delay + Duration::from_micros(self.below(jitter.saturating_add(1)));
        if self.happens(self.link.reorder_per_mille) {
            at = at + self.link.reorder_by;
            self.counts.reordered += 1;
        }
        let mut datagram = datagram.to_vec();
        if self.happens(self.link.flip_per_mille) && !datagram.is_empty() {
            let bit = usize::try_from(self.below(datagram.len() as u64 * 8)).unwrap_or(0);
            datagram[bit / 8] ^= 1 << (bit % 8);
            self.counts.damaged += 1;
        }
        Delivery { at, datagram, ecn }
    }

    /// What cannot happen costs no draw: most links have few faults.
    fn happens(&mut self, per_mille: u64) -> bool {
        per_mille > 0 && self.below(1000) < per_mille
    }

    fn below(&mut self, end: u64) -> u64 {
        if end > 1 { self.random.number() % end } else { 0 }
    }
}

const fn nanos(at: Instant) -> u64 {
    at.0.saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Bottleneck, Burst};

    const fn at(ms: u64) -> Instant {
        Instant(ms * 1000)
    }

    fn arrivals(pipe: &mut Pipe, now: Instant, len: usize) -> Vec<Instant> {
        pipe.carry(now, &vec![0; len], Ecn::NotEct).into_iter().map(|delivery| delivery.at).collect()
    }

    #[test]
    fn a_bottleneck_serialises_queues_marks_and_drops() {
        // 1000 bytes take 8 ms; the queue holds five such.
        let bottleneck =
            Bottleneck { mark_above_bytes: Some(2500), ..Bottleneck::new(1, Duration::from_millis(40)) };
        let mut pipe = Pipe::new(Link { bottleneck: Some(bottleneck), ..Link::GOOD }, [0; 32]);
        for place in 1..=5 {
            let [delivery] = &pipe.carry(at(0), &[0; 1000], Ecn::Ect0)[..] else { panic!("it arrives") };
            assert_eq!(delivery.at, at(10 + 8 * place));
            assert_eq!(delivery.ecn, if place > 3 { Ecn::Ce } else { Ecn::Ect0 });
        }
        assert_eq!(pipe.queued_bytes(at(0)), 5000);
        assert_eq!(arrivals(&mut pipe, at(0), 1000), []);
        assert_eq!(arrivals(&mut pipe, at(8), 1000), [at(58)]);
        let unmarked = pipe.carry(at(16), &[0; 1000], Ecn::NotEct);
        assert_eq!(unmarked[0].ecn, Ecn::NotEct, "who does not take part is not marked");
        assert_eq!(pipe.queued_bytes(at(1000)), 0);
    }

    #[test]
    fn longer_datagrams_and_cut_links_swallow() {
        let mut pipe = Pipe::new(Link { mtu_bytes: 1200, ..Link::GOOD }, [0; 32]);
        pipe.cut(at(5)..at(10));
        assert_eq!(arrivals(&mut pipe, at(0), 1201), []);
        assert_eq!(arrivals(&mut pipe, at(0), 1200), [at(10)]);
        assert_eq!(arrivals(&mut pipe, at(5), 1), []);
        assert_eq!(arrivals(&mut pipe, at(10), 1), [at(20)]);
    }

    /// Rates are what they say, and losses in bursts come together.
    #[test]
    fn losses_have_their_rate_and_their_company() {
        let burst = Burst { begins_per_mille: 20, ends_per_mille: 180, loss_per_mille: 1000 };
        let links = [Link { loss_per_mille: 100, ..Link::GOOD }, Link { burst: Some(burst), ..Link::GOOD }];
        let runs = links.map(|link| {
            let mut pipe = Pipe::new(link, [1; 32]);
            let lost: Vec<bool> = (0..20_000).map(|ms| arrivals(&mut pipe, at(ms), 1).is_empty()).collect();
            let total = lost.iter().filter(|lost| **lost).count();
            let pairs = lost.windows(2).filter(|pair| **pair == [true, true]).count();
            assert!((1700..2300).contains(&total), "a tenth is lost: {total}");
            pairs
        });
        assert!(runs[0] < 300 && runs[1] > 1400, "pairs of losses: {runs:?}");
    }

    #[test]
    fn duplicates_damage_and_delay() {
        let link = Link { duplicate_per_mille: 1000, flip_per_mille: 1000, ..Link::GOOD };
        let mut pipe = Pipe::new(Link { jitter: Duration::from_millis(5), ..link }, [2; 32]);
        let copies = pipe.carry(at(0), &[0; 100], Ecn::NotEct);
        assert_eq!(copies.len(), 2);
        for copy in copies {
            assert!((at(10)..=at(15)).contains(&copy.at));
            assert_eq!(copy.datagram.iter().map(|byte| byte.count_ones()).sum::<u32>(), 1);
        }
    }
}
