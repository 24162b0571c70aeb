//! The search engine: all needles of all canaries in a few automata, one for each way of undoing a
//! cipher on the haystack.
//!
//! A repeating XOR key of p bytes disappears from `b[i] ^ b[i-p]`, a constant added to every byte from
//! `b[i] - b[i-1]`, and a cipher that XORs each byte with the one before is undone by `b[i] ^ b[i-1]`
//! itself. So the needle is differenced in the same way and searched in the differenced haystack.

use std::collections::BTreeMap;
use std::fmt;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::form::{self, Ciphers, Form, approximate};
use super::view::{CorpusSize, View};
use super::{ALPHA_BITS, Canary};

/// Longest repeating XOR key that is looked for, in bytes.
const XOR_KEY_LEN_MAX: usize = 32;
/// Up to this many bytes of needles an automaton is a full table, which is the fastest.
const TABLE_BYTES_MAX: usize = 16_384;

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

    /// Applies the difference.
    pub(super) fn apply(self, bytes: &[u8]) -> Vec<u8> {
        let later = bytes.get(self.lag()..).unwrap_or_default();
        let pairs = bytes.iter().zip(later);
        match self {
            Self::None => bytes.to_vec(),
            Self::Xor(_) => pairs.map(|(a, b)| a ^ b).collect(),
            Self::Subtract => pairs.map(|(a, b)| b.wrapping_sub(*a)).collect(),
        }
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
    /// cheapest ciphers are undone, to bound the time.
    pub(super) const fn is_used_in(self, view: View) -> bool {
        match view {
            View::File | View::Stream { skip: 0 } => true,
            View::Stream { .. } | View::Column(_) => self.lag() <= 1,
        }
    }
}

/// One byte string to look for.
#[derive(Debug)]
pub(super) struct Needle {
    /// Index of the canary it belongs to.
    pub(super) canary: usize,
    /// Name of its encoding.
    pub(super) form: &'static str,
    /// The haystack it is searched in.
    pub(super) difference: Difference,
    /// The bytes, after the difference.
    pub(super) bytes: Vec<u8>,
    fold: bool,
    bits: f64,
}

/// The needles of one automaton: all of one difference and one treatment of case.
#[derive(Debug)]
pub(super) struct Pass {
    pub(super) difference: Difference,
    automaton: AhoCorasick,
    /// Needle of each pattern of the automaton.
    needles: Vec<usize>,
}

impl Pass {
    /// Reports (needle, offset) for every occurrence in an already differenced haystack.
    pub(super) fn find(&self, haystack: &[u8], mut found: impl FnMut(usize, usize)) {
        for hit in self.automaton.find_overlapping_iter(haystack) {
            if let Some(needle) = self.needles.get(hit.pattern().as_usize()) {
                found(*needle, hit.start());
            }
        }
    }
}

/// All needles of a run.
#[derive(Debug)]
pub(super) struct Detector {
    needles: Vec<Needle>,
    passes: Vec<Pass>,
    /// For each canary: whether it decides, and its expected chance hits.
    strengths: Vec<(bool, f64)>,
}

impl Detector {
    /// Builds the automata. A form too short to exclude chance is left out, unless the canary has no
    /// long one at all: then the canary is weak, and searched without deciding anything.
    pub(super) fn new(canaries: &[Canary], size: &CorpusSize) -> Self {
        let candidates: Vec<Vec<Needle>> = canaries
            .iter()
            .enumerate()
            .map(|(index, canary)| {
                form::forms(canary).iter().flat_map(|form| needles_of(index, form)).collect()
            })
            .collect();
        let total: usize = candidates.iter().map(Vec::len).sum();
        let chances = approximate(size.positions()).max(1.0).log2() + approximate(total).max(1.0).log2();
        let mut needles = Vec::new();
        let mut strengths = Vec::new();
        for mut own in candidates {
            let best = own.iter().map(|needle| needle.bits).fold(0.0, f64::max);
            let strong = best >= chances + ALPHA_BITS;
            own.retain(|needle| {
                needle.bits >= chances + ALPHA_BITS || (!strong && needle.difference == Difference::None)
            });
            strengths.push((strong, (chances - best).exp2()));
            needles.extend(own);
        }
        let passes = passes(&needles);
        Self { needles, passes, strengths }
    }

    pub(super) fn needles(&self) -> &[Needle] {
        &self.needles
    }

    pub(super) fn passes(&self) -> &[Pass] {
        &self.passes
    }

    /// Whether a canary is long enough to decide, and how many hits chance would give it.
    pub(super) fn strength(&self, canary: usize) -> (bool, f64) {
        self.strengths.get(canary).copied().unwrap_or((false, f64::INFINITY))
    }

    /// Length of the longest needle before differencing, in bytes: how far a hit can reach.
    pub(super) fn reach(&self) -> usize {
        self.needles.iter().map(|needle| needle.bytes.len() + needle.difference.lag()).max().unwrap_or(0)
    }
}

fn needles_of(canary: usize, form: &Form) -> Vec<Needle> {
    let needle = |difference: Difference, bytes: Vec<u8>, fold, bits| Needle {
        canary,
        form: form.name,
        difference,
        bytes,
        fold,
        bits,
    };
    let mut needles = vec![needle(Difference::None, form.bytes.clone(), form.fold, form.bits)];
    let key_len_max = match form.ciphers {
        Ciphers::None => return needles,
        Ciphers::Chained => 1,
        Ciphers::All => XOR_KEY_LEN_MAX,
    };
    // A cipher that chains each byte to the one before is undone by the difference itself.
    needles.push(needle(Difference::Xor(1), form.bytes.clone(), form.fold, form.bits));
    let differences = (1..=key_len_max).map(Difference::Xor).chain([Difference::Subtract]);
    for difference in differences {
        let bytes = difference.apply(&form.bytes);
        let share = approximate(bytes.len()) / approximate(form.bytes.len()).max(1.0);
        let bits = (form.bits * share).min(form::bits(&bytes, false));
        if !bytes.is_empty() {
            needles.push(needle(difference, bytes, false, bits));
        }
    }
    needles
}

fn passes(needles: &[Needle]) -> Vec<Pass> {
    let mut groups: BTreeMap<(Difference, bool), Vec<usize>> = BTreeMap::new();
    for (index, needle) in needles.iter().enumerate() {
        groups.entry((needle.difference, needle.fold)).or_default().push(index);
    }
    groups
        .into_iter()
        .filter_map(|((difference, fold), group)| {
            let patterns: Vec<&[u8]> = group
                .iter()
                .filter_map(|&index| needles.get(index))
                .map(|needle| needle.bytes.as_slice())
                .collect();
            let volume: usize = patterns.iter().map(|pattern| pattern.len()).sum();
            let automaton = AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .ascii_case_insensitive(fold)
                .kind((volume <= TABLE_BYTES_MAX).then_some(AhoCorasickKind::DFA))
                .build(patterns)
                .ok()?;
            Some(Pass { difference, automaton, needles: group })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
