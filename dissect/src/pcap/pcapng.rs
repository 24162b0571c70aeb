//! The pcapng format: blocks, sections of either byte order, interfaces with their own clocks.
//!
//! A damaged block is skipped by its length where that length can be believed, and counted.

use std::ops::Range;

use pcap_parser::PcapError;
use pcap_parser::pcapng::{parse_option_be, parse_option_le};

use super::{BLOCK_LIMIT, Capture, Clock, Format, Interface, RECORD_LIMIT, Record};
use crate::bytes::{Endian, array};

/// Block types, from draft-ietf-opsawg-pcapng section 4.
mod block_type {
    pub(super) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
    pub(super) const INTERFACE: u32 = 1;
    pub(super) const OBSOLETE_PACKET: u32 = 2;
    pub(super) const SIMPLE_PACKET: u32 = 3;
    pub(super) const NAME_RESOLUTION: u32 = 4;
    pub(super) const INTERFACE_STATISTICS: u32 = 5;
    pub(super) const ENHANCED_PACKET: u32 = 6;
    pub(super) const JOURNAL: u32 = 9;
    pub(super) const DECRYPTION_SECRETS: u32 = 10;
}

/// Option codes of Interface Description, Interface Statistics and Packet Blocks.
mod option_code {
    pub(super) const IF_NAME: u16 = 2;
    pub(super) const IF_TSRESOL: u16 = 9;
    pub(super) const IF_FCSLEN: u16 = 13;
    pub(super) const IF_TSOFFSET: u16 = 14;
    pub(super) const ISB_IFDROP: u16 = 5;
    pub(super) const ISB_OSDROP: u16 = 7;
    pub(super) const EPB_FLAGS: u16 = 2;
    pub(super) const EPB_DROPCOUNT: u16 = 4;
}

/// Type and total length before the body, total length after it.
const FRAME_LEN: usize = 12;
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// The errors of the link layer among the flags of a packet.
const LINK_ERRORS: u32 = 0xffff_0000;
/// In place of a drop counter: it is not known.
const DROPS_UNKNOWN: u16 = u16::MAX;

pub(super) fn parse(bytes: Vec<u8>) -> Capture {
    let endian = section_endian(&bytes, 0).unwrap_or(Endian::Little);
    let mut reader =
        SectionReader { capture: Capture::new(bytes, Format::Pcapng, endian), endian, first_interface: 0 };
    reader.read_blocks();
    reader.capture
}

/// The byte order that the section header at `at` declares.
fn section_endian(bytes: &[u8], at: usize) -> Option<Endian> {
    [Endian::Little, Endian::Big]
        .into_iter()
        .find(|endian| endian.u32(bytes, at + 8) == Some(BYTE_ORDER_MAGIC))
}

struct SectionReader {
    capture: Capture,
    endian: Endian,
    /// Index of this section's interface 0 among all interfaces.
    first_interface: usize,
}

impl SectionReader {
    fn read_blocks(&mut self) {
        let mut at = 0;
        while at < self.capture.bytes.len() {
            if array(&self.capture.bytes, at) == Some([0x0a, 0x0d, 0x0d, 0x0a]) {
                match section_endian(&self.capture.bytes, at) {
                    Some(endian) => self.endian = endian,
                    None => {
                        self.capture.damaged(
                            at,
                            "a section header without a byte-order magic; the rest was not read",
                        );
                        return;
                    }
                }
            }
            match self.block_len(at) {
                Ok(len) => {
                    if let Err(what) = self.read_block(at, len) {
                        self.capture.damaged(at, what);
                    }
                    at += len;
                }
                // No length to skip by: nothing after this place can be framed.
                Err(what) => {
                    self.capture.damaged(at, what);
                    return;
                }
            }
        }
    }

    /// The length of the block at `at`, its frame included, once both copies of it agree.
    fn block_len(&self, at: usize) -> Result<usize, &'static str> {
        let bytes = &self.capture.bytes;
        let len = self.endian.u32(bytes, at + 4).ok_or("the file ends inside a block header")? as usize;
        if len < FRAME_LEN || !len.is_multiple_of(4) {
            return Err("a block with an impossible length; the rest of the file was not read");
        }
        if len > BLOCK_LIMIT {
            return Err("a block claims more than 16 MiB; the rest of the file was not read");
        }
        match self.endian.u32(bytes, at + len - 4) {
            Some(trailer) if trailer as usize == len => Ok(len),
            Some(_) => Err("the two lengths of a block differ; the rest of the file was not read"),
            None => Err("the file ends inside a block"),
        }
    }

    fn read_block(&mut self, at: usize, len: usize) -> Result<(), &'static str> {
        let kind = self.endian.u32(&self.capture.bytes, at).unwrap_or_default();
        match kind {
            block_type::SECTION_HEADER => self.read_section(at),
            block_type::INTERFACE => self.read_interface(at, len),
            block_type::ENHANCED_PACKET => self.read_packet(at, len, PacketLayout::Enhanced),
            block_type::OBSOLETE_PACKET => self.read_packet(at, len, PacketLayout::Obsolete),
            block_type::SIMPLE_PACKET => self.read_simple_packet(at, len),
            block_type::INTERFACE_STATISTICS => self.read_statistics(at, len),
            block_type::DECRYPTION_SECRETS => {
                self.capture.secret_blocks += 1;
                Ok(())
            }
            // Names and journals hold no packets: they are file-meta as they stand.
            block_type::NAME_RESOLUTION | block_type::JOURNAL => Ok(()),
            // It may hold packets, and a packet that was not read proves nothing.
            _ => Err("a block of a type that is not known; it was not read"),
        }
    }

    fn read_section(&mut self, at: usize) -> Result<(), &'static str> {
        self.capture.sections += 1;
        self.first_interface = self.capture.interfaces.len();
        let version = |offset| self.endian.u16(&self.capture.bytes, at + offset);
        match (version(12), version(14)) {
            // Files with minor version 2 exist and are read as 1.0.
            (Some(1), Some(0 | 2)) => Ok(()),
            _ => Err("a section of a version that is not known"),
        }
    }

    fn read_interface(&mut self, at: usize, len: usize) -> Result<(), &'static str> {
        const SHORT: &str = "an interface description that is too short";
        let body = self.capture.bytes.get(at + 8..at + len - 4).ok_or(SHORT)?;
        let link_type = self.endian.u16(body, 0).ok_or(SHORT)?;
        let snap_len = self.endian.u32(body, 4).ok_or(SHORT)?;
        let mut interface =
            Interface { link_type, snap_len, name: None, fcs_len: 0, clock: Clock::MICROSECONDS };
        for (code, value) in options(self.endian, body.get(8..).unwrap_or_default())? {
            match code {
                option_code::IF_NAME => interface.name = Some(String::from_utf8_lossy(&value).into_owned()),
                option_code::IF_TSRESOL => {
                    let exponent = value.first().copied().unwrap_or(6);
                    interface.clock.ticks_per_second =
                        ticks_per_second(exponent).ok_or("a clock resolution finer than can be computed")?;
                }
                option_code::IF_FCSLEN => interface.fcs_len = value.first().copied().unwrap_or(0).into(),
                option_code::IF_TSOFFSET => {
                    let offset = self.endian.u64(&value, 0).unwrap_or(0);
                    interface.clock.offset_seconds = offset.cast_signed();
                }
                _ => {}
            }
        }
        self.capture.interfaces.push(interface);
        Ok(())
    }

    fn read_packet(&mut self, at: usize, len: usize, layout: PacketLayout) -> Result<(), &'static str> {
        const SHORT: &str = "a packet block that is too short";
        let bytes = &self.capture.bytes;
        let field = |offset| self.endian.u32(bytes, at + offset).ok_or(SHORT);
        let number = match layout {
            PacketLayout::Enhanced => field(8)? as usize,
            PacketLayout::Obsolete => usize::from(self.endian.u16(bytes, at + 8).ok_or(SHORT)?),
        };
        let ticks = u64::from(field(12)?) << 32 | u64::from(field(16)?);
        let captured_len = field(20)? as usize;
        let original_len = u64::from(field(24)?);
        let start = at + 28;
        if captured_len > RECORD_LIMIT {
            return Err("a packet block claims more than 262,144 bytes of packet");
        }
        if start + captured_len > at + len - 4 {
            return Err("a packet block whose packet is longer than the block");
        }
        let interface = self.interface(number);
        let clock = interface.and_then(|index| self.capture.interfaces.get(index)).map(|found| found.clock);
        self.capture.records.push(Record {
            interface,
            time_ns: clock.map(|clock| clock.nanoseconds(ticks)),
            data: start..start + captured_len,
            original_len,
        });
        if interface.is_none() {
            return Err("a packet of an interface that was not described");
        }
        if original_len < u64::try_from(captured_len).unwrap_or(u64::MAX) {
            return Err("a packet that was captured longer than it was");
        }
        if let PacketLayout::Obsolete = layout {
            let drops = self.endian.u16(&self.capture.bytes, at + 10).filter(|drops| *drops != DROPS_UNKNOWN);
            self.dropped(drops.unwrap_or(0).into());
        }
        let options_at = start + captured_len.next_multiple_of(4);
        self.read_packet_options(options_at..at + len - 4)
    }

    /// Drops and errors that the capturing system noted with a packet.
    fn read_packet_options(&mut self, range: Range<usize>) -> Result<(), &'static str> {
        let found = options(self.endian, self.capture.bytes.get(range).unwrap_or_default())?;
        for (code, value) in found {
            match code {
                option_code::EPB_DROPCOUNT => {
                    self.dropped(self.endian.u64(&value, 0).ok_or("a drop counter that is too short")?);
                }
                option_code::EPB_FLAGS => {
                    let flags = self.endian.u32(&value, 0).ok_or("packet flags that are too short")?;
                    if flags & LINK_ERRORS != 0 {
                        return Err("a packet with an error of its link layer");
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    const fn dropped(&mut self, packets: u64) {
        self.capture.dropped = self.capture.dropped.saturating_add(packets);
    }

    /// A Simple Packet Block has neither time nor interface, and its captured length is whatever of
    /// the original length the snap length and the block leave.
    fn read_simple_packet(&mut self, at: usize, len: usize) -> Result<(), &'static str> {
        const SHORT: &str = "a simple packet block that is too short";
        let original_len = self.endian.u32(&self.capture.bytes, at + 8).ok_or(SHORT)?;
        let start = at + 12;
        let room = (at + len - 4).checked_sub(start).ok_or(SHORT)?;
        let interface = self.interface(0);
        let snap_len = match interface.and_then(|index| self.capture.interfaces.get(index)) {
            Some(found) if found.snap_len != 0 => found.snap_len as usize,
            _ => usize::MAX,
        };
        let captured_len = (original_len as usize).min(snap_len).min(room);
        if captured_len > RECORD_LIMIT {
            return Err("a simple packet block holds more than 262,144 bytes of packet");
        }
        self.capture.records.push(Record {
            interface,
            time_ns: None,
            data: start..start + captured_len,
            original_len: u64::from(original_len),
        });
        if interface.is_none() {
            return Err("a simple packet before any interface was described");
        }
        Ok(())
    }

    fn read_statistics(&mut self, at: usize, len: usize) -> Result<(), &'static str> {
        let body = self
            .capture
            .bytes
            .get(at + 20..at + len - 4)
            .ok_or("an interface statistics block that is too short")?;
        let counters = options(self.endian, body)?
            .into_iter()
            .filter(|(code, _)| matches!(*code, option_code::ISB_IFDROP | option_code::ISB_OSDROP));
        for (_, value) in counters {
            self.dropped(self.endian.u64(&value, 0).ok_or("a drop counter that is too short")?);
        }
        Ok(())
    }

    /// The index of this section's interface `number`, if it was described.
    fn interface(&self, number: usize) -> Option<usize> {
        let index = self.first_interface.checked_add(number)?;
        (index < self.capture.interfaces.len()).then_some(index)
    }
}

/// Enhanced and obsolete packet blocks differ in one field: the obsolete one has a 16-bit interface
/// number and a 16-bit drop counter where the newer one has 32 bits of interface number.
enum PacketLayout {
    Enhanced,
    Obsolete,
}

/// Ticks per second of an `if_tsresol` byte: a power of ten, or of two when the high bit is set.
fn ticks_per_second(resolution: u8) -> Option<u128> {
    match resolution {
        0..=0x7f => 10_u128.checked_pow(u32::from(resolution)),
        0x80..=0xff => Some(1 << (resolution & 0x7f)),
    }
}

/// The options of a block as (code, value without padding). A malformed one hides those behind it.
fn options(endian: Endian, mut rest: &[u8]) -> Result<Vec<(u16, Vec<u8>)>, &'static str> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let parsed = match endian {
            Endian::Little => parse_option_le::<PcapError<&[u8]>>(rest),
            Endian::Big => parse_option_be::<PcapError<&[u8]>>(rest),
        };
        let Ok((after, option)) = parsed else { return Err("a block with options that cannot be read") };
        if option.code.0 == 0 {
            break;
        }
        let value = option.value.get(..usize::from(option.len)).unwrap_or(&option.value);
        found.push((option.code.0, value.to_vec()));
        rest = after;
    }
    Ok(found)
}
