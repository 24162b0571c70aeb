//! The file as it is given, hashed and counted while it is read.

use std::io::{self, BufRead, Read};

use sha2::{Digest as _, Sha256};

use super::CHUNK_BYTES;
use crate::bytes::count;

/// A buffered reader that knows how much of the file was used, and the hash of all of it.
pub(super) struct Given<R> {
    input: R,
    hash: Sha256,
    buffer: Vec<u8>,
    /// The part of the buffer that was not used yet.
    start: usize,
    end: usize,
    used: u64,
    /// Whether somebody wanted to read on where the file had ended.
    end_was_met: bool,
}

impl<R: Read> Given<R> {
    pub(super) fn new(input: R) -> Self {
        let buffer = vec![0; CHUNK_BYTES];
        Self { input, hash: Sha256::new(), buffer, start: 0, end: 0, used: 0, end_was_met: false }
    }

    /// Bytes used so far: the offset in the file.
    pub(super) const fn offset(&self) -> u64 {
        self.used
    }

    /// Whether a reader came to the end of the file since this was asked last.
    pub(super) fn end_was_met(&mut self) -> bool {
        std::mem::take(&mut self.end_was_met)
    }

    /// The bytes that come next, `len` of them or as many as there are, without using them. `len` is small.
    pub(super) fn peek(&mut self, len: usize) -> io::Result<&[u8]> {
        if self.end - self.start < len {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            while self.end < len && self.read_more()? {}
        }
        let buffered = self.buffer.get(self.start..self.end).unwrap_or_default();
        Ok(buffered.get(..len).unwrap_or(buffered))
    }

    /// Reads to the end of the file; its length and hash.
    pub(super) fn finish(mut self) -> io::Result<(u64, [u8; 32])> {
        loop {
            let len = self.fill_buf()?.len();
            if len == 0 {
                return Ok((self.used, self.hash.finalize().into()));
            }
            self.consume(len);
        }
    }

    /// Fills the rest of the buffer a little further; whether there was more.
    fn read_more(&mut self) -> io::Result<bool> {
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let read = loop {
            match self.input.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.hash.update(room.get(..read).unwrap_or_default());
        self.end += read;
        Ok(read > 0)
    }
}

impl<R: Read> Read for Given<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let from = self.fill_buf()?;
        let len = from.len().min(to.len());
        if let (Some(to), Some(from)) = (to.get_mut(..len), from.get(..len)) {
            to.copy_from_slice(from);
        }
        self.consume(len);
        Ok(len)
    }
}

impl<R: Read> BufRead for Given<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            self.end_was_met |= !self.read_more()?;
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    fn consume(&mut self, len: usize) {
        let len = len.min(self.end - self.start);
        self.start += len;
        self.used += count(len);
    }
}
