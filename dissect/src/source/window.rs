//! A piece of a source in memory that moves on as it is read.

use std::io;

use super::{CHUNK_BYTES, Source};
use crate::bytes::count;

/// The part of a source that is in memory: a chunk, or one longer piece that was asked for.
#[derive(Debug)]
pub(crate) struct Window<'s> {
    source: &'s Source,
    start: u64,
    bytes: Vec<u8>,
}

impl<'s> Window<'s> {
    pub(crate) const fn new(source: &'s Source) -> Self {
        Self { source, start: 0, bytes: Vec::new() }
    }

    /// `len` bytes at `at`; fewer only where the source ends.
    pub(crate) fn get(&mut self, at: u64, len: usize) -> io::Result<&[u8]> {
        let from = match self.place(at, len) {
            Some(from) => from,
            None => {
                self.fill(at, len.max(CHUNK_BYTES))?;
                0
            }
        };
        let rest = self.bytes.get(from..).unwrap_or_default();
        Ok(rest.get(..len).unwrap_or(rest))
    }

    /// Where the bytes stand in memory, if all that the source has of them are there.
    fn place(&self, at: u64, len: usize) -> Option<usize> {
        let from = usize::try_from(at.checked_sub(self.start)?).ok()?;
        let is_whole = from.checked_add(len)? <= self.bytes.len();
        let is_end = self.start + count(self.bytes.len()) == self.source.len();
        (is_whole || (is_end && from <= self.bytes.len())).then_some(from)
    }

    fn fill(&mut self, at: u64, len: usize) -> io::Result<()> {
        // What one long piece needed is given back.
        self.bytes.truncate(len);
        self.bytes.shrink_to(len);
        self.bytes.resize(len, 0);
        self.start = at;
        let read = self.source.read_at(&mut self.bytes, at);
        self.bytes.truncate(read.as_ref().copied().unwrap_or(0));
        read.map(|_| ())
    }
}
