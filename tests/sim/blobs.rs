//! Blobs of any size that take no memory: their bytes follow from hash and place, and what is written is compared.

use node_proto::bulk::{Answer, Hash, Request};
use std::collections::BTreeMap;

/// What a shell keeps of blobs.
#[derive(Debug, Default)]
pub struct Blobs {
    /// Blobs that are here whole, and their length.
    pub whole: BTreeMap<Hash, u64>,
    /// Blobs that are being written: their length, and what is there of them, start to end.
    parts: BTreeMap<Hash, (u64, BTreeMap<u64, u64>)>,
}

/// The byte of a blob at a place.
fn byte(hash: &Hash, place: u64) -> u8 {
    let mixed = (place ^ u64::from(hash[0])).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed.to_be_bytes()[0]
}

fn bytes(hash: &Hash, offset: u64, len: usize) -> Vec<u8> {
    (offset..).take(len).map(|place| byte(hash, place)).collect()
}

impl Blobs {
    /// Does what a request asks for.
    ///
    /// # Panics
    /// When bytes that are written are not those of the blob.
    pub fn answer(&mut self, request: Request) -> Answer {
        match request {
            Request::Find { key, hash } => Answer::Found { key, size_bytes: self.whole.get(&hash).copied() },
            Request::Begin { key, hash, size_bytes } => {
                let (_, parts) = self.parts.entry(hash).or_insert((size_bytes, BTreeMap::new()));
                Answer::Ready { key, from: Some(parts.get(&0).copied().unwrap_or(0)) }
            }
            Request::Read { key, hash, offset, len } => {
                Answer::Piece { key, offset, bytes: bytes(&hash, offset, len) }
            }
            Request::Write { key, hash, offset, bytes: written } => {
                assert_eq!(written, bytes(&hash, offset, written.len()), "bytes at {offset}");
                self.note(hash, offset, offset + written.len() as u64);
                Answer::Written { key, bytes: written.len() }
            }
            Request::Finish { key, hash } => {
                self.whole.insert(hash, self.written_bytes(&hash));
                Answer::Finished { key, is_right: true }
            }
        }
    }

    /// Bytes of a blob that were written from its beginning on without a gap.
    #[must_use]
    pub fn written_bytes(&self, hash: &Hash) -> u64 {
        self.parts.get(hash).and_then(|(_, parts)| parts.get(&0).copied()).unwrap_or(0)
    }

    fn note(&mut self, hash: Hash, start: u64, end: u64) {
        let (_, parts) = self.parts.entry(hash).or_default();
        let (mut start, mut end) = (start, end);
        while let Some((low, high)) = parts.range(..=end).next_back().map(|(low, high)| (*low, *high)) {
            if high < start {
                break;
            }
            (start, end) = (start.min(low), end.max(high));
            parts.remove(&low);
        }
        parts.insert(start, end);
    }
}
