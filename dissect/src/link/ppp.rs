//! PPP (RFC 1661), in HDLC framing or not, Cisco's HDLC, and PPP over Ethernet (RFC 2516).

use super::{ethertype, mpls};
use crate::dissection::{Dissection, Protocol};
use crate::layout::Layout;
use crate::network;
use crate::tree::Class;

const FRAMING: Layout<2> =
    Layout::new("HDLC", "link.short", Class::L2, &[("ppp.address", 1), ("ppp.control", 1)]);
const CISCO: Layout<4> = Layout::new(
    "Cisco HDLC",
    "link.short",
    Class::L2,
    &[("chdlc.address", 1), ("chdlc.control", 1), ("chdlc.protocol", 2)],
);
const PROTOCOL: Layout<2> = Layout::new("PPP", "link.short", Class::L2, &[("ppp.protocol", 2)]);
/// RFC 1661, section 6.5: a protocol below 256 in one byte.
const COMPRESSED_PROTOCOL: Layout<1> = Layout::new("PPP", "link.short", Class::L2, &[("ppp.protocol", 1)]);
const PPPOE: Layout<6> = Layout::new(
    "PPPoE",
    "link.short",
    Class::L2,
    &[("pppoe.version", 1), ("pppoe.code", 1), ("pppoe.session_id", 2), ("pppoe.payload_length", 2)],
);

/// All stations, unnumbered information: RFC 1662, section 3.1.
const ALL_STATIONS: [u8; 2] = [0xff, 0x03];
/// The addresses Cisco's framing knows: unicast and multicast.
const CISCO_ADDRESSES: [u8; 2] = [0x0f, 0x8f];

/// Protocol numbers of PPP, from the IANA registry.
mod number {
    pub(super) const IPV4: u16 = 0x0021;
    pub(super) const IPV6: u16 = 0x0057;
    pub(super) const MPLS: [u16; 2] = [0x0281, 0x0283];
}

/// A PPP packet, with or without the address and control bytes of HDLC framing.
pub(crate) fn dissect(packet: &mut Dissection, body: &[u8]) {
    if FRAMING.peek(packet, body) == Some(ALL_STATIONS) {
        let _framing = FRAMING.read(packet, body);
    }
    let odd = COMPRESSED_PROTOCOL.peek(packet, body).is_some_and(|[first]| first & 1 == 1);
    let number = if odd {
        COMPRESSED_PROTOCOL.read(packet, body).map(|[number]| number.into())
    } else {
        PROTOCOL.read(packet, body).map(u16::from_be_bytes)
    };
    match number {
        Some(number::IPV4 | number::IPV6) => network::dissect(packet, body),
        Some(label) if number::MPLS.contains(&label) => mpls::dissect(packet, body),
        Some(other) => packet.carries(Protocol::Ppp(other), body),
        None => {}
    }
}

/// PPP in HDLC framing, or Cisco's framing, which has an EtherType in the place of a protocol number.
pub(super) fn hdlc(packet: &mut Dissection, body: &[u8]) {
    let first = body.get(packet.tree.len());
    if !first.is_some_and(|first| CISCO_ADDRESSES.contains(first)) {
        dissect(packet, body);
    } else if let Some(header) = CISCO.read(packet, body) {
        ethertype::dissect(packet, body, u16::from_be_bytes([header[2], header[3]]));
    }
}

/// PPP over Ethernet: a packet of its session stage, or the tags of its discovery stage.
pub(super) fn over_ethernet(packet: &mut Dissection, body: &[u8], session: bool) {
    let Some(header) = PPPOE.read(packet, body) else { return };
    let end = packet.tree.len() + usize::from(u16::from_be_bytes([header[4], header[5]]));
    let inner = packet.claim(body, end, "pppoe.length");
    if session {
        dissect(packet, inner);
    } else {
        packet.foreign(Protocol::Other, inner.len());
    }
}
