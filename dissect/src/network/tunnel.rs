//! Packets in packets: IP in IP (RFC 2003, 4213), GRE (RFC 2784, 2890, 2637), VXLAN (RFC 7348) and GTP-U (3GPP
//! TS 29.281).
//!
//! Here a network packet leads back to the link layers: the one place where these modules use those above them,
//! bounded by [`Dissection::enter`].
//!
//! The two that ride in UDP are known by a port, which anybody may use: their headers must be exactly what a sender
//! of them writes, else the datagram is what it is without them.

use super::dissect;
use crate::bytes::Endian;
use crate::dissection::Dissection;
use crate::layout::Layout;
use crate::link::{ethernet, ethertype};
use crate::tree::Class;

pub(super) fn ip_in_ip(packet: &mut Dissection, body: &[u8]) {
    if packet.enter() {
        dissect(packet, body);
    }
}

const GRE: Layout<4> =
    Layout::new("GRE", "gre.short", Class::L4, &[("gre.flags_and_version", 2), ("gre.proto", 2)]);
/// The optional fields of GRE, each behind the one before: the flag that says it is there, name and length.
const GRE_OPTIONAL: [(u16, &str, usize); 4] = [
    (0x8000, "gre.checksum", 4),
    (0x2000, "gre.key", 4),
    (0x1000, "gre.sequence_number", 4),
    (0x0080, "gre.ack_number", 4),
];
/// Source routes, which RFC 2784 did away with.
const GRE_ROUTING: u16 = 0x4000;

pub(super) fn gre(packet: &mut Dissection, body: &[u8]) {
    let Some(header) = GRE.read(packet, body) else { return };
    let flags = u16::from_be_bytes([header[0], header[1]]);
    if flags & GRE_ROUTING != 0 {
        packet.unparsed("gre.routing", "GRE with source routes, which are obsolete");
        return;
    }
    for (flag, name, len) in GRE_OPTIONAL {
        if flags & flag == 0 {
            continue;
        }
        if packet.tree.len() + len > body.len() {
            packet.unparsed("gre.short", "the packet ends inside its GRE header");
            return;
        }
        packet.tree.push(name, Class::L4, len);
    }
    if packet.enter() {
        ethertype::dissect(packet, body, u16::from_be_bytes([header[2], header[3]]));
    }
}

const VXLAN_PORT: u16 = 4789;
const VXLAN: Layout<8> = Layout::new(
    "VXLAN",
    "vxlan.short",
    Class::L4,
    &[("vxlan.flags", 2), ("vxlan.gbp", 2), ("vxlan.vni", 3), ("vxlan.reserved8", 1)],
);
const GTP_U_PORT: u16 = 2152;
const GTP_U: Layout<8> = Layout::new(
    "GTP-U",
    "gtp.short",
    Class::L4,
    &[("gtp.flags", 1), ("gtp.message", 1), ("gtp.length", 2), ("gtp.teid", 4)],
);

/// Takes a tunnel in a UDP datagram apart; `false` when the datagram is none.
pub(super) fn in_udp(packet: &mut Dissection, datagram: &[u8], ports: [u16; 2]) -> bool {
    (ports.contains(&VXLAN_PORT) && vxlan(packet, datagram))
        || (ports.contains(&GTP_U_PORT) && gtp_u(packet, datagram))
}

/// RFC 7348, section 5: all bits but one flag and the network's number are zero.
fn vxlan(packet: &mut Dissection, datagram: &[u8]) -> bool {
    let Some([0x08, 0, 0, 0, _, _, _, 0]) = VXLAN.peek(packet, datagram) else { return false };
    let frame_type = Endian::Big.u16(datagram, packet.tree.len() + 8 + 12);
    if frame_type.is_none() {
        return false;
    }
    let _header = VXLAN.read(packet, datagram);
    if packet.enter() {
        ethernet::frame(packet, datagram);
    }
    true
}

/// TS 29.281, section 5.1: version 1, a packet of a user (message 255), and a length that fits.
fn gtp_u(packet: &mut Dissection, datagram: &[u8]) -> bool {
    const VERSION_ONE: u8 = 0x30;
    const OPTIONAL_FIELDS: u8 = 0x07;
    const EXTENSIONS: u8 = 0x04;
    const USER_PACKET: u8 = 255;
    let Some(header) = GTP_U.peek(packet, datagram) else { return false };
    let [flags, USER_PACKET, high, low, ..] = header else { return false };
    let start = packet.tree.len() + header.len();
    let end = start + usize::from(u16::from_be_bytes([high, low]));
    if flags & !OPTIONAL_FIELDS != VERSION_ONE || end != datagram.len() {
        return false;
    }
    let optional = if flags & OPTIONAL_FIELDS == 0 {
        Some(0)
    } else {
        gtp_optional_len(datagram, start, flags & EXTENSIONS != 0)
    };
    let Some(optional) = optional else { return false };
    if !datagram.get(start + optional).is_some_and(|first| matches!(first >> 4, 4 | 6)) {
        return false;
    }
    let _header = GTP_U.read(packet, datagram);
    packet.tree.push("gtp.optional", Class::L4, optional);
    ip_in_ip(packet, datagram);
    true
}

/// Sequence number, number and type of the next header: four bytes; each extension header tells its length in units
/// of four bytes first and the type of the next last.
fn gtp_optional_len(datagram: &[u8], start: usize, extended: bool) -> Option<usize> {
    let mut len = 4;
    while extended && *datagram.get(start + len - 1)? != 0 {
        let units = usize::from(*datagram.get(start + len)?);
        if units == 0 {
            return None;
        }
        len += units * 4;
    }
    Some(len)
}
