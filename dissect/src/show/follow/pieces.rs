//! The bytes of one direction of a TCP connection in their order.

use std::collections::BTreeMap;

/// Bytes that wait for what is missing before them.
const WAITING_BYTES_MAX: usize = 1 << 20;

/// What comes next in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Bytes.
    Bytes(Vec<u8>),
    /// So many bytes that were not captured.
    Missing(u64),
}

/// Puts segments in their order. What comes twice is taken once, as it came first.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// Offset of the next byte; the first byte behind the SYN is 1.
    next: Option<u64>,
    waiting: BTreeMap<u64, Vec<u8>>,
    waiting_bytes: usize,
}

impl Pieces {
    /// Takes in a segment; what is in order with it.
    pub(super) fn take(&mut self, sequence: u32, payload: &[u8]) -> Vec<Piece> {
        if payload.is_empty() {
            return Vec::new();
        }
        let next = *self.next.get_or_insert(1);
        let offset = unwrap(sequence, next);
        let grows = self.waiting.get(&offset).is_none_or(|known| known.len() < payload.len());
        if grows {
            let replaced = self.waiting.insert(offset, payload.to_vec()).map_or(0, |known| known.len());
            self.waiting_bytes = self.waiting_bytes + payload.len() - replaced;
        }
        let mut ready = self.in_order();
        while self.waiting_bytes > WAITING_BYTES_MAX {
            ready.extend(self.skip());
        }
        ready
    }

    /// Everything that still waits, with what is missing before it.
    pub(super) fn rest(&mut self) -> Vec<Piece> {
        let mut ready = Vec::new();
        while !self.waiting.is_empty() {
            ready.extend(self.skip());
        }
        ready
    }

    /// Gives up what is missing before the next segment.
    fn skip(&mut self) -> Vec<Piece> {
        let next = self.next.unwrap_or(1);
        let Some(offset) = self.waiting.keys().next().copied() else { return Vec::new() };
        let missing = offset.saturating_sub(next);
        self.next = Some(offset.max(next));
        let mut ready: Vec<Piece> = (missing > 0).then_some(Piece::Missing(missing)).into_iter().collect();
        ready.extend(self.in_order());
        ready
    }

    fn in_order(&mut self) -> Vec<Piece> {
        let mut ready = Vec::new();
        let mut next = self.next.unwrap_or(1);
        while let Some(entry) = self.waiting.first_entry().filter(|entry| *entry.key() <= next) {
            let known = next - entry.key();
            let segment = entry.remove();
            self.waiting_bytes -= segment.len();
            let known = usize::try_from(known).unwrap_or(usize::MAX);
            if let Some(new) = segment.get(known..).filter(|new| !new.is_empty()) {
                next = next.saturating_add(crate::bytes::count(new.len()));
                ready.push(Piece::Bytes(new.to_vec()));
            }
        }
        self.next = Some(next);
        ready
    }
}

/// The offset with these low 32 bits that is nearest to `next`.
fn unwrap(sequence: u32, next: u64) -> u64 {
    const WRAP: u64 = 1 << 32;
    let candidate = (next & !(WRAP - 1)) | u64::from(sequence);
    if candidate > next.saturating_add(WRAP / 2) && candidate >= WRAP {
        candidate - WRAP
    } else if next > candidate.saturating_add(WRAP / 2) {
        candidate.saturating_add(WRAP)
    } else {
        candidate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_of_order_twice_and_missing() {
        let bytes = |text: &str| Piece::Bytes(text.as_bytes().to_vec());
        let mut pieces = Pieces::default();
        assert_eq!(pieces.take(4, b"def"), []);
        assert_eq!(pieces.take(1, b"abc"), [bytes("abc"), bytes("def")]);
        assert_eq!(pieces.take(1, b"abcdefgh"), [bytes("gh")]);
        assert_eq!(pieces.take(20, b"xyz"), []);
        assert_eq!(pieces.rest(), [Piece::Missing(11), bytes("xyz")]);
        assert_eq!((pieces.waiting_bytes, pieces.rest()), (0, vec![]));
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut pieces = Pieces::default();
        let ready: usize = (0..100).map(|index| pieces.take(100 + index * 70_000, &[0; 60_000]).len()).sum();
        assert!(pieces.waiting_bytes <= WAITING_BYTES_MAX && ready > 0);
    }

    #[test]
    fn numbers_wrap() {
        assert_eq!(unwrap(5, (1 << 32) - 5), (1 << 32) + 5);
        assert_eq!(unwrap(u32::MAX, (1 << 32) + 5), (1 << 32) - 1);
        assert_eq!(unwrap(7, 1), 7);
        assert_eq!(unwrap(u32::MAX, 1), u64::from(u32::MAX), "there is nothing before the beginning");
    }
}
