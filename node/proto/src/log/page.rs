//! A run of committed entries in the exact bytes of the wire frame: appended to, never changed.

use super::Seq;
use alloc::vec::Vec;
use spec::wire::varint;

/// Bytes after which a page is closed and the next one begun.
pub(super) const PAGE_BYTES: usize = 32_768;

/// Consecutive entries of one room, each with its length in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    first: Seq,
    /// End of each entry in `bytes`.
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

/// Entries of a page that fit a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run<'a> {
    /// Whole entries, as they stand in an ENTRIES frame.
    Whole {
        /// How many.
        count: u16,
        /// Their bytes.
        bytes: &'a [u8],
    },
    /// The next entry alone is larger than the space: its bytes, without a length.
    Large(&'a [u8]),
    /// The page does not hold the entry.
    Elsewhere,
}

impl Page {
    /// A page whose first entry will be `first`.
    #[must_use]
    pub const fn new(first: Seq) -> Self {
        Self { first, ends: Vec::new(), bytes: Vec::new() }
    }

    /// Number of the first entry.
    #[must_use]
    pub const fn first(&self) -> Seq {
        self.first
    }

    /// Number behind the last entry.
    #[must_use]
    pub const fn end(&self) -> Seq {
        Seq(self.first.0 + self.ends.len() as u64)
    }

    /// Whether it holds no entry.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes it takes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether another page should be begun.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.bytes.len() >= PAGE_BYTES
    }

    /// Adds the next entry.
    pub fn push(&mut self, entry: &[u8]) {
        varint::encode_bytes(entry, &mut self.bytes);
        self.ends.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
    }

    /// The entries with their numbers.
    pub fn entries(&self) -> impl Iterator<Item = (Seq, &[u8])> {
        (0..self.ends.len()).map(|index| (Seq(self.first.0 + index as u64), self.entry(index)))
    }

    /// The entry at `index`, without its length.
    fn entry(&self, index: usize) -> &[u8] {
        let framed = &self.bytes[self.start(index)..self.ends[index] as usize];
        varint::decode(framed).map_or(&[], |(_, len)| &framed[len..])
    }

    fn start(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(0, |before| self.ends[before] as usize)
    }

    /// The entries from `from` on that fit `space` bytes.
    #[must_use]
    pub fn run(&self, from: Seq, space: usize) -> Run<'_> {
        if from < self.first || from >= self.end() {
            return Run::Elsewhere;
        }
        let index = usize::try_from(from.0 - self.first.0).unwrap_or(usize::MAX);
        let start = self.start(index);
        let fits = |end: &&u32| **end as usize - start <= space;
        let count = self.ends[index..].iter().take(usize::from(u16::MAX)).take_while(fits).count();
        if count == 0 {
            return Run::Large(self.entry(index));
        }
        let end = self.ends[index + count - 1] as usize;
        Run::Whole { count: u16::try_from(count).unwrap_or(u16::MAX), bytes: &self.bytes[start..end] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_whole_entries_that_fit() {
        let mut page = Page::new(Seq(5));
        for entry in [&b"a"[..], b"bb", &[7; 300]] {
            page.push(entry);
        }
        assert_eq!(page.run(Seq(5), 5), Run::Whole { count: 2, bytes: b"\x01a\x02bb" });
        assert_eq!(page.run(Seq(5), 4), Run::Whole { count: 1, bytes: b"\x01a" });
        assert_eq!(page.run(Seq(7), 100), Run::Large(&[7; 300]));
        assert_eq!(page.run(Seq(4), 100), Run::Elsewhere);
        assert_eq!(page.run(Seq(8), 100), Run::Elsewhere);
        assert_eq!(
            page.entries().map(|(seq, entry)| (seq.0, entry.len())).collect::<Vec<_>>(),
            [(5, 1), (6, 2), (7, 300)]
        );
    }
}
