//! What radios write before an 802.11 frame: radiotap, Prism, AVS, and per-packet information.

use super::wlan;
use crate::bytes::Endian;
use crate::dissection::Dissection;
use crate::layout::Layout;
use crate::tree::Class;

const FCS_LEN: usize = 4;

/// <https://www.radiotap.org>: a header whose bit masks say which fields follow.
const RADIOTAP: Layout<8> = Layout::new(
    "radiotap",
    "link.short",
    Class::L2,
    &[("radiotap.version", 1), ("radiotap.pad", 1), ("radiotap.length", 2), ("radiotap.present", 4)],
);
/// The bits of the mask for a time stamp, for flags, and for another mask.
mod present {
    pub(super) const TIME: u32 = 1;
    pub(super) const FLAGS: u32 = 1 << 1;
    pub(super) const MORE: u32 = 1 << 31;
}
/// The flags for a frame check sequence at the end and for padding behind the 802.11 header.
mod flag {
    pub(super) const FCS: u8 = 0x10;
    pub(super) const PADDED: u8 = 0x20;
}

pub(super) fn radiotap(packet: &mut Dissection, body: &[u8]) {
    let start = packet.tree.len();
    let Some(header) = RADIOTAP.read(packet, body) else { return };
    let len = usize::from(u16::from_le_bytes([header[2], header[3]]));
    let fields = body.get(start..start + len).filter(|fields| fields.len() >= header.len());
    let Some(fields) = fields else {
        packet.unparsed("radiotap.length", format!("a radiotap header of {len} bytes"));
        return;
    };
    packet.tree.push("radiotap.fields", Class::L2, len - header.len());
    let flags = radiotap_flags(fields).unwrap_or(0);
    let frame = if flags & flag::FCS == 0 { body } else { without_fcs(packet, body) };
    wlan::frame(packet, frame, flags & flag::PADDED != 0);
}

/// The flags stand behind all masks and, on a multiple of eight bytes, the time stamp.
fn radiotap_flags(header: &[u8]) -> Option<u8> {
    let first = Endian::Little.u32(header, 4)?;
    if first & present::FLAGS == 0 {
        return None;
    }
    let mut at = 4;
    while Endian::Little.u32(header, at)? & present::MORE != 0 {
        at += 4;
    }
    at += 4;
    if first & present::TIME != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    header.get(at).copied()
}

/// The frame check sequence is looked at when the whole frame is closed.
fn without_fcs<'a>(packet: &Dissection, body: &'a [u8]) -> &'a [u8] {
    let end = body.len().saturating_sub(FCS_LEN).max(packet.tree.len());
    body.get(..end).unwrap_or(body)
}

/// AVS begins with this, and its numbers are in network byte order.
const AVS_MAGIC: u32 = 0x8021_1000;
const PRISM: Layout<8> =
    Layout::new("Prism", "link.short", Class::L2, &[("prism.msgcode", 4), ("prism.msglen", 4)]);
const AVS: Layout<8> =
    Layout::new("AVS", "link.short", Class::L2, &[("wlancap.magic", 4), ("wlancap.length", 4)]);

/// Prism's header, in the byte order of the machine that captured, or the AVS one that replaced it.
pub(super) fn prism(packet: &mut Dissection, body: &[u8]) {
    let start = packet.tree.len();
    let is_avs = Endian::Big.u32(body, start).is_some_and(|magic| magic & 0xffff_f000 == AVS_MAGIC);
    let layout = if is_avs { &AVS } else { &PRISM };
    let Some(header) = layout.read(packet, body) else { return };
    let order = if is_avs || header[0] == 0 { Endian::Big } else { Endian::Little };
    let len = order.u32(&header, 4).and_then(|len| usize::try_from(len).ok()).unwrap_or(usize::MAX);
    let rest = len.checked_sub(header.len()).filter(|rest| *rest <= body.len() - packet.tree.len());
    let Some(rest) = rest else {
        packet.unparsed("prism.length", format!("a radio header of {len} bytes"));
        return;
    };
    packet.tree.push(if is_avs { "wlancap.fields" } else { "prism.fields" }, Class::L2, rest);
    wlan::frame(packet, body, false);
}

/// CACE's per-packet information: records of type, length and value, then a packet of any link type.
const PPI: Layout<8> = Layout::new(
    "per-packet information",
    "link.short",
    Class::L2,
    &[("ppi.version", 1), ("ppi.flags", 1), ("ppi.length", 2), ("ppi.dlt", 4)],
);
/// The record about an 802.11 frame, where its flags stand in it, and the one for a frame check sequence.
const PPI_COMMON: u16 = 2;
const PPI_COMMON_FLAGS: usize = 8;
const PPI_FCS: u16 = 1;

pub(super) fn ppi(packet: &mut Dissection, body: &[u8]) {
    let start = packet.tree.len();
    let Some(header) = PPI.read(packet, body) else { return };
    let len = usize::from(u16::from_le_bytes([header[2], header[3]]));
    let records = body.get(start..start + len).and_then(|all| all.get(header.len()..));
    let Some(records) = records else {
        packet.unparsed("ppi.length", format!("a per-packet information header of {len} bytes"));
        return;
    };
    packet.tree.push("ppi.fields", Class::L2, records.len());
    let frame = if ppi_has_fcs(records) { without_fcs(packet, body) } else { body };
    let link_type = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
    if packet.enter() {
        super::by_type(packet, frame, u16::try_from(link_type).unwrap_or(u16::MAX));
    }
}

fn ppi_has_fcs(records: &[u8]) -> bool {
    let mut at = 0;
    while let (Some(kind), Some(len)) = (Endian::Little.u16(records, at), Endian::Little.u16(records, at + 2))
    {
        at += 4;
        if kind == PPI_COMMON {
            return Endian::Little
                .u16(records, at + PPI_COMMON_FLAGS)
                .is_some_and(|flags| flags & PPI_FCS != 0);
        }
        at += usize::from(len);
    }
    false
}
