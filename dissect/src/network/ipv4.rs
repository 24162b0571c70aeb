//! The IPv4 header (RFC 791).

use std::net::Ipv4Addr;

use super::{fragment, protocol, set_addresses, transport};
use crate::dissection::{Dissection, Fragment};
use crate::layout::Layout;
use crate::tree::Class;

pub(super) const HEADER: Layout<20> = Layout::new(
    "IPv4",
    "ip.short",
    Class::L3,
    &[
        ("ip.version", 1),
        ("ip.dsfield", 1),
        ("ip.len", 2),
        ("ip.id", 2),
        ("ip.frag_offset", 2),
        ("ip.ttl", 1),
        ("ip.proto", 1),
        ("ip.checksum", 2),
        ("ip.src", 4),
        ("ip.dst", 4),
    ],
);
const MORE_FRAGMENTS: u16 = 0x2000;
const OFFSET: u16 = 0x1fff;

pub(super) fn dissect(packet: &mut Dissection, body: &[u8]) {
    let at = packet.tree.len();
    let Some(header) = HEADER.read(packet, body) else { return };
    let source = Ipv4Addr::new(header[12], header[13], header[14], header[15]);
    let destination = Ipv4Addr::new(header[16], header[17], header[18], header[19]);
    set_addresses(packet, source.into(), destination.into());
    let Some(options_len) = options(&header).filter(|len| at + HEADER_LEN + len <= body.len()) else {
        let len = usize::from(header[0] & 0x0f) * 4;
        packet.unparsed("ip.length", format!("an IPv4 header of {len} bytes"));
        return;
    };
    packet.tree.push("ip.options", Class::L3Ext, options_len);
    let total_len = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let end = if total_len == 0 {
        packet.note("ip.length-zero", "IPv4 length 0: cut into segments by the network card");
        body.len()
    } else {
        at + total_len
    };
    if end < packet.tree.len() {
        packet.unparsed("ip.length", format!("an IPv4 length of {total_len} bytes"));
        return;
    }
    let inner = packet.claim(body, end, "ip.length");
    let place = u16::from_be_bytes([header[6], header[7]]);
    if place & (MORE_FRAGMENTS | OFFSET) != 0 {
        let part = Fragment {
            id: u16::from_be_bytes([header[4], header[5]]).into(),
            protocol: header[9],
            offset: usize::from(place & OFFSET) * 8,
            more: place & MORE_FRAGMENTS != 0,
            data: packet.tree.len()..inner.len(),
            cut: packet.cut,
        };
        fragment(packet, inner, part);
        return;
    }
    let next = if header[9] == protocol::AUTHENTICATION {
        super::extension::authentication(packet, inner)
    } else {
        Some(header[9])
    };
    if let Some(next) = next {
        transport::dissect(packet, inner, next, end);
    }
}

const HEADER_LEN: usize = 20;

/// How many bytes of options a header has; `None` where it says that it is shorter than a header is.
pub(super) fn options(header: &[u8; HEADER_LEN]) -> Option<usize> {
    (usize::from(header[0] & 0x0f) * 4).checked_sub(HEADER_LEN)
}
