//! The positive control: plants needles in every view, searches with the same code and counts what is found.
//!
//! Every form of every secret is planted in the file view as it is. Every form under every cipher, and
//! everything in the other views, is planted once, with a secret that changes from view to view:
//! hundreds of secrets do not make the control larger than the search.
//!
//! Around the plants stand payload bytes of the capture under test, so that the surroundings are the real ones.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use super::detector::Detector;
use super::difference::Difference;
use super::search::Views;
use super::streams::{Direction, Payload};
use super::unpack::{Codec, pack};
use super::view::{COLUMNS, Hit, LAST_COLUMNS, Origin, View};
use super::whole::search_whole;
use crate::bytes::count;
use crate::dissection::{Endpoint, Protocol};

/// Bytes of a file that come together: no power of two, so that plants stand across the borders.
const CHUNK_BYTES: usize = 4_099;
/// Bytes of a compressed body that travel in one packet.
const BODY_PIECE_BYTES: usize = 200;
/// Bytes between two plants, so that neighbours do not run into each other.
const GAP_BYTES: usize = 8;

/// A needle in a view.
type Sighting = (View, usize);

/// Plants and searches; returns (found, planted).
pub(super) fn run(detector: &Detector, surroundings: &[u8]) -> (u64, u64) {
    let kinds = kinds(detector);
    let plan: BTreeMap<View, Vec<usize>> =
        View::all().zip(0..).map(|(view, turn)| (view, chosen(detector, &kinds, view, turn))).collect();
    let in_view = |(view, needles): (&View, &Vec<usize>)| -> Vec<Sighting> {
        needles.iter().map(|needle| (*view, *needle)).collect()
    };
    let planted: BTreeSet<Sighting> = plan.iter().flat_map(in_view).collect();
    let mut trial =
        Trial { detector, filler: Filler::new(surroundings), views: Views::new(), seen: BTreeSet::new() };
    trial.plant_columns(&plan);
    for (port, (view, needles)) in (1..).zip(&plan) {
        trial.plant(*view, needles, direction(port));
    }
    let found = trial.finish();
    (count(planted.intersection(&found).count()), count(planted.len()))
}

/// Each view that needs it has a direction of its own.
const fn direction(port: u16) -> Direction {
    const IP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    (Protocol::Udp, Endpoint { ip: IP, port: Some(port) }, Endpoint { ip: IP, port: Some(0) })
}

/// Needles that differ only in the secret: of the same form, alignment and difference.
fn kinds(detector: &Detector) -> Vec<Vec<usize>> {
    let mut seen: BTreeMap<(usize, &str, Difference), usize> = BTreeMap::new();
    let mut kinds: BTreeMap<(&str, Difference, usize), Vec<usize>> = BTreeMap::new();
    for (index, needle) in detector.needles().iter().enumerate() {
        let ordinal = seen.entry((needle.canary, needle.form, needle.difference)).or_default();
        kinds.entry((needle.form, needle.difference, *ordinal)).or_default().push(index);
        *ordinal += 1;
    }
    kinds.into_values().collect()
}

/// One needle of each kind, by turns, and in the file every needle that is searched as it is.
fn chosen(detector: &Detector, kinds: &[Vec<usize>], view: View, turn: usize) -> Vec<usize> {
    let needle = |index: &usize| detector.needles().get(*index);
    let used = |index: &usize| needle(index).is_some_and(|needle| needle.is_used_in(view));
    let by_turns = kinds.iter().filter_map(|kind| {
        let kind: Vec<usize> = kind.iter().copied().filter(used).collect();
        kind.get(turn.checked_rem(kind.len())?).copied()
    });
    let mut chosen: BTreeSet<usize> = by_turns.collect();
    if view == View::File {
        let plain = |index: &usize| needle(index).is_some_and(|needle| needle.difference == Difference::None);
        chosen.extend((0..detector.needles().len()).filter(plain));
    }
    chosen.into_iter().collect()
}

/// A search like that of the capture, over what is planted.
struct Trial<'a> {
    detector: &'a Detector,
    filler: Filler<'a>,
    views: Views,
    seen: BTreeSet<Sighting>,
}

impl Trial<'_> {
    fn plant(&mut self, view: View, needles: &[usize], key: Direction) {
        match view {
            View::File => {
                let bytes = self.sequence(needles);
                self.file(&bytes);
            }
            View::Unpacked(codec) => {
                let body = self.body(codec, needles);
                self.file(&body);
            }
            View::UnpackedStream(codec) => {
                for piece in self.body(codec, needles).chunks(BODY_PIECE_BYTES) {
                    self.payload(key, piece);
                }
            }
            View::Stream { skip } => self.stream(skip, needles, key),
            View::Decoded => {
                let bytes = self.sequence(needles);
                let seen = &mut self.seen;
                let mut found = |hit: Hit| _ = seen.insert((hit.view, hit.needle));
                search_whole(self.detector, view, &bytes, Origin::Packet(0, None), &mut found);
            }
            View::Column(_) | View::LastColumn(_) => {}
        }
    }

    /// Each plant cut so that it goes on in the next payload, behind a header.
    fn stream(&mut self, skip: usize, needles: &[usize], key: Direction) {
        for &index in needles {
            let Some(needle) = self.detector.needles().get(index) else { continue };
            let piece_bytes = needle.reach().div_ceil(2);
            let gap = self.filler.take(GAP_BYTES);
            for piece in
                [gap].iter().map(Vec::as_slice).chain(self.plant_of(index).chunks(piece_bytes.max(1)))
            {
                let payload = [&self.filler.take(skip), piece].concat();
                self.payload(key, &payload);
            }
        }
    }

    /// One direction whose payloads hold a byte of each column.
    fn plant_columns(&mut self, plan: &BTreeMap<View, Vec<usize>>) {
        let from_the_end = (0..LAST_COLUMNS).rev().map(View::LastColumn);
        let columns: Vec<Vec<u8>> = (0..COLUMNS)
            .map(View::Column)
            .chain(from_the_end)
            .map(|view| plan.get(&view).map_or_else(Vec::new, |needles| self.sequence(needles)))
            .collect();
        for row in 0..columns.iter().map(Vec::len).max().unwrap_or(0) {
            let payload: Vec<u8> =
                columns.iter().map(|column| column.get(row).copied().unwrap_or(0)).collect();
            self.payload(direction(0), &payload);
        }
    }

    fn file(&mut self, bytes: &[u8]) {
        // What belongs together is read behind all that was read before.
        let Self { detector, views, seen, .. } = self;
        for (number, chunk) in bytes.chunks(CHUNK_BYTES).enumerate() {
            let offset = count(number * CHUNK_BYTES);
            views.file_chunk(detector, offset, chunk, |hit| _ = seen.insert((hit.view, hit.needle)));
        }
    }

    fn payload(&mut self, key: Direction, bytes: &[u8]) {
        let Self { detector, views, seen, .. } = self;
        let payload = Payload { bytes, origin: Origin::Packet(0, Some(0)) };
        views.payload(detector, key, payload, |hit| _ = seen.insert((hit.view, hit.needle)));
    }

    fn finish(self) -> BTreeSet<Sighting> {
        let Self { detector, mut views, mut seen, .. } = self;
        views.finish(detector, |hit| _ = seen.insert((hit.view, hit.needle)));
        seen
    }

    /// The bytes that show a needle once its difference is taken.
    fn plant_of(&mut self, index: usize) -> Vec<u8> {
        let Some(needle) = self.detector.needles().get(index) else { return Vec::new() };
        needle.difference.integrate(&needle.bytes, &self.filler.take(needle.difference.lag()))
    }

    /// Plants in one run of bytes.
    fn sequence(&mut self, needles: &[usize]) -> Vec<u8> {
        let mut bytes = self.filler.take(GAP_BYTES);
        for &index in needles {
            bytes.extend(self.plant_of(index));
            bytes.extend(self.filler.take(GAP_BYTES));
        }
        bytes
    }

    fn body(&mut self, codec: Codec, needles: &[usize]) -> Vec<u8> {
        pack(codec, &self.sequence(needles))
    }
}

/// Bytes to put around plants: payload bytes of the capture under test, or a fixed pattern.
struct Filler<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Filler<'a> {
    const fn new(surroundings: &'a [u8]) -> Self {
        const PATTERN: &[u8] =
            b"\x00\x01\x02\x03\x05\x08\x0d\x15\x22\x37\x59\x90\xe9\x79\x62\xdb\x3d\x18\x55\x6d";
        Self { bytes: if surroundings.is_empty() { PATTERN } else { surroundings }, at: 0 }
    }

    fn take(&mut self, len: usize) -> Vec<u8> {
        let taken = self.bytes.iter().cycle().skip(self.at).take(len).copied().collect();
        self.at = (self.at + len) % self.bytes.len().max(1);
        taken
    }
}
