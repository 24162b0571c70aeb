//! Finds ciphertext that was not made with fresh keystream, without any key.
//!
//! * a **repeated window**: 16 equal bytes in two different samples, which happens by chance with
//!   probability `windows² / 2^129` (a repeated nonce, a block cipher without chaining, a replay under
//!   another header);
//! * **keystream reuse**: two texts under one keystream. The high bit of ASCII is zero, so the high
//!   bits of the two ciphertexts agree byte for byte;
//! * **identical datagrams**: retransmission or replay, which is counted and is no fault.

use serde::Serialize;

use crate::bytes::{array, count};
use crate::opacity::{KEY_SHARE, Sample};

/// Length of a window that may not occur twice, in bytes.
pub const WINDOW_LEN: usize = 16;
/// Windows whose hashes are held at a time, which bounds the memory to 192 MiB.
const WINDOWS_PER_PASS: usize = 1 << 24;
/// Pairs described one by one; the rest is counted.
const PAIRS_DESCRIBED: usize = 100;
/// Offsets at which the ciphertext of a datagram may begin, for keystream comparison.
const KEYSTREAM_OFFSETS: usize = 5;
/// Bits by which a signature must exceed twice the logarithm of the number of samples.
const SIGNATURE_MARGIN_BITS: usize = 30;
/// Bits of the longest signature.
const SIGNATURE_LEN_MAX: usize = 128;

/// Two samples that should not be alike, by the numbers of their packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Pair {
    /// The earlier packet.
    pub first: usize,
    /// The later packet.
    pub second: usize,
}

/// What was found of reuse.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReuseReport {
    /// Windows compared.
    pub windows: u64,
    /// Pairs of different samples that share a window.
    pub repeated_windows: Vec<Pair>,
    /// Pairs of different samples that seem to share keystream.
    pub shared_keystream: Vec<Pair>,
    /// Packets whose datagram is byte for byte that of an earlier packet.
    pub identical_datagrams: u64,
}

/// Compares all samples with each other. Samples with equal bytes count as one. Key shares are left out: a
/// hub gives the same key to everybody who asks.
#[must_use]
pub fn detect(samples: &[Sample<'_>], identical_datagrams: u64) -> ReuseReport {
    let mut unique: Vec<&Sample<'_>> = samples.iter().filter(|sample| sample.kind != KEY_SHARE).collect();
    unique.sort_by_key(|sample| (sample.bytes, sample.packet));
    unique.dedup_by_key(|sample| sample.bytes);
    unique.sort_by_key(|sample| sample.packet);
    let windows: usize = unique.iter().map(|sample| window_count(sample)).sum();
    ReuseReport {
        windows: count(windows),
        repeated_windows: repeated_windows(&unique, windows),
        shared_keystream: shared_keystream(&unique),
        identical_datagrams,
    }
}

fn window_count(sample: &Sample<'_>) -> usize {
    (sample.bytes.len() + 1).saturating_sub(WINDOW_LEN)
}

/// Sorts the hashes of all windows in as many passes as their memory allows, then compares the
/// windows themselves wherever two hashes agree.
fn repeated_windows(samples: &[&Sample<'_>], windows: usize) -> Vec<Pair> {
    let passes = u64::try_from(windows.div_ceil(WINDOWS_PER_PASS).max(1)).unwrap_or(1);
    let mut pairs = Vec::new();
    for pass in 0..passes {
        let mut hashes: Vec<u64> = all_windows(samples)
            .map(|(_, window)| hash(window))
            .filter(|hash| hash % passes == pass)
            .collect();
        hashes.sort_unstable();
        let mut repeated: Vec<u64> =
            hashes.windows(2).filter_map(|pair| (pair[0] == pair[1]).then_some(pair[0])).collect();
        repeated.dedup();
        if !repeated.is_empty() {
            collect_pairs(samples, &repeated, &mut pairs);
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs.truncate(PAIRS_DESCRIBED);
    pairs
}

fn collect_pairs(samples: &[&Sample<'_>], repeated: &[u64], pairs: &mut Vec<Pair>) {
    let mut found: Vec<([u8; WINDOW_LEN], usize)> = all_windows(samples)
        .filter(|(_, window)| repeated.binary_search(&hash(*window)).is_ok())
        .map(|(index, window)| (window, index))
        .collect();
    found.sort_unstable();
    for neighbours in found.windows(2) {
        let [(window_a, a), (window_b, b)] = neighbours else { continue };
        // A window that repeats inside one sample counts too: that is a block cipher without chaining.
        if window_a == window_b {
            pairs.push(pair(samples, *a, *b));
        }
    }
}

fn all_windows<'a>(samples: &'a [&Sample<'_>]) -> impl Iterator<Item = (usize, [u8; WINDOW_LEN])> + 'a {
    samples.iter().enumerate().flat_map(|(index, sample)| {
        (0..window_count(sample)).filter_map(move |at| Some((index, array(sample.bytes, at)?)))
    })
}

/// A mixing hash; quality matters only for speed, since equal hashes are compared byte by byte.
fn hash(window: [u8; WINDOW_LEN]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let value = u128::from_le_bytes(window);
    let low = u64::try_from(value & u128::from(u64::MAX)).unwrap_or(0);
    let high = u64::try_from(value >> 64).unwrap_or(0);
    let mixed = (low ^ high.rotate_left(31)).wrapping_mul(ODD) ^ high.wrapping_mul(ODD.rotate_left(17));
    mixed ^ mixed >> 29
}

/// Groups samples by the high bits of their bytes, from each offset where the ciphertext may begin.
fn shared_keystream(samples: &[&Sample<'_>]) -> Vec<Pair> {
    let entries = (samples.len() * KEYSTREAM_OFFSETS).max(2);
    let bits = 2 * entries.ilog2() as usize + 2 + SIGNATURE_MARGIN_BITS;
    if bits > SIGNATURE_LEN_MAX {
        return Vec::new();
    }
    let mut signatures: Vec<(u128, usize)> = Vec::new();
    for (index, sample) in samples.iter().enumerate() {
        for offset in 0..KEYSTREAM_OFFSETS {
            if let Some(bytes) = sample.bytes.get(offset..offset + bits) {
                let signature = bytes.iter().fold(0, |bits, byte| bits << 1 | u128::from(byte >> 7));
                signatures.push((signature, index));
            }
        }
    }
    signatures.sort_unstable();
    let mut pairs: Vec<Pair> = signatures
        .windows(2)
        .filter_map(|neighbours| match neighbours {
            [(x, a), (y, b)] if x == y && a != b => Some(pair(samples, *a, *b)),
            _ => None,
        })
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs.truncate(PAIRS_DESCRIBED);
    pairs
}

fn pair(samples: &[&Sample<'_>], a: usize, b: usize) -> Pair {
    let number = |index: usize| samples.get(index).map_or(0, |sample| sample.packet);
    Pair { first: number(a.min(b)), second: number(a.max(b)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_random::random_bytes;

    fn samples(bodies: &[Vec<u8>]) -> Vec<Sample<'_>> {
        (1..).zip(bodies).map(|(packet, bytes)| Sample { packet, kind: "datagram", bytes }).collect()
    }

    #[test]
    fn random_bytes_have_no_reuse() {
        let bodies: Vec<Vec<u8>> = (0..500).map(|seed| random_bytes(seed, 200)).collect();
        let report = detect(&samples(&bodies), 0);
        assert_eq!(report.repeated_windows, []);
        assert_eq!(report.shared_keystream, []);
    }

    #[test]
    fn sixteen_equal_bytes_are_found_at_any_offset() {
        let mut bodies: Vec<Vec<u8>> = (0..50).map(|seed| random_bytes(seed, 200)).collect();
        let window = bodies[3][17..33].to_vec();
        bodies[40][101..117].copy_from_slice(&window);
        assert_eq!(detect(&samples(&bodies), 0).repeated_windows, [Pair { first: 4, second: 41 }]);
    }

    #[test]
    fn two_texts_under_one_keystream_are_found() {
        let keystream = random_bytes(1, 120);
        let seal = |text: &[u8]| -> Vec<u8> { keystream.iter().zip(text).map(|(k, t)| k ^ t).collect() };
        let mut bodies: Vec<Vec<u8>> = (10..200).map(|seed| random_bytes(seed, 120)).collect();
        bodies[20] = seal(
            &b"we meet at the old mill when the moon is up, come alone and bring the map. ".repeat(2)[..120],
        );
        bodies[90] = seal(
            &b"nothing of this was ever said by anyone, and nobody will be able to tell it. ".repeat(2)
                [..120],
        );
        assert_eq!(detect(&samples(&bodies), 0).shared_keystream, [Pair { first: 21, second: 91 }]);
    }

    #[test]
    fn a_retransmission_is_not_reuse() {
        let body = random_bytes(1, 200);
        assert_eq!(detect(&samples(&[body.clone(), body]), 1).repeated_windows, []);
    }
}
