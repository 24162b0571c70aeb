//! The ways of reading a capture.
//!
//! * the **file**, byte by byte: every frame, every payload and everything around them;
//! * each direction of each flow as one **stream**, with the first 0 to 16 bytes of each payload
//!   dropped, so that text is found which runs on from packet to packet behind a header;
//! * the **columns**: byte j of each payload of a direction, so that a character a packet is found.
//!
//! A stream needs reading only near the seams of its packets: what lies within one packet, the file
//! view shows.

use std::fmt;
use std::ops::Range;

use super::detector::Detector;
use crate::flow::Flow;
use crate::packet::Packet;
use crate::pcap::Capture;

/// Longest header that is dropped from each payload of a stream, in bytes.
const SKIP_MAX: usize = 16;
/// Columns read, from the front of the payload.
const COLUMNS: usize = 64;
/// The file, the streams and the columns.
pub(super) const VIEW_COUNT: u64 = 1 + (SKIP_MAX as u64 + 1) + COLUMNS as u64;
/// Bytes searched at a time, which bounds the memory for differences.
const CHUNK_LEN: usize = 1 << 20;

/// One way of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum View {
    File,
    Stream { skip: usize },
    Column(usize),
}

impl View {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let streams = (0..=SKIP_MAX).map(|skip| Self::Stream { skip });
        [Self::File].into_iter().chain(streams).chain((0..COLUMNS).map(Self::Column))
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("file"),
            Self::Stream { skip: 0 } => f.write_str("stream"),
            Self::Stream { skip } => write!(f, "stream without {skip} header bytes"),
            Self::Column(column) => write!(f, "column {column}"),
        }
    }
}

/// A needle found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    pub(super) needle: usize,
    pub(super) view: View,
    pub(super) file_offset: usize,
}

/// What is searched: the file, and where in it the payloads of each direction stand.
#[derive(Debug)]
pub(super) struct Corpus<'a> {
    pub(super) file: &'a [u8],
    pub(super) streams: Vec<Vec<Range<usize>>>,
}

/// How much there is to search.
#[derive(Debug, Default)]
pub(super) struct CorpusSize {
    file: usize,
    streams: usize,
    columns: usize,
}

impl CorpusSize {
    /// Upper bound of the places where a needle could stand by chance, over all views and differences.
    pub(super) const fn positions(&self) -> usize {
        const DIFFERENCES: usize = 34;
        const CHEAP_DIFFERENCES: usize = 3;
        let whole = self.file.saturating_add(self.streams).saturating_mul(DIFFERENCES);
        let skipped = self.streams.saturating_mul(SKIP_MAX * CHEAP_DIFFERENCES);
        whole.saturating_add(skipped).saturating_add(self.columns.saturating_mul(CHEAP_DIFFERENCES))
    }
}

impl<'a> Corpus<'a> {
    pub(super) fn new(capture: &'a Capture, packets: &[Packet], flows: &[Flow]) -> Self {
        let payloads = |indices: &Vec<usize>| -> Vec<Range<usize>> {
            indices.iter().filter_map(|&index| packets.get(index)?.payload_in_file()).collect()
        };
        let streams = flows.iter().flat_map(Flow::directions).map(|direction| payloads(&direction.packets));
        Self { file: &capture.bytes, streams: streams.filter(|stream| !stream.is_empty()).collect() }
    }

    pub(super) fn size(&self) -> CorpusSize {
        let payloads = || self.streams.iter().flatten();
        CorpusSize {
            file: self.file.len(),
            streams: payloads().map(ExactSizeIterator::len).sum(),
            columns: payloads().map(|range| range.len().min(COLUMNS)).sum(),
        }
    }
}

/// Runs every pass of the detector over every view.
pub(super) fn scan(detector: &Detector, corpus: &Corpus<'_>, mut found: impl FnMut(Hit)) {
    for view in View::all() {
        match view {
            View::File => {
                let whole = Segment { piece_start: 0, file_start: 0 };
                search(detector, view, corpus.file, &[whole], &mut found);
            }
            View::Stream { skip } => {
                for stream in &corpus.streams {
                    scan_stream(detector, corpus.file, stream, skip, &mut found);
                }
            }
            View::Column(column) => {
                for stream in &corpus.streams {
                    let mut piece = Piece::default();
                    for range in stream {
                        let at = range.start + column;
                        if at < range.end {
                            piece.push(corpus.file, at..at + 1);
                        }
                    }
                    piece.search(detector, view, &mut found);
                }
            }
        }
    }
}

fn scan_stream(
    detector: &Detector,
    file: &[u8],
    stream: &[Range<usize>],
    skip: usize,
    found: &mut impl FnMut(Hit),
) {
    let view = View::Stream { skip };
    let reach = detector.reach();
    let mut piece = Piece::default();
    for range in stream {
        let body = range.start.saturating_add(skip)..range.end;
        if body.len() > 2 * reach {
            piece.push(file, body.start..body.start + reach);
            piece.search(detector, view, found);
            piece = Piece::default();
            piece.push(file, body.end - reach..body.end);
        } else {
            piece.push(file, body);
        }
    }
    piece.search(detector, view, found);
}

/// Where a run of bytes of a piece comes from.
#[derive(Clone, Copy, Debug)]
struct Segment {
    piece_start: usize,
    file_start: usize,
}

/// Bytes put together from several places of the file.
#[derive(Debug, Default)]
struct Piece {
    bytes: Vec<u8>,
    segments: Vec<Segment>,
}

impl Piece {
    fn push(&mut self, file: &[u8], range: Range<usize>) {
        if let Some(bytes) = file.get(range.clone()).filter(|bytes| !bytes.is_empty()) {
            self.segments.push(Segment { piece_start: self.bytes.len(), file_start: range.start });
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// A piece of one segment shows nothing that the file does not.
    fn search(&self, detector: &Detector, view: View, found: &mut impl FnMut(Hit)) {
        if self.segments.len() > 1 {
            search(detector, view, &self.bytes, &self.segments, found);
        }
    }
}

fn search(detector: &Detector, view: View, bytes: &[u8], segments: &[Segment], found: &mut impl FnMut(Hit)) {
    let reach = detector.reach();
    for pass in detector.passes().iter().filter(|pass| pass.difference.is_used_in(view)) {
        for start in (0..bytes.len()).step_by(CHUNK_LEN) {
            let end = bytes.len().min(start + CHUNK_LEN + reach);
            let chunk = bytes.get(start..end).unwrap_or_default();
            let differenced;
            let haystack = if pass.difference.lag() == 0 {
                chunk
            } else {
                differenced = pass.difference.apply(chunk);
                &differenced
            };
            pass.find(haystack, |needle, at| {
                // What begins behind the chunk belongs to the next one.
                if at < CHUNK_LEN {
                    found(Hit { needle, view, file_offset: file_offset(segments, start + at) });
                }
            });
        }
    }
}

fn file_offset(segments: &[Segment], at: usize) -> usize {
    let behind = segments.partition_point(|segment| segment.piece_start <= at);
    let segment = behind.checked_sub(1).and_then(|index| segments.get(index));
    segment.map_or(at, |segment| segment.file_start + (at - segment.piece_start))
}
