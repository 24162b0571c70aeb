//! IPv4, IPv6 and UDP, read leniently where captures of sound traffic need it (a zero length where
//! the network card cuts the segments) and strictly where a lie could hide bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::bytes::{Endian, array};
use crate::dissection::{Dissection, Endpoint, Protocol};
use crate::tree::Class;

/// IP protocol numbers, from the IANA registry.
mod protocol {
    pub(super) const HOP_BY_HOP: u8 = 0;
    pub(super) const ICMP: u8 = 1;
    pub(super) const TCP: u8 = 6;
    pub(super) const UDP: u8 = 17;
    pub(super) const ROUTING: u8 = 43;
    pub(super) const FRAGMENT: u8 = 44;
    pub(super) const AUTHENTICATION: u8 = 51;
    pub(super) const ICMP_V6: u8 = 58;
    pub(super) const DESTINATION: u8 = 60;
    pub(super) const MOBILITY: u8 = 135;
    pub(super) const HIP: u8 = 139;
    pub(super) const SHIM6: u8 = 140;
}

const UDP_HEADER_LEN: usize = 8;
const IPV6_HEADER_LEN: usize = 40;

/// Takes the IP packet behind the last field apart. The first nibble is the version: link layers
/// that name it too are not believed over the packet itself.
pub(crate) fn dissect(packet: &mut Dissection, body: &[u8]) {
    let at = packet.tree.len();
    match body.get(at).map(|first| first >> 4) {
        Some(4) => ipv4(packet, body, at),
        Some(6) => ipv6(packet, body, at),
        Some(version) => packet.unparsed("ip.version", format!("IP version {version}")),
        None => packet.unparsed("ip.short", "the packet ends before its IP header"),
    }
}

fn ipv4(packet: &mut Dissection, body: &[u8], at: usize) {
    let Some(header) = array::<20>(body, at) else {
        packet.unparsed("ip.short", "the packet ends inside its IPv4 header");
        return;
    };
    let header_len = usize::from(header[0] & 0x0f) * 4;
    let total_len = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if header_len < 20 || at + header_len > body.len() {
        packet.unparsed("ip.length", format!("an IPv4 header of {header_len} bytes"));
        return;
    }
    let source = Ipv4Addr::new(header[12], header[13], header[14], header[15]);
    let destination = Ipv4Addr::new(header[16], header[17], header[18], header[19]);
    set_addresses(packet, source.into(), destination.into());
    packet.tree.push("ipv4", Class::L3, 20);
    packet.tree.push("ipv4-options", Class::L3Ext, header_len - 20);
    let end = match total_len {
        0 => {
            packet.note("ip.length-zero", "IPv4 length 0: cut into segments by the network card");
            body.len()
        }
        len if len < header_len => {
            packet.unparsed("ip.length", format!("an IPv4 length of {len} bytes"));
            return;
        }
        len => at + len,
    };
    let more_or_offset = u16::from_be_bytes([header[6], header[7]]) & 0x3fff;
    if more_or_offset != 0 {
        fragment(packet);
        return;
    }
    transport(packet, body, end, header[9]);
}

fn ipv6(packet: &mut Dissection, body: &[u8], at: usize) {
    let (Some(header), Some(source), Some(destination)) =
        (array::<8>(body, at), array::<16>(body, at + 8), array::<16>(body, at + 24))
    else {
        packet.unparsed("ip.short", "the packet ends inside its IPv6 header");
        return;
    };
    set_addresses(packet, Ipv6Addr::from(source).into(), Ipv6Addr::from(destination).into());
    packet.tree.push("ipv6", Class::L3, IPV6_HEADER_LEN);
    let payload_len = usize::from(u16::from_be_bytes([header[4], header[5]]));
    let end = if payload_len == 0 {
        packet.note("ip.length-zero", "IPv6 payload length 0: cut into segments by the network card");
        body.len()
    } else {
        at + IPV6_HEADER_LEN + payload_len
    };
    if let Some(next) = ipv6_extensions(packet, body, end, header[6]) {
        transport(packet, body, end, next);
    }
}

/// Walks the extension headers; the protocol behind them, or `None` when the walk ended early.
fn ipv6_extensions(packet: &mut Dissection, body: &[u8], end: usize, first: u8) -> Option<u8> {
    let mut next = first;
    loop {
        let at = packet.tree.len();
        let unit = match next {
            protocol::FRAGMENT => {
                fragment(packet);
                return None;
            }
            protocol::AUTHENTICATION => 4,
            protocol::HOP_BY_HOP
            | protocol::ROUTING
            | protocol::DESTINATION
            | protocol::MOBILITY
            | protocol::HIP
            | protocol::SHIM6 => 8,
            other => return Some(other),
        };
        let Some([following, len]) = array::<2>(body, at) else {
            packet.unparsed("ip.extension", "the packet ends inside an IPv6 extension header");
            return None;
        };
        // RFC 8200 counts units of 8 bytes beyond the first; RFC 4302 units of 4 beyond the second.
        let len = if unit == 4 { (usize::from(len) + 2) * 4 } else { (usize::from(len) + 1) * 8 };
        if at + len > end.min(body.len()) {
            packet.unparsed("ip.extension", "an IPv6 extension header longer than its packet");
            return None;
        }
        packet.tree.push("ipv6-extension", Class::L3Ext, len);
        next = following;
    }
}

fn fragment(packet: &mut Dissection) {
    packet.protocol = Protocol::Fragment;
    packet.unparsed("ip.fragment", "a fragment: fragments are not put together in this version");
}

fn transport(packet: &mut Dissection, body: &[u8], end: usize, next: u8) {
    if end > body.len() && next != protocol::UDP {
        packet.protocol = Protocol::Ip(next);
        packet.unparsed("ip.length", "the IP length reaches beyond the captured packet");
        return;
    }
    let end = end.min(body.len());
    match next {
        protocol::UDP => udp(packet, body, end),
        protocol::TCP => tcp(packet, body, end),
        protocol::ICMP => packet.foreign(Protocol::Icmp, end),
        protocol::ICMP_V6 => packet.foreign(Protocol::IcmpV6, end),
        other => packet.foreign(Protocol::Ip(other), end),
    }
}

fn udp(packet: &mut Dissection, body: &[u8], end: usize) {
    packet.protocol = Protocol::Udp;
    let at = packet.tree.len();
    let Some(header) = array::<UDP_HEADER_LEN>(body.get(..end).unwrap_or_default(), at) else {
        packet.unparsed("udp.short", "the packet ends inside its UDP header");
        return;
    };
    set_ports(packet, &header);
    let claimed = usize::from(u16::from_be_bytes([header[4], header[5]]));
    packet.tree.push("udp", Class::L4, UDP_HEADER_LEN);
    let room = end - at;
    if claimed < UDP_HEADER_LEN || claimed > room {
        packet.unparsed("udp.length", format!("a UDP length of {claimed} bytes where {room} are there"));
        return;
    }
    let start = at + UDP_HEADER_LEN;
    packet.payload = Some(start..at + claimed);
    packet.tree.push("payload", Class::Foreign, claimed - UDP_HEADER_LEN);
    if claimed < room {
        // Bytes inside the IP packet and outside the datagram: RFC 9868 calls them surplus.
        packet.note("udp.surplus", format!("{} bytes behind the UDP datagram", room - claimed));
        packet.tree.push("udp-surplus", Class::Unparsed, room - claimed);
    }
}

/// A TCP segment is foreign as a whole; its payload is told apart so that text which runs across
/// segments is found.
fn tcp(packet: &mut Dissection, body: &[u8], end: usize) {
    let at = packet.tree.len();
    if let Some(header) = array::<20>(body.get(..end).unwrap_or_default(), at) {
        set_ports(packet, &[header[0], header[1], header[2], header[3]]);
        let start = at + usize::from(header[12] >> 4) * 4;
        if start <= end {
            packet.payload = Some(start..end);
        }
    }
    packet.foreign(Protocol::Tcp, end);
}

fn set_addresses(packet: &mut Dissection, source: IpAddr, destination: IpAddr) {
    let end = |ip| Endpoint { ip, port: None };
    packet.ends = Some((end(source), end(destination)));
}

fn set_ports(packet: &mut Dissection, header: &[u8]) {
    if let Some((source, destination)) = &mut packet.ends {
        source.port = Endian::Big.u16(header, 0);
        destination.port = Endian::Big.u16(header, 2);
    }
}
