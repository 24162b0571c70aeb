//! Reads a capture file: classic pcap and pcapng, from a file or a pipe.
//!
//! The whole capture is held in memory (up to [`FILE_LIMIT`]), so that a record is a range of the
//! file and every other byte of the file is, by definition, *file-meta*. A pipe that delivers three
//! bytes at a time makes no difference.
//!
//! `pcap-parser` reads the global header of the classic format and the option lists of blocks. The
//! framing of records and blocks, their fixed fields and the clock are read here, because that
//! crate (0.17) loses obsolete Packet Blocks of big-endian sections, does not clamp Simple Packet
//! Blocks to the interface's snap length, knows no clock resolution that is a power of two, reads
//! `if_tsoffset` little-endian always, truncates seconds to 32 bits, and ends a file at its first
//! damaged block.

mod classic;
mod pcapng;

use std::io::Read;
use std::ops::Range;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::bytes::{Endian, array, count};

/// A record claiming more bytes is damage: Wireshark's `WTAP_MAX_PACKET_SIZE_STANDARD`.
pub const RECORD_LIMIT: usize = 262_144;
/// A pcapng block claiming more bytes is damage: libpcap's limit.
pub const BLOCK_LIMIT: usize = 16 * 1024 * 1024;
/// Bytes of a capture that are read; a longer one is judged by its beginning, as incomplete.
pub const FILE_LIMIT: u64 = 2 * 1024 * 1024 * 1024;
/// How many places of damage are described one by one; the rest is counted.
const DAMAGE_DESCRIBED: usize = 100;

/// Why a file is no capture at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system could not read it.
    #[error("cannot read the capture")]
    Io(#[from] std::io::Error),
    /// It starts as no capture format does. Holds the first bytes (up to four).
    #[error("not a capture: it starts with the bytes {0:02x?}, which neither pcap nor pcapng does")]
    NotACapture(Vec<u8>),
    /// It is compressed; the argument names the format.
    #[error("the capture is compressed ({0}): decompress it first, for example `{1} -dc FILE | dissect -`")]
    Compressed(&'static str, &'static str),
}

/// The two families of capture files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// The classic format: one header, then records.
    Pcap,
    /// The block format, with sections and interfaces.
    Pcapng,
}

/// Where packets were captured: an Interface Description Block, or the header of a classic file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// The LINKTYPE_ number, without the reserved high bits.
    pub link_type: u16,
    /// Longest part of a packet that was kept, in bytes; 0 is no limit.
    pub snap_len: u32,
    /// The name the capturing program gave, if it gave one.
    pub name: Option<String>,
    /// Bytes of frame check sequence at the end of each packet, where the file says so.
    pub fcs_len: usize,
    #[serde(skip)]
    clock: Clock,
}

/// One captured packet, as a range of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Index into [`Capture::interfaces`]; `None` when the block names an interface that was not described.
    pub interface: Option<usize>,
    /// Nanoseconds since 1970, or `None` where the block has no time (Simple Packet Block).
    pub time_ns: Option<i128>,
    /// Where the captured bytes stand in the file.
    pub data: Range<usize>,
    /// Length of the packet on the wire, in bytes.
    pub original_len: u64,
}

/// A place where the file is not what its format says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// What is wrong there.
    pub what: String,
}

/// A capture file in memory, cut into records.
#[derive(Debug)]
pub struct Capture {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// Classic or block format.
    pub format: Format,
    /// Byte order of the (first section of the) file.
    pub endian: Endian,
    /// Number of sections; 1 for the classic format.
    pub sections: u64,
    /// All interfaces of all sections, in file order.
    pub interfaces: Vec<Interface>,
    /// All packets, in file order.
    pub records: Vec<Record>,
    /// The first places of damage, in file order.
    pub damage: Vec<Damage>,
    /// All places of damage.
    pub damage_count: u64,
    /// Packets the capturing system says it dropped (Interface Statistics Blocks).
    pub dropped: u64,
    /// Number of Decryption Secrets Blocks: keys inside the file.
    pub secret_blocks: u64,
}

impl Capture {
    /// Reads a capture to its end.
    ///
    /// # Errors
    /// [`ReadError`] when the source cannot be read or is no capture. Damage inside a capture is no
    /// error: it is counted in [`Capture::damage`].
    pub fn read(source: impl Read) -> Result<Self, ReadError> {
        let mut bytes = Vec::new();
        source.take(FILE_LIMIT + 1).read_to_end(&mut bytes)?;
        let limit = usize::try_from(FILE_LIMIT).unwrap_or(usize::MAX);
        let too_long = bytes.len() > limit;
        bytes.truncate(limit);
        let mut capture = Self::parse(bytes)?;
        if too_long {
            capture
                .damaged(limit, format!("the file is longer than {FILE_LIMIT} bytes; the rest was not read"));
        }
        Ok(capture)
    }

    fn parse(bytes: Vec<u8>) -> Result<Self, ReadError> {
        match array::<4>(&bytes, 0) {
            Some([0x0a, 0x0d, 0x0d, 0x0a]) => Ok(pcapng::parse(bytes)),
            Some(magic) if classic::is_magic(magic) => classic::parse(bytes),
            // A capture that was never begun: it decides nothing, and it is no mistake of the caller either.
            None if bytes.is_empty() => {
                let mut capture = Self::new(bytes, Format::Pcap, Endian::Little);
                capture.damaged(0, "the file is empty");
                Ok(capture)
            }
            Some([0x1f, 0x8b, ..]) => Err(ReadError::Compressed("gzip", "gzip")),
            Some([0x28, 0xb5, 0x2f, 0xfd]) => Err(ReadError::Compressed("zstd", "zstd")),
            Some([0x04, 0x22, 0x4d, 0x18]) => Err(ReadError::Compressed("lz4", "lz4")),
            _ => Err(ReadError::NotACapture(bytes.into_iter().take(4).collect())),
        }
    }

    fn new(bytes: Vec<u8>, format: Format, endian: Endian) -> Self {
        Self {
            bytes,
            format,
            endian,
            sections: 0,
            interfaces: Vec::new(),
            records: Vec::new(),
            damage: Vec::new(),
            damage_count: 0,
            dropped: 0,
            secret_blocks: 0,
        }
    }

    /// The captured bytes of a record.
    #[must_use]
    pub fn data(&self, record: &Record) -> &[u8] {
        self.bytes.get(record.data.clone()).unwrap_or_default()
    }

    /// SHA-256 of the file, in hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> String {
        Sha256::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn damaged(&mut self, offset: usize, what: impl Into<String>) {
        self.damage_count += 1;
        if self.damage.len() < DAMAGE_DESCRIBED {
            self.damage.push(Damage { offset: count(offset), what: what.into() });
        }
    }
}

/// The clock of an interface: how its ticks become nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clock {
    ticks_per_second: u128,
    offset_seconds: i64,
}

impl Clock {
    const MICROSECONDS: Self = Self { ticks_per_second: 1_000_000, offset_seconds: 0 };
    const NANOSECONDS: Self = Self { ticks_per_second: 1_000_000_000, offset_seconds: 0 };

    /// Nanoseconds since 1970, rounded down to a whole one.
    fn nanoseconds(self, ticks: u64) -> i128 {
        const SECOND: u128 = 1_000_000_000;
        let ticks = u128::from(ticks);
        let whole = ticks / self.ticks_per_second;
        // The remainder is below 2^64 whenever it is not zero, so the product fits in 128 bits.
        let fraction = (ticks % self.ticks_per_second) * SECOND / self.ticks_per_second;
        let elapsed = i128::try_from(whole * SECOND + fraction).unwrap_or(i128::MAX);
        elapsed.saturating_add(i128::from(self.offset_seconds) * 1_000_000_000)
    }
}

#[cfg(test)]
mod tests;
