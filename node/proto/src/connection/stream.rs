//! Ordered bytes in both directions: kept until acknowledged, put in order on arrival.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use spec::discard::Discard;
use spec::limits::{REASSEMBLY_BYTES_MAX, REASSEMBLY_GAPS_MAX, STREAM_LIMIT_BYTES, STREAMS_MAX};
use spec::wire::frame::Frame;
use spec::wire::varint;

/// Bytes of one stream that may wait for their acknowledgement.
const SEND_BUFFER_BYTES: usize = 262_144;

/// A stream's buffer holds as much as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the send buffer of stream {stream} is full")]
pub struct QueueFull {
    /// The stream.
    pub stream: u64,
}

/// One stream, outward.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct SendStream {
    /// Offset of the first byte kept.
    start: u64,
    bytes: VecDeque<u8>,
    /// Offset of the first byte never sent.
    next: u64,
    limit: u64,
    /// Acknowledged ranges above `start`: start to end.
    acked: BTreeMap<u64, u64>,
    /// Bytes below this went out in FIN.
    in_fin: u64,
}

impl Default for SendStream {
    fn default() -> Self {
        let (bytes, acked) = (VecDeque::new(), BTreeMap::new());
        //= spec/PROTOCOL.md#streams
        //# A sender MUST NOT send a byte at or above the stream's limit: 131,072 at first, then the highest
        //# MAX_STREAM.
        Self { start: 0, bytes, next: 0, limit: STREAM_LIMIT_BYTES, acked, in_fin: 0 }
    }
}

impl SendStream {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    fn sendable(&self) -> u64 {
        self.end().min(self.limit)
    }

    fn acknowledge(&mut self, start: u64, end: u64) {
        let (mut start, mut end) = (start.max(self.start), end);
        if start >= end {
            return;
        }
        while let Some((low, high)) = self.acked.range(..=end).next_back().map(|(low, high)| (*low, *high)) {
            if high < start {
                break;
            }
            start = start.min(low);
            end = end.max(high);
            self.acked.remove(&low);
        }
        if start > self.start {
            self.acked.insert(start, end);
        } else {
            let settled = usize::try_from(end - self.start).unwrap_or(usize::MAX);
            self.bytes.drain(..settled.min(self.bytes.len()));
            self.start = end;
        }
    }

    fn first_unacknowledged(&self, from: u64, end: u64) -> Option<u64> {
        let from = from.max(self.start);
        let covering = self.acked.range(..=from).next_back().map(|(_, high)| *high);
        let from = covering.map_or(from, |high| from.max(high));
        (from < end).then_some(from)
    }
}

/// All streams, outward. It exists before a connection does: a FIN carries its first bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SendStreams(BTreeMap<u64, SendStream>);

impl SendStreams {
    /// Queues `bytes` at the end of `stream`.
    ///
    /// # Errors
    /// [`QueueFull`]; nothing was queued.
    pub fn push(&mut self, stream: u64, bytes: &[u8]) -> Result<(), QueueFull> {
        let entry = self.0.entry(stream).or_default();
        if entry.bytes.len() + bytes.len() > SEND_BUFFER_BYTES {
            return Err(QueueFull { stream });
        }
        entry.bytes.extend(bytes);
        Ok(())
    }

    pub(super) fn raise_limit(&mut self, stream: u64, limit: u64) {
        if let Some(stream) = self.0.get_mut(&stream) {
            stream.limit = stream.limit.max(limit);
        }
    }

    pub(super) fn all_acknowledged(&self) -> bool {
        self.0.values().all(|stream| stream.bytes.is_empty())
    }

    /// Bytes of `stream` that are not acknowledged, sent or not.
    #[must_use]
    pub fn unacknowledged(&self, stream: u64) -> usize {
        self.0.get(&stream).map_or(0, |stream| stream.bytes.len())
    }

    /// The lowest stream with bytes never sent that its limit allows: it, their offset and their end.
    pub(super) fn fresh(&self) -> Option<(u64, u64, u64)> {
        let fresh = |(id, stream): (&u64, &SendStream)| (*id, stream.next, stream.sendable());
        self.0.iter().map(fresh).find(|(_, next, end)| next < end)
    }

    pub(super) fn has_fresh(&self) -> bool {
        self.fresh().is_some()
    }

    pub(super) fn sent(&mut self, stream: u64, len: u64) {
        if let Some(stream) = self.0.get_mut(&stream) {
            stream.next += len;
        }
    }

    pub(super) fn bytes(&self, stream: u64, offset: u64, len: usize) -> Vec<u8> {
        let Some(stream) = self.0.get(&stream) else { return Vec::new() };
        let Some(at) = offset.checked_sub(stream.start).and_then(|at| usize::try_from(at).ok()) else {
            return Vec::new();
        };
        let end = stream.bytes.len().min(at.saturating_add(len));
        if at >= end { Vec::new() } else { stream.bytes.range(at..end).copied().collect() }
    }

    pub(super) fn acknowledge(&mut self, stream: u64, offset: u64, len: u16) {
        if let Some(stream) = self.0.get_mut(&stream) {
            stream.acknowledge(offset, offset + u64::from(len));
        }
    }

    pub(super) fn first_unacknowledged(&self, stream: u64, from: u64, end: u64) -> Option<u64> {
        self.0.get(&stream)?.first_unacknowledged(from, end)
    }

    /// Moves as many stream frames as fit `space` bytes into `fin`. They count as acknowledged once the hub
    /// answers.
    pub fn fill_fin(&mut self, space: usize, fin: &mut Vec<u8>) {
        let end = fin.len() + space;
        while let Some((stream, offset, until)) = self.fresh() {
            let header = 1 + varint::len(stream) + varint::len(offset) + 2;
            let room = end.saturating_sub(fin.len() + header);
            let len = room.min(usize::try_from(until - offset).unwrap_or(usize::MAX));
            let data = self.bytes(stream, offset, len);
            if data.is_empty() {
                return;
            }
            Frame::Stream { stream, offset, data: &data }.encode(fin);
            self.sent(stream, data.len() as u64);
            if let Some(stream) = self.0.get_mut(&stream) {
                stream.in_fin = stream.next;
            }
        }
    }

    pub(super) fn fin_answered(&mut self) {
        for stream in self.0.values_mut() {
            let in_fin = core::mem::take(&mut stream.in_fin);
            stream.acknowledge(0, in_fin);
        }
    }
}

/// One stream, inward.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct RecvStream {
    /// Offset of the first byte not consumed.
    start: u64,
    /// In order, from `start` on.
    ready: Vec<u8>,
    /// Out of order: offset to bytes, never overlapping `ready`.
    gaps: BTreeMap<u64, Vec<u8>>,
    /// The limit the peer was told last, or by the document.
    told: u64,
    repeat: bool,
}

impl Default for RecvStream {
    fn default() -> Self {
        let (ready, gaps) = (Vec::new(), BTreeMap::new());
        Self { start: 0, ready, gaps, told: STREAM_LIMIT_BYTES, repeat: false }
    }
}

impl RecvStream {
    fn expected(&self) -> u64 {
        self.start + self.ready.len() as u64
    }

    fn insert(&mut self, offset: u64, data: &[u8]) {
        let skip = usize::try_from(self.expected().saturating_sub(offset)).unwrap_or(usize::MAX);
        let Some(data) = data.get(skip..).filter(|data| !data.is_empty()) else { return };
        let offset = offset.max(self.expected());
        if offset > self.expected() {
            let held = self.gaps.entry(offset).or_default();
            if held.len() < data.len() {
                *held = data.to_vec();
            }
            return;
        }
        self.ready.extend_from_slice(data);
        while let Some(gap) = self.gaps.first_entry() {
            if *gap.key() > self.start + self.ready.len() as u64 {
                break;
            }
            let (offset, data) = gap.remove_entry();
            let skip = usize::try_from(self.expected() - offset).unwrap_or(usize::MAX);
            self.ready.extend_from_slice(data.get(skip..).unwrap_or_default());
        }
    }

    fn held(&self) -> usize {
        self.ready.len() + self.gaps.values().map(Vec::len).sum::<usize>()
    }
}

/// What the STREAM frames of one packet add up to: all of them are checked before any is taken.
#[derive(Debug, Default)]
pub(super) struct Intake {
    bytes: usize,
    gaps: usize,
    new_streams: usize,
    /// The stream of the last frame, and where its bytes ended: a run may come in pieces.
    last: Option<(u64, u64)>,
}

/// All streams, inward.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct RecvStreams(BTreeMap<u64, RecvStream>);

impl RecvStreams {
    /// Whether the bytes may be taken, besides the `intake` of the same packet so far: within the limit, and there
    /// is room.
    pub(super) fn check(
        &self,
        intake: &mut Intake,
        stream: u64,
        offset: u64,
        data: &[u8],
    ) -> Result<(), Discard> {
        let known = self.0.get(&stream);
        let told = known.map_or(STREAM_LIMIT_BYTES, |known| known.told);
        let end = offset + data.len() as u64;
        if end > told {
            return Err(Discard::WrongState);
        }
        let last_end = intake.last.filter(|(last, _)| *last == stream).map(|(_, end)| end);
        let is_new = known.is_none() && last_end.is_none();
        if is_new && self.0.len() + intake.new_streams >= STREAMS_MAX {
            return Err(Discard::NoRoom);
        }
        if known.is_some_and(|known| end <= known.expected()) {
            return Ok(());
        }
        let (held, gaps) = self.held();
        let is_next = known.map_or(0, RecvStream::expected) >= offset || last_end == Some(offset);
        let fits = held + intake.bytes + data.len() <= REASSEMBLY_BYTES_MAX
            && (is_next || gaps + intake.gaps < REASSEMBLY_GAPS_MAX);
        if !fits {
            return Err(Discard::NoRoom);
        }
        intake.bytes += data.len();
        intake.gaps += usize::from(!is_next);
        intake.new_streams += usize::from(is_new);
        intake.last = Some((stream, end));
        Ok(())
    }

    /// Bytes held for all streams, and gaps between them.
    pub(super) fn held(&self) -> (usize, usize) {
        let streams = self.0.values();
        streams.fold((0, 0), |(bytes, gaps), stream| (bytes + stream.held(), gaps + stream.gaps.len()))
    }

    /// Takes bytes that [`check`](Self::check) allowed.
    pub(super) fn insert(&mut self, stream: u64, offset: u64, data: &[u8]) {
        self.0.entry(stream).or_default().insert(offset, data);
    }

    pub(super) fn readable(&self, stream: u64) -> &[u8] {
        self.0.get(&stream).map_or(&[], |stream| &stream.ready)
    }

    pub(super) fn readable_streams(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().filter(|(_, stream)| !stream.ready.is_empty()).map(|(id, _)| *id)
    }

    pub(super) fn consume(&mut self, stream: u64, len: usize) {
        if let Some(stream) = self.0.get_mut(&stream) {
            let len = len.min(stream.ready.len());
            stream.ready.drain(..len);
            stream.start += len as u64;
        }
    }

    /// A stream whose peer should hear of a higher limit, and the limit: once a quarter of it is used up.
    pub(super) fn take_limit(&mut self) -> Option<(u64, u64)> {
        let due = |stream: &RecvStream| {
            stream.repeat || stream.start + STREAM_LIMIT_BYTES - stream.told >= STREAM_LIMIT_BYTES / 4
        };
        let (id, stream) = self.0.iter_mut().find(|(_, stream)| due(stream))?;
        stream.told = stream.told.max(stream.start + STREAM_LIMIT_BYTES);
        stream.repeat = false;
        Some((*id, stream.told))
    }

    pub(super) fn repeat_limit(&mut self, stream: u64) {
        if let Some(stream) = self.0.get_mut(&stream) {
            stream.repeat = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_sender_stays_below_its_limit() {
        //= spec/PROTOCOL.md#streams
        //= type=test
        //# A sender MUST NOT send a byte at or above the stream's limit: 131,072 at first, then the highest
        //# MAX_STREAM.
        let mut streams = SendStreams::default();
        streams.push(1, &[7; 200_000]).unwrap();
        assert_eq!(streams.fresh(), Some((1, 0, 131_072)));
        streams.sent(1, 131_072);
        assert_eq!(streams.fresh(), None);
        streams.raise_limit(1, 150_000);
        assert_eq!(streams.fresh(), Some((1, 131_072, 150_000)));
        assert_eq!(streams.push(1, &[7; 100_000]), Err(QueueFull { stream: 1 }));
    }

    /// Whether bytes that come in a packet of their own may be taken.
    fn check(streams: &RecvStreams, stream: u64, offset: u64, data: &[u8]) -> Result<(), Discard> {
        streams.check(&mut Intake::default(), stream, offset, data)
    }

    #[test]
    fn the_frames_of_one_packet_count_together() {
        let streams = RecvStreams::default();
        let taken = |frame: fn(u64) -> (u64, u64)| {
            let mut intake = Intake::default();
            let mut frames = (0..200).map(frame);
            frames.position(|(stream, at)| streams.check(&mut intake, stream, at, b"x").is_err())
        };
        assert_eq!(taken(|stream| (stream, 0)), Some(STREAMS_MAX));
        assert_eq!(taken(|gap| (0, 10 + 2 * gap)), Some(REASSEMBLY_GAPS_MAX));
        assert_eq!(taken(|at| (0, at)), None, "one run in pieces");
    }

    #[test]
    fn a_receiver_refuses_what_it_gave_no_credit_for_and_what_it_cannot_hold() {
        let mut streams = RecvStreams::default();
        assert_eq!(check(&streams, 1, 131_071, b"ab"), Err(Discard::WrongState));
        for gap in 0..REASSEMBLY_GAPS_MAX as u64 {
            assert_eq!(check(&streams, 1, 10 + 2 * gap, b"x"), Ok(()));
            streams.insert(1, 10 + 2 * gap, b"x");
        }
        assert_eq!(check(&streams, 1, 10_000, b"x"), Err(Discard::NoRoom));
        assert_eq!(check(&streams, 1, 0, b"what is next always fits"), Ok(()));
    }

    #[test]
    fn a_receiver_holds_so_many_streams_and_bytes_and_no_more() {
        let mut streams = RecvStreams::default();
        for stream in 0..STREAMS_MAX as u64 {
            assert_eq!(check(&streams, stream, 0, b"x"), Ok(()));
            streams.insert(stream, 0, b"x");
        }
        assert_eq!(check(&streams, STREAMS_MAX as u64, 0, b"x"), Err(Discard::NoRoom));
        assert_eq!(check(&streams, 0, 1, b"x"), Ok(()), "a stream that is known");

        let mut streams = RecvStreams::default();
        for stream in 0..2 {
            streams.insert(stream, 0, &[1; REASSEMBLY_BYTES_MAX / 2]);
        }
        assert_eq!(check(&streams, 2, 0, b"x"), Err(Discard::NoRoom));
        streams.consume(0, 1);
        assert_eq!(check(&streams, 2, 0, b"x"), Ok(()));
        assert_eq!(check(&streams, 2, 0, b"xy"), Err(Discard::NoRoom));
    }

    #[test]
    fn a_send_buffer_is_filled_to_the_last_byte() {
        let mut streams = SendStreams::default();
        streams.push(1, &[7; SEND_BUFFER_BYTES]).unwrap();
        assert_eq!(streams.push(1, b"x"), Err(QueueFull { stream: 1 }));
        assert_eq!(streams.push(2, b"x"), Ok(()), "each stream has its own");
    }

    #[test]
    fn consuming_gives_credit() {
        let mut streams = RecvStreams::default();
        for chunk in 0..40 {
            streams.insert(1, chunk * 1000, &[1; 1000]);
        }
        assert_eq!(streams.take_limit(), None);
        streams.consume(1, 40_000);
        assert_eq!(streams.take_limit(), Some((1, 171_072)));
        assert_eq!(streams.take_limit(), None);
        streams.repeat_limit(1);
        assert_eq!(streams.take_limit(), Some((1, 171_072)));
    }

    proptest! {
        /// Bytes come out once and in order, however they come in.
        #[test]
        fn pieces_in_any_order(order in Just((0..50usize).collect::<Vec<_>>()).prop_shuffle(), overlap in 0usize..5) {
            let whole: Vec<u8> = (0..500u32).map(|n| n.to_be_bytes()[3]).collect();
            let mut streams = RecvStreams::default();
            for piece in order {
                let (start, end) = (piece * 10, (piece * 10 + 10 + overlap).min(500));
                streams.insert(0, start as u64, &whole[start..end]);
            }
            prop_assert_eq!(streams.readable(0), whole);
        }

        /// What is acknowledged in any order and size leaves exactly the rest to be said again.
        #[test]
        fn acknowledgements_in_any_order(acks in prop::collection::vec((0u8..100, 1u8..30), 0..20)) {
            let mut streams = SendStreams::default();
            streams.push(0, &(0..100).collect::<Vec<u8>>()).unwrap();
            streams.sent(0, 100);
            let mut acked = [false; 100];
            for (offset, len) in acks {
                let len = len.min(100 - offset);
                streams.acknowledge(0, u64::from(offset), u16::from(len));
                acked[usize::from(offset)..usize::from(offset + len)].fill(true);
            }
            for from in 0..100u8 {
                let expected = (from..100).find(|at| !acked[usize::from(*at)]).map(u64::from);
                prop_assert_eq!(streams.first_unacknowledged(0, u64::from(from), 100), expected);
                if let Some(at) = expected {
                    prop_assert_eq!(u64::from(streams.bytes(0, at, 1)[0]), at);
                }
            }
        }
    }
}
