//! Extension headers of IPv6 (RFC 8200, section 4), and the authentication header of both (RFC 4302).

use super::{fragment, protocol};
use crate::bytes::array;
use crate::dissection::{Dissection, Fragment};
use crate::layout::Layout;
use crate::tree::Class;

const FRAGMENT: Layout<8> = Layout::new(
    "IPv6 fragment",
    "ip.extension",
    Class::L3Ext,
    &[
        ("ipv6.fraghdr.nxt", 1),
        ("ipv6.fraghdr.reserved_octet", 1),
        ("ipv6.fraghdr.offset", 2),
        ("ipv6.fraghdr.ident", 4),
    ],
);
const MORE_FRAGMENTS: u16 = 1;
const OFFSET: u16 = 0xfff8;

/// Walks the extension headers; the protocol behind them, or `None` when the walk ended early.
pub(super) fn walk(packet: &mut Dissection, body: &[u8], first: u8) -> Option<u8> {
    let mut next = first;
    loop {
        next = match next {
            protocol::FRAGMENT => part(packet, body)?,
            protocol::AUTHENTICATION => authentication(packet, body)?,
            protocol::HOP_BY_HOP => sized(packet, body, "ipv6.hopopts")?,
            protocol::ROUTING => sized(packet, body, "ipv6.routing")?,
            protocol::DESTINATION => sized(packet, body, "ipv6.dstopts")?,
            protocol::MOBILITY => sized(packet, body, "mipv6")?,
            protocol::HIP => sized(packet, body, "hip")?,
            protocol::SHIM6 => sized(packet, body, "shim6")?,
            other => return Some(other),
        };
    }
}

/// RFC 4302, section 2.2: the length counts units of four bytes beyond the second.
pub(super) fn authentication(packet: &mut Dissection, body: &[u8]) -> Option<u8> {
    extension(packet, body, "ah", |len| (len + 2) * 4)
}

/// The length counts units of eight bytes beyond the first.
fn sized(packet: &mut Dissection, body: &[u8], name: &'static str) -> Option<u8> {
    extension(packet, body, name, |len| (len + 1) * 8)
}

fn extension(
    packet: &mut Dissection,
    body: &[u8],
    name: &'static str,
    bytes: impl Fn(usize) -> usize,
) -> Option<u8> {
    let at = packet.tree.len();
    let Some([following, units]) = array::<2>(body, at) else {
        packet.unparsed("ip.extension", "the packet ends inside an extension header");
        return None;
    };
    let len = bytes(units.into());
    if at + len > body.len() {
        packet.unparsed("ip.extension", "an extension header longer than its packet");
        return None;
    }
    packet.tree.push(name, Class::L3Ext, len);
    Some(following)
}

/// The header of a fragment. One that is all there is to its packet (an atomic fragment, RFC 6946) is passed over.
fn part(packet: &mut Dissection, body: &[u8]) -> Option<u8> {
    let header = FRAGMENT.read(packet, body)?;
    let place = u16::from_be_bytes([header[2], header[3]]);
    if place & (MORE_FRAGMENTS | OFFSET) == 0 {
        return Some(header[0]);
    }
    let part = Fragment {
        id: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
        protocol: header[0],
        offset: usize::from(place & OFFSET),
        more: place & MORE_FRAGMENTS != 0,
        data: packet.tree.len()..body.len(),
        cut: packet.cut,
    };
    fragment(packet, body, part);
    None
}
