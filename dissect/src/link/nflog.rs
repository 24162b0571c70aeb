//! What the log of Linux' packet filter writes: a header, and records of type, length and value, one of which
//! holds the packet.

use crate::bytes::Endian;
use crate::dissection::{Dissection, Protocol};
use crate::layout::Layout;
use crate::network;
use crate::tree::Class;

const HEADER: Layout<4> = Layout::new(
    "netfilter log",
    "link.short",
    Class::L2,
    &[("nflog.family", 1), ("nflog.version", 1), ("nflog.resource_id", 2)],
);
const RECORD: Layout<4> = Layout::new(
    "netfilter record",
    "link.short",
    Class::L2,
    &[("nflog.tlv_length", 2), ("nflog.tlv_type", 2)],
);
const RECORD_HEADER_LEN: usize = 4;
/// Records begin at multiples of this many bytes.
const ALIGNMENT: usize = 4;
/// The record that holds the packet: NFULA_PAYLOAD of linux/netfilter/nfnetlink_log.h.
const PAYLOAD: u16 = 9;
/// AF_INET and AF_INET6 of Linux.
const IP_FAMILIES: [u8; 2] = [2, 10];

/// Walks the records; what is no packet is the capturing machine's own account, and counts as link layer.
pub(super) fn dissect(packet: &mut Dissection, body: &[u8]) {
    let Some([family, ..]) = HEADER.read(packet, body) else { return };
    let order = byte_order(body, packet.tree.len());
    let mut seen = false;
    while packet.tree.len() < body.len() {
        let Some([a, b, c, d]) = RECORD.read(packet, body) else { return };
        let (len, kind) = match order {
            Endian::Little => (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])),
            Endian::Big => (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])),
        };
        let Some(len) = usize::from(len).checked_sub(RECORD_HEADER_LEN) else {
            packet.unparsed("nflog.length", format!("a netfilter record of {len} bytes"));
            return;
        };
        let end = packet.tree.len() + len;
        let value = packet.claim(body, end, "nflog.length");
        match kind {
            PAYLOAD if seen => {
                packet.unparsed("nflog.packets", "a second packet in one netfilter log");
                return;
            }
            PAYLOAD if IP_FAMILIES.contains(&family) => network::dissect(packet, value),
            PAYLOAD => packet.carries(Protocol::Other, value),
            _ => {
                packet.tree.push("nflog.tlv_value", Class::L2, value.len().saturating_sub(packet.tree.len()))
            }
        }
        seen |= kind == PAYLOAD;
        packet.close(value.len());
        let padding = end.next_multiple_of(ALIGNMENT).min(body.len()).saturating_sub(packet.tree.len());
        packet.tree.push("nflog.padding", Class::L2Trailer, padding);
    }
}

/// The numbers stand in the byte order of the machine that captured: the one in which the records end where the
/// packet does.
fn byte_order(body: &[u8], start: usize) -> Endian {
    let fits = |order: Endian| {
        let mut at = start;
        while at < body.len() {
            match order.u16(body, at).map(usize::from) {
                Some(len) if len >= RECORD_HEADER_LEN => at = (at + len).next_multiple_of(ALIGNMENT),
                _ => return false,
            }
        }
        at < body.len() + ALIGNMENT
    };
    if !fits(Endian::Little) && fits(Endian::Big) { Endian::Big } else { Endian::Little }
}
