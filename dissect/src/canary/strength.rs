//! What each canary's forms can decide, told with the result: a search says what it did not search for.

use serde::Serialize;

use super::difference::Difference;
use super::needle::Needle;

/// How much the forms of a canary decide.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Strength {
    /// Whether some form is long enough that a hit cannot be chance.
    pub strong: bool,
    /// Expected number of hits in random bytes, of the longest form.
    pub expected_chance_hits: f64,
    /// Forms that were searched although chance may show them.
    pub weak_forms: Vec<&'static str>,
    /// Forms so short that they are everywhere by chance, and were not searched.
    pub left_out_forms: Vec<&'static str>,
    /// Longest repeating XOR key, in bytes, behind which at least one form was searched.
    pub xor_key_bytes: usize,
}

impl Strength {
    /// Of the needles of one canary; `chances` is the number of places where chance may hit, in bits.
    pub(super) fn of(needles: &[Needle], chances: f64) -> Self {
        let best = needles.iter().map(|needle| needle.bits).fold(0.0, f64::max);
        let names = |wanted: fn(&Needle) -> bool| {
            let plain = needles.iter().filter(|needle| needle.difference == Difference::None);
            let mut names: Vec<&str> =
                plain.filter(|needle| wanted(needle)).map(|needle| needle.form).collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        let key_bytes = |needle: &Needle| match needle.difference {
            Difference::Xor(period) if needle.decides => Some(period),
            _ => None,
        };
        Self {
            strong: needles.iter().any(|needle| needle.decides),
            expected_chance_hits: (chances - best).exp2(),
            weak_forms: names(|needle| needle.is_searched() && !needle.decides),
            left_out_forms: names(|needle| !needle.is_searched()),
            xor_key_bytes: needles.iter().filter_map(key_bytes).max().unwrap_or(0),
        }
    }
}
