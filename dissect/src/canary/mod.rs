//! Looks for secrets everywhere in a capture: in encodings of the secret, through reversible
//! ciphers of the haystack, and across, along and down the packets.
//!
//! Absence is evidence only after a positive control: every run plants secrets in every form, difference
//! and view of a control capture (`control`) and counts how many the same code finds.

mod control;
mod detector;
mod encoding;
mod form;
mod sealed;
mod view;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::bytes::count;
use crate::flow::Flow;
use crate::packet::Packet;
use crate::pcap::Capture;
use detector::Detector;
pub(crate) use sealed::Sealed;
use view::Corpus;

/// Chance of one false hit in a run, as a power of two: a needle must carry this many bits more than
/// the search has places to hit by chance.
pub const ALPHA_BITS: f64 = 20.0;
/// How many places are described one by one; the rest is counted.
const PLACES_DESCRIBED: usize = 1_000;

/// A secret that may not appear in clear.
#[derive(Clone, PartialEq, Eq)]
pub struct Canary {
    /// How reports call it; never the secret itself.
    pub label: String,
    /// The secret's bytes.
    pub secret: Vec<u8>,
    /// Whether the bytes are text, which has more encodings.
    pub is_text: bool,
}

impl Canary {
    /// A canary of text, as typed on the command line; `number` counts from 1.
    #[must_use]
    pub fn text(number: usize, text: &str) -> Self {
        let label = format!("canary {number} ({} bytes)", text.len());
        Self { label, secret: text.as_bytes().to_vec(), is_text: true }
    }

    /// A canary of binary bytes, such as a key.
    #[must_use]
    pub fn bytes(label: impl Into<String>, secret: &[u8]) -> Self {
        Self { label: label.into(), secret: secret.to_vec(), is_text: false }
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
    /// Offset of the first byte in the file.
    pub file_offset: u64,
    /// The encoding of the secret, such as `base64`.
    pub form: &'static str,
    /// What was undone on the way, such as `xor key of 1 byte`; `none` for a literal hit.
    pub difference: String,
    /// How the bytes were read: `file`, `stream` or `column`.
    pub view: String,
}

/// What the search says about one canary.
#[derive(Clone, Debug, Serialize)]
pub struct CanaryResult {
    /// [`Canary::label`].
    pub label: String,
    /// Whether it is a secret of a key log and not a text somebody gave.
    pub is_key: bool,
    /// Whether the secret is long enough that a hit cannot be chance.
    pub strong: bool,
    /// Expected number of hits in random bytes.
    pub expected_chance_hits: f64,
    /// Places inside packets.
    pub on_wire: u64,
    /// Places in bytes of the file that belong to no packet.
    pub in_file_meta: u64,
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
}

impl CanaryReport {
    /// Whether the search itself was shown to work.
    #[must_use]
    pub fn control_passed(&self) -> bool {
        self.control_planted > 0 && self.control_found == self.control_planted
    }
}

/// Searches every canary in the capture and runs the positive control.
#[must_use]
pub fn search(canaries: &[Canary], capture: &Capture, packets: &[Packet], flows: &[Flow]) -> CanaryReport {
    if canaries.is_empty() {
        return CanaryReport::default();
    }
    let corpus = Corpus::new(capture, packets, flows);
    let detector = Detector::new(canaries, &corpus.size());
    let mut results: Vec<CanaryResult> =
        canaries.iter().enumerate().map(|(index, canary)| empty_result(canary, &detector, index)).collect();
    let mut places: BTreeMap<(usize, usize), Place> = BTreeMap::new();
    view::scan(&detector, &corpus, |hit| {
        let Some(needle) = detector.needles().get(hit.needle) else { return };
        let packet = packet_at(packets, hit.file_offset);
        if let Some(result) = results.get_mut(needle.canary) {
            let place = Place {
                packet,
                file_offset: count(hit.file_offset),
                form: needle.form,
                difference: needle.difference.to_string(),
                view: hit.view.to_string(),
            };
            add_place(result, &mut places, (needle.canary, hit.file_offset), place);
        }
    });
    for ((canary, _), place) in places {
        if let Some(result) = results.get_mut(canary) {
            result.places.push(place);
        }
    }
    let (control_found, control_planted) = control::run(&detector, &corpus);
    CanaryReport {
        canaries: results,
        needles: count(detector.needles().len()),
        views: view::VIEW_COUNT,
        control_found,
        control_planted,
    }
}

fn empty_result(canary: &Canary, detector: &Detector, index: usize) -> CanaryResult {
    let (strong, expected_chance_hits) = detector.strength(index);
    CanaryResult {
        label: canary.label.clone(),
        is_key: !canary.is_text,
        strong,
        expected_chance_hits,
        on_wire: 0,
        in_file_meta: 0,
        in_sealed: None,
        places: Vec::new(),
    }
}

/// Counts a place once, however many needles and views show it.
fn add_place(
    result: &mut CanaryResult,
    places: &mut BTreeMap<(usize, usize), Place>,
    key: (usize, usize),
    place: Place,
) {
    if places.contains_key(&key) {
        return;
    }
    match place.packet {
        Some(_) => result.on_wire += 1,
        None => result.in_file_meta += 1,
    }
    if places.len() < PLACES_DESCRIBED {
        places.insert(key, place);
    }
}

/// The number of the packet that holds this byte of the file.
fn packet_at(packets: &[Packet], file_offset: usize) -> Option<usize> {
    let behind = packets.partition_point(|packet| packet.data.start <= file_offset);
    let packet = packets.get(behind.checked_sub(1)?)?;
    packet.data.contains(&file_offset).then_some(packet.number)
}

#[cfg(test)]
mod tests;
