//! Ciphers that vanish when neighbouring bytes are compared.
//!
//! A repeating XOR key of p bytes disappears from `b[i] ^ b[i-p]`, a constant added to every byte from
//! `b[i] - b[i-1]`, and a cipher that XORs each byte with the one before is undone by `b[i] ^ b[i-1]`
//! itself. So the needle is differenced in the same way and searched in the differenced haystack.

use std::fmt;

use super::view::View;

/// Longest repeating XOR key that is looked for, in bytes.
pub(super) const XOR_KEY_BYTES_MAX: usize = 32;
/// How many differences there are.
pub(super) const DIFFERENCE_COUNT: usize = XOR_KEY_BYTES_MAX + 2;

/// What is done to the haystack before the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Difference {
    /// Nothing.
    None,
    /// `b[i] ^ b[i-p]` with this p.
    Xor(usize),
    /// `b[i] - b[i-1]`.
    Subtract,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Xor(period) => write!(f, "xor over {period} bytes"),
            Self::Subtract => f.write_str("addition"),
        }
    }
}

impl Difference {
    /// Bytes by which the result is shorter.
    pub(super) const fn lag(self) -> usize {
        match self {
            Self::None => 0,
            Self::Xor(period) => period,
            Self::Subtract => 1,
        }
    }

    /// The difference of one byte and the one [`Difference::lag`] bytes behind it.
    const fn of(self, earlier: u8, later: u8) -> u8 {
        match self {
            Self::None => earlier,
            Self::Xor(_) => earlier ^ later,
            Self::Subtract => later.wrapping_sub(earlier),
        }
    }

    /// The same of four bytes at a time, as little-endian words.
    pub(super) const fn of_words(self, earlier: u32, later: u32) -> u32 {
        const HIGH: u32 = 0x8080_8080;
        match self {
            Self::None => earlier,
            Self::Xor(_) => earlier ^ later,
            // Each byte borrows from its own high bit, which is put right afterwards (Hacker's Delight, 2-18).
            Self::Subtract => (later | HIGH).wrapping_sub(earlier & !HIGH) ^ ((later ^ !earlier) & HIGH),
        }
    }

    /// The differenced byte at `at`, or `None` behind the end.
    pub(super) fn byte(self, bytes: &[u8], at: usize) -> Option<u8> {
        Some(self.of(*bytes.get(at)?, *bytes.get(at.checked_add(self.lag())?)?))
    }

    /// Applies the difference.
    pub(super) fn apply(self, bytes: &[u8]) -> Vec<u8> {
        let later = bytes.get(self.lag()..).unwrap_or_default();
        bytes.iter().zip(later).map(|(earlier, later)| self.of(*earlier, *later)).collect()
    }

    /// Bytes whose difference is `wanted`, beginning with `key` ([`Difference::lag`] bytes).
    pub(super) fn integrate(self, wanted: &[u8], key: &[u8]) -> Vec<u8> {
        let mut bytes = key.to_vec();
        for (index, byte) in wanted.iter().enumerate() {
            let earlier = bytes.get(index).copied().unwrap_or(0);
            bytes.push(match self {
                Self::None => *byte,
                Self::Xor(_) => byte ^ earlier,
                Self::Subtract => byte.wrapping_add(earlier),
            });
        }
        bytes
    }

    /// Whether this difference is searched in this view. Across and down the packets only the
    /// cheapest ciphers are undone, and in what was unpacked none, to bound the time.
    pub(super) const fn is_used_in(self, view: View) -> bool {
        match view {
            View::File | View::Stream { skip: 0 } => true,
            View::Stream { .. } | View::Column(_) | View::LastColumn(_) => self.lag() <= 1,
            View::Unpacked(_) | View::UnpackedStream(_) | View::Decoded => self.lag() == 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_difference_is_the_inverse_of_its_integral() {
        for difference in [Difference::None, Difference::Xor(1), Difference::Xor(5), Difference::Subtract] {
            let key = &b"\x5a\x01\xfe\x33\x77"[..difference.lag()];
            let bytes = difference.integrate(b"attack at dawn", key);
            assert_eq!(difference.apply(&bytes), b"attack at dawn", "{difference}");
        }
    }

    #[test]
    fn a_repeating_key_vanishes() {
        let clear = b"the quick brown fox jumps";
        let sealed: Vec<u8> = clear.iter().enumerate().map(|(i, byte)| byte ^ b"KEY"[i % 3]).collect();
        assert_eq!(Difference::Xor(3).apply(&sealed), Difference::Xor(3).apply(clear));
    }

    proptest! {
        #[test]
        fn words_are_four_bytes(earlier: [u8; 4], later: [u8; 4]) {
            for difference in [Difference::None, Difference::Xor(1), Difference::Subtract] {
                let word = difference.of_words(u32::from_le_bytes(earlier), u32::from_le_bytes(later));
                let bytes: Vec<u8> = (0..4).map(|i| difference.of(earlier[i], later[i])).collect();
                prop_assert_eq!(&word.to_le_bytes()[..], &bytes);
            }
        }
    }
}
