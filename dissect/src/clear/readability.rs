//! Is a stream of unknown bytes readable? A test whose false alarms are bounded, at any length.
//!
//! As in [`crate::opacity`], a fixed model of text is weighed against uniform bytes. The length of a
//! stream is not known beforehand, so a stretch of text that begins at byte t has the weight
//! `w(t) = 1 / (t (t + 1))`, and the weights sum to 1. With `R(t) = (R(t-1) + w(t)) · 256 q(b(t))`,
//! `R(t) + Σ w(s), s > t` is a martingale of mean 1 under uniform bytes, so by Ville's inequality it ever
//! exceeds `c` with a chance of at most `1/c`.

use crate::opacity;

/// Evidence that makes a direction readable, in bits: 2^-20 a run, shared by 2^17 directions and four models,
/// so a chance of at most 2^-39 each. Some 30 printable characters at the front of a stream reach it.
const LIMIT_BITS: f64 = 39.0;
/// Fewer bytes than this are not called random-looking: text as short would not have been found.
const JUDGED_MIN_BYTES: u64 = 64;
/// Where the sums are rescaled, to stay inside the range of a float.
const RESCALE_BITS: i32 = 500;
/// What is kept of the longest run of printable characters, in bytes.
const EXCERPT_MAX_BYTES: usize = 96;

/// One model followed along a stream.
#[derive(Clone, Copy, Debug, Default)]
struct Evidence {
    /// R is `sum * 2^scale_bits`.
    sum: f64,
    scale_bits: f64,
    best_bits: f64,
}

impl Evidence {
    fn take(&mut self, ratio: f64, weight: f64) {
        let weight = if self.scale_bits > 0.0 { weight * (-self.scale_bits).exp2() } else { weight };
        self.sum = (self.sum + weight) * ratio;
        let rescale = f64::from(RESCALE_BITS).exp2();
        if self.sum > rescale {
            self.sum /= rescale;
            self.scale_bits += f64::from(RESCALE_BITS);
        }
        // Only on a record, for a logarithm is dear: below the limit nothing is ever said.
        if self.best_bits < LIMIT_BITS && (self.scale_bits > 0.0 || self.sum > LIMIT_BITS.exp2()) {
            self.best_bits = self.sum.log2() + self.scale_bits;
        }
    }

    fn fires(&self) -> bool {
        self.best_bits >= LIMIT_BITS
    }
}

/// A run of printable characters.
#[derive(Clone, Debug, Default)]
struct Run {
    packet: usize,
    len_bytes: u64,
    text: Vec<u8>,
}

/// What the bytes of one direction look like.
#[derive(Clone, Debug, Default)]
pub(super) struct Readability {
    bytes: u64,
    text: [Evidence; 2],
    structure: Evidence,
    run: Run,
    longest: Run,
}

impl Readability {
    /// The next bytes of the direction.
    pub(super) fn take(&mut self, packet: usize, bytes: &[u8]) {
        let models = opacity::stream_models();
        for &byte in bytes {
            self.bytes = self.bytes.saturating_add(1);
            let position = f64::from(u32::try_from(self.bytes).unwrap_or(u32::MAX));
            let weight = 1.0 / (position * (position + 1.0));
            let ratio = |model: &[f64; 256]| model.get(usize::from(byte)).copied().unwrap_or(1.0);
            for (evidence, model) in self.text.iter_mut().zip(&models.text) {
                evidence.take(ratio(model), weight);
            }
            self.structure.take(ratio(&models.zeros), weight);
            self.extend_run(packet, byte);
        }
    }

    fn extend_run(&mut self, packet: usize, byte: u8) {
        if !matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n') {
            if self.run.len_bytes > self.longest.len_bytes {
                self.longest = std::mem::take(&mut self.run);
            } else if self.run.len_bytes > 0 {
                self.run.len_bytes = 0;
                self.run.text.clear();
            }
            return;
        }
        if self.run.len_bytes == 0 {
            self.run.packet = packet;
        }
        self.run.len_bytes = self.run.len_bytes.saturating_add(1);
        if self.run.text.len() < EXCERPT_MAX_BYTES {
            self.run.text.push(byte);
        }
    }

    /// The longest run of text and its packet, when the direction is readable.
    pub(super) fn readable(&self) -> Option<(usize, &[u8])> {
        let longest = if self.run.len_bytes > self.longest.len_bytes { &self.run } else { &self.longest };
        let fires = self.text.iter().any(Evidence::fires);
        fires.then_some((longest.packet, longest.text.as_slice()))
    }

    /// Whether there is enough of it, and it shows neither text nor structure.
    pub(super) fn looks_random(&self) -> bool {
        self.bytes >= JUDGED_MIN_BYTES && self.readable().is_none() && !self.structure.fires()
    }

    /// Whether nothing was weighed.
    pub(super) const fn is_empty(&self) -> bool {
        self.bytes == 0
    }
}
