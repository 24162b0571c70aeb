//! A blob on its way in: written through as it arrives, in whatever order.

use super::{Hash, Key, Request, TransferId};
use crate::connection::Packer;
use crate::content::Content;
use alloc::collections::BTreeMap;
use spec::discard::Discard;
use spec::limits::{BULK_GAPS_MAX, BULK_WINDOW_BYTES};
use spec::wire::frame::Frame;

/// Bytes of the largest MAX_BULK frame.
const CREDIT_BYTES: usize = 1 + 8 + 8;

/// A blob that is received.
#[derive(Debug)]
pub(super) struct Incoming {
    key: Key,
    hash: Hash,
    /// Its length; `None` as long as only its bytes have arrived.
    size_bytes: Option<u64>,
    /// Everything below it arrived.
    prefix: u64,
    /// What arrived above it: start to end, never touching.
    ranges: BTreeMap<u64, u64>,
    /// Bytes that arrived and are not written yet.
    unwritten_bytes: usize,
    /// The limit the peer was told last, or by the document.
    told: u64,
    is_due: bool,
    is_finishing: bool,
}

impl Incoming {
    /// A blob of unknown length that is received from `from` on.
    pub(super) const fn new(key: Key, hash: Hash, from: u64) -> Self {
        Self {
            key,
            hash,
            size_bytes: None,
            prefix: from,
            ranges: BTreeMap::new(),
            unwritten_bytes: 0,
            told: from + BULK_WINDOW_BYTES,
            is_due: false,
            is_finishing: false,
        }
    }

    /// It is so long; what is to be asked when all of it is here already.
    pub(super) fn measure(&mut self, size_bytes: u64) -> Option<Request> {
        self.size_bytes.get_or_insert(size_bytes);
        self.finish()
    }

    /// Bytes that are sure to be written from the beginning on.
    pub(super) const fn written_bytes(&self) -> u64 {
        self.prefix.saturating_sub(self.unwritten_bytes as u64)
    }

    /// Whether bytes can be taken: within the credit, and few enough gaps.
    pub(super) fn check(&self, offset: u64, len: usize) -> Result<(), Discard> {
        let end = offset.saturating_add(len as u64);
        //= spec/PROTOCOL.md#bulk
        //# A receiver MUST drop a packet with bytes of a blob beyond its end or above the limit it gave.
        if end > self.size_bytes.map_or(self.told, |size_bytes| size_bytes.min(self.told)) {
            return Err(Discard::WrongState);
        }
        let is_next = offset <= self.prefix;
        let has_room = is_next || self.ranges.len() < BULK_GAPS_MAX;
        let is_written = self.unwritten_bytes as u64 + len as u64 <= 2 * BULK_WINDOW_BYTES;
        if has_room && is_written { Ok(()) } else { Err(Discard::NoRoom) }
    }

    /// Takes bytes that [`check`](Self::check) allowed; what is to be written of them.
    pub(super) fn take(&mut self, offset: u64, data: &[u8]) -> Option<Request> {
        if !self.mark(offset, offset + data.len() as u64) {
            return None;
        }
        self.unwritten_bytes += data.len();
        Some(Request::Write { key: self.key, hash: self.hash, offset, bytes: data.to_vec() })
    }

    /// Adds a range; whether any of it is new.
    fn mark(&mut self, start: u64, end: u64) -> bool {
        let (mut start, mut end) = (start.max(self.prefix), end);
        let covering = self.ranges.range(..=start).next_back().is_some_and(|(_, high)| *high >= end);
        if start >= end || covering {
            return false;
        }
        while let Some((low, high)) = self.ranges.range(..=end).next_back().map(|(low, high)| (*low, *high)) {
            if high < start {
                break;
            }
            (start, end) = (start.min(low), end.max(high));
            self.ranges.remove(&low);
        }
        if start <= self.prefix {
            self.prefix = end;
        } else {
            self.ranges.insert(start, end);
        }
        true
    }

    /// The shell has written so many bytes.
    pub(super) const fn written(&mut self, bytes: usize) {
        self.unwritten_bytes = self.unwritten_bytes.saturating_sub(bytes);
    }

    /// What is to be asked once everything is written.
    pub(super) fn finish(&mut self) -> Option<Request> {
        let is_here = self.size_bytes.is_some_and(|size_bytes| self.prefix >= size_bytes);
        let is_whole = is_here && self.unwritten_bytes == 0;
        if !is_whole || core::mem::replace(&mut self.is_finishing, true) {
            return None;
        }
        Some(Request::Finish { key: self.key, hash: self.hash })
    }

    pub(super) const fn repeat_credit(&mut self) {
        self.is_due = true;
    }

    /// Tells the peer of a higher limit once a quarter of the last one is used up and written.
    pub(super) fn write_credit(&mut self, transfer: TransferId, packer: &mut Packer<'_>) {
        let limit = self.written_bytes() + BULK_WINDOW_BYTES;
        let is_wanted = self.size_bytes.is_none_or(|size_bytes| self.told < size_bytes);
        let is_news = limit >= self.told + BULK_WINDOW_BYTES / 4 && is_wanted;
        if !(is_news || self.is_due) || packer.remaining() < CREDIT_BYTES {
            return;
        }
        self.told = self.told.max(limit);
        self.is_due = false;
        let frame = Frame::MaxBulk { transfer: transfer.0, limit: self.told };
        packer.write(Some(Content::MaxBulk { transfer }), &frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    const KEY: Key = Key { session: 0, transfer: TransferId(1) };

    fn incoming(from: u64, size_bytes: u64) -> Incoming {
        let mut incoming = Incoming::new(KEY, [7; 32], from);
        assert_eq!(incoming.measure(size_bytes), None);
        incoming
    }

    #[test]
    fn credit_and_gaps_are_bounds() {
        let size = 4 * BULK_WINDOW_BYTES;
        let mut incoming = incoming(0, size);
        //= spec/PROTOCOL.md#bulk
        //= type=test
        //# A receiver MUST drop a packet with bytes of a blob beyond its end or above the limit it gave.
        assert_eq!(incoming.check(BULK_WINDOW_BYTES - 1, 2), Err(Discard::WrongState));
        assert_eq!(self::incoming(0, 10).check(9, 2), Err(Discard::WrongState));
        for gap in 0..BULK_GAPS_MAX as u64 {
            assert_eq!(incoming.check(10 + 2 * gap, 1), Ok(()));
            assert!(incoming.take(10 + 2 * gap, b"x").is_some());
        }
        assert_eq!(incoming.check(5000, 1), Err(Discard::NoRoom));
        assert_eq!(incoming.check(0, 10), Ok(()), "what is next always fits");
    }

    #[test]
    fn it_is_finished_once_and_when_all_is_written() {
        let mut incoming = incoming(5, 10);
        assert!(incoming.take(7, b"cde").is_some());
        assert!(incoming.take(5, b"ab").is_some());
        assert_eq!((incoming.written_bytes(), incoming.finish()), (5, None));
        incoming.written(5);
        assert_eq!(incoming.written_bytes(), 10);
        assert_eq!(incoming.finish(), Some(Request::Finish { key: KEY, hash: [7; 32] }));
        assert_eq!(incoming.finish(), None);
    }

    #[test]
    fn bytes_may_come_before_the_length() {
        let mut incoming = Incoming::new(KEY, [7; 32], 0);
        assert_eq!(incoming.check(0, 5), Ok(()));
        assert!(incoming.take(0, b"abcde").is_some());
        incoming.written(5);
        assert_eq!(incoming.finish(), None, "there may be more");
        assert_eq!(incoming.measure(5), Some(Request::Finish { key: KEY, hash: [7; 32] }));
        assert_eq!(incoming.measure(4), None, "it is told once");
        assert_eq!(incoming.check(0, 6), Err(Discard::WrongState));
    }

    proptest! {
        /// However pieces come and how often, each byte is written, and the prefix is what it says.
        #[test]
        fn pieces_in_any_order(pieces in prop::collection::vec((0usize..200, 1usize..30), 1..80)) {
            let mut incoming = incoming(0, 1000);
            let mut arrived = [false; 1000];
            for (offset, len) in pieces {
                let is_new = arrived[offset..offset + len].contains(&false);
                prop_assert_eq!(incoming.take(offset as u64, &vec![1; len]).is_some(), is_new);
                arrived[offset..offset + len].fill(true);
                let prefix = arrived.iter().take_while(|arrived| **arrived).count();
                prop_assert_eq!(incoming.prefix, prefix as u64);
            }
        }
    }
}
