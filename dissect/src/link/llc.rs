//! IEEE 802.2 logical link control: its SNAP header leads on to an EtherType.

use super::ethertype;
use crate::dissection::{Dissection, Protocol};
use crate::layout::Layout;
use crate::tree::Class;

const SNAP: Layout<8> = Layout::new(
    "SNAP",
    "link.short",
    Class::L2,
    &[("llc.dsap", 1), ("llc.ssap", 1), ("llc.control", 1), ("llc.oui", 3), ("llc.type", 2)],
);
/// RFC 1042, and IEEE 802.1H, which bridges use for some protocols.
const ENCAPSULATED_ETHERNET: [[u8; 6]; 2] = [[0xaa, 0xaa, 3, 0, 0, 0], [0xaa, 0xaa, 3, 0, 0, 0xf8]];

/// Takes apart what stands behind an 802.3 length, or in an 802.11 frame.
pub(super) fn dissect(packet: &mut Dissection, body: &[u8]) {
    let snap = |header: &[u8; 8]| ENCAPSULATED_ETHERNET.iter().any(|start| header.starts_with(start));
    match SNAP.peek(packet, body).filter(snap) {
        Some(header) if packet.enter() => {
            let _header = SNAP.read(packet, body);
            ethertype::dissect(packet, body, u16::from_be_bytes([header[6], header[7]]));
        }
        Some(_) => {}
        None => packet.carries(Protocol::Llc, body),
    }
}
