//! The classic pcap format: microseconds or nanoseconds, either byte order, and its older relatives.
//!
//! * `a1b2cd34`, "modified" by A. Kuznetsov: record headers are eight bytes longer;
//! * `1c0001ab` and `1c0001ac`, Ixia's `lcap` of software and hardware: the file header is four bytes longer;
//! * versions before 2.4: the two lengths of a record stand the other way round (libpcap, `sf-pcap.c`).

use std::io;

use super::{Clock, Head, Interface, RECORD_BYTES_MAX, Step, Summary};
use crate::bytes::{Endian, count};
use crate::source::Window;

/// Length of the longest file header, in bytes.
pub(super) const HEADER_LEN_MAX: usize = 28;
const HEADER_LEN: usize = 24;
const RECORD_HEADER_LEN: usize = 16;
/// "Modified" records add an interface index, a protocol and a packet type.
const MODIFIED_RECORD_HEADER_LEN: usize = 24;
const VERSION_MAJOR: u16 = 2;
/// Bits beside the link type that mean nothing yet. (Above them stands the length of the check sequence.)
const RESERVED: u32 = 0x03ff_0000;
/// Set when the top four bits of the link type hold the length of the frame check sequence, in units of two bytes.
const FCS_PRESENT: u32 = 0x0400_0000;

/// What the first four bytes of a file tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    pub(super) endian: Endian,
    header_len: usize,
    record_header_len: usize,
    clock: Clock,
}

impl Dialect {
    /// The dialect of a file that begins with these bytes.
    pub(super) fn of(magic: [u8; 4]) -> Option<Self> {
        let in_order = |endian, magic| {
            let (header_len, record_header_len, clock) = match magic {
                0xa1b2_c3d4 => (HEADER_LEN, RECORD_HEADER_LEN, Clock::MICROSECONDS),
                0xa1b2_3c4d => (HEADER_LEN, RECORD_HEADER_LEN, Clock::NANOSECONDS),
                0xa1b2_cd34 => (HEADER_LEN, MODIFIED_RECORD_HEADER_LEN, Clock::MICROSECONDS),
                0x1c00_01ab => (HEADER_LEN_MAX, RECORD_HEADER_LEN, Clock::MICROSECONDS),
                0x1c00_01ac => (HEADER_LEN_MAX, RECORD_HEADER_LEN, Clock::NANOSECONDS),
                _ => return None,
            };
            Some(Self { endian, header_len, record_header_len, clock })
        };
        in_order(Endian::Little, u32::from_le_bytes(magic))
            .or_else(|| in_order(Endian::Big, u32::from_be_bytes(magic)))
    }
}

/// How the records of a file are laid out.
#[derive(Debug)]
pub(super) struct Layout {
    dialect: Dialect,
    version_minor: u16,
    link_type: u16,
    fcs_len: usize,
}

impl Layout {
    /// Reads the file header; the offset of the first record, if it is whole.
    pub(super) fn read(start: &[u8], summary: &mut Summary) -> (Self, Option<u64>) {
        let dialect = start.first_chunk().and_then(|magic| Dialect::of(*magic));
        let clock = Clock::MICROSECONDS;
        let none =
            Dialect { endian: Endian::Little, header_len: 0, record_header_len: RECORD_HEADER_LEN, clock };
        let mut layout =
            Self { dialect: dialect.unwrap_or(none), version_minor: 0, link_type: 0, fcs_len: 0 };
        if start.is_empty() {
            summary.damaged(0, "the file is empty");
            return (layout, None);
        }
        summary.sections = 1;
        if layout.read_header(start, summary).is_none() || start.len() < layout.dialect.header_len {
            summary.damaged(0, "the file ends inside its header");
            return (layout, None);
        }
        let first = count(layout.dialect.header_len);
        (layout, Some(first))
    }

    fn read_header(&mut self, start: &[u8], summary: &mut Summary) -> Option<()> {
        let Dialect { endian, clock, .. } = self.dialect;
        let (major, minor) = (endian.u16(start, 4)?, endian.u16(start, 6)?);
        let (snap_len, network) = (endian.u32(start, 16)?, endian.u32(start, 20)?);
        if major != VERSION_MAJOR {
            summary.damaged(4, "a capture of a version that is not known");
        }
        if network & RESERVED != 0 {
            summary.damaged(20, "reserved bits of the link type are set");
        }
        self.version_minor = minor;
        self.link_type = (network & 0xffff).try_into().ok()?;
        self.fcs_len = if network & FCS_PRESENT == 0 { 0 } else { (2 * (network >> 28)).try_into().ok()? };
        let (link_type, fcs_len) = (self.link_type, self.fcs_len);
        summary.described(&Interface { link_type, snap_len, name: None, fcs_len, clock, dropped: 0 });
        Some(())
    }

    /// The record at `at`. Without a block length there is no way to find the next one behind damage.
    pub(super) fn step(&self, at: u64, window: &mut Window<'_>, summary: &mut Summary) -> io::Result<Step> {
        let header = window.get(at, self.dialect.record_header_len)?;
        if header.is_empty() {
            return Ok(Step::default());
        }
        let head = match self.head(at, header) {
            Some(head) if head.captured_len > RECORD_BYTES_MAX => {
                summary.damaged(
                    at,
                    "a record claims more than 262,144 bytes; the rest of the file was not read",
                );
                return Ok(Step::default());
            }
            Some(head) => head,
            None => {
                summary.damaged(at, "the file ends inside a record header");
                return Ok(Step::default());
            }
        };
        if window.get(head.offset, head.captured_len)?.len() < head.captured_len {
            summary.damaged(at, "the file ends inside a packet");
            return Ok(Step::default());
        }
        if head.original_len < count(head.captured_len) {
            summary.damaged(at, "a packet that was captured longer than it was");
        }
        Ok(Step { head: Some(head), next: Some(head.offset + count(head.captured_len)) })
    }

    fn head(&self, at: u64, header: &[u8]) -> Option<Head> {
        let Dialect { endian, clock, record_header_len, .. } = self.dialect;
        if header.len() < record_header_len {
            return None;
        }
        let field = |offset| endian.u32(header, offset);
        let (seconds, fraction) = (field(0)?, field(4)?);
        let (mut captured_len, mut original_len) = (field(8)?, field(12)?);
        if self.version_minor < 3 || (self.version_minor == 3 && captured_len > original_len) {
            std::mem::swap(&mut captured_len, &mut original_len);
        }
        let time_ns = i128::from(seconds) * 1_000_000_000 + clock.nanoseconds(u64::from(fraction));
        Some(Head {
            interface: Some(0),
            link_type: Some(self.link_type),
            fcs_len: self.fcs_len,
            time_ns: Some(time_ns),
            offset: at + count(record_header_len),
            captured_len: captured_len as usize,
            original_len: u64::from(original_len),
        })
    }
}
