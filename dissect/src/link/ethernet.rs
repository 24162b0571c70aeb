//! Ethernet II and IEEE 802.3, with any number of VLAN tags.

use super::{ethertype, llc};
use crate::dissection::Dissection;
use crate::layout::Layout;
use crate::tree::Class;

const TYPED: Layout<14> =
    Layout::new("Ethernet", "link.short", Class::L2, &[("eth.dst", 6), ("eth.src", 6), ("eth.type", 2)]);
const SIZED: Layout<14> =
    Layout::new("Ethernet", "link.short", Class::L2, &[("eth.dst", 6), ("eth.src", 6), ("eth.len", 2)]);
/// A type field up to this value is a length (IEEE 802.3), and an LLC header follows.
const LENGTH_MAX: u16 = 1500;

/// An Ethernet frame up to the end of `body`.
pub(crate) fn frame(packet: &mut Dissection, body: &[u8]) {
    let sized = TYPED.peek(packet, body).is_some_and(|header| type_of(&header) <= LENGTH_MAX);
    let layout = if sized { &SIZED } else { &TYPED };
    let Some(header) = layout.read(packet, body) else { return };
    typed_or_sized(packet, body, type_of(&header));
}

/// What follows a field that is a type or a length: that of a frame, or that of its last VLAN tag.
pub(super) fn typed_or_sized(packet: &mut Dissection, body: &[u8], value: u16) {
    if value > LENGTH_MAX {
        ethertype::dissect(packet, body, value);
        return;
    }
    let end = packet.tree.len() + usize::from(value);
    let inner = packet.claim(body, end, "eth.len");
    llc::dissect(packet, inner);
}

fn type_of(header: &[u8; 14]) -> u16 {
    u16::from_be_bytes([header[12], header[13]])
}
