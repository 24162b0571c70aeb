//! The only clock.

use spec::time::{Instant, UnixTime};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Monotone time since the program began.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: std::time::Instant,
}

impl Clock {
    /// A clock that shows zero.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
    pub fn start() -> Self {
        Self { start: std::time::Instant::now() }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant(u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// How long it is until `at`; zero when it has passed.
    #[must_use]
    pub fn until(&self, at: Instant) -> Duration {
        at.since(self.now())
    }
}

/// The time people's clocks show.
#[must_use]
pub fn unix_time() -> UnixTime {
    UnixTime(u64::try_from(since_1970().as_millis()).unwrap_or(u64::MAX))
}

/// Nanoseconds since 1970, for captures.
#[must_use]
pub fn unix_nanos() -> u64 {
    u64::try_from(since_1970().as_nanos()).unwrap_or(u64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "this is the one clock")]
fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
