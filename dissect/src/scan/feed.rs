//! A source handed out in chunks to several threads.

use std::io::{self, ErrorKind, Read};

use crate::bytes::count;

/// What was put into a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Offset of the first byte in the source, in bytes.
    pub(super) offset: u64,
    /// Bytes in the buffer.
    pub(super) len: usize,
    /// Bytes at its beginning that the chunk before ended with.
    pub(super) repeated: usize,
}

/// A source that is read in chunks, each beginning with the last bytes of the one before, so that what
/// stands across a border is whole in one of them.
#[derive(Debug)]
pub(super) struct Feed<R> {
    source: R,
    chunk_bytes: usize,
    overlap_bytes: usize,
    /// The last bytes of the chunk before.
    tail: Vec<u8>,
    /// Offset of the next byte of the source.
    offset: u64,
    ended: bool,
}

impl<R: Read> Feed<R> {
    pub(super) const fn new(source: R, chunk_bytes: usize, overlap_bytes: usize) -> Self {
        Self { source, chunk_bytes, overlap_bytes, tail: Vec::new(), offset: 0, ended: false }
    }

    /// Fills a buffer, which it makes large enough; `None` at the end of the source.
    ///
    /// # Errors
    /// What the source says; after an error the source is at its end.
    pub(super) fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<Chunk>> {
        if self.ended {
            return Ok(None);
        }
        let repeated = self.tail.len();
        buffer.resize(self.overlap_bytes + self.chunk_bytes, 0);
        let (head, rest) = buffer.split_at_mut(repeated);
        head.copy_from_slice(&self.tail);
        let room = rest.get_mut(..self.chunk_bytes).unwrap_or_default();
        let (fresh, result) = fill(&mut self.source, room);
        self.ended = fresh < self.chunk_bytes;
        result?;
        let chunk = Chunk { offset: self.offset - count(repeated), len: repeated + fresh, repeated };
        self.offset += count(fresh);
        self.tail.clear();
        let tail = buffer.get(chunk.len.saturating_sub(self.overlap_bytes)..chunk.len);
        self.tail.extend_from_slice(tail.unwrap_or_default());
        Ok((fresh > 0).then_some(chunk))
    }
}

/// Reads until the room is full or the source ends: a slow pipe makes no difference.
pub(super) fn fill(source: &mut impl Read, room: &mut [u8]) -> (usize, io::Result<()>) {
    let mut filled = 0;
    while let Some(rest) = room.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (filled, Err(error)),
        }
    }
    (filled, Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_chunk_begins_with_the_end_of_the_one_before() {
        let mut feed = Feed::new(&b"abcdefgh"[..], 3, 2);
        let mut buffer = Vec::new();
        let mut seen = Vec::new();
        while let Some(chunk) = feed.next(&mut buffer).unwrap() {
            seen.push((chunk.offset, chunk.repeated, buffer[..chunk.len].to_vec()));
        }
        let expected = [(0, 0, b"abc".to_vec()), (1, 2, b"bcdef".to_vec()), (4, 2, b"efgh".to_vec())];
        assert_eq!(seen, expected);
    }
}
