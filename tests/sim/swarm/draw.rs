//! Draws from a seed.

use core::time::Duration;
use node_proto::random::Random;

/// A stream of draws. It is not the world's: what is drawn here does not depend on what happens there.
#[derive(Debug)]
pub(super) struct Draw(Random);

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        let mut bytes = *b"the plan of a world of the swarm";
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        Self(Random::new(bytes))
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0.number() % end.max(1)
    }

    /// An index below `end`.
    pub(super) fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).unwrap_or(0)
    }

    pub(super) fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    /// A time from `least_ms` up to, but not including, `most_ms`.
    pub(super) fn time(&mut self, least_ms: u64, most_ms: u64) -> Duration {
        let least_us = least_ms * 1000;
        Duration::from_micros(least_us + self.below((most_ms * 1000).saturating_sub(least_us)))
    }

    /// A time below `end`.
    pub(super) fn within(&mut self, end: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(end.as_micros()).unwrap_or(u64::MAX)))
    }

    /// One of `choices`.
    pub(super) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }
}
