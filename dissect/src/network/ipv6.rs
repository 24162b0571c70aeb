//! The IPv6 header (RFC 8200), jumbograms (RFC 2675) included.

use std::net::Ipv6Addr;

use super::{extension, protocol, set_addresses, transport};
use crate::bytes::Endian;
use crate::dissection::Dissection;
use crate::layout::Layout;
use crate::tree::Class;

pub(super) const HEADER: Layout<40> = Layout::new(
    "IPv6",
    "ip.short",
    Class::L3,
    &[
        ("ipv6.version", 4),
        ("ipv6.plen", 2),
        ("ipv6.nxt", 1),
        ("ipv6.hlim", 1),
        ("ipv6.src", 16),
        ("ipv6.dst", 16),
    ],
);

pub(super) fn dissect(packet: &mut Dissection, body: &[u8]) {
    let Some(header) = HEADER.read(packet, body) else { return };
    let address = |at: usize| {
        let bytes = header.get(at..).and_then(|rest| rest.first_chunk::<16>());
        Ipv6Addr::from(bytes.copied().unwrap_or_default())
    };
    set_addresses(packet, address(8).into(), address(24).into());
    let next = header[6];
    let at = packet.tree.len();
    let end = match u16::from_be_bytes([header[4], header[5]]) {
        0 if next == protocol::NO_NEXT => at,
        0 => match jumbo_len(packet, body, next) {
            Some(len) => at.saturating_add(len),
            None => {
                let text = "IPv6 payload length 0: cut into segments by the network card";
                packet.note("ip.length-zero", text);
                body.len()
            }
        },
        len => at + usize::from(len),
    };
    let inner = packet.claim(body, end, "ip.length");
    if let Some(next) = extension::walk(packet, inner, next) {
        transport::dissect(packet, inner, next, end);
    }
}

/// RFC 2675, section 2: the length of a payload of more than 65,535 bytes is an option of the hop-by-hop header.
fn jumbo_len(packet: &Dissection, body: &[u8], next: u8) -> Option<usize> {
    const JUMBO_PAYLOAD: u8 = 0xc2;
    const PAD_ONE: u8 = 0;
    if next != protocol::HOP_BY_HOP {
        return None;
    }
    let start = packet.tree.len();
    let len = (usize::from(*body.get(start + 1)?) + 1) * 8;
    let options = body.get(start + 2..start + len)?;
    let mut at = 0;
    loop {
        match options.get(at..)? {
            [PAD_ONE, ..] => at += 1,
            [JUMBO_PAYLOAD, 4, ..] => {
                let len = Endian::Big.u32(options, at + 2)?;
                return usize::try_from(len).ok().filter(|len| *len > usize::from(u16::MAX));
            }
            [_, len, ..] => at += 2 + usize::from(*len),
            _ => return None,
        }
    }
}
