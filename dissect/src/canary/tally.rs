//! What was found, counted by canary, with the packets it was found in.
//!
//! A sighting in the file view is an offset; which packet holds it is known when the packets are told, in the
//! order of the file.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::needle::Needle;
use super::strength::Strength;
use super::view::{Hit, Origin};
use super::{Canary, CanaryResult, Place};

/// Places of each canary that are described one by one; the rest is counted.
const PLACES_DESCRIBED: usize = 100;
/// Sightings of each canary that wait for their packets; the rest is counted as unplaced.
const PENDING_MAX: usize = 4_096;
/// Places that are remembered so that they are counted once, however many forms and views show them.
const KNOWN_MAX: usize = 65_536;

/// Where the canary would begin, and, when its packet was put together, in which packet.
type Anchor = (i128, usize);

/// The results so far.
#[derive(Debug)]
pub(super) struct Tally {
    results: Vec<CanaryResult>,
    known: BTreeSet<(usize, Anchor)>,
    /// Sightings in the file, by offset and canary.
    pending: BTreeMap<(u64, usize), Place>,
    pending_of: Vec<usize>,
}

impl Tally {
    pub(super) fn new(canaries: &[Canary], strengths: &[Strength]) -> Self {
        let result = |(canary, strength): (&Canary, &Strength)| CanaryResult {
            label: canary.label.clone(),
            is_key: canary.is_key,
            strength: strength.clone(),
            on_wire: 0,
            in_file_meta: 0,
            unplaced: 0,
            weak_hits: 0,
            in_sealed: None,
            places: Vec::new(),
        };
        Self {
            results: canaries.iter().zip(strengths).map(result).collect(),
            known: BTreeSet::new(),
            pending: BTreeMap::new(),
            pending_of: vec![0; canaries.len()],
        }
    }

    /// Counts a hit, once for each place.
    pub(super) fn add(&mut self, needle: &Needle, hit: &Hit) {
        let Some(result) = self.results.get_mut(needle.canary) else { return };
        if result.strength.strong && !needle.decides {
            result.weak_hits += 1;
            return;
        }
        let known = (needle.canary, anchor(hit));
        if self.known.contains(&known) {
            return;
        }
        if self.known.len() < KNOWN_MAX {
            self.known.insert(known);
        }
        let mut place = Place {
            packet: None,
            file_offset: None,
            form: needle.form,
            difference: needle.difference.to_string(),
            view: hit.view.to_string(),
        };
        match hit.origin {
            Origin::Packet(number, offset) => {
                (place.packet, place.file_offset) = (Some(number), offset);
                result.place(place);
            }
            Origin::File(offset) => {
                place.file_offset = Some(offset);
                match self.pending_of.get_mut(needle.canary) {
                    Some(waiting) if *waiting < PENDING_MAX => {
                        *waiting += 1;
                        self.pending.entry((offset, needle.canary)).or_insert(place);
                    }
                    _ => result.unplaced += 1,
                }
            }
        }
    }

    /// Settles what was seen up to the end of a packet.
    pub(super) fn packet(&mut self, number: usize, range: &Range<u64>) {
        while let Some(entry) = self.pending.first_entry().filter(|entry| entry.key().0 < range.end) {
            let is_inside = entry.key().0 >= range.start;
            self.settle(is_inside.then_some(number));
        }
    }

    fn settle(&mut self, packet: Option<usize>) {
        if let Some(((_, canary), place)) = self.pending.pop_first()
            && let Some(result) = self.results.get_mut(canary)
        {
            result.place(Place { packet, ..place });
        }
    }

    /// The results, what is still unsettled being in no packet.
    pub(super) fn finish(mut self) -> Vec<CanaryResult> {
        while !self.pending.is_empty() {
            self.settle(None);
        }
        for result in &mut self.results {
            result.places.sort_by_key(|place| (place.file_offset, place.packet));
        }
        self.results
    }
}

impl CanaryResult {
    fn place(&mut self, place: Place) {
        match place.packet {
            Some(_) => self.on_wire += 1,
            None => self.in_file_meta += 1,
        }
        if self.places.len() < PLACES_DESCRIBED {
            self.places.push(place);
        }
    }
}

fn anchor(hit: &Hit) -> Anchor {
    let skipped = i128::from(crate::bytes::count(hit.skipped));
    match hit.origin {
        Origin::File(offset) | Origin::Packet(_, Some(offset)) => (i128::from(offset) - skipped, 0),
        Origin::Packet(number, None) => (0, number),
    }
}
