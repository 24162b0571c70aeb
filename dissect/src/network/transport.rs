//! What IP carries: UDP (RFC 768) and TCP (RFC 9293) in full, of others what tells who speaks with whom.

use super::{icmp, protocol, tunnel};
use crate::dissection::{Dissection, Protocol, Segment};
use crate::layout::Layout;
use crate::tree::Class;

pub(super) const UDP: Layout<8> = Layout::new(
    "UDP",
    "udp.short",
    Class::L4,
    &[("udp.srcport", 2), ("udp.dstport", 2), ("udp.length", 2), ("udp.checksum", 2)],
);
/// RFC 3828: the length is that of what the checksum covers.
const UDP_LITE: Layout<8> = Layout::new(
    "UDP-Lite",
    "udp.short",
    Class::L4,
    &[("udp.srcport", 2), ("udp.dstport", 2), ("udp.checksum_coverage", 2), ("udp.checksum", 2)],
);
pub(super) const TCP: Layout<20> = Layout::new(
    "TCP",
    "tcp.short",
    Class::L4,
    &[
        ("tcp.srcport", 2),
        ("tcp.dstport", 2),
        ("tcp.seq", 4),
        ("tcp.ack", 4),
        ("tcp.flags", 2),
        ("tcp.window_size_value", 2),
        ("tcp.checksum", 2),
        ("tcp.urgent_pointer", 2),
    ],
);
const SCTP: Layout<12> = Layout::new(
    "SCTP",
    "sctp.short",
    Class::L4,
    &[("sctp.srcport", 2), ("sctp.dstport", 2), ("sctp.verification_tag", 4), ("sctp.checksum", 4)],
);
const ESP: Layout<8> = Layout::new("ESP", "esp.short", Class::L4, &[("esp.spi", 4), ("esp.sequence", 4)]);
const TCP_HEADER_LEN: usize = 20;
const TCP_FLAGS: u16 = 0x01ff;

/// Takes apart what the IP header calls `next`; `body` ends where the IP packet does, and `end` is where the IP
/// header says it ends.
pub(super) fn dissect(packet: &mut Dissection, body: &[u8], next: u8, end: usize) {
    match next {
        protocol::UDP => udp(packet, body, end),
        protocol::TCP => tcp(packet, body),
        protocol::ICMP => icmp::dissect(packet, body, Protocol::Icmp),
        protocol::ICMP_V6 => icmp::dissect(packet, body, Protocol::IcmpV6),
        protocol::IPV4 | protocol::IPV6 => tunnel::ip_in_ip(packet, body),
        protocol::GRE => tunnel::gre(packet, body),
        protocol::UDP_LITE => with_ports(packet, body, next, &UDP_LITE),
        protocol::SCTP => with_ports(packet, body, next, &SCTP),
        protocol::ESP => {
            if ESP.read(packet, body).is_some() {
                packet.carries(Protocol::Ip(next), body);
            }
        }
        protocol::NO_NEXT if packet.tree.len() < body.len() => {
            packet.protocol = Protocol::Ip(next);
            packet.unparsed("ip.no-next", "bytes behind a header that says that none follow");
            packet.close(body.len());
        }
        other => packet.carries(Protocol::Ip(other), body),
    }
}

fn udp(packet: &mut Dissection, body: &[u8], end: usize) {
    packet.protocol = Protocol::Udp;
    let at = packet.tree.len();
    let Some(header) = UDP.read(packet, body) else { return };
    let ports = set_ports(packet, &header);
    let room = end.saturating_sub(at);
    let claimed = match usize::from(u16::from_be_bytes([header[4], header[5]])) {
        // RFC 2675, section 4: zero in a jumbogram, whose length IP says.
        0 if room > usize::from(u16::MAX) => room,
        claimed => claimed,
    };
    if claimed < header.len() || claimed > room {
        let text = format!("a UDP length of {claimed} bytes where {room} are there");
        packet.unparsed("udp.length", text);
        packet.cut = true;
        packet.carries(Protocol::Udp, body);
        return;
    }
    let datagram = body.get(..at + claimed).unwrap_or(body);
    if !tunnel::in_udp(packet, datagram, ports) {
        packet.carries(Protocol::Udp, datagram);
    }
    packet.close(datagram.len());
    if datagram.len() < body.len() {
        // Bytes inside the IP packet and outside the datagram: RFC 9868 calls them surplus.
        let surplus = body.len() - datagram.len();
        packet.note("udp.surplus", format!("{surplus} bytes behind the UDP datagram"));
        packet.tree.push("udp.surplus", Class::Unparsed, surplus);
    }
}

/// What a TCP segment carries is told apart so that text which runs across segments is found.
fn tcp(packet: &mut Dissection, body: &[u8]) {
    packet.protocol = Protocol::Tcp;
    let at = packet.tree.len();
    let Some(header) = TCP.read(packet, body) else { return };
    set_ports(packet, &header);
    let flags = u16::from_be_bytes([header[12], header[13]]);
    packet.segment = Some(Segment {
        sequence: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
        acknowledgment: u32::from_be_bytes([header[8], header[9], header[10], header[11]]),
        flags: flags & TCP_FLAGS,
        window: u16::from_be_bytes([header[14], header[15]]),
    });
    let header_len = usize::from(header[12] >> 4) * 4;
    if header_len < TCP_HEADER_LEN || at + header_len > body.len() {
        packet.unparsed("tcp.length", format!("a TCP header of {header_len} bytes"));
        packet.close(body.len());
        return;
    }
    packet.tree.push("tcp.options", Class::L4, header_len - TCP_HEADER_LEN);
    packet.carries(Protocol::Tcp, body);
}

/// Another protocol whose header begins with two ports.
fn with_ports<const N: usize>(packet: &mut Dissection, body: &[u8], next: u8, layout: &Layout<N>) {
    packet.protocol = Protocol::Ip(next);
    if let Some(header) = layout.read(packet, body) {
        set_ports(packet, &header);
        packet.carries(Protocol::Ip(next), body);
    }
}

/// The ports a header begins with, which become those of the ends.
fn set_ports(packet: &mut Dissection, header: &[u8]) -> [u16; 2] {
    let port = |at: usize| crate::bytes::Endian::Big.u16(header, at).unwrap_or(0);
    let ports = [port(0), port(2)];
    if let Some((source, destination)) = &mut packet.ends {
        (source.port, destination.port) = (Some(ports[0]), Some(ports[1]));
    }
    ports
}
