//! Random numbers that a seed determines, the same on every machine: for calibration and permutation tests.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// A stream of random numbers (ChaCha with eight rounds, which nobody can tell from random bytes).
#[derive(Debug)]
pub(crate) struct Noise(ChaCha8Rng);

impl Noise {
    /// The stream of this number under a seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream);
        Self(random)
    }

    /// Random bytes.
    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// Any number.
    pub(crate) fn word(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// A number from 0 up to but not including `end`; 0 when `end` is 0. No number is likelier than another by
    /// more than one part in 2^32.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        let scaled = u64::from(self.word()).wrapping_mul(u64::from(end));
        u32::try_from(scaled >> 32).unwrap_or(0)
    }

    /// A number from 0 up to but not including 1.
    pub(crate) fn unit(&mut self) -> f64 {
        f64::from(self.word()) / 4_294_967_296.0
    }

    /// Puts the items into random order (Fisher and Yates).
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let end = u32::try_from(last + 1).unwrap_or(u32::MAX);
            items.swap(last, usize::try_from(self.below(end)).unwrap_or(0));
        }
    }
}
