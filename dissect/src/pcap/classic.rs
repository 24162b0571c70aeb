//! The classic pcap format: microseconds or nanoseconds, either byte order, and the old "modified"
//! format whose record headers are eight bytes longer.

use super::{Capture, Clock, Format, Interface, RECORD_LIMIT, ReadError, Record};
use crate::bytes::{Endian, count};

const HEADER_LEN: usize = 24;
const RECORD_HEADER_LEN: usize = 16;
/// "Modified" records add an interface index, a protocol and a packet type.
const MODIFIED_RECORD_HEADER_LEN: usize = 24;
const MAGIC_MODIFIED: u32 = 0xa1b2_cd34;
const MAGIC_MICROSECONDS: u32 = 0xa1b2_c3d4;
const MAGIC_NANOSECONDS: u32 = 0xa1b2_3c4d;
const VERSION_MAJOR: u16 = 2;
/// Bits beside the link type that mean nothing yet. (Above them stands the length of the check sequence.)
const RESERVED: u32 = 0x03ff_0000;
/// Set when the top four bits of the link type hold the length of the frame check sequence.
const FCS_PRESENT: u32 = 0x0400_0000;

/// Whether the first four bytes of a file are those of a classic capture.
pub(super) fn is_magic(magic: [u8; 4]) -> bool {
    dialect(magic).is_some()
}

pub(super) fn parse(bytes: Vec<u8>) -> Result<Capture, ReadError> {
    let start = bytes.first_chunk::<4>().copied().unwrap_or_default();
    let Some((endian, magic)) = dialect(start) else {
        return Err(ReadError::NotACapture(start.to_vec()));
    };
    let mut capture = Capture::new(bytes, Format::Pcap, endian);
    capture.sections = 1;
    if let Some(what) = oddity(&capture.bytes, endian) {
        capture.damaged(4, what);
    }
    match interface(&capture.bytes, endian, magic) {
        Some(interface) => capture.interfaces.push(interface),
        None => {
            capture.damaged(0, "the file ends inside its header");
            return Ok(capture);
        }
    }
    let header_len = if magic == MAGIC_MODIFIED { MODIFIED_RECORD_HEADER_LEN } else { RECORD_HEADER_LEN };
    let mut at = HEADER_LEN;
    while at < capture.bytes.len() {
        match next_record(&capture, at, header_len) {
            Ok(record) => {
                if record.original_len < count(record.data.len()) {
                    capture.damaged(at, "a packet that was captured longer than it was");
                }
                at = record.data.end;
                capture.records.push(record);
            }
            // Without a block length there is no way to find the next record.
            Err(what) => {
                capture.damaged(at, what);
                break;
            }
        }
    }
    Ok(capture)
}

fn dialect(magic: [u8; 4]) -> Option<(Endian, u32)> {
    let known = |value| matches!(value, MAGIC_MICROSECONDS | MAGIC_NANOSECONDS | MAGIC_MODIFIED);
    let (little, big) = (u32::from_le_bytes(magic), u32::from_be_bytes(magic));
    if known(little) {
        Some((Endian::Little, little))
    } else if known(big) {
        Some((Endian::Big, big))
    } else {
        None
    }
}

/// What makes the file header another format than the one that is read here.
fn oddity(bytes: &[u8], endian: Endian) -> Option<&'static str> {
    if endian.u16(bytes, 4)? != VERSION_MAJOR {
        return Some("a capture of a version that is not known");
    }
    let reserved = endian.u32(bytes, 20)? & RESERVED;
    (reserved != 0).then_some("reserved bits of the link type are set")
}

fn interface(bytes: &[u8], endian: Endian, magic: u32) -> Option<Interface> {
    let mut header = crate::bytes::array::<HEADER_LEN>(bytes, 0)?;
    if magic == MAGIC_MODIFIED {
        // pcap-parser knows this dialect in one byte order only; its header is the ordinary one.
        let ordinary = match endian {
            Endian::Little => MAGIC_MICROSECONDS.to_le_bytes(),
            Endian::Big => MAGIC_MICROSECONDS.to_be_bytes(),
        };
        header[..4].copy_from_slice(&ordinary);
    }
    let (_, header) = pcap_parser::parse_pcap_header(&header).ok()?;
    let network = header.network.0.cast_unsigned();
    let fcs_len = if network & FCS_PRESENT == 0 { 0 } else { 2 * (network >> 28) };
    Some(Interface {
        link_type: (network & 0xffff).try_into().ok()?,
        snap_len: header.snaplen,
        name: None,
        fcs_len: fcs_len.try_into().ok()?,
        clock: if magic == MAGIC_NANOSECONDS { Clock::NANOSECONDS } else { Clock::MICROSECONDS },
    })
}

fn next_record(capture: &Capture, at: usize, header_len: usize) -> Result<Record, &'static str> {
    const CUT: &str = "the file ends inside a record header";
    let field = |offset| capture.endian.u32(&capture.bytes, at + offset).ok_or(CUT);
    let (seconds, fraction) = (field(0)?, field(4)?);
    let captured_len = field(8)? as usize;
    let original_len = u64::from(field(12)?);
    if captured_len > RECORD_LIMIT {
        return Err("a record claims more than 262,144 bytes; the rest of the file was not read");
    }
    let start = at + header_len;
    let end = start + captured_len;
    if end > capture.bytes.len() {
        return Err("the file ends inside a packet");
    }
    let clock = capture.interfaces.first().map_or(Clock::MICROSECONDS, |interface| interface.clock);
    let whole = i128::from(seconds) * 1_000_000_000;
    Ok(Record {
        interface: Some(0),
        time_ns: Some(whole + clock.nanoseconds(u64::from(fraction))),
        data: start..end,
        original_len,
    })
}
