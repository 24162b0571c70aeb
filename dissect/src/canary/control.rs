//! The positive control: plants needles in a capture of its own, reads that capture with the same
//! reader, takes it apart with the same code and counts what is found.
//!
//! Every form of every secret is planted in the file view as it is. Every form under every cipher, and
//! everything in the streams and columns, is planted once, with a secret that changes from view to view:
//! hundreds of secrets do not make the control larger than the search.
//!
//! The control capture consists of raw IPv4 packets. Around the plants it repeats payload bytes of
//! the capture under test, so that its surroundings are the real ones.

use std::collections::{BTreeMap, BTreeSet};

use super::detector::{Detector, Difference};
use super::view::{self, Corpus, View};
use crate::bytes::count;
use crate::flow;
use crate::packet;
use crate::pcap::Capture;

/// Bytes of a plant that travel in one datagram of a stream.
const STREAM_PIECE_LEN: usize = 24;
/// Bytes between two plants, so that neighbours do not run into each other.
const GAP_LEN: usize = 8;
/// Flows are told apart by their source port: one for each view, and one for all columns.
const FIRST_PORT: u16 = 1_024;
const COLUMN_PORT: u16 = 512;

/// Plants and searches; returns (found, planted).
pub(super) fn run(detector: &Detector, corpus: &Corpus<'_>) -> (u64, u64) {
    let kinds = kinds(detector);
    let plan: Plan =
        View::all().zip(0..).map(|(view, turn)| (view, chosen(detector, &kinds, view, turn))).collect();
    let in_view = |(view, needles): (&View, &Vec<usize>)| -> Vec<(View, usize)> {
        needles.iter().map(|needle| (*view, *needle)).collect()
    };
    let planted: BTreeSet<(View, usize)> = plan.iter().flat_map(in_view).collect();
    let found = sightings(detector, &plan, &mut Filler::new(corpus));
    (count(planted.intersection(&found).count()), count(planted.len()))
}

/// The needles that each view gets.
type Plan = BTreeMap<View, Vec<usize>>;

/// Needles that differ only in the secret: of the same form, part, alignment and difference.
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
    let difference = |index: usize| detector.needles().get(index).map(|needle| needle.difference);
    let by_turns = kinds.iter().filter_map(|kind| kind.get(turn % kind.len()).copied());
    let mut chosen: BTreeSet<usize> = by_turns
        .filter(|index| difference(*index).is_some_and(|difference| difference.is_used_in(view)))
        .collect();
    if view == View::File {
        let literal =
            (0..detector.needles().len()).filter(|index| difference(*index) == Some(Difference::None));
        chosen.extend(literal);
    }
    chosen.into_iter().collect()
}

/// Writes the control capture, reads it as any other, and collects what the search finds in it.
fn sightings(detector: &Detector, plan: &Plan, filler: &mut Filler) -> BTreeSet<(View, usize)> {
    let mut file = ControlFile::new();
    let mut columns = Vec::new();
    for (flow, (view, chosen)) in (FIRST_PORT..).zip(plan) {
        let plants = plants(detector, chosen, filler);
        match view {
            View::File => plant_whole(&mut file, &plants, filler, flow),
            View::Stream { skip } => {
                for piece in sequence(&plants, filler).chunks(STREAM_PIECE_LEN) {
                    file.datagram(flow, &[&filler.take(*skip), piece].concat());
                }
            }
            View::Column(_) => columns.push(sequence(&plants, filler)),
        }
    }
    plant_down(&mut file, &columns);
    let mut seen = BTreeSet::new();
    // The control file is written here; should it not be readable, nothing is found, and that shows.
    if let Ok(capture) = Capture::read(file.bytes.as_slice()) {
        let packets = packet::take_apart(&capture);
        let flows = flow::group(&packets);
        view::scan(detector, &Corpus::new(&capture, &packets, &flows), |hit| {
            seen.insert((hit.view, hit.needle));
        });
    }
    seen
}

/// The bytes that show each needle once its difference is taken.
fn plants(detector: &Detector, chosen: &[usize], filler: &mut Filler) -> Vec<Vec<u8>> {
    let needles = chosen.iter().filter_map(|index| detector.needles().get(*index));
    needles
        .map(|needle| needle.difference.integrate(&needle.bytes, &filler.take(needle.difference.lag())))
        .collect()
}

/// Each plant in a datagram of its own.
fn plant_whole(file: &mut ControlFile, plants: &[Vec<u8>], filler: &mut Filler, flow: u16) {
    for plant in plants {
        file.datagram(flow, &[&filler.take(GAP_LEN), plant.as_slice(), &filler.take(GAP_LEN)].concat());
    }
}

/// One flow whose datagrams hold a byte of each column.
fn plant_down(file: &mut ControlFile, columns: &[Vec<u8>]) {
    let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
    for row in 0..rows {
        let payload: Vec<u8> = columns.iter().map(|column| column.get(row).copied().unwrap_or(0)).collect();
        file.datagram(COLUMN_PORT, &payload);
    }
}

/// All plants of a view in one run of bytes.
fn sequence(plants: &[Vec<u8>], filler: &mut Filler) -> Vec<u8> {
    let mut bytes = filler.take(GAP_LEN);
    for plant in plants {
        bytes.extend(plant);
        bytes.extend(filler.take(GAP_LEN));
    }
    bytes
}

/// Bytes to put around plants: payload bytes of the capture under test, or a fixed pattern.
struct Filler {
    bytes: Vec<u8>,
    at: usize,
}

impl Filler {
    fn new(corpus: &Corpus<'_>) -> Self {
        const ENOUGH: usize = 65_536;
        let mut bytes: Vec<u8> = corpus
            .streams
            .iter()
            .flatten()
            .filter_map(|range| corpus.file.get(range.clone()))
            .flatten()
            .take(ENOUGH)
            .copied()
            .collect();
        if bytes.is_empty() {
            bytes = (0..=u8::MAX).collect();
        }
        Self { bytes, at: 0 }
    }

    fn take(&mut self, len: usize) -> Vec<u8> {
        let taken = self.bytes.iter().cycle().skip(self.at).take(len).copied().collect();
        self.at = (self.at + len) % self.bytes.len().max(1);
        taken
    }
}

/// A classic capture of raw IPv4 in memory.
struct ControlFile {
    bytes: Vec<u8>,
}

impl ControlFile {
    fn new() -> Self {
        const LINKTYPE_RAW: u32 = 101;
        let header = [0xa1b2_c3d4, 0x0002_0004, 0, 0, 65_535, LINKTYPE_RAW];
        Self { bytes: header.iter().flat_map(|word: &u32| word.to_be_bytes()).collect() }
    }

    /// Adds one UDP datagram of the flow that this source port names.
    fn datagram(&mut self, flow: u16, payload: &[u8]) {
        let Ok(udp_len) = u16::try_from(payload.len() + 8) else { return };
        let ip_len = udp_len + 20;
        for word in [0, 0, u32::from(ip_len), u32::from(ip_len)] {
            self.bytes.extend(word.to_be_bytes());
        }
        self.bytes.extend([0x45, 0]);
        self.bytes.extend(ip_len.to_be_bytes());
        // Identification, fragment, time to live 64, UDP, checksum, then 192.0.2.1 to 192.0.2.2.
        self.bytes.extend([0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
        for field in [flow, 9, udp_len, 0] {
            self.bytes.extend(field.to_be_bytes());
        }
        self.bytes.extend(payload);
    }
}
