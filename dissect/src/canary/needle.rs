//! What is looked for: a form of a canary, as bytes, and how much of it must be seen.

use super::difference::{Difference, XOR_KEY_BYTES_MAX};
use super::form::{self, Ciphers, Form, approximate};
use super::index::RUN_BYTES_MIN;
use super::view::View;

/// A part of a canary counts as the canary when it is half of it and this many bytes, or
const PART_BYTES_MIN: usize = 12;
/// this many bytes whatever its length.
const PART_BYTES_ENOUGH: usize = 24;
/// Bits below which a needle is everywhere by chance, and not worth a search.
const BITS_MIN: f64 = 14.0;

/// One byte string to look for.
#[derive(Debug)]
pub(super) struct Needle {
    /// Index of the canary it belongs to.
    pub(super) canary: usize,
    /// Name of its encoding.
    pub(super) form: &'static str,
    /// The haystack it is searched in.
    pub(super) difference: Difference,
    /// The bytes, after the difference; in lower case when case does not matter.
    pub(super) bytes: Vec<u8>,
    /// Whether upper and lower case are the same.
    pub(super) fold: bool,
    /// Bits a chance hit of the whole must guess.
    pub(super) bits: f64,
    /// Bytes of it that must be seen together.
    pub(super) run: usize,
    /// Whether what must be seen cannot be chance.
    pub(super) decides: bool,
}

impl Needle {
    /// All needles of a form, with nothing known yet of how much chance there is.
    pub(super) fn of(canary: usize, secret_bytes: usize, form: &Form) -> Vec<Self> {
        let needle = |difference: Difference, bytes: Vec<u8>, fold: bool, bits| {
            let part = secret_bytes.div_ceil(2).clamp(PART_BYTES_MIN, PART_BYTES_ENOUGH).min(secret_bytes);
            let share = (form.bytes.len() * part).div_ceil(secret_bytes.max(1));
            let run = share.saturating_sub(difference.lag()).max(RUN_BYTES_MIN).min(bytes.len());
            let bytes = if fold { bytes.to_ascii_lowercase() } else { bytes };
            Self { canary, form: form.name, difference, bytes, fold, bits, run, decides: false }
        };
        let mut needles = vec![needle(Difference::None, form.bytes.clone(), form.fold, form.bits)];
        let key_bytes_max = match form.ciphers {
            Ciphers::None => return needles,
            Ciphers::Chained => 1,
            Ciphers::All => XOR_KEY_BYTES_MAX,
        };
        // A cipher that chains each byte to the one before is undone by the difference itself.
        needles.push(needle(Difference::Xor(1), form.bytes.clone(), false, form.bits));
        let differences = || (1..=key_bytes_max).map(Difference::Xor).chain([Difference::Subtract]);
        for (part, difference) in ends(&form.bytes).flat_map(|part| differences().map(move |one| (part, one)))
        {
            let bytes = difference.apply(part);
            let share = approximate(bytes.len()) / approximate(form.bytes.len()).max(1.0);
            let bits = (form.bits * share).min(form::bits(&bytes, false));
            if !bytes.is_empty() {
                needles.push(needle(difference, bytes, false, bits));
            }
        }
        needles
    }

    /// Settles how much must be seen so that a chance hit guesses `need` bits; where there are not so many, the
    /// whole must be seen, and decides nothing.
    pub(super) fn settle(&mut self, need: f64) {
        // Bits are spread over the bytes as `form::bits` counts them.
        let scale = self.bits / form::bits(&self.bytes, self.fold).max(1.0);
        let costs: Vec<f64> = form::costs(&self.bytes, self.fold).map(|bits| bits * scale).collect();
        let (mut end, mut sum) = (0, 0.0);
        for (start, cost) in costs.iter().enumerate() {
            while sum < need && end < costs.len() {
                sum += costs.get(end).copied().unwrap_or(0.0);
                end += 1;
            }
            if sum < need {
                // No run from here on is enough: a run must reach back before this place.
                self.run = if start == 0 { costs.len() } else { self.run.max(costs.len() - start + 1) };
                break;
            }
            self.run = self.run.max(end - start);
            sum -= cost;
        }
        // Short needles are only looked for as they are.
        self.decides =
            self.bits >= need && (self.difference == Difference::None || self.run >= RUN_BYTES_MIN);
    }

    /// Whether it is found by its seeds, and not as a whole.
    pub(super) const fn has_seeds(&self) -> bool {
        self.decides && self.run >= RUN_BYTES_MIN
    }

    /// Whether it is worth a search: with a cipher undone only where it decides.
    pub(super) fn is_searched(&self) -> bool {
        self.decides || (self.difference == Difference::None && self.bits >= BITS_MIN)
    }

    /// Whether it is searched in this view.
    pub(super) fn is_used_in(&self, view: View) -> bool {
        self.difference.is_used_in(view) && (self.decides || view.is_first())
    }

    /// Haystack bytes that a sighting takes at least.
    pub(super) const fn reach(&self) -> usize {
        self.run + self.difference.lag()
    }
}

/// All of a form, or of a long one its beginning and its end: there are many differences, and a cipher that is
/// used on the middle is used on the ends.
fn ends(form: &[u8]) -> impl Iterator<Item = &[u8]> {
    const END_BYTES: usize = 128;
    let is_long = form.len() > 2 * END_BYTES;
    let (head, tail) = if is_long {
        (form.first_chunk::<END_BYTES>().map(<[u8; END_BYTES]>::as_slice), form.last_chunk::<END_BYTES>())
    } else {
        (Some(form), None)
    };
    head.into_iter().chain(tail.map(<[u8; END_BYTES]>::as_slice))
}
