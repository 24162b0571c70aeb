//! ICMP (RFC 792) and ICMPv6 (RFC 4443). An error quotes the datagram it is about, and so repeats its bytes.

use super::{ipv4, ipv6, protocol, transport};
use crate::dissection::{Dissection, Protocol};
use crate::layout::Layout;
use crate::tree::Class;

const HEADER: Layout<8> = Layout::new(
    "ICMP",
    "icmp.short",
    Class::L4,
    &[("icmp.type", 1), ("icmp.code", 1), ("icmp.checksum", 2), ("icmp.rest", 4)],
);
const ECHO: Layout<8> = Layout::new(
    "ICMP",
    "icmp.short",
    Class::L4,
    &[("icmp.type", 1), ("icmp.code", 1), ("icmp.checksum", 2), ("icmp.ident", 2), ("icmp.seq", 2)],
);
const HEADER_V6: Layout<8> = Layout::new(
    "ICMPv6",
    "icmp.short",
    Class::L4,
    &[("icmpv6.type", 1), ("icmpv6.code", 1), ("icmpv6.checksum", 2), ("icmpv6.rest", 4)],
);
const ECHO_V6: Layout<8> = Layout::new(
    "ICMPv6",
    "icmp.short",
    Class::L4,
    &[
        ("icmpv6.type", 1),
        ("icmpv6.code", 1),
        ("icmpv6.checksum", 2),
        ("icmpv6.echo.identifier", 2),
        ("icmpv6.echo.sequence_number", 2),
    ],
);

/// Unreachable, quench, redirect, time exceeded, parameter problem.
const ERRORS: [u8; 5] = [3, 4, 5, 11, 12];
const ECHOES: [u8; 2] = [0, 8];
/// Unreachable, too big, time exceeded, parameter problem.
const ERRORS_V6: [u8; 4] = [1, 2, 3, 4];
const ECHOES_V6: [u8; 2] = [128, 129];

/// What an echo carries is content like that of a datagram: anything may be said in it.
pub(super) fn dissect(packet: &mut Dissection, body: &[u8], version: Protocol) {
    packet.protocol = version;
    let (errors, echoes, header, echo) = match version {
        Protocol::Icmp => (ERRORS.as_slice(), ECHOES, &HEADER, &ECHO),
        _ => (ERRORS_V6.as_slice(), ECHOES_V6, &HEADER_V6, &ECHO_V6),
    };
    let kind = body.get(packet.tree.len());
    let is_echo = kind.is_some_and(|kind| echoes.contains(kind));
    let Some([kind, ..]) = (if is_echo { echo } else { header }).read(packet, body) else { return };
    if errors.contains(&kind) {
        packet.note("icmp.quote", "an ICMP error that repeats the beginning of a packet");
        quoted(packet, body);
    } else {
        packet.carries(version, body);
    }
}

/// The headers of a quoted packet, as far as they go; the rest of it is somebody's content, said elsewhere.
fn quoted(packet: &mut Dissection, body: &[u8]) {
    let next = match body.get(packet.tree.len()).map(|first| first >> 4) {
        Some(4) => quoted_ipv4(packet, body),
        Some(6) => ipv6::HEADER
            .peek(packet, body)
            .and_then(|_| ipv6::HEADER.read(packet, body))
            .map(|header| header[6]),
        _ => None,
    };
    match next {
        Some(protocol::UDP) if transport::UDP.peek(packet, body).is_some() => {
            let _header = transport::UDP.read(packet, body);
        }
        Some(protocol::TCP) if transport::TCP.peek(packet, body).is_some() => {
            let _header = transport::TCP.read(packet, body);
        }
        _ => {}
    }
    packet.tree.push("icmp.quote", Class::Foreign, body.len().saturating_sub(packet.tree.len()));
}

fn quoted_ipv4(packet: &mut Dissection, body: &[u8]) -> Option<u8> {
    let header = ipv4::HEADER.peek(packet, body)?;
    let options_len = ipv4::options(&header)?;
    ipv4::HEADER.read(packet, body)?;
    if packet.tree.len() + options_len <= body.len() {
        packet.tree.push("ip.options", Class::L3Ext, options_len);
    }
    Some(header[9])
}
