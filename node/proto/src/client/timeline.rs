//! The entries of one room: the next one and no other, whatever order they come in.

use crate::log::Seq;
use alloc::collections::btree_map::Entry;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use spec::limits::ENTRIES_HOLD_BYTES_MAX;

/// An entry that comes in pieces.
#[derive(Debug, Default)]
struct Pieces {
    total: usize,
    pieces: BTreeMap<usize, Vec<u8>>,
}

impl Pieces {
    fn held(&self) -> usize {
        self.pieces.values().map(Vec::len).sum()
    }

    /// The whole entry, when no piece is missing.
    fn whole(&self) -> Option<Vec<u8>> {
        let mut whole = Vec::with_capacity(self.total);
        for (offset, piece) in &self.pieces {
            let skip = whole.len().checked_sub(*offset)?;
            whole.extend_from_slice(piece.get(skip..).unwrap_or_default());
        }
        (whole.len() == self.total).then_some(whole)
    }
}

/// An entry costs memory even when it is empty.
const ENTRY_COST_BYTES: usize = 48;

/// What a client has read of a room.
#[derive(Debug)]
pub(super) struct Timeline {
    next: Seq,
    ready: VecDeque<(Seq, Vec<u8>)>,
    /// Entries that came before their turn.
    hold: BTreeMap<Seq, Vec<u8>>,
    /// What they cost.
    hold_bytes: usize,
    pieces: BTreeMap<Seq, Pieces>,
}

impl Timeline {
    /// A timeline whose next entry is `next`.
    pub(super) const fn new(next: Seq) -> Self {
        Self { next, ready: VecDeque::new(), hold: BTreeMap::new(), hold_bytes: 0, pieces: BTreeMap::new() }
    }

    /// The last entry that left.
    pub(super) fn last(&self) -> Seq {
        Seq(self.next.0.saturating_sub(1).saturating_sub(self.ready.len() as u64))
    }

    /// The entry that comes next.
    pub(super) const fn next(&self) -> Seq {
        self.next
    }

    /// Whether an entry, or a piece of one, of `len` bytes can be kept. What `comes_with_next` is not refused for
    /// its own sake: the next entry would be refused with it.
    pub(super) fn has_room(&self, sequence: Seq, len: usize, comes_with_next: bool) -> bool {
        //= spec/PROTOCOL.md#log-entries
        //# A receiver applies the next entry of a room and no other: it drops an older one and may hold newer
        //# ones up to 8,388,608 bytes a room.
        let ready: usize = self.ready.iter().map(|(_, entry)| entry.len()).sum();
        let held = if sequence <= self.next { ready } else { ready + self.held() };
        let most = if comes_with_next { 2 * ENTRIES_HOLD_BYTES_MAX } else { ENTRIES_HOLD_BYTES_MAX };
        held + len <= most
    }

    /// Bytes held.
    pub(super) fn held(&self) -> usize {
        self.hold_bytes + self.pieces.values().map(|pieces| pieces.held() + ENTRY_COST_BYTES).sum::<usize>()
    }

    /// Whether an entry is the one that everything waits for.
    pub(super) fn is_next(&self, sequence: Seq) -> bool {
        sequence == self.next
    }

    /// Takes a whole entry.
    pub(super) fn insert(&mut self, sequence: Seq, entry: &[u8]) {
        if sequence < self.next {
            return;
        }
        if sequence > self.next {
            if let Entry::Vacant(place) = self.hold.entry(sequence) {
                place.insert(entry.to_vec());
                self.hold_bytes += entry.len() + ENTRY_COST_BYTES;
            }
            return;
        }
        self.apply(entry.to_vec());
        while let Some(entry) = self.hold.remove(&self.next) {
            self.hold_bytes -= entry.len() + ENTRY_COST_BYTES;
            self.apply(entry);
        }
    }

    fn apply(&mut self, entry: Vec<u8>) {
        self.pieces.remove(&self.next);
        self.ready.push_back((self.next, entry));
        self.next = self.next.next();
    }

    /// Takes a piece of an entry of `total` bytes.
    pub(super) fn insert_piece(&mut self, sequence: Seq, total: usize, offset: usize, data: &[u8]) {
        if sequence < self.next || self.hold.contains_key(&sequence) {
            return;
        }
        let pieces = self.pieces.entry(sequence).or_default();
        if pieces.total != total {
            *pieces = Pieces { total, pieces: BTreeMap::new() };
        }
        let piece = pieces.pieces.entry(offset).or_default();
        if piece.len() < data.len() {
            *piece = data.to_vec();
        }
        if let Some(whole) = pieces.whole() {
            self.pieces.remove(&sequence);
            self.insert(sequence, &whole);
        }
    }

    /// The next entry that is ready.
    pub(super) fn pop(&mut self) -> Option<(Seq, Vec<u8>)> {
        self.ready.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// However entries and pieces of them come, and how often, they leave once and in order.
        #[test]
        fn once_and_in_order(arrivals in prop::collection::vec((1u64..12, 0usize..4), 0..60)) {
            let entry = |sequence: u64| (0..30).map(|at| (sequence * 31 + at).to_be_bytes()[7]).collect::<Vec<u8>>();
            let mut timeline = Timeline::new(Seq(1));
            let mut complete = BTreeMap::<u64, [bool; 3]>::new();
            for (sequence, part) in arrivals {
                let whole = entry(sequence);
                let seen = complete.entry(sequence).or_default();
                match part {
                    3 => {
                        timeline.insert(Seq(sequence), &whole);
                        *seen = [true; 3];
                    }
                    part => {
                        timeline.insert_piece(Seq(sequence), 30, part * 10, &whole[part * 10..part * 10 + 10]);
                        seen[part] = true;
                    }
                }
            }
            let expected = (1..12).take_while(|n| complete.get(n) == Some(&[true; 3])).count() as u64;
            for sequence in 1..=expected {
                prop_assert_eq!(timeline.pop(), Some((Seq(sequence), entry(sequence))));
            }
            prop_assert_eq!(timeline.pop(), None);
            prop_assert_eq!(timeline.last(), Seq(expected));
        }
    }

    #[test]
    fn what_is_next_always_has_room() {
        let mut timeline = Timeline::new(Seq(1));
        for sequence in 2..=129 {
            assert!(timeline.has_room(Seq(sequence), 65_000, false));
            timeline.insert(Seq(sequence), &[0; 65_000]);
        }
        assert!(!timeline.has_room(Seq(130), 65_000, false));
        assert!(timeline.has_room(Seq(1), 65_536, false) && timeline.has_room(Seq(130), 1000, true));
        timeline.insert(Seq(1), b"first");
        assert_eq!(timeline.held(), 0);
    }
}
