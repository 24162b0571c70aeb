//! The pcapng format: blocks, sections of either byte order, interfaces with their own clocks.
//!
//! A damaged block is skipped by its length where that length can be believed, and counted.

use std::io;

use super::options::Options;
use super::{
    BLOCK_BYTES_MAX, Clock, Head, INTERFACES_MAX, Interface, RECORD_BYTES_MAX, Step, Summary, secrets,
};
use crate::bytes::{Endian, array, count};
use crate::source::Window;

/// The first bytes of a section header, the same in both byte orders.
pub(super) const MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// Block types, from draft-ietf-opsawg-pcapng section 4 and 10.
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
/// Bytes of an interface's name that are kept.
const NAME_BYTES_MAX: usize = 256;

/// The byte order that a section header declares.
pub(super) fn section_endian(block: &[u8]) -> Option<Endian> {
    [Endian::Little, Endian::Big].into_iter().find(|endian| endian.u32(block, 8) == Some(BYTE_ORDER_MAGIC))
}

/// What was read of a section so far.
#[derive(Debug)]
pub(super) struct Section {
    endian: Endian,
    /// Its interfaces, each with its number over all sections.
    interfaces: Vec<(usize, Interface)>,
}

/// What is wrong with a block, and whether it held a packet all the same.
type Flawed = (Option<Head>, Option<&'static str>);

impl Section {
    pub(super) const fn new(endian: Endian) -> Self {
        Self { endian, interfaces: Vec::new() }
    }

    /// The block at `at`.
    pub(super) fn step(
        &mut self,
        at: u64,
        window: &mut Window<'_>,
        summary: &mut Summary,
    ) -> io::Result<Step> {
        let start = window.get(at, FRAME_LEN)?;
        if start.is_empty() {
            return Ok(Step::default());
        }
        if array(start, 0) == Some(MAGIC) {
            match section_endian(start) {
                Some(endian) => self.endian = endian,
                None => {
                    summary.damaged(at, "a section header without a byte-order magic; the rest was not read");
                    return Ok(Step::default());
                }
            }
        }
        let len = match frame(self.endian, at, window)? {
            Frame::Whole(len) => len,
            Frame::Flawed(len, what) => {
                summary.damaged(at, what);
                return Ok(Step { head: None, next: len.map(|len| at + count(len)) });
            }
        };
        let block = window.get(at, len)?;
        let (head, what) = match self.read_block(at, block, summary) {
            Ok(flawed) => flawed,
            Err(what) => (None, Some(what)),
        };
        if let Some(what) = what {
            summary.damaged(at, what);
        }
        Ok(Step { head, next: Some(at + count(len)) })
    }

    fn read_block(&mut self, at: u64, block: &[u8], summary: &mut Summary) -> Result<Flawed, &'static str> {
        let body = block.get(..block.len() - 4).unwrap_or_default();
        match self.endian.u32(block, 0).unwrap_or_default() {
            block_type::ENHANCED_PACKET => {
                return self.read_packet(at, body, summary, PacketLayout::Enhanced);
            }
            block_type::OBSOLETE_PACKET => {
                return self.read_packet(at, body, summary, PacketLayout::Obsolete);
            }
            block_type::SIMPLE_PACKET => return self.read_simple_packet(at, body),
            block_type::SECTION_HEADER => self.begin(body, summary)?,
            block_type::INTERFACE => self.read_interface(body, summary)?,
            block_type::INTERFACE_STATISTICS => self.read_statistics(body, summary)?,
            block_type::DECRYPTION_SECRETS => self.read_secrets(body, summary)?,
            // Names and journals hold no packets: they are file-meta as they stand.
            block_type::NAME_RESOLUTION | block_type::JOURNAL => {}
            // It may hold packets, and a packet that was not read proves nothing.
            _ => summary.unknown_blocks += 1,
        }
        Ok((None, None))
    }

    fn begin(&mut self, body: &[u8], summary: &mut Summary) -> Result<(), &'static str> {
        summary.sections += 1;
        self.interfaces.clear();
        match (self.endian.u16(body, 12), self.endian.u16(body, 14)) {
            // Files with minor version 2 exist and are read as 1.0.
            (Some(1), Some(0 | 2)) => Ok(()),
            _ => Err("a section of a version that is not known"),
        }
    }

    fn read_interface(&mut self, body: &[u8], summary: &mut Summary) -> Result<(), &'static str> {
        const SHORT: &str = "an interface description that is too short";
        let link_type = self.endian.u16(body, 8).ok_or(SHORT)?;
        let snap_len = self.endian.u32(body, 12).ok_or(SHORT)?;
        let clock = Clock::MICROSECONDS;
        let mut interface = Interface { link_type, snap_len, name: None, fcs_len: 0, clock, dropped: 0 };
        if self.interfaces.len() >= INTERFACES_MAX {
            return Err("more than 4,096 interfaces in a section");
        }
        for option in Options::new(self.endian, body.get(16..).unwrap_or_default()) {
            let (code, value) = option?;
            match code {
                option_code::IF_NAME => {
                    let name = value.get(..NAME_BYTES_MAX).unwrap_or(value);
                    interface.name = Some(String::from_utf8_lossy(name).into_owned());
                }
                option_code::IF_TSRESOL => {
                    interface.clock.set_resolution(value.first().copied().unwrap_or(6))?;
                }
                option_code::IF_FCSLEN => interface.fcs_len = value.first().copied().unwrap_or(0).into(),
                option_code::IF_TSOFFSET => {
                    interface.clock.offset_seconds = self.endian.u64(value, 0).unwrap_or(0).cast_signed();
                }
                _ => {}
            }
        }
        let number = summary.described(&interface);
        self.interfaces.push((number, interface));
        Ok(())
    }

    fn read_packet(
        &self,
        at: u64,
        body: &[u8],
        summary: &mut Summary,
        layout: PacketLayout,
    ) -> Result<Flawed, &'static str> {
        const SHORT: &str = "a packet block that is too short";
        const DATA: usize = 28;
        let field = |offset| self.endian.u32(body, offset).ok_or(SHORT);
        let number = match layout {
            PacketLayout::Enhanced => field(8)? as usize,
            PacketLayout::Obsolete => usize::from(self.endian.u16(body, 8).ok_or(SHORT)?),
        };
        let ticks = u64::from(field(12)?) << 32 | u64::from(field(16)?);
        let captured_len = field(20)? as usize;
        let original_len = u64::from(field(24)?);
        if captured_len > RECORD_BYTES_MAX {
            return Err("a packet block claims more than 262,144 bytes of packet");
        }
        if DATA + captured_len > body.len() {
            return Err("a packet block whose packet is longer than the block");
        }
        let interface = self.interfaces.get(number);
        let mut head = Head {
            interface: interface.map(|(number, _)| *number),
            link_type: interface.map(|(_, interface)| interface.link_type),
            fcs_len: interface.map_or(0, |(_, interface)| interface.fcs_len),
            time_ns: interface.map(|(_, interface)| interface.clock.nanoseconds(ticks)),
            offset: at + count(DATA),
            captured_len,
            original_len,
        };
        let options = body.get(DATA + captured_len.next_multiple_of(4)..).unwrap_or_default();
        let mut flaw = self.read_packet_options(options, &mut head, summary).err();
        if let PacketLayout::Obsolete = layout {
            let drops = self.endian.u16(body, 10).filter(|drops| *drops != DROPS_UNKNOWN);
            summary.dropped(drops.unwrap_or(0).into());
        }
        if original_len < count(captured_len) {
            flaw = Some("a packet that was captured longer than it was");
        }
        if interface.is_none() {
            flaw = Some("a packet of an interface that was not described");
        }
        Ok((Some(head), flaw))
    }

    /// Drops and errors that the capturing system noted with a packet, and the length of its check sequence.
    fn read_packet_options(
        &self,
        options: &[u8],
        head: &mut Head,
        summary: &mut Summary,
    ) -> Result<(), &'static str> {
        for option in Options::new(self.endian, options) {
            let (code, value) = option?;
            match code {
                option_code::EPB_DROPCOUNT => {
                    summary.dropped(self.endian.u64(value, 0).ok_or("a drop counter that is too short")?);
                }
                option_code::EPB_FLAGS => {
                    let flags = self.endian.u32(value, 0).ok_or("packet flags that are too short")?;
                    // Zero says that the length is not known here.
                    if let fcs_len @ 1.. = flags >> 5 & 0xf {
                        head.fcs_len = fcs_len as usize;
                    }
                    if flags & LINK_ERRORS != 0 {
                        return Err("a packet with an error of its link layer");
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A Simple Packet Block has neither time nor interface, and its captured length is whatever of
    /// the original length the snap length and the block leave.
    fn read_simple_packet(&self, at: u64, body: &[u8]) -> Result<Flawed, &'static str> {
        const SHORT: &str = "a simple packet block that is too short";
        const DATA: usize = 12;
        let original_len = self.endian.u32(body, 8).ok_or(SHORT)?;
        let room = body.len().checked_sub(DATA).ok_or(SHORT)?;
        let interface = self.interfaces.first();
        let snap_len = match interface {
            Some((_, found)) if found.snap_len != 0 => found.snap_len as usize,
            _ => usize::MAX,
        };
        let captured_len = (original_len as usize).min(snap_len).min(room);
        if captured_len > RECORD_BYTES_MAX {
            return Err("a simple packet block holds more than 262,144 bytes of packet");
        }
        let head = Head {
            interface: interface.map(|(number, _)| *number),
            link_type: interface.map(|(_, interface)| interface.link_type),
            fcs_len: interface.map_or(0, |(_, interface)| interface.fcs_len),
            time_ns: None,
            offset: at + count(DATA),
            captured_len,
            original_len: u64::from(original_len),
        };
        let flaw = interface.is_none().then_some("a simple packet before any interface was described");
        Ok((Some(head), flaw))
    }

    /// Statistics are written again and again, and each counts from the beginning.
    fn read_statistics(&mut self, body: &[u8], summary: &mut Summary) -> Result<(), &'static str> {
        const SHORT: &str = "an interface statistics block that is too short";
        let number = self.endian.u32(body, 8).ok_or(SHORT)? as usize;
        let mut dropped: u64 = 0;
        for option in Options::new(self.endian, body.get(20..).ok_or(SHORT)?) {
            let (code, value) = option?;
            if matches!(code, option_code::ISB_IFDROP | option_code::ISB_OSDROP) {
                let packets = self.endian.u64(value, 0).ok_or("a drop counter that is too short")?;
                dropped = dropped.saturating_add(packets);
            }
        }
        let Some((_, interface)) = self.interfaces.get_mut(number) else {
            summary.dropped(dropped);
            return Ok(());
        };
        summary.dropped(dropped.saturating_sub(interface.dropped));
        interface.dropped = interface.dropped.max(dropped);
        Ok(())
    }

    fn read_secrets(&self, body: &[u8], summary: &mut Summary) -> Result<(), &'static str> {
        const SHORT: &str = "a block of secrets that is too short";
        summary.secret_blocks += 1;
        let len = self.endian.u32(body, 12).ok_or(SHORT)? as usize;
        let secrets = body.get(16..).and_then(|rest| rest.get(..len)).ok_or(SHORT)?;
        if secrets::collect(secrets, &mut summary.key_log) {
            Ok(())
        } else {
            Err("more than 16 MiB of key log in the file; the rest was not read")
        }
    }
}

/// How a block is framed.
enum Frame {
    /// A block of this length, both copies of which agree.
    Whole(usize),
    /// What is wrong; with a length that leads to the next block all the same, if there is one.
    Flawed(Option<usize>, &'static str),
}

fn frame(endian: Endian, at: u64, window: &mut Window<'_>) -> io::Result<Frame> {
    const REST: &str = "a block with an impossible length; the rest of the file was not read";
    let Some(len) = endian.u32(window.get(at, FRAME_LEN)?, 4).map(|len| len as usize) else {
        return Ok(Frame::Flawed(None, "the file ends inside a block header"));
    };
    if len < FRAME_LEN || !len.is_multiple_of(4) {
        return Ok(Frame::Flawed(None, REST));
    }
    if len > BLOCK_BYTES_MAX {
        return Ok(Frame::Flawed(None, "a block claims more than 16 MiB; the rest of the file was not read"));
    }
    let block = window.get(at, len)?;
    if block.len() < len {
        return Ok(Frame::Flawed(None, "the file ends inside a block"));
    }
    if endian.u32(block, len - 4) == u32::try_from(len).ok() {
        return Ok(Frame::Whole(len));
    }
    if is_block(endian, at + count(len), window)? {
        return Ok(Frame::Flawed(Some(len), "the two lengths of a block differ; it was skipped"));
    }
    Ok(Frame::Flawed(None, "the two lengths of a block differ; the rest of the file was not read"))
}

/// Whether a whole block stands here.
fn is_block(endian: Endian, at: u64, window: &mut Window<'_>) -> io::Result<bool> {
    let start = window.get(at, FRAME_LEN)?;
    let endian = if array(start, 0) == Some(MAGIC) { section_endian(start) } else { Some(endian) };
    let Some((endian, len)) = endian.and_then(|endian| Some((endian, endian.u32(start, 4)? as usize))) else {
        return Ok(false);
    };
    if !(FRAME_LEN..=BLOCK_BYTES_MAX).contains(&len) || !len.is_multiple_of(4) {
        return Ok(false);
    }
    let block = window.get(at, len)?;
    Ok(endian.u32(block, len - 4) == u32::try_from(len).ok())
}

/// Enhanced and obsolete packet blocks differ in one field: the obsolete one has a 16-bit interface
/// number and a 16-bit drop counter where the newer one has 32 bits of interface number.
enum PacketLayout {
    Enhanced,
    Obsolete,
}
