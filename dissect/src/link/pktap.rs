//! What macOS writes when it captures on all interfaces at once: the process that sent a packet, and the packet of
//! any link type.

use super::by_type;
use crate::bytes::Endian;
use crate::dissection::Dissection;
use crate::layout::Layout;
use crate::tree::Class;

/// XNU, bsd/net/pktap.h; numbers are little-endian.
const HEADER: Layout<12> = Layout::new(
    "PKTAP",
    "link.short",
    Class::L2,
    &[("pktap.hdrlen", 4), ("pktap.rectype", 4), ("pktap.dlt", 4)],
);

pub(super) fn dissect(packet: &mut Dissection, body: &[u8]) {
    let Some(header) = HEADER.read(packet, body) else { return };
    let number = |at| Endian::Little.u32(&header, at).unwrap_or(u32::MAX);
    let len = usize::try_from(number(0)).unwrap_or(usize::MAX);
    let rest = len.checked_sub(header.len()).filter(|rest| *rest <= body.len() - packet.tree.len());
    let Some(rest) = rest else {
        packet.unparsed("pktap.length", format!("a PKTAP header of {len} bytes"));
        return;
    };
    packet.tree.push("pktap.fields", Class::L2, rest);
    if packet.enter() {
        by_type(packet, body, u16::try_from(number(8)).unwrap_or(u16::MAX));
    }
}
