//! Looks for secrets everywhere in a capture: in encodings of the secret, through reversible
//! ciphers of the haystack, and across, along and down the packets.
//!
//! A secret has forms (`form`, `encoding`); a form is a needle for each `difference` that undoes a cipher
//! (`needle`); all needles are found together by their seeds (`index`) or, the short ones, as they are
//! (`literal`), which `detector` joins. The haystacks are the ways of reading a capture (`view`): the file
//! (`whole`), the directions of its flows (`streams`, `seam`, `columns`) and what is compressed in them
//! (`unpack`). [`Search`] hands what `content` meets to these views, and `tally` counts.
//!
//! Absence is evidence only after a positive control: every run plants secrets in every form, difference
//! and view (`control`) and counts how many the same code finds.

mod columns;
mod control;
mod detector;
mod difference;
mod encoding;
mod form;
mod index;
mod input;
mod literal;
mod needle;
mod sealed;
mod seam;
mod search;
mod streams;
mod strength;
mod tally;
mod unpack;
mod view;
mod whole;

use serde::Serialize;

pub use input::{CANARIES_MAX, CANARY_BYTES_MAX, InputError, LineError, from_file};
pub(crate) use literal::Literals;
pub(crate) use sealed::Sealed;
pub use search::Search;
pub use strength::Strength;
pub use view::Size;

/// Chance of one false hit in a run, as a power of two: a needle must carry this many bits more than
/// the search has places to hit by chance.
pub const ALPHA_BITS: f64 = 20.0;

/// A secret that may not appear in clear.
#[derive(Clone, PartialEq, Eq)]
pub struct Canary {
    /// How reports call it; never the secret itself.
    pub label: String,
    /// The secret's bytes.
    pub secret: Vec<u8>,
    /// Whether the bytes are text, which has more encodings.
    pub is_text: bool,
    /// Whether it is a secret of a key log and not one that somebody gave.
    pub is_key: bool,
}

impl Canary {
    /// A secret of a key log.
    #[must_use]
    pub fn key(label: impl Into<String>, secret: &[u8]) -> Self {
        Self { label: label.into(), secret: secret.to_vec(), is_text: false, is_key: true }
    }

    /// The same with the name that reports use for the `number`th one given, from 1.
    #[must_use]
    pub fn numbered(mut self, number: usize) -> Self {
        self.label = format!("canary {number} ({} bytes)", self.secret.len());
        self
    }
}

impl From<&str> for Canary {
    fn from(text: &str) -> Self {
        Self { label: String::new(), secret: text.as_bytes().to_vec(), is_text: true, is_key: false }
    }
}

impl std::fmt::Debug for Canary {
    /// Leaves the secret out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Canary").field("label", &self.label).finish_non_exhaustive()
    }
}

/// A place where a canary was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Number of the packet, or `None` where the bytes belong to no packet.
    pub packet: Option<usize>,
    /// Offset of the first byte in the file; `None` when the bytes were put together from several packets.
    pub file_offset: Option<u64>,
    /// The encoding of the secret, such as `base64`.
    pub form: &'static str,
    /// What was undone on the way, such as `xor over 4 bytes`; `none` for a literal hit.
    pub difference: String,
    /// How the bytes were read: `file`, `stream`, `column 3` and so on.
    pub view: String,
}

/// What the search says about one canary.
#[derive(Clone, Debug, Serialize)]
pub struct CanaryResult {
    /// [`Canary::label`].
    pub label: String,
    /// Whether it is a secret of a key log and not a text somebody gave.
    pub is_key: bool,
    /// What its forms can decide.
    #[serde(flatten)]
    pub strength: Strength,
    /// Places inside packets, of forms that decide; of all forms when none does.
    pub on_wire: u64,
    /// Places in bytes of the file that belong to no packet.
    pub in_file_meta: u64,
    /// Sightings of which it is not known where they are, because they were too many.
    pub unplaced: u64,
    /// Sightings, beside these, of forms that decide nothing.
    pub weak_hits: u64,
    /// Datagrams that carry it sealed, as the key log shows; `None` without one. Where it is 0, "not
    /// found" may only mean "not sent".
    pub in_sealed: Option<u64>,
    /// The first places, by file offset.
    pub places: Vec<Place>,
}

/// What the search did and found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CanaryReport {
    /// One result for each canary, in the order given.
    pub canaries: Vec<CanaryResult>,
    /// Needles searched: secrets times encodings times differences.
    pub needles: u64,
    /// Ways of reading the capture.
    pub views: u64,
    /// Planted variants that the control found.
    pub control_found: u64,
    /// Planted variants.
    pub control_planted: u64,
    /// Directions of flows of which the end was not joined to the beginning, because there were too many.
    pub forgotten_directions: u64,
    /// Whether all compressed bodies were unpacked, and not too many.
    pub unpacked_all: bool,
}

impl CanaryReport {
    /// Whether the search itself was shown to work.
    #[must_use]
    pub fn control_passed(&self) -> bool {
        self.control_planted > 0 && self.control_found == self.control_planted
    }
}

#[cfg(test)]
mod tests;
