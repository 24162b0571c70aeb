//! Seed and extend: all long needles of one difference at once, whole or in part.
//!
//! Every eight bytes of every needle are a seed in a table. Of the haystack the eight bytes at every fourth place
//! are looked up; where they are a seed, the match is extended in both directions as far as needle and haystack
//! agree. So a run of eleven bytes is never missed, needles that were cut or split are found by what is left of
//! them, and the differences cost nothing but a XOR or a subtraction of words.

use std::collections::BTreeMap;

use super::difference::Difference;
use super::needle::Needle;

/// Bytes of a seed.
const SEED_BYTES: usize = 8;
/// Seeds are looked up at every so manieth place of the haystack.
const STRIDE_BYTES: usize = 4;
/// Every run of so many bytes holds a seed at one of these places.
pub(super) const RUN_BYTES_MIN: usize = SEED_BYTES + STRIDE_BYTES - 1;
/// Bits of the filter for each seed: one place in 16 of random bytes gets past it by chance.
const FILTER_BITS_PER_SEED: usize = 16;
/// Odd, and near 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming, 6.4).
const HASH_FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// A needle, or a part of one, found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    /// Offset of the first byte that agrees.
    pub(super) at: usize,
    /// Index of the needle.
    pub(super) needle: usize,
    /// How far into the needle the agreement begins.
    pub(super) skipped: usize,
    /// Offset behind the last haystack byte that takes part in it.
    pub(super) end: usize,
}

#[derive(Clone, Copy, Debug)]
struct Seed {
    bytes: u64,
    needle: u32,
    offset: u32,
}

impl Seed {
    /// `None` for more needles, or a longer one, than a canary and its limits give.
    fn new(window: &[u8], needle: usize, offset: usize) -> Option<Self> {
        let seed =
            Self { bytes: word(window), needle: needle.try_into().ok()?, offset: offset.try_into().ok()? };
        tells(seed.bytes).then_some(seed)
    }

    fn place(self) -> Option<(usize, usize)> {
        Some((self.needle.try_into().ok()?, self.offset.try_into().ok()?))
    }
}

/// The seeds of all needles of one difference.
#[derive(Debug)]
pub(super) struct Index {
    difference: Difference,
    /// A bit for each hash that some seed has.
    filter: Vec<u64>,
    filter_shift: u32,
    /// Where the seeds of each bucket begin among all seeds.
    starts: Vec<usize>,
    bucket_shift: u32,
    seeds: Vec<Seed>,
}

impl Index {
    /// The index of these needles among `all`; their difference is the one given.
    pub(super) fn new(difference: Difference, members: &[usize], all: &[Needle]) -> Self {
        let of = |&index: &usize| all.get(index).map(|needle| (index, needle));
        let seeds_of = |(index, needle): (usize, &Needle)| {
            // Seeds are of lower case, as the haystack is for them; what keeps case is compared as it is.
            let lower = folded(difference, &needle.bytes);
            let seed = |(offset, window): (usize, &[u8])| Seed::new(window, index, offset);
            lower.windows(SEED_BYTES).enumerate().filter_map(seed).collect::<Vec<_>>()
        };
        let mut seeds: Vec<Seed> = members.iter().filter_map(of).flat_map(seeds_of).collect();
        let bits =
            |per_seed: usize| (seeds.len().max(1) * per_seed).next_power_of_two().max(64).trailing_zeros();
        let (filter_shift, bucket_shift) = (64 - bits(FILTER_BITS_PER_SEED), 64 - bits(1));
        let mut filter = vec![0; 1 << (64 - filter_shift - 6)];
        for seed in &seeds {
            let (index, bit) = filter_place(seed.bytes, filter_shift);
            if let Some(word) = filter.get_mut(index) {
                *word |= bit;
            }
        }
        seeds.sort_by_key(|seed| bucket(seed.bytes, bucket_shift));
        let buckets = 1_usize << (64 - bucket_shift);
        let behind = |number| seeds.partition_point(|seed| bucket(seed.bytes, bucket_shift) < number);
        let starts = (0..=buckets).map(behind).collect();
        Self { difference, filter, filter_shift, starts, bucket_shift, seeds }
    }

    pub(super) const fn difference(&self) -> Difference {
        self.difference
    }

    /// Reports every run of the haystack that shows enough of a needle. `lower` is the haystack in lower case.
    pub(super) fn find(&self, all: &[Needle], bytes: &[u8], lower: &[u8], mut found: impl FnMut(Found)) {
        let sifted = if self.difference == Difference::None { lower } else { bytes };
        let later = sifted.get(self.difference.lag()..).unwrap_or_default();
        // Runs that were reported: by needle and by the place of its first byte, up to where.
        let mut known: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        let (words, _) = sifted.as_chunks::<STRIDE_BYTES>();
        let (later, _) = later.as_chunks::<STRIDE_BYTES>();
        let mut before = 0;
        for (turn, (earlier, later)) in words.iter().zip(later).enumerate() {
            let word = self.difference.of_words(u32::from_le_bytes(*earlier), u32::from_le_bytes(*later));
            let seed = u64::from(before) | u64::from(word) << 32;
            before = word;
            if !self.may_hold(seed) || turn == 0 {
                continue;
            }
            let at = (turn - 1) * STRIDE_BYTES;
            for candidate in self.bucket(seed).iter().filter(|candidate| candidate.bytes == seed) {
                let Some((number, offset)) = candidate.place() else { continue };
                let Some(needle) = all.get(number) else { continue };
                // Shifted by the length of the needle, so that it is not negative.
                let diagonal = (number, at + needle.bytes.len() - offset);
                if known.get(&diagonal).is_some_and(|end| at < *end) {
                    continue;
                }
                let haystack = if needle.fold { lower } else { bytes };
                let (left, right) = self.agreement(needle, offset, haystack, at);
                if left + right >= needle.run {
                    known.insert(diagonal, at + right);
                    let end = at + right + self.difference.lag();
                    found(Found { at: at - left, needle: number, skipped: offset - left, end });
                }
            }
        }
    }

    /// How many bytes before `at` and from `at` on agree with the needle around `offset`.
    fn agreement(&self, needle: &Needle, offset: usize, haystack: &[u8], at: usize) -> (usize, usize) {
        let agrees = |(place, byte): (usize, &u8)| self.difference.byte(haystack, place) == Some(*byte);
        let (head, tail) = needle.bytes.split_at_checked(offset).unwrap_or_default();
        let left = (0..at).rev().zip(head.iter().rev()).take_while(|pair| agrees(*pair)).count();
        let right = (at..).zip(tail).take_while(|pair| agrees(*pair)).count();
        (left, right)
    }

    fn may_hold(&self, seed: u64) -> bool {
        let (index, bit) = filter_place(seed, self.filter_shift);
        self.filter.get(index).is_some_and(|word| word & bit != 0)
    }

    fn bucket(&self, seed: u64) -> &[Seed] {
        let number = bucket(seed, self.bucket_shift);
        let range = self.starts.get(number).zip(self.starts.get(number + 1));
        range.and_then(|(start, end)| self.seeds.get(*start..*end)).unwrap_or_default()
    }
}

fn folded(difference: Difference, bytes: &[u8]) -> Vec<u8> {
    if difference == Difference::None { bytes.to_ascii_lowercase() } else { bytes.to_vec() }
}

fn word(window: &[u8]) -> u64 {
    window.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Whether a seed is worth following: eight equal bytes are what captures are full of, and tell nothing.
const fn tells(seed: u64) -> bool {
    seed != seed.rotate_left(8)
}

const fn hash(seed: u64) -> u64 {
    // The upper half is mixed in first, or it would only reach the highest bits of the product.
    (seed ^ seed >> 32).wrapping_mul(HASH_FACTOR)
}

fn filter_place(seed: u64, shift: u32) -> (usize, u64) {
    let place = hash(seed) >> shift;
    (usize::try_from(place >> 6).unwrap_or(usize::MAX), 1 << (place & 63))
}

fn bucket(seed: u64, shift: u32) -> usize {
    usize::try_from(hash(seed) >> shift).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_random::random_bytes;

    fn needle(bytes: &[u8], fold: bool, run: usize, difference: Difference) -> Needle {
        let bytes = if fold { bytes.to_ascii_lowercase() } else { bytes.to_vec() };
        Needle { canary: 0, form: "test", difference, bytes, fold, run, bits: 0.0, decides: true }
    }

    fn found(needles: &[Needle], difference: Difference, haystack: &[u8]) -> Vec<Found> {
        let members: Vec<usize> = (0..needles.len()).collect();
        let mut all = Vec::new();
        let index = Index::new(difference, &members, needles);
        index.find(needles, haystack, &haystack.to_ascii_lowercase(), |found| all.push(found));
        all
    }

    #[test]
    fn any_part_that_is_long_enough_at_any_place() {
        let secret = random_bytes(1, 40);
        let needles = [needle(&secret, false, RUN_BYTES_MIN, Difference::None)];
        for at in 0..9 {
            for part in [0..RUN_BYTES_MIN, 13..29, 29..40, 0..40] {
                let mut haystack = random_bytes(2, 100);
                haystack.splice(at..at + part.len(), secret[part.clone()].iter().copied());
                let expected = Found { at, needle: 0, skipped: part.start, end: at + part.len() };
                assert_eq!(found(&needles, Difference::None, &haystack), [expected], "{at} {part:?}");
            }
        }
    }

    #[test]
    fn one_byte_less_is_not_enough() {
        let secret = random_bytes(1, 40);
        let needles = [needle(&secret, false, 20, Difference::None)];
        let haystack = [&random_bytes(2, 33), &secret[5..24], &random_bytes(3, 33)[..]].concat();
        assert_eq!(found(&needles, Difference::None, &haystack), []);
    }

    #[test]
    fn case_matters_to_some_needles() {
        let needles = [
            needle(b"Some Secret Text", true, 16, Difference::None),
            needle(b"Some Secret Text", false, 16, Difference::None),
        ];
        let hits = |haystack: &[u8]| -> Vec<usize> {
            found(&needles, Difference::None, haystack).iter().map(|found| found.needle).collect()
        };
        assert_eq!(hits(b"...SOME SECRET TEXT..."), [0]);
        let mut both = hits(b"...Some Secret Text...");
        both.sort_unstable();
        assert_eq!(both, [0, 1]);
    }

    #[test]
    fn differences_are_taken_of_the_haystack() {
        for difference in [Difference::Xor(1), Difference::Xor(5), Difference::Subtract] {
            let wanted = random_bytes(5, 30);
            let needles = [needle(&wanted, false, 30, difference)];
            let hidden = difference.integrate(&wanted, &[0x5a; 5][..difference.lag()]);
            let haystack = [&random_bytes(2, 33), &hidden[..], &random_bytes(3, 33)].concat();
            let expected = Found { at: 33, needle: 0, skipped: 0, end: 33 + hidden.len() };
            assert_eq!(found(&needles, difference, &haystack), [expected], "{difference}");
        }
    }

    #[test]
    fn a_repeated_needle_is_reported_each_time_and_no_more() {
        let secret = random_bytes(1, 16);
        let needles = [needle(&secret, false, 12, Difference::None)];
        let hits = found(&needles, Difference::None, &secret.repeat(50));
        assert_eq!(hits.len(), 50);
    }
}
