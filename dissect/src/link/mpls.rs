//! MPLS (RFC 3032): a stack of labels, and nothing that says what is below it but the first nibble.

use super::{ethernet, ethertype};
use crate::bytes::Endian;
use crate::dissection::{Dissection, Protocol};
use crate::layout::Layout;
use crate::network;
use crate::tree::Class;

const LABEL: Layout<4> = Layout::new("MPLS", "link.short", Class::L2, &[("mpls.label", 4)]);
/// RFC 4448, section 4.6.
const CONTROL_WORD: Layout<4> =
    Layout::new("pseudowire", "link.short", Class::L2, &[("pwethcw.sequence_number", 4)]);
const BOTTOM_OF_STACK: u8 = 1;

/// A label stack and what is under it: IP by its version, or the Ethernet frame of a pseudowire (RFC 4448), known
/// by its EtherType, with a control word or without.
pub(super) fn dissect(packet: &mut Dissection, body: &[u8]) {
    loop {
        let Some(label) = LABEL.read(packet, body) else { return };
        if label[2] & BOTTOM_OF_STACK != 0 {
            break;
        }
    }
    let at = packet.tree.len();
    let is_frame = |start: usize| Endian::Big.u16(body, start + 12).is_some_and(ethertype::is_known);
    match body.get(at).map(|first| first >> 4) {
        Some(4 | 6) => network::dissect(packet, body),
        Some(0) if is_frame(at + 4) => {
            let _word = CONTROL_WORD.read(packet, body);
            if packet.enter() {
                ethernet::frame(packet, body);
            }
        }
        _ if is_frame(at) => {
            if packet.enter() {
                ethernet::frame(packet, body);
            }
        }
        _ => packet.carries(Protocol::Other, body),
    }
}
