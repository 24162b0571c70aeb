//! Percentiles, where what never arrived counts as infinite.

use core::time::Duration;

/// Times in order; `None`, which sorts last here, is never.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times(Vec<u64>);

const NEVER: u64 = u64::MAX;

impl Times {
    /// Of some times.
    #[must_use]
    pub(crate) fn new(times: impl IntoIterator<Item = Option<Duration>>) -> Self {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(NEVER);
        let mut times: Vec<u64> = times.into_iter().map(|time| time.map_or(NEVER, micros)).collect();
        times.sort_unstable();
        Self(times)
    }

    /// The time that so many of 1000 do not exceed, in milliseconds; infinite when it is never.
    #[must_use]
    pub(crate) fn percentile(&self, per_mille: usize) -> f64 {
        let at = (self.0.len() * per_mille).div_ceil(1000).max(1) - 1;
        match self.0.get(at) {
            Some(&NEVER) | None => f64::INFINITY,
            Some(&micros) => micros as f64 / 1000.0,
        }
    }

    /// How many of 1000 took at most `time`.
    #[must_use]
    pub(crate) fn within(&self, time: Duration) -> f64 {
        let limit = u64::try_from(time.as_micros()).unwrap_or(NEVER - 1);
        let within = self.0.partition_point(|micros| *micros <= limit);
        within as f64 * 1000.0 / self.0.len().max(1) as f64
    }
}
