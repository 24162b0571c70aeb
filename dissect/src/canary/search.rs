//! The search as a fold over a capture: chunks of the file, packets and payloads in, a report out, in bounded memory.

use std::ops::Range;

use super::control;
use super::detector::Detector;
use super::streams::{Direction, Payload, Streams};
use super::tally::Tally;
use super::unpack::Unpacker;
use super::view::{Hit, Origin, Size, View};
use super::whole::{WholeFile, search_whole};
use super::{Canary, CanaryReport};
use crate::bytes::count;

/// Bytes of payload that the control puts around what it plants.
const SURROUNDINGS_BYTES: usize = 65_536;

/// All ways of reading that have something to remember.
#[derive(Debug)]
pub(super) struct Views {
    whole: WholeFile,
    streams: Streams,
    unpacker: Unpacker,
}

impl Views {
    pub(super) fn new() -> Self {
        Self { whole: WholeFile::default(), streams: Streams::default(), unpacker: Unpacker::new() }
    }

    pub(super) fn file_chunk(
        &mut self,
        detector: &Detector,
        offset: u64,
        bytes: &[u8],
        mut found: impl FnMut(Hit),
    ) {
        self.whole.take(detector, &mut self.unpacker, (offset, bytes), &mut found);
    }

    pub(super) fn payload(
        &mut self,
        detector: &Detector,
        key: Direction,
        payload: Payload<'_>,
        mut found: impl FnMut(Hit),
    ) {
        self.streams.take(detector, &mut self.unpacker, key, payload, &mut found);
    }

    pub(super) fn finish(&mut self, detector: &Detector, mut found: impl FnMut(Hit)) {
        self.whole.finish(detector, &mut self.unpacker, &mut found);
        self.streams.finish(detector, &mut self.unpacker, &mut found);
    }
}

/// A search under way. Chunks of the file come before the packets in them; nothing else has an order but that
/// of the capture.
#[derive(Debug)]
pub struct Search {
    detector: Detector,
    views: Views,
    tally: Tally,
    surroundings: Vec<u8>,
    has_canaries: bool,
}

impl Search {
    /// A search for these secrets in a capture of this size.
    #[must_use]
    pub fn new(canaries: &[Canary], size: Size) -> Self {
        let detector = Detector::new(canaries, size);
        let tally = Tally::new(canaries, detector.strengths());
        Self {
            views: Views::new(),
            tally,
            surroundings: Vec::new(),
            has_canaries: !canaries.is_empty(),
            detector,
        }
    }

    /// Takes the bytes that stand at `offset` of the file, in the order of the file. A long chunk is searched on
    /// several threads.
    pub fn file_chunk(&mut self, offset: u64, bytes: &[u8]) {
        if self.has_canaries {
            let Self { detector, views, tally, .. } = self;
            views.file_chunk(detector, offset, bytes, |hit| add(detector, tally, &hit));
        }
    }

    /// Says that packet `number` stands at this range of the file, in the order of the file, and after the chunks
    /// that hold it.
    pub fn packet(&mut self, number: usize, range: &Range<u64>) {
        let Self { detector, views, tally, .. } = self;
        let Views { whole, unpacker, .. } = views;
        whole.unpack_before(detector, unpacker, range.end, &mut |hit| add(detector, tally, &hit));
        tally.packet(number, range);
    }

    /// Takes the next payload of one direction of a flow: a datagram, or the next bytes of a TCP stream. `file_offset` is where the bytes stand in the file, and `None` when they stand in
    /// several places, because they were reassembled.
    pub fn payload(&mut self, key: Direction, packet: usize, file_offset: Option<u64>, bytes: &[u8]) {
        if self.has_canaries {
            let room = SURROUNDINGS_BYTES - self.surroundings.len();
            self.surroundings.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            let payload = Payload { bytes, origin: Origin::Packet(packet, file_offset) };
            let Self { detector, views, tally, .. } = self;
            views.payload(detector, key, payload, |hit| add(detector, tally, &hit));
        }
    }

    /// Takes bytes of a packet that somebody else decoded, such as the body of a message.
    pub fn decoded(&mut self, packet: usize, bytes: &[u8]) {
        if !self.has_canaries {
            return;
        }
        let Self { detector, tally, .. } = self;
        let origin = Origin::Packet(packet, None);
        search_whole(detector, View::Decoded, bytes, origin, &mut |hit| add(detector, tally, &hit));
    }

    /// Searches what is left, runs the positive control, and reports.
    #[must_use]
    pub fn finish(mut self) -> CanaryReport {
        if !self.has_canaries {
            return CanaryReport::default();
        }
        let Self { detector, views, tally, .. } = &mut self;
        views.finish(detector, |hit| add(detector, tally, &hit));
        let (control_found, control_planted) = control::run(&self.detector, &self.surroundings);
        CanaryReport {
            canaries: self.tally.finish(),
            needles: count(self.detector.needles().len()),
            views: count(View::all().count()),
            control_found,
            control_planted,
            forgotten_directions: self.views.streams.forgotten(),
            unpacked_all: !self.views.unpacker.is_exhausted(),
        }
    }
}

fn add(detector: &Detector, tally: &mut Tally, hit: &Hit) {
    if let Some(needle) = detector.needles().get(hit.needle) {
        tally.add(needle, hit);
    }
}
