//! Round-trip times (RFC 9002 section 5).

use core::time::Duration;
use spec::limits::{ACK_DELAY_MAX, INITIAL_RTT, TIMER_GRANULARITY};

/// A longer sample tells of a clock that leapt or a host that slept, and nothing of the path: the slowest in use,
/// by way of a satellite and a full queue, take a few seconds.
const SAMPLE_MAX: Duration = Duration::from_secs(10);

/// What is known of the time a datagram takes to the peer and its acknowledgement back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rtt {
    latest: Duration,
    smoothed: Duration,
    variation: Duration,
    least: Option<Duration>,
}

impl Default for Rtt {
    fn default() -> Self {
        Self { latest: INITIAL_RTT, smoothed: INITIAL_RTT, variation: INITIAL_RTT / 2, least: None }
    }
}

impl Rtt {
    /// The smoothed round-trip time.
    #[must_use]
    pub const fn smoothed(&self) -> Duration {
        self.smoothed
    }

    /// The latest round-trip time.
    #[must_use]
    pub const fn latest(&self) -> Duration {
        self.latest
    }

    /// The mean deviation of round-trip times.
    #[must_use]
    pub const fn variation(&self) -> Duration {
        self.variation
    }

    /// The least round-trip time; `None` before the first sample.
    #[must_use]
    pub const fn least(&self) -> Option<Duration> {
        self.least
    }

    /// Takes a sample: `elapsed` between sending and the acknowledgement, of which the peer says it waited
    /// `delay`.
    pub(super) fn sample(&mut self, elapsed: Duration, delay: Duration) {
        if elapsed > SAMPLE_MAX {
            return;
        }
        self.latest = elapsed;
        let Some(least) = self.least else {
            self.least = Some(elapsed);
            self.smoothed = elapsed;
            self.variation = elapsed / 2;
            return;
        };
        let least = least.min(elapsed);
        self.least = Some(least);
        let delay = delay.min(ACK_DELAY_MAX);
        let adjusted = if elapsed >= least + delay { elapsed - delay } else { elapsed };
        let off = self.smoothed.abs_diff(adjusted);
        self.variation = (self.variation * 3 + off) / 4;
        self.smoothed = (self.smoothed * 7 + adjusted) / 8;
    }

    /// Time after which an earlier packet counts as lost: 9/8 of the round trip (section 6.1.2).
    #[must_use]
    pub(super) fn loss_delay(&self) -> Duration {
        (self.smoothed.max(self.latest) * 9 / 8).max(TIMER_GRANULARITY)
    }

    /// How long everything must have been lost for congestion to be persistent (section 7.6.1).
    #[must_use]
    pub(super) fn persistent_duration(&self) -> Duration {
        self.probe_timeout() * 3
    }

    /// The probe time-out (section 6.2.1).
    #[must_use]
    pub(super) fn probe_timeout(&self) -> Duration {
        self.smoothed + (self.variation * 4).max(TIMER_GRANULARITY) + ACK_DELAY_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leap_of_the_clock_is_no_round_trip() {
        let mut rtt = Rtt::default();
        rtt.sample(Duration::from_millis(80), Duration::ZERO);
        let before = rtt;
        rtt.sample(Duration::from_secs(3600), Duration::ZERO);
        assert_eq!(rtt, before);
    }

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_first_sample_replaces_the_guess() {
        let mut rtt = Rtt::default();
        assert_eq!(rtt.probe_timeout(), ms(333) + ms(666) + ms(25));
        rtt.sample(ms(40), ms(25));
        assert_eq!((rtt.smoothed(), rtt.variation), (ms(40), ms(20)));
    }

    #[test]
    fn the_delay_is_taken_off_but_never_below_the_least() {
        let mut rtt = Rtt::default();
        rtt.sample(ms(40), ms(0));
        rtt.sample(ms(60), ms(20));
        assert_eq!(rtt.smoothed(), ms(40));
        rtt.sample(ms(48), ms(20));
        assert_eq!(rtt.smoothed(), ms(41));
        assert_eq!(rtt.loss_delay(), ms(54));
    }
}
