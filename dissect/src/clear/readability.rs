//! Is a stream of unknown bytes readable? A test whose false alarms are bounded, at any length.
//!
//! As in [`crate::opacity`], a fixed model of text is weighed against uniform bytes. The length of a
//! stream is not known beforehand, so a stretch of text that begins at byte t has the weight
//! `w(t) = 1 / (t (t + 1))`, and the weights sum to 1. With `R(t) = (R(t-1) + w(t)) · 256 q(b(t))`,
//! `R(t) + Σ w(s), s > t` is a martingale of mean 1 under uniform bytes, so by Ville's inequality it ever
//! exceeds `c` with a chance of at most `1/c`.

use crate::bytes::count;
use crate::opacity;

/// Evidence that makes a direction readable, in bits: 2^-20 a run, shared by 2^17 directions and eight tests,
/// so a chance of at most 2^-40 each. Some 30 printable characters at the front of a stream reach it.
const LIMIT_BITS: f64 = 40.0;
/// Fewer bytes than this are not called random-looking: text as short would not have been found.
const JUDGED_MIN_BYTES: u64 = 64;
/// What is kept of the longest run of printable characters, in bytes.
const EXCERPT_MAX_BYTES: usize = 96;

/// Bytes worked on at a time.
const BLOCK_BYTES: usize = 256;
/// Up to this position every byte has its own weight, then each block the one of its end, which is less.
const OWN_WEIGHT_BYTES: u64 = 1024;

/// A run of characters.
#[derive(Clone, Debug, Default)]
struct Run {
    packet: usize,
    len_bytes: u64,
    text: Vec<u8>,
}

/// One way of reading a direction.
#[derive(Clone, Debug, Default)]
struct View {
    /// R of each model, and its highest value; a long text leaves the range of a float, and stays there.
    sums: [f64; 4],
    best: [f64; 4],
    run: Run,
    longest: Run,
}

impl View {
    fn weigh(&mut self, byte: u8, weight: f64, ratios: &[[f64; 4]; 256]) {
        let row = ratios.get(usize::from(byte)).copied().unwrap_or([1.0; 4]);
        for ((sum, best), ratio) in self.sums.iter_mut().zip(&mut self.best).zip(row) {
            *sum = (*sum + weight) * ratio;
            *best = best.max(*sum);
        }
    }

    /// Looks for the longest run of characters, and copies only records: most runs are short ones in noise.
    fn find_runs(&mut self, packet: usize, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let len = rest.iter().position(|byte| !is_character(*byte)).unwrap_or(rest.len());
            let (run, behind) = rest.split_at(len);
            if !run.is_empty() {
                if self.run.len_bytes == 0 {
                    self.run.packet = packet;
                }
                self.run.len_bytes = self.run.len_bytes.saturating_add(count(run.len()));
                let room = EXCERPT_MAX_BYTES.saturating_sub(self.run.text.len());
                if behind.is_empty() || self.run.len_bytes > self.longest.len_bytes {
                    self.run.text.extend_from_slice(run.get(..room).unwrap_or(run));
                }
            }
            if !behind.is_empty() {
                self.end_run();
            }
            rest = behind.get(1..).unwrap_or_default();
        }
    }

    fn end_run(&mut self) {
        if self.run.len_bytes > self.longest.len_bytes {
            std::mem::swap(&mut self.longest, &mut self.run);
        }
        self.run.len_bytes = 0;
        self.run.text.clear();
    }

    fn readable(&self) -> Option<(usize, &[u8])> {
        let [text @ .., _] = self.best;
        let longest = if self.run.len_bytes > self.longest.len_bytes { &self.run } else { &self.longest };
        let found = text.iter().any(|best| *best >= LIMIT_BITS.exp2());
        found.then_some((longest.packet, longest.text.as_slice()))
    }

    fn is_structured(&self) -> bool {
        let [.., structure] = self.best;
        structure >= LIMIT_BITS.exp2()
    }
}

/// Printable, or, above ASCII, perhaps of UTF-8.
const fn is_character(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n' | 0x80..=0xf4)
}

/// What the bytes of one direction look like.
#[derive(Clone, Debug, Default)]
pub(super) struct Readability {
    /// The first byte, and how often it occurs.
    filling: Option<(u8, u64)>,
    bytes: u64,
    last: u8,
    weight: f64,
    plain: View,
    /// The XOR of neighbours, which undoes a chained XOR whatever its key.
    differences: View,
}

impl Readability {
    /// The next bytes of the direction.
    pub(super) fn take(&mut self, packet: usize, bytes: &[u8]) {
        for byte in bytes {
            let (first, times) = self.filling.get_or_insert((*byte, 0));
            *times += u64::from(first == byte);
        }
        for block in bytes.chunks(BLOCK_BYTES) {
            let mut differences = [0; BLOCK_BYTES];
            for (difference, &byte) in differences.iter_mut().zip(block) {
                *difference = byte ^ self.last;
                self.last = byte;
            }
            let differences = differences.get(..block.len()).unwrap_or_default();
            self.weigh(block, differences);
            self.plain.find_runs(packet, block);
            self.differences.find_runs(packet, differences);
        }
    }

    fn weigh(&mut self, block: &[u8], differences: &[u8]) {
        let ratios = opacity::stream_ratios();
        for (&byte, &difference) in block.iter().zip(differences) {
            self.bytes = self.bytes.saturating_add(1);
            if self.bytes <= OWN_WEIGHT_BYTES {
                self.weight = weight(self.bytes);
            } else if self.bytes % count(BLOCK_BYTES) == 1 {
                self.weight = weight(self.bytes.saturating_add(count(BLOCK_BYTES - 1)));
            }
            self.plain.weigh(byte, self.weight, ratios);
            self.differences.weigh(difference, self.weight, ratios);
        }
    }

    /// The longest run of text and its packet, when the direction is readable.
    pub(super) fn readable(&self) -> Option<(usize, &[u8])> {
        self.plain.readable().or_else(|| self.differences.readable())
    }

    /// The byte that nine tenths of it are, when there is enough of it: no cipher makes such a thing.
    pub(super) fn filling(&self) -> Option<u8> {
        let (byte, times) = self.filling?;
        let is_filled = times.saturating_mul(10) >= self.bytes.saturating_mul(9);
        (is_filled && self.bytes >= JUDGED_MIN_BYTES).then_some(byte)
    }

    /// Whether there is enough of it, and it shows neither text nor structure.
    pub(super) fn looks_random(&self) -> bool {
        let structured = self.plain.is_structured() || self.differences.is_structured();
        self.bytes >= JUDGED_MIN_BYTES && self.readable().is_none() && !structured
    }

    /// Whether nothing was weighed.
    pub(super) const fn is_empty(&self) -> bool {
        self.bytes == 0
    }
}

/// What a text that begins at this position weighs.
fn weight(position: u64) -> f64 {
    let position = f64::from(u32::try_from(position).unwrap_or(u32::MAX));
    1.0 / (position * (position + 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_random::random_bytes;

    fn readable(bytes: &[u8]) -> Option<String> {
        let mut readability = Readability::default();
        readability.take(1, bytes);
        readability.readable().map(|(_, text)| String::from_utf8_lossy(text).into_owned())
    }

    #[test]
    fn text_of_several_scripts_is_readable() {
        for text in [
            "meet me at noon",
            "Встретимся в полдень у реки",
            "συνάντηση το μεσημέρι στο ποτάμι",
            "正午に川のそばで会いましょう",
        ] {
            assert_eq!(readable(text.as_bytes()).as_deref(), Some(text));
        }
        assert_eq!(readable(b"too short"), None);
    }

    #[test]
    fn text_deep_inside_noise_is_readable() {
        let text = b"somebody said this to somebody else, and anybody can read it";
        let bytes = [random_bytes(1, 100_000), text.to_vec(), random_bytes(2, 1000)].concat();
        assert!(readable(&bytes).unwrap().contains("anybody can read"));
    }

    #[test]
    fn a_chained_xor_is_undone() {
        let mut last = 171;
        let mut chained = Vec::new();
        for byte in br#"{"system":{"get_sysinfo":{}}, "emeter":{"get_realtime":{}}}"# {
            last ^= byte;
            chained.push(last);
        }
        assert!(readable(&chained).unwrap().contains("get_sysinfo"));
    }

    #[test]
    fn noise_is_not_readable() {
        for seed in 0..300 {
            let bytes = random_bytes(seed, 20_000);
            let mut readability = Readability::default();
            readability.take(1, &bytes);
            assert!(readability.looks_random(), "seed {seed}");
        }
    }
}
