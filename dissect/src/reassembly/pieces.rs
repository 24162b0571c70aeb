//! Bytes at offsets, arriving in any order and more than once.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::bytes::count;

/// What a run costs beside its bytes: its place in the map, roughly.
const RUN_COST_BYTES: usize = 64;

/// How bytes that arrived agree with those that were there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Overlap {
    /// Bytes that were there and are the same.
    pub(super) equal: u64,
    /// Bytes that were there and are others.
    pub(super) different: u64,
}

impl Overlap {
    /// Compares bytes that arrived with those that were there, one by one.
    pub(super) fn of(there: &[u8], arrived: &[u8]) -> Self {
        let equal = count(there.iter().zip(arrived).filter(|(a, b)| a == b).count());
        Self { equal, different: count(there.len().min(arrived.len())) - equal }
    }

    pub(super) const fn add(&mut self, other: Self) {
        self.equal += other.equal;
        self.different += other.different;
    }
}

/// Bytes of one packet without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) bytes: Vec<u8>,
    /// The number of the packet they came in.
    pub(super) packet: usize,
}

/// Runs of bytes by their offset; no two overlap, and of bytes that arrived twice the first stay.
#[derive(Clone, Debug, Default)]
pub(super) struct Pieces {
    runs: BTreeMap<u64, Run>,
    bytes: usize,
}

impl Pieces {
    /// Adds what is new of `bytes`.
    pub(super) fn insert(&mut self, offset: u64, bytes: &[u8], packet: usize) -> Overlap {
        let overlap = self.compare(offset, bytes);
        let end = offset.saturating_add(count(bytes.len()));
        let mut at = offset;
        for taken in self.taken(offset..end) {
            self.fill(offset, bytes, at..taken.start, packet);
            at = taken.end;
        }
        self.fill(offset, bytes, at..end, packet);
        overlap
    }

    /// How `bytes` agree with those that are there.
    pub(super) fn compare(&self, offset: u64, bytes: &[u8]) -> Overlap {
        let end = offset.saturating_add(count(bytes.len()));
        let mut overlap = Overlap::default();
        for taken in self.taken(offset..end) {
            let common = taken.start.max(offset)..taken.end.min(end);
            let there = self.runs.get(&taken.start).map_or(&[][..], |run| &run.bytes);
            let there = slice(there, taken.start, common.clone());
            overlap.add(Overlap::of(there, slice(bytes, offset, common)));
        }
        overlap
    }

    /// The ranges of runs that overlap `range`.
    fn taken(&self, range: Range<u64>) -> Vec<Range<u64>> {
        let whole = |(start, run): (&u64, &Run)| *start..start + count(run.bytes.len());
        let before =
            self.runs.range(..range.start).next_back().map(whole).filter(|run| run.end > range.start);
        let inside = (!range.is_empty()).then(|| self.runs.range(range).map(whole));
        before.into_iter().chain(inside.into_iter().flatten()).collect()
    }

    fn fill(&mut self, offset: u64, bytes: &[u8], range: Range<u64>, packet: usize) {
        let new = slice(bytes, offset, range.clone());
        if !new.is_empty() {
            self.bytes += new.len();
            self.runs.insert(range.start, Run { bytes: new.to_vec(), packet });
        }
    }

    /// Takes out the run that begins at `offset`.
    pub(super) fn pop(&mut self, offset: u64) -> Option<Run> {
        let run = self.runs.remove(&offset)?;
        self.bytes -= run.bytes.len();
        Some(run)
    }

    /// The offset of the first run.
    pub(super) fn first(&self) -> Option<u64> {
        self.runs.first_key_value().map(|(start, _)| *start)
    }

    /// The runs in order, each with its offset.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Run)> {
        self.runs.iter().map(|(start, run)| (*start, run))
    }

    /// The end of the last run.
    pub(super) fn end(&self) -> u64 {
        self.runs.last_key_value().map_or(0, |(start, run)| start + count(run.bytes.len()))
    }

    /// Number of bytes.
    pub(super) const fn len(&self) -> usize {
        self.bytes
    }

    /// Number of runs.
    pub(super) fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Memory in use, roughly, in bytes.
    pub(super) fn cost_bytes(&self) -> usize {
        self.bytes + self.runs.len() * RUN_COST_BYTES
    }
}

/// The part of `bytes`, which begin at `offset`, that stands in `range`.
fn slice(bytes: &[u8], offset: u64, range: Range<u64>) -> &[u8] {
    let index = |at: u64| usize::try_from(at.saturating_sub(offset)).unwrap_or(usize::MAX).min(bytes.len());
    bytes.get(index(range.start)..index(range.end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(pieces: &Pieces) -> Vec<(u64, &[u8], usize)> {
        pieces.iter().map(|(start, run)| (start, run.bytes.as_slice(), run.packet)).collect()
    }

    #[test]
    fn what_is_new_fills_the_gaps_and_the_first_bytes_stay() {
        let mut pieces = Pieces::default();
        assert_eq!(pieces.insert(10, b"klm", 1), Overlap::default());
        assert_eq!(pieces.insert(15, b"pq", 2), Overlap::default());
        // From before the first to behind the last, with one byte changed.
        assert_eq!(pieces.insert(8, b"ijkLmnopqr", 3), Overlap { equal: 4, different: 1 });
        let runs: [(u64, &[u8], usize); 5] =
            [(8, b"ij", 3), (10, b"klm", 1), (13, b"no", 3), (15, b"pq", 2), (17, b"r", 3)];
        assert_eq!(whole(&pieces), runs);
        assert_eq!((pieces.len(), pieces.end(), pieces.first()), (10, 18, Some(8)));
        // Inside one run.
        assert_eq!(pieces.insert(11, b"l", 4), Overlap { equal: 1, different: 0 });
        assert_eq!(pieces.insert(11, b"", 4), Overlap::default());
        assert_eq!(pieces.pop(9), None);
        assert_eq!(pieces.pop(8).map(|run| run.bytes), Some(b"ij".to_vec()));
        assert_eq!((pieces.len(), pieces.runs()), (8, 4));
    }
}
