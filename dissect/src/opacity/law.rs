//! The laws that samples obey when all is well: uniform bytes, or the law of a key share.
//!
//! A public key and a KEM ciphertext are random and carry nothing, and yet are not uniform; judged as uniform
//! bytes they would raise an alarm after a handful of handshakes.

use spec::limits::{KEM_CIPHERTEXT_BYTES, KEY_BYTES};

/// FIPS 203, ML-KEM-768: a ciphertext is three polynomials of 256 coefficients compressed to 10 bits, then
/// one of coefficients compressed to 4 bits; q is 3329.
const Q: u32 = 3329;
const FIRST_BITS: u32 = 10;
const SECOND_BITS: u32 = 4;
const FIRST_PART_BYTES: usize = 3 * 256 * 10 / 8;
/// Coefficients of 10 bits fill bytes four at a time.
const GROUP_BYTES: usize = 5;
/// How many bits of each of the four coefficients the byte has in which it begins.
const BEGUN_BITS: [u32; 4] = [8, 6, 4, 2];

/// The distribution of a sample whose maker kept to the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Law {
    /// Independent uniform bytes: ciphertext, tags, MACs, ids.
    Uniform,
    /// A public X25519 key.
    Curve,
    /// An ML-KEM-768 ciphertext.
    Kem,
}

impl Law {
    /// The law of a key share of this length. What is no key share of the protocol is held to be a key.
    pub(super) const fn of_key_share(len: usize) -> Self {
        match len {
            KEM_CIPHERTEXT_BYTES => Self::Kem,
            _ => Self::Curve,
        }
    }

    /// By how much the probability of a string under the law can exceed that which the evidence counts with,
    /// as log2.
    ///
    /// The base point of X25519 has prime order, and a clamped scalar is one of 2^251 multiples of 8 (RFC
    /// 7748 section 5). At most two of them give the same x-coordinate, so none of the 2^256 strings has a
    /// probability above 2^-250, which is 2^6 times the uniform one.
    pub(super) fn handicap_bits(self, len: usize) -> f64 {
        match self {
            Self::Curve if len == KEY_BYTES => 6.0,
            _ => 0.0,
        }
    }
}

/// How much likelier than a uniform one each compressed coefficient is.
///
/// ML-KEM makes coefficients that nobody can tell from uniform ones modulo q; how many of the q values
/// compress to the same one is exact.
#[derive(Debug)]
pub(super) struct KemLaw {
    first: Vec<f32>,
    /// The same for the low bits alone that [`BEGUN_BITS`] counts.
    begun: [Vec<f32>; 4],
    second: Vec<f32>,
}

impl KemLaw {
    pub(super) fn new() -> Self {
        let first = weights(FIRST_BITS, FIRST_BITS);
        let begun = BEGUN_BITS.map(|bits| weights(FIRST_BITS, bits));
        Self { first, begun, second: weights(SECOND_BITS, SECOND_BITS) }
    }

    /// The uniform probability of each byte divided by that under the law, given the bytes before.
    pub(super) fn odds(&self, bytes: &[u8]) -> Vec<f32> {
        let (first, second) = parts(bytes);
        let mut odds: Vec<f32> = Vec::with_capacity(bytes.len());
        for group in first.chunks(GROUP_BYTES) {
            odds.extend(self.group(group).iter().take(group.len()));
        }
        odds.extend(second.iter().map(|byte| {
            let [low, high] = [byte & 0xf, byte >> 4].map(|nibble| at(&self.second, nibble.into()));
            (low * high).recip()
        }));
        odds
    }

    /// Each byte ends one coefficient and begins the next.
    fn group(&self, group: &[u8]) -> [f32; GROUP_BYTES] {
        let mut odds = [1.0; GROUP_BYTES];
        let mut ends = 1.0;
        for (index, coefficient) in unpack(group).into_iter().enumerate() {
            let bits = BEGUN_BITS.get(index).copied().unwrap_or(0);
            let begun = self.begun.get(index).map_or(1.0, |begun| at(begun, coefficient & ((1 << bits) - 1)));
            if let Some(odds) = odds.get_mut(index) {
                *odds = 1.0 / (ends * begun);
            }
            ends = at(&self.first, coefficient) / begun;
        }
        odds[GROUP_BYTES - 1] = 1.0 / ends;
        odds
    }

    /// log2 of the probability of a ciphertext under the law divided by the uniform one.
    pub(super) fn likelihood_bits(&self, bytes: &[u8]) -> f64 {
        -self.odds(bytes).into_iter().map(|odds| f64::from(odds).log2()).sum::<f64>()
    }
}

/// The coefficients of 10 bits in a ciphertext.
pub(super) fn coefficients(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    parts(bytes).0.chunks_exact(GROUP_BYTES).flat_map(unpack)
}

fn parts(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(FIRST_PART_BYTES.min(bytes.len()))
}

/// Four coefficients, low bits first; bytes that are missing count as zeros.
fn unpack(group: &[u8]) -> [u16; 4] {
    let bits = group.iter().rev().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    [0, 10, 20, 30].map(|shift| u16::try_from(bits >> shift & 0x3ff).unwrap_or(0))
}

fn at(weights: &[f32], coefficient: u16) -> f32 {
    weights.get(usize::from(coefficient)).copied().unwrap_or(1.0)
}

/// How much likelier than uniform the `low` low bits of a coefficient compressed to `bits` bits are.
fn weights(bits: u32, low: u32) -> Vec<f32> {
    let mut counts = vec![0_u16; 1 << low];
    for x in 0..Q {
        // FIPS 203 section 4.2.1: round(2^d x / q) modulo 2^d; q is odd, so there are no ties.
        let compressed = ((x << bits) + Q / 2) / Q;
        let seen = usize::try_from(compressed % (1 << low)).ok().and_then(|index| counts.get_mut(index));
        if let Some(count) = seen {
            *count += 1;
        }
    }
    counts.iter().map(|count| f32::from(*count) * scale(low)).collect()
}

/// `2^low / q`.
fn scale(low: u32) -> f32 {
    const Q_AS_FLOAT: f32 = 3329.0;
    f32::from(1_u16 << low.min(15)) / Q_AS_FLOAT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_ten_bits_are_of_two_kinds() {
        let law = KemLaw::new();
        let likelier = law.first.iter().filter(|weight| **weight > 1.0).count();
        assert_eq!(likelier, 257, "protocol-review.md counts them too");
        for weights in law.begun.iter().chain([&law.first, &law.second]) {
            let mean = weights.iter().sum::<f32>() / f32::from(u16::try_from(weights.len()).unwrap());
            assert!((mean - 1.0).abs() < 1e-5, "{mean}");
        }
    }

    /// The product over the bytes of a group is that over its coefficients.
    #[test]
    fn bytes_and_coefficients_agree() {
        let law = KemLaw::new();
        for group in [[0x00, 0x01, 0x22, 0x9c, 0xff], [0x37; 5], [0xfe, 0xdc, 0xba, 0x98, 0x76]] {
            let bytes: f32 = law.group(&group).iter().product();
            let coefficients: f32 = unpack(&group).iter().map(|&c| at(&law.first, c)).product();
            assert!((bytes * coefficients - 1.0).abs() < 1e-4);
        }
        assert_eq!(unpack(&[0xff, 0x03, 0, 0, 0]), [0x3ff, 0, 0, 0]);
    }
}
