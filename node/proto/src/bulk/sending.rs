//! A blob on its way out: pieces read ahead, a place, and the credit the receiver gives.

use super::{Hash, Key, Request};
use crate::connection::Packer;
use crate::content::Content;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use spec::limits::{BULK_WINDOW_BYTES, PIECE_BYTES, PIECES_AHEAD, PIECES_KEPT};
use spec::wire::frame::Frame;

/// Bytes of the largest header of a BULK frame.
const HEADER_BYTES: usize = 1 + 8 + 8 + 2;
/// A piece of a datagram that is shorter costs more header than it is worth.
const CRUMB_BYTES: usize = 64;

/// A blob that is sent.
#[derive(Debug)]
pub(super) struct Outgoing {
    key: Key,
    hash: Hash,
    size_bytes: u64,
    /// The first byte never sent.
    next: u64,
    /// The bytes below it may be sent.
    limit: u64,
    /// Pieces in memory, by their place.
    pieces: BTreeMap<u64, Vec<u8>>,
    /// Pieces that were asked for.
    asked: BTreeSet<u64>,
}

impl Outgoing {
    pub(super) fn new(key: Key, hash: Hash, from: u64, size_bytes: u64) -> Self {
        let (pieces, asked) = (BTreeMap::new(), BTreeSet::new());
        Self { key, hash, size_bytes, next: from, limit: from + BULK_WINDOW_BYTES, pieces, asked }
    }

    pub(super) fn raise_limit(&mut self, limit: u64) {
        self.limit = self.limit.max(limit);
    }

    /// A piece was read. What lies furthest back makes room.
    pub(super) fn give(&mut self, offset: u64, bytes: Vec<u8>) {
        if !self.asked.remove(&offset) || bytes.is_empty() {
            return;
        }
        self.pieces.insert(offset, bytes);
        while self.pieces.len() > PIECES_KEPT {
            let furthest = self.pieces.keys().copied().find(|place| *place != offset);
            let Some(furthest) = furthest else { return };
            self.pieces.remove(&furthest);
        }
    }

    /// The bytes at `offset` as far as their piece goes; when it is not in memory it is asked for.
    fn bytes(&mut self, offset: u64, requests: &mut VecDeque<Request>) -> Option<&[u8]> {
        let place = offset - offset % PIECE_BYTES;
        if !self.pieces.contains_key(&place) {
            self.want(place, requests);
            return None;
        }
        let within = usize::try_from(offset - place).unwrap_or(usize::MAX);
        self.pieces.get(&place)?.get(within..)
    }

    fn want(&mut self, place: u64, requests: &mut VecDeque<Request>) {
        if place < self.size_bytes && !self.pieces.contains_key(&place) && self.asked.insert(place) {
            let len = usize::try_from(PIECE_BYTES.min(self.size_bytes - place)).unwrap_or(usize::MAX);
            let (key, hash) = (self.key, self.hash);
            requests.push_back(Request::Read { key, hash, offset: place, len });
        }
    }

    /// Writes what was never sent, as far as datagram, credit and pieces go.
    pub(super) fn write_fresh(&mut self, packer: &mut Packer<'_>, requests: &mut VecDeque<Request>) {
        let end = self.size_bytes.min(self.limit);
        while self.next < end && packer.remaining() > HEADER_BYTES + CRUMB_BYTES {
            let here = self.next - self.next % PIECE_BYTES;
            for ahead in 1..=PIECES_AHEAD {
                self.want(here + ahead * PIECE_BYTES, requests);
            }
            let written = self.write(packer, self.next, end, requests);
            if written == 0 {
                return;
            }
            self.next += written;
        }
    }

    /// Writes again what was lost; `false` when not all of it could be.
    pub(super) fn write_again(
        &mut self,
        packer: &mut Packer<'_>,
        offset: u64,
        len: u16,
        requests: &mut VecDeque<Request>,
    ) -> bool {
        let (mut at, end) = (offset, offset + u64::from(len));
        while at < end {
            let written = self.write(packer, at, end, requests);
            if written == 0 {
                let len = u16::try_from(end - at).unwrap_or(u16::MAX);
                packer.still_lost_bulk(Content::Bulk { transfer: self.key.transfer, offset: at, len });
                return false;
            }
            at += written;
        }
        true
    }

    /// Writes one frame; how many bytes of the blob are in it.
    fn write(
        &mut self,
        packer: &mut Packer<'_>,
        offset: u64,
        end: u64,
        requests: &mut VecDeque<Request>,
    ) -> u64 {
        let transfer = self.key.transfer;
        let space = packer.remaining().saturating_sub(HEADER_BYTES);
        let most = space.min(usize::try_from(end - offset).unwrap_or(usize::MAX));
        let Some(bytes) = self.bytes(offset, requests) else {
            packer.expect_more();
            return 0;
        };
        let data = &bytes[..bytes.len().min(most)];
        let Ok(len) = u16::try_from(data.len()) else { return 0 };
        if len > 0 {
            let content = Content::Bulk { transfer, offset, len };
            packer.write(Some(content), &Frame::Bulk { transfer: transfer.0, offset, data });
        }
        u64::from(len)
    }
}
