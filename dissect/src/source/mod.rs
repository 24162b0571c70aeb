//! Where the bytes of a capture come from.
//!
//! A regular file is read in place. A pipe is copied to an unnamed temporary file as it comes, and a
//! compressed capture is decompressed to one, so that every [`Source`] can be walked as often as the analysis
//! needs, from several threads, in memory that does not grow with it.

mod compression;
mod given;
mod spool;
#[cfg(test)]
mod tests;
mod window;

use std::fs::File;
use std::io::{self, Read};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::bytes::count;
use crate::progress::Progress;
pub use compression::Compression;
pub(crate) use window::Window;

/// Decompressed bytes that are read unless another limit is given; what is longer is judged by its beginning,
/// as incomplete.
pub const DECOMPRESSED_BYTES_MAX: u64 = 64 << 30;
/// Bytes read at a time: large enough that the calls cost nothing beside the reading.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;

/// Why a file is no capture at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system could not read it.
    #[error("cannot read the capture")]
    Io(#[from] io::Error),
    /// It starts as no capture format does. Holds the first bytes (up to four).
    #[error("not a capture: it starts with the bytes {0:02x?}, which neither pcap nor pcapng does")]
    NotACapture(Vec<u8>),
    /// What was decompressed is compressed again.
    #[error(
        "the capture is compressed twice ({1} inside {0}): decompress it once, for example `{0} -dc FILE | dissect -`"
    )]
    Nested(Compression, Compression),
    /// Nothing of it could be decompressed.
    #[error("nothing of the {0} file can be decompressed: {1}")]
    Undecodable(Compression, String),
}

/// A place where a file is not what its format says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// Offset in bytes: in the file as given for the compression, in the decompressed file for the capture.
    pub offset: u64,
    /// What is wrong there.
    pub what: String,
}

/// A capture that can be read from any place, as often as needed.
#[derive(Debug)]
pub struct Source {
    bytes: Bytes,
    len: u64,
    given: Given,
    damage: Option<Damage>,
}

#[derive(Debug)]
enum Bytes {
    File(File),
    Memory(Vec<u8>),
}

/// The file as it was given, before decompression.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Given {
    len: u64,
    /// Known when the file was copied; else it is that of the source itself.
    sha256: Option<[u8; 32]>,
    compression: Option<Compression>,
}

impl Source {
    /// A file, read in place; decompressed, or copied if it is a pipe.
    ///
    /// # Errors
    /// [`ReadError`] when it cannot be read, or cannot be decompressed.
    pub fn of_file(file: File, decompressed_max: u64, progress: &dyn Progress) -> Result<Self, ReadError> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Self::spool(file, decompressed_max, progress);
        }
        let mut start = [0; 4];
        let read = read_at(&file, &mut start, 0)?;
        if Compression::of(start.get(..read).unwrap_or_default()).is_some() {
            return Self::spool(file, decompressed_max, progress);
        }
        let given = Given { len: metadata.len(), ..Given::default() };
        Ok(Self { bytes: Bytes::File(file), len: metadata.len(), given, damage: None })
    }

    /// Copies whatever comes to its end, decompressed if it is compressed. Slow and short reads are as good as
    /// fast and long ones.
    ///
    /// # Errors
    /// [`ReadError`] when it cannot be read, or cannot be decompressed, or there is no room for the copy.
    pub fn spool(
        input: impl Read,
        decompressed_max: u64,
        progress: &dyn Progress,
    ) -> Result<Self, ReadError> {
        spool::spool(input, decompressed_max, progress)
    }

    /// A capture in memory that is not compressed.
    #[must_use]
    pub fn memory(bytes: Vec<u8>) -> Self {
        let len = count(bytes.len());
        Self { bytes: Bytes::Memory(bytes), len, given: Given { len, ..Given::default() }, damage: None }
    }

    /// Length of the capture in bytes, decompressed.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Length of the file as it was given, in bytes.
    #[must_use]
    pub const fn given_len(&self) -> u64 {
        self.given.len
    }

    /// How the file was compressed, if it was.
    #[must_use]
    pub const fn compression(&self) -> Option<Compression> {
        self.given.compression
    }

    /// Where the compressed file is broken; what stood before is the capture.
    #[must_use]
    pub const fn damage(&self) -> Option<&Damage> {
        self.damage.as_ref()
    }

    /// SHA-256 of the file as it was given, in hexadecimal. Reads a file that was not copied.
    ///
    /// # Errors
    /// Whatever reading yields.
    pub fn sha256(&self) -> io::Result<String> {
        let digest = match self.given.sha256 {
            Some(digest) => digest,
            None => {
                let mut hash = Sha256::new();
                self.chunks(|_, bytes| hash.update(bytes))?;
                hash.finalize().into()
            }
        };
        Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Hands out the whole capture from front to back, each piece with its offset.
    ///
    /// # Errors
    /// Whatever reading yields.
    pub(crate) fn chunks(&self, mut take: impl FnMut(u64, &[u8])) -> io::Result<()> {
        let mut window = Window::new(self);
        let mut at = 0;
        loop {
            let chunk = window.get(at, CHUNK_BYTES)?;
            if chunk.is_empty() {
                return Ok(());
            }
            take(at, chunk);
            at += count(chunk.len());
        }
    }

    /// Reads at an offset, until `buffer` is full or the source ends; how many bytes it were.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        // A file that still grows is read as far as it was when it was opened.
        let room = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let len = buffer.len().min(room);
        let Some(buffer) = buffer.get_mut(..len) else { return Ok(0) };
        match &self.bytes {
            Bytes::File(file) => {
                let mut filled = 0;
                while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
                    match read_at(file, rest, offset + count(filled)) {
                        Ok(0) => break,
                        Ok(read) => filled += read,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(filled)
            }
            Bytes::Memory(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let from = bytes.get(start..).and_then(|rest| rest.get(..len)).unwrap_or_default();
                if let Some(to) = buffer.get_mut(..from.len()) {
                    to.copy_from_slice(from);
                }
                Ok(from.len())
            }
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}
