//! Pacing: a window leaves spread over the round trip (RFC 9002 section 7.7).
//!
//! A token bucket. It changes only when bytes leave; to ask it when they may costs nothing and alters nothing.

use core::time::Duration;
use spec::limits::TIMER_GRANULARITY;
use spec::time::{Instant, micros};

/// Windows that may leave in a round trip: 5/4 (section 7.7 suggests 1.25).
const RATE: (u128, u128) = (5, 4);
/// Datagrams that may leave at once: the initial window (section 7.7).
const BURST_DATAGRAMS: u64 = 10;
/// On a fast path a timer that fires a granularity late must not cost any of the rate: as much more may leave.
const BURST_TIME: Duration = TIMER_GRANULARITY.saturating_mul(2);
/// Parts of a byte the bucket counts in, so that rounding does not slow down what leaves often.
const PARTS: u128 = 1 << 16;

/// What the rate follows from.
#[derive(Clone, Copy, Debug)]
pub(in crate::connection) struct Pace {
    /// The congestion window.
    pub(in crate::connection) window_bytes: u64,
    /// The smoothed round-trip time.
    pub(in crate::connection) rtt: Duration,
    /// The longest datagram.
    pub(in crate::connection) mtu_bytes: u64,
}

impl Pace {
    /// What may leave at once, in bytes.
    pub(in crate::connection) fn burst_bytes(&self) -> u64 {
        let in_time = u64::try_from(self.parts_in(BURST_TIME) / PARTS).unwrap_or(u64::MAX);
        // Beside what a late wake-up finds, what was too little for a datagram before has to fit.
        in_time.saturating_add(self.mtu_bytes).max(BURST_DATAGRAMS.saturating_mul(self.mtu_bytes))
    }

    fn parts_in(&self, time: Duration) -> u128 {
        let (numerator, denominator) = self.rate();
        u128::from(micros(time)).saturating_mul(numerator) / denominator
    }

    fn time_for(&self, parts: u128) -> Duration {
        let (numerator, denominator) = self.rate();
        let time_us = parts.saturating_mul(denominator).div_ceil(numerator);
        Duration::from_micros(u64::try_from(time_us).unwrap_or(u64::MAX))
    }

    /// Parts of bytes a microsecond, as a fraction.
    fn rate(&self) -> (u128, u128) {
        let window_bytes = u128::from(self.window_bytes.max(1));
        let rtt_us = u128::from(micros(self.rtt).max(1));
        (window_bytes * RATE.0 * PARTS, rtt_us * RATE.1)
    }
}

/// The bucket of one path.
#[derive(Clone, Copy, Debug)]
pub(in crate::connection) struct Pacer {
    /// What was in the bucket when bytes last left; `None`: it was never touched, and is full.
    parts: Option<u128>,
    left_at: Instant,
}

impl Pacer {
    /// A full bucket.
    pub(in crate::connection) const fn new() -> Self {
        Self { parts: None, left_at: Instant(0) }
    }

    /// When `bytes` may leave; `None`: now.
    ///
    /// It is never sooner after the last bytes than timers can tell: rather several datagrams at that time than a
    /// wake-up for each.
    pub(in crate::connection) fn next_at(&self, now: Instant, bytes: u64, pace: &Pace) -> Option<Instant> {
        let needed = u128::from(bytes.min(pace.burst_bytes())) * PARTS;
        if self.parts_at(now, pace) >= needed {
            return None;
        }
        let missing = needed.saturating_sub(self.parts.unwrap_or(needed));
        Some(self.left_at + pace.time_for(missing).max(TIMER_GRANULARITY))
    }

    /// `bytes` have left, permitted or not: probes do not wait.
    pub(in crate::connection) fn on_sent(&mut self, now: Instant, bytes: u64, pace: &Pace) {
        let parts = self.parts_at(now, pace).saturating_sub(u128::from(bytes) * PARTS);
        self.parts = Some(parts);
        self.left_at = now;
    }

    fn parts_at(&self, now: Instant, pace: &Pace) -> u128 {
        let full = u128::from(pace.burst_bytes()) * PARTS;
        self.parts
            .map_or(full, |parts| parts.saturating_add(pace.parts_in(now.since(self.left_at))).min(full))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MTU: u64 = 1200;

    const fn pace(window_bytes: u64, rtt_ms: u64) -> Pace {
        Pace { window_bytes, rtt: Duration::from_millis(rtt_ms), mtu_bytes: MTU }
    }

    /// Sends what may leave at `now`; how many bytes that was.
    fn drain(pacer: &mut Pacer, now: Instant, pace: &Pace) -> u64 {
        let mut bytes = 0;
        while pacer.next_at(now, MTU, pace).is_none() {
            pacer.on_sent(now, MTU, pace);
            bytes += MTU;
        }
        bytes
    }

    #[test]
    fn ten_datagrams_then_five_quarters_of_a_window_a_round_trip() {
        // 48000 bytes, 60 ms: 1000 bytes a millisecond, so a datagram each 1.2 ms.
        let (mut pacer, pace) = (Pacer::new(), pace(48_000, 60));
        assert_eq!(drain(&mut pacer, Instant(0), &pace), 12_000);
        assert_eq!(pacer.next_at(Instant(0), MTU, &pace), Some(Instant(1200)));
        assert_eq!(pacer.next_at(Instant(1199), MTU, &pace), Some(Instant(1200)));
        assert_eq!(pacer.next_at(Instant(1200), MTU, &pace), None);
        // Nothing was lost by asking, and a wake-up 2.4 ms late finds two datagrams more.
        assert_eq!(drain(&mut pacer, Instant(3600), &pace), 3600);
        // An hour later there is one burst, not an hour's worth.
        assert_eq!(drain(&mut pacer, Instant(3_600_000_000), &pace), 12_000);
    }

    #[test]
    fn a_fast_path_is_woken_once_a_millisecond_and_loses_nothing() {
        // 1 Gbit/s: 12.5 MB in 125 ms are 100 kB a ms, and with 5/4 of it 125 kB.
        let (mut pacer, pace) = (Pacer::new(), pace(12_500_000, 125));
        assert_eq!(pace.burst_bytes(), 251_200);
        drain(&mut pacer, Instant(0), &pace);
        let next = pacer.next_at(Instant(0), MTU, &pace).unwrap();
        assert_eq!(next, Instant(1000));
        // Woken another millisecond late, it has both.
        let sent = drain(&mut pacer, Instant(2000), &pace);
        assert!((248_800..=250_000).contains(&sent), "{sent}");
    }

    #[test]
    fn a_round_trip_that_shrinks_is_followed_at_once() {
        let mut pacer = Pacer::new();
        drain(&mut pacer, Instant(0), &pace(12_000, 333));
        let slow = pacer.next_at(Instant(0), MTU, &pace(12_000, 333)).unwrap();
        let fast = pacer.next_at(Instant(0), MTU, &pace(12_000, 10)).unwrap();
        assert_eq!((slow, fast), (Instant(26_640), Instant(1000)));
    }

    proptest! {
        #[test]
        fn no_parameter_divides_by_zero_or_overflows(
            window in any::<u64>(), rtt in any::<u64>(), mtu in any::<u64>(),
            bytes in any::<u64>(), at in any::<u64>(),
        ) {
            let pace = Pace { window_bytes: window, rtt: Duration::from_micros(rtt), mtu_bytes: mtu };
            let mut pacer = Pacer::new();
            pacer.on_sent(Instant(at), bytes, &pace);
            pacer.next_at(Instant(at), bytes, &pace);
            pacer.next_at(Instant(u64::MAX), bytes, &pace);
            pacer.on_sent(Instant(u64::MAX), bytes, &pace);
        }

        #[test]
        fn in_the_long_run_it_is_five_quarters_of_a_window_a_round_trip(
            window in 2400u64..20_000_000, rtt_us in 200u64..2_000_000, late_us in 0u64..1000,
        ) {
            let pace = Pace { window_bytes: window, rtt: Duration::from_micros(rtt_us), mtu_bytes: MTU };
            let mut pacer = Pacer::new();
            drain(&mut pacer, Instant(0), &pace);
            let (mut now, mut sent) = (Instant(0), 0);
            // At least 1000 datagrams, and 200 wake-ups, each of them late.
            let mut wakes = 0;
            while wakes < 200 || sent < 1000 * MTU {
                now = pacer.next_at(now, MTU, &pace).unwrap() + Duration::from_micros(late_us);
                let burst = drain(&mut pacer, now, &pace);
                prop_assert!(burst >= MTU && burst <= pace.burst_bytes());
                sent += burst;
                wakes += 1;
            }
            let due = 1.25 * window as f64 / rtt_us as f64 * now.0 as f64;
            prop_assert!((sent as f64 / due - 1.0).abs() < 0.01, "{sent} of {due}");
        }

        #[test]
        fn never_more_than_a_burst_and_what_the_time_gives(
            window in 2400u64..1_000_000, rtt_ms in 1u64..500,
            gaps_us in proptest::collection::vec(0u64..100_000, 1..50),
        ) {
            let (mut pacer, pace) = (Pacer::new(), pace(window, rtt_ms));
            let (mut now, mut sent) = (Instant(0), 0);
            for gap in gaps_us {
                now = now + Duration::from_micros(gap);
                let burst = drain(&mut pacer, now, &pace);
                prop_assert!(burst <= pace.burst_bytes());
                sent += burst;
                let given = now.0 * window * 5 / (rtt_ms * 4000);
                prop_assert!(sent <= pace.burst_bytes() + given + 1);
            }
        }
    }
}
