//! Persistent congestion (RFC 9002 section 7.6).

use crate::connection::rtt::Rtt;
use core::time::Duration;
use spec::time::Instant;

/// Probe time-outs for which everything must have been lost (section 7.6.1).
const PROBE_TIMEOUTS: u32 = 3;

/// Finds the longest time in which every packet was lost: told of each packet, in the order of their numbers.
#[derive(Clone, Copy, Debug)]
pub(in crate::connection) struct LostRun {
    /// When the round trip was first measured: before that, a probe time-out is a guess (section 7.6.2).
    measured_at: Instant,
    began: Option<Instant>,
    longest: Duration,
}

impl LostRun {
    /// An empty run on a path whose round trip was first measured at `measured_at`.
    pub(in crate::connection) const fn new(measured_at: Instant) -> Self {
        Self { measured_at, began: None, longest: Duration::ZERO }
    }

    /// A packet that asks for an acknowledgement left at `sent` and is lost.
    pub(in crate::connection) fn lost(&mut self, sent: Instant) {
        if sent <= self.measured_at {
            return;
        }
        let began = *self.began.get_or_insert(sent);
        self.longest = self.longest.max(sent.since(began));
    }

    /// The next packet arrived.
    pub(in crate::connection) const fn arrived(&mut self) {
        self.began = None;
    }

    /// Whether that is persistent congestion.
    pub(in crate::connection) fn is_persistent(&self, rtt: &Rtt) -> bool {
        self.longest > rtt.probe_timeout() * PROBE_TIMEOUTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(ms: u64) -> Instant {
        Instant(ms * 1000)
    }

    /// A probe time-out of 80 + 4 * 40 + 25 = 265 ms: three of them are 795 ms.
    fn rtt() -> Rtt {
        let mut rtt = Rtt::default();
        rtt.sample(Duration::from_millis(80), Duration::ZERO);
        rtt
    }

    #[test]
    fn two_packets_three_probe_timeouts_apart() {
        for (last_ms, is_persistent) in [(1795, false), (1796, true)] {
            let mut run = LostRun::new(at(0));
            run.lost(at(1000));
            run.lost(at(last_ms));
            assert_eq!(run.is_persistent(&rtt()), is_persistent);
        }
    }

    #[test]
    fn one_that_arrived_between_breaks_it() {
        let mut run = LostRun::new(at(0));
        run.lost(at(1000));
        run.arrived();
        run.lost(at(1500));
        run.lost(at(2200));
        assert!(!run.is_persistent(&rtt()));
    }

    #[test]
    fn nothing_counts_before_the_round_trip_is_known() {
        let mut run = LostRun::new(at(1000));
        run.lost(at(900));
        run.lost(at(1700));
        assert!(!run.is_persistent(&rtt()));
    }
}
