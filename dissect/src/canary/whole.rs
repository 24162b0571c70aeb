//! The file view: the file in chunks of any length, each read on from where the one before ended.

use super::detector::Detector;
use super::index::Found;
use super::unpack::{Codec, INPUT_BYTES_MAX, Unpacker};
use super::view::{Hit, Origin, View};
use crate::bytes::count;

/// What of the file must be kept while the next chunk is awaited.
#[derive(Debug, Default)]
pub(super) struct WholeFile {
    /// The last bytes read: some are searched once more with the next chunk, some may begin a compressed body.
    tail: Vec<u8>,
    /// Offset of the tail in the file.
    offset: u64,
    /// Sightings that reach into the bytes which are searched once more: needle, and offset of its first byte.
    reported: Vec<(usize, i128)>,
    /// Bytes of the tail in which compressed bodies were looked for.
    unpacked: usize,
}

impl WholeFile {
    /// Takes the bytes at `offset` of the file. Where they do not follow the ones before, what ran on is cut off.
    pub(super) fn take(
        &mut self,
        detector: &Detector,
        unpacker: &mut Unpacker,
        (offset, bytes): (u64, &[u8]),
        found: &mut impl FnMut(Hit),
    ) {
        if offset != self.offset.saturating_add(count(self.tail.len())) {
            self.finish(detector, unpacker, found);
            *self = Self { offset, ..Self::default() };
        }
        let known = self.tail.len();
        self.tail.extend_from_slice(bytes);
        let reach = detector.reach();
        self.search(detector, known.saturating_sub(reach), found);
        self.unpack(detector, unpacker, self.tail.len().saturating_sub(INPUT_BYTES_MAX), found);
        let keep = reach.max(self.tail.len() - self.unpacked);
        let drop = self.tail.len().saturating_sub(keep);
        self.tail.drain(..drop);
        self.unpacked = self.unpacked.saturating_sub(drop);
        self.offset = self.offset.saturating_add(count(drop));
    }

    /// Looks for the compressed bodies that begin before this offset of the file.
    pub(super) fn unpack_before(
        &mut self,
        detector: &Detector,
        unpacker: &mut Unpacker,
        offset: u64,
        found: &mut impl FnMut(Hit),
    ) {
        let end = usize::try_from(offset.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        self.unpack(detector, unpacker, end.min(self.tail.len()), found);
    }

    /// Looks for compressed bodies in what is left.
    pub(super) fn finish(
        &mut self,
        detector: &Detector,
        unpacker: &mut Unpacker,
        found: &mut impl FnMut(Hit),
    ) {
        self.unpack(detector, unpacker, self.tail.len(), found);
    }

    /// Searches the tail from `start` on.
    fn search(&mut self, detector: &Detector, start: usize, found: &mut impl FnMut(Hit)) {
        let fresh = self.tail.get(start..).unwrap_or_default();
        let base = self.offset.saturating_add(count(start));
        let kept_from = fresh.len().saturating_sub(detector.reach());
        let mut reported = Vec::new();
        for sighting in detector.search(fresh, View::File) {
            let key = (sighting.needle, first_byte(base, &sighting));
            if sighting.end > kept_from {
                reported.push(key);
            }
            if self.reported.binary_search(&key).is_err() {
                let origin = Origin::File(base.saturating_add(count(sighting.at)));
                let Found { needle, skipped, .. } = sighting;
                found(Hit { needle, view: View::File, origin, skipped });
            }
        }
        reported.sort_unstable();
        self.reported = reported;
    }

    /// Unpacks the bodies that begin before `end`.
    fn unpack(
        &mut self,
        detector: &Detector,
        unpacker: &mut Unpacker,
        end: usize,
        found: &mut impl FnMut(Hit),
    ) {
        for start in self.unpacked..end {
            let body = self.tail.get(start..).unwrap_or_default();
            let Some(codec) = Codec::at(body) else { continue };
            let origin = Origin::File(self.offset.saturating_add(count(start)));
            let unpacked = unpacker.unpack(codec, body);
            search_whole(detector, View::Unpacked(codec), &unpacked.bytes, origin, found);
        }
        self.unpacked = self.unpacked.max(end);
    }
}

/// Searches bytes that came from one place of the capture.
pub(super) fn search_whole(
    detector: &Detector,
    view: View,
    bytes: &[u8],
    origin: Origin,
    found: &mut impl FnMut(Hit),
) {
    if !bytes.is_empty() {
        for Found { needle, skipped, .. } in detector.search(bytes, view) {
            found(Hit { needle, view, origin, skipped });
        }
    }
}

/// Where the needle would begin, were it there from its first byte on.
fn first_byte(base: u64, sighting: &Found) -> i128 {
    i128::from(base.saturating_add(count(sighting.at))) - i128::from(count(sighting.skipped))
}
