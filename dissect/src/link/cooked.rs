//! What Linux writes when it captures on all interfaces at once.

use super::{ethertype, llc};
use crate::dissection::Dissection;
use crate::layout::Layout;
use crate::tree::Class;

const V1: Layout<16> = Layout::new(
    "Linux cooked",
    "link.short",
    Class::L2,
    &[("sll.pkttype", 2), ("sll.hatype", 2), ("sll.halen", 2), ("sll.src.eth", 8), ("sll.etype", 2)],
);
const V2: Layout<20> = Layout::new(
    "Linux cooked v2",
    "link.short",
    Class::L2,
    &[
        ("sll.etype", 2),
        ("sll.reserved", 2),
        ("sll.ifindex", 4),
        ("sll.hatype", 2),
        ("sll.pkttype", 1),
        ("sll.halen", 1),
        ("sll.src.eth", 8),
    ],
);
/// What stands in the place of an EtherType before an 802.2 header.
const LLC: u16 = 4;

pub(super) fn v1(packet: &mut Dissection, body: &[u8]) {
    if let Some(header) = V1.read(packet, body) {
        carried(packet, body, u16::from_be_bytes([header[14], header[15]]));
    }
}

pub(super) fn v2(packet: &mut Dissection, body: &[u8]) {
    if let Some(header) = V2.read(packet, body) {
        carried(packet, body, u16::from_be_bytes([header[0], header[1]]));
    }
}

fn carried(packet: &mut Dissection, body: &[u8], protocol: u16) {
    match protocol {
        LLC => llc::dissect(packet, body),
        ethertype => ethertype::dissect(packet, body, ethertype),
    }
}
