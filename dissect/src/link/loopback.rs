//! The loopback interfaces of the BSDs: four bytes of address family before the packet.

use super::ethertype;
use crate::dissection::{Dissection, Protocol};
use crate::layout::Layout;
use crate::network;
use crate::tree::Class;

const FAMILY: Layout<4> = Layout::new("loopback", "link.short", Class::L2, &[("null.family", 4)]);
/// AF_INET, and what AF_INET6 is on Linux, Windows, NetBSD and OpenBSD, FreeBSD, and macOS.
const FAMILIES: [u32; 6] = [2, 10, 23, 24, 28, 30];

/// The family stands in the byte order of the machine that captured, or of the network; some programs
/// write an EtherType instead. Other families are other protocols.
pub(super) fn dissect(packet: &mut Dissection, body: &[u8]) {
    let Some(header) = FAMILY.read(packet, body) else { return };
    let is_ethertype = |value: u32| u16::try_from(value).is_ok_and(ethertype::is_ip);
    let is_ip = |value: u32| FAMILIES.contains(&value) || is_ethertype(value);
    let [.., third, fourth] = header.map(u32::from);
    let whole = [u32::from_le_bytes(header), u32::from_be_bytes(header)];
    let second_half = [third << 8 | fourth, fourth << 8 | third];
    if whole.into_iter().any(is_ip) || second_half.into_iter().any(is_ethertype) {
        network::dissect(packet, body);
    } else {
        packet.carries(Protocol::Other, body);
    }
}
