//! Reads a capture, classic pcap or pcapng, one record after the other.
//!
//! A [`Reader`] holds a window of the [`Source`] and the interfaces of the present section, and nothing else of
//! the file. Every byte that is of no record is, by definition, *file-meta*.
//!
//! Everything is read here, for what readers there are lose obsolete Packet Blocks of big-endian sections, do
//! not clamp Simple Packet Blocks to the snap length, know no clock whose resolution is a power of two, read
//! `if_tsoffset` little-endian always, truncate seconds to 32 bits, or end a file at its first damaged block.

mod classic;
mod clock;
mod options;
mod pcapng;
mod secrets;

use serde::Serialize;

use crate::bytes::{Endian, array, count};
use crate::source::{Compression, Damage, ReadError, Source, Window};
use clock::Clock;

/// A record claiming more bytes is damage: Wireshark's `WTAP_MAX_PACKET_SIZE_STANDARD`.
pub const RECORD_BYTES_MAX: usize = 262_144;
/// A pcapng block claiming more bytes is damage: libpcap's limit.
pub const BLOCK_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Interfaces of one section; a packet of one beyond them is damage.
pub const INTERFACES_MAX: usize = 4_096;
/// How many interfaces and places of damage are described one by one; the rest is counted.
const DESCRIBED: usize = 100;

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
    /// Packets its statistics say were dropped.
    #[serde(skip)]
    dropped: u64,
}

/// One captured packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its number in the file, from 1.
    pub number: usize,
    /// Its interface, counted over all sections; `None` when the block names one that was not described.
    pub interface: Option<usize>,
    /// The LINKTYPE_ number of that interface.
    pub link_type: Option<u16>,
    /// Bytes of frame check sequence at the end of `data`.
    pub fcs_len: usize,
    /// Nanoseconds since 1970, or `None` where the block has no time (Simple Packet Block).
    pub time_ns: Option<i128>,
    /// Where the captured bytes stand in the file.
    pub offset: u64,
    /// The captured bytes.
    pub data: &'a [u8],
    /// Length of the packet on the wire, in bytes.
    pub original_len: u64,
}

/// A record whose bytes were not fetched yet.
#[derive(Clone, Copy, Debug)]
struct Head {
    interface: Option<usize>,
    link_type: Option<u16>,
    fcs_len: usize,
    time_ns: Option<i128>,
    offset: u64,
    captured_len: usize,
    original_len: u64,
}

/// What the file itself says, beside its packets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Classic or block format.
    pub format: Format,
    /// Byte order of the (first section of the) file.
    pub endian: Endian,
    /// How the file was compressed, if it was.
    pub compression: Option<Compression>,
    /// Number of sections; 1 for the classic format.
    pub sections: u64,
    /// The first interfaces of all sections, in file order.
    pub interfaces: Vec<Interface>,
    /// All interfaces.
    pub interface_count: usize,
    /// Number of packets.
    pub packets: usize,
    /// The first places of damage, in file order.
    pub damage: Vec<Damage>,
    /// All places of damage.
    pub damage_count: u64,
    /// Blocks whose types are not known: they may hold packets.
    pub unknown_blocks: u64,
    /// Packets the capturing system says it dropped.
    pub dropped: u64,
    /// Packets of which some fragments are not in the file.
    pub incomplete_packets: u64,
    /// Number of Decryption Secrets Blocks: keys inside the file.
    pub secret_blocks: u64,
    /// The lines of our key logs among them.
    #[serde(skip)]
    pub key_log: String,
}

impl Summary {
    fn new(source: &Source, format: Format, endian: Endian) -> Self {
        let damage: Vec<Damage> = source.damage().cloned().into_iter().collect();
        Self {
            format,
            endian,
            compression: source.compression(),
            sections: 0,
            interfaces: Vec::new(),
            interface_count: 0,
            packets: 0,
            damage_count: count(damage.len()),
            damage,
            unknown_blocks: 0,
            dropped: 0,
            incomplete_packets: 0,
            secret_blocks: 0,
            key_log: String::new(),
        }
    }

    fn damaged(&mut self, offset: u64, what: impl Into<String>) {
        self.damage_count += 1;
        if self.damage.len() < DESCRIBED {
            self.damage.push(Damage { offset, what: what.into() });
        }
    }

    /// Takes note of an interface; its number over all sections.
    fn described(&mut self, interface: &Interface) -> usize {
        if self.interfaces.len() < DESCRIBED {
            self.interfaces.push(interface.clone());
        }
        self.interface_count += 1;
        self.interface_count - 1
    }

    const fn dropped(&mut self, packets: u64) {
        self.dropped = self.dropped.saturating_add(packets);
    }
}

/// Reads a capture from front to back.
#[derive(Debug)]
pub struct Reader<'s> {
    window: Window<'s>,
    summary: Summary,
    dialect: Dialect,
    /// Offset of the record or block that comes next; `None` behind the last that can be found.
    at: Option<u64>,
}

#[derive(Debug)]
enum Dialect {
    Classic(classic::Layout),
    Blocks(pcapng::Section),
}

impl<'s> Reader<'s> {
    /// Looks at the beginning of a capture.
    ///
    /// # Errors
    /// [`ReadError`] when the source cannot be read or is no capture. Damage inside a capture is no error: it is
    /// counted in [`Summary::damage`].
    pub fn new(source: &'s Source) -> Result<Self, ReadError> {
        let mut window = Window::new(source);
        let start = window.get(0, classic::HEADER_LEN_MAX)?.to_vec();
        let (format, endian) = match array::<4>(&start, 0) {
            Some(pcapng::MAGIC) => (Format::Pcapng, pcapng::section_endian(&start).unwrap_or(Endian::Little)),
            Some(magic) => match classic::Dialect::of(magic) {
                Some(dialect) => (Format::Pcap, dialect.endian),
                None => return Err(ReadError::NotACapture(magic.to_vec())),
            },
            // A capture that was never begun: it decides nothing, and it is no mistake of the caller either.
            None if source.is_empty() => (Format::Pcap, Endian::Little),
            None => return Err(ReadError::NotACapture(start)),
        };
        let mut summary = Summary::new(source, format, endian);
        let (dialect, at) = match format {
            Format::Pcapng => (Dialect::Blocks(pcapng::Section::new(endian)), Some(0)),
            Format::Pcap => {
                let (layout, at) = classic::Layout::read(&start, &mut summary);
                (Dialect::Classic(layout), at)
            }
        };
        Ok(Self { window, summary, dialect, at })
    }

    /// The next record; `None` at the end of the file, or of what can be read of it.
    ///
    /// # Errors
    /// Whatever reading yields.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, ReadError> {
        let Self { window, summary, dialect, at } = self;
        let head = loop {
            let Some(offset) = *at else { return Ok(None) };
            let step = match dialect {
                Dialect::Classic(layout) => layout.step(offset, window, summary)?,
                Dialect::Blocks(section) => section.step(offset, window, summary)?,
            };
            *at = step.next;
            if let Some(head) = step.head {
                break head;
            }
        };
        summary.packets += 1;
        let data = window.get(head.offset, head.captured_len)?;
        let not_captured = head.original_len.saturating_sub(count(data.len()));
        Ok(Some(Record {
            number: summary.packets,
            interface: head.interface,
            link_type: head.link_type,
            // A packet that was cut has lost its check sequence first.
            fcs_len: head.fcs_len.saturating_sub(usize::try_from(not_captured).unwrap_or(usize::MAX)),
            time_ns: head.time_ns,
            offset: head.offset,
            data,
            original_len: head.original_len,
        }))
    }

    /// Offset behind the last record that was read.
    #[must_use]
    pub fn position(&self) -> Option<u64> {
        self.at
    }

    /// What the file says, as far as it was read.
    #[must_use]
    pub fn into_summary(self) -> Summary {
        self.summary
    }
}

/// What a look at one place of the file gave.
#[derive(Debug, Default)]
struct Step {
    head: Option<Head>,
    /// Where to look next, if there is anything.
    next: Option<u64>,
}

#[cfg(test)]
mod tests;
