//! What packets carry, as those see it who look for secrets and for readable text: datagrams, and streams in order.

use std::io;

use crate::bytes::count;
use crate::canary::{Canary, CanaryReport, Search, Size};
use crate::clear::{self, Piece, Watched, Watches};
use crate::dissection::{Endpoint, Protocol};
use crate::packet::Packet;
use crate::reassembly::stream::{Event, Streams};
use crate::source::{CHUNK_BYTES, Source, Window};
use crate::verdict::{Finding, Level};

/// Takes in all packets of a capture and hands on what they carry.
pub(crate) struct Content<'s> {
    streams: Streams,
    search: Option<Searching<'s>>,
    watches: Option<Watches>,
    /// Bytes of streams that were sent twice and differ, and where first.
    conflicts: (u64, Option<usize>),
    fault: io::Result<()>,
}

impl<'s> Content<'s> {
    /// Searches `canaries`, if there are any; watches flows if they are judged.
    pub(crate) fn new(source: &'s Source, canaries: &[Canary], is_judged: bool) -> Self {
        let size = Size { file_bytes: source.len() };
        let search = || Searching { search: Search::new(canaries, size), window: Window::new(source), at: 0 };
        Self {
            streams: Streams::default(),
            search: (!canaries.is_empty()).then(search),
            watches: is_judged.then(Watches::default),
            conflicts: (0, None),
            fault: Ok(()),
        }
    }

    /// Takes in a packet; `is_sealgram` says whether it is one of a Sealgram session, which others judge.
    pub(crate) fn take(&mut self, packet: &Packet, data: &[u8], is_sealgram: bool) {
        let Self { streams, search, watches, conflicts, fault } = self;
        if let Some(search) = search.as_mut().filter(|_| !packet.is_whole() && fault.is_ok()) {
            *fault = search.packet(packet);
        }
        if search.is_none() && watches.is_none() {
            return;
        }
        let dissection = &packet.dissection;
        let range = dissection.payload.clone().or_else(|| dissection.cut_payload.clone());
        let (Some(range), Some((from, to))) = (range, dissection.ends) else { return };
        let payload = data.get(range.clone()).unwrap_or_default();
        let offset = (!packet.is_whole()).then(|| count(packet.data.start.saturating_add(range.start)));
        let protocol = dissection.protocol;
        // What echoes carry is for nobody to read.
        let mut watches = watches.as_mut().filter(|_| {
            !is_sealgram && !matches!(protocol, Protocol::Icmp | Protocol::IcmpV6 | Protocol::Arp)
        });
        let mut tell = |ends: &(Endpoint, Endpoint), number: usize, piece: Piece<'_>| {
            if let (Some(search), Piece::Bytes(bytes) | Piece::Datagram(bytes)) = (search.as_mut(), piece) {
                let is_here = number == packet.number && bytes.len() == payload.len();
                search.search.payload((protocol, ends.0, ends.1), number, offset.filter(|_| is_here), bytes);
            }
            if let Some(watches) = &mut watches {
                watches.take(protocol, ends.0, ends.1, number, piece);
            }
        };
        let Some(segment) = dissection.segment.filter(|_| protocol == Protocol::Tcp) else {
            tell(&(from, to), packet.number, Piece::Datagram(payload));
            return;
        };
        streams.take((from, to), segment, payload, packet.number, &mut |ends, event| match event {
            Event::Bytes { bytes, packet } => tell(ends, packet, Piece::Bytes(bytes)),
            Event::Gap { bytes } => tell(ends, packet.number, Piece::Gap(bytes)),
            Event::Conflict { bytes, packet } => {
                conflicts.0 += bytes;
                conflicts.1.get_or_insert(packet);
            }
            Event::Start { .. } | Event::End { .. } => {}
        });
    }

    /// What the search says, and what was watched.
    pub(crate) fn finish(
        self,
        last_packet: usize,
    ) -> io::Result<(CanaryReport, Option<Watched>, Vec<Finding>)> {
        let Self { streams, mut search, mut watches, conflicts, fault } = self;
        fault?;
        let _tally = streams.finish(&mut |ends, event| {
            let (packet, piece) = match event {
                Event::Bytes { bytes, packet } => (packet, Piece::Bytes(bytes)),
                Event::Gap { bytes } => (last_packet, Piece::Gap(bytes)),
                _ => return,
            };
            if let (Some(search), Piece::Bytes(bytes)) = (&mut search, piece) {
                search.search.payload((Protocol::Tcp, ends.0, ends.1), packet, None, bytes);
            }
            if let Some(watches) = &mut watches {
                watches.take(Protocol::Tcp, ends.0, ends.1, packet, piece);
            }
        });
        let mut findings = Vec::new();
        if let (bytes, Some(packet)) = conflicts {
            let text = format!(
                "{bytes} bytes of TCP streams were sent twice and differ: who read what is not known"
            );
            findings.push(Finding::gap(Level::E1, "tcp.conflict", text).in_packet(packet));
        }
        let canary = search.map(Searching::finish).transpose()?.unwrap_or_default();
        Ok((canary, watches.map(Watches::finish), findings))
    }
}

/// The findings on what was watched.
pub(crate) fn judge(watched: &Watched, show_secrets: bool) -> Vec<Finding> {
    clear::judge(watched, show_secrets)
}

/// A search that is fed with the file as the packets go by.
struct Searching<'s> {
    search: Search,
    window: Window<'s>,
    /// How far the file was fed.
    at: u64,
}

impl Searching<'_> {
    /// Feeds the file up to the end of a packet, and says that it is one.
    fn packet(&mut self, packet: &Packet) -> io::Result<()> {
        let range = count(packet.data.start)..count(packet.data.end);
        while self.at < range.end && self.chunk()? {}
        self.search.packet(packet.number, &range);
        Ok(())
    }

    /// Feeds one chunk; whether there was one.
    fn chunk(&mut self) -> io::Result<bool> {
        let chunk = self.window.get(self.at, CHUNK_BYTES)?;
        if chunk.is_empty() {
            return Ok(false);
        }
        self.search.file_chunk(self.at, chunk);
        self.at += count(chunk.len());
        Ok(true)
    }

    fn finish(mut self) -> io::Result<CanaryReport> {
        while self.chunk()? {}
        Ok(self.search.finish())
    }
}
