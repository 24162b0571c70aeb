//! The search through a capture: first the file as it is, then its packets, fragments and streams put together.

use super::search::Search;
use super::streams::Direction;
use super::{Canary, CanaryReport, Size};
use crate::bytes::count;
use crate::dissection::{Dissection, Protocol};
use crate::packet::Packet;
use crate::progress::Progress;
use crate::reassembly::fragments::{self, Fragments, Outcome};
use crate::reassembly::stream::{Ends, Event, Streams};
use crate::source::{ReadError, Source};
use crate::walk::walk;

/// Searches every canary in a capture and runs the positive control.
///
/// # Errors
/// [`ReadError`] when the source cannot be read.
pub(crate) fn search(
    canaries: &[Canary],
    source: &Source,
    progress: &dyn Progress,
) -> Result<CanaryReport, ReadError> {
    if canaries.is_empty() {
        return Ok(CanaryReport::default());
    }
    let mut search = Search::new(canaries, Size { file_bytes: source.len() });
    source.chunks(|offset, bytes| {
        search.file_chunk(offset, bytes);
        progress.at("searching", offset + count(bytes.len()), Some(source.len()));
    })?;
    let mut reader = Reader { search, fragments: Fragments::default(), streams: Streams::default() };
    walk(source, "searching streams", progress, |packet, data| reader.take(packet, data))?;
    Ok(reader.finish())
}

/// Puts together what the network took apart, for the search.
struct Reader {
    search: Search,
    fragments: Fragments,
    streams: Streams,
}

impl Reader {
    fn take(&mut self, packet: &Packet, data: &[u8]) {
        let start = count(packet.data.start);
        self.search.packet(packet.number, &(start..count(packet.data.end)));
        if let Some((key, part)) = fragments::part(&packet.dissection, data, packet.number) {
            if let Outcome::Whole(whole) = self.fragments.take(key, &part, packet.time_ns) {
                self.take_payload(&whole.dissect(), &whole.bytes, packet.number, None);
            }
        } else {
            self.take_payload(&packet.dissection, data, packet.number, Some(start));
        }
    }

    /// `start` is where `data` stands in the file.
    fn take_payload(&mut self, packet: &Dissection, data: &[u8], number: usize, start: Option<u64>) {
        let (Some(ends), Some(range)) = (packet.ends, packet.payload.clone()) else { return };
        let offset = start.map(|start| start.saturating_add(count(range.start)));
        let payload = data.get(range).unwrap_or_default();
        let Self { search, streams, .. } = self;
        let Some(segment) = packet.segment else {
            search.payload((packet.protocol, ends.0, ends.1), number, offset, payload);
            return;
        };
        streams.take(ends, segment, payload, number, &mut |ends, event| {
            if let Event::Bytes { bytes, packet } = event {
                // What waited for its turn, or was sent in part before, is no longer where it stands in the file.
                let offset = offset.filter(|_| packet == number && bytes.len() == payload.len());
                search.payload(direction(ends), packet, offset, bytes);
            }
        });
    }

    fn finish(self) -> CanaryReport {
        let Self { mut search, streams, .. } = self;
        // What of streams is missing, the ledger of damage tells.
        let _ = streams.finish(&mut |ends, event| {
            if let Event::Bytes { bytes, packet } = event {
                search.payload(direction(ends), packet, None, bytes);
            }
        });
        search.finish()
    }
}

const fn direction(ends: &Ends) -> Direction {
    (Protocol::Tcp, ends.0, ends.1)
}
