//! IPv4, IPv6 and what they carry, read leniently where captures of sound traffic need it (a zero length where
//! the network card cuts the segments) and strictly where a lie could hide bytes.
//!
//! Fields have the names tshark gives them. Where a field covers several of tshark's, it has the name of one:
//!
//! | field | bytes | also holds |
//! |---|---|---|
//! | `ip.version`, `ipv6.version` | 1, 4 | header length; traffic class and flow label |
//! | `ip.frag_offset`, `ipv6.fraghdr.offset` | 2 | the flags |
//! | `tcp.flags` | 2 | the header length, in the highest four bits |
//! | `vlan.id` | 2 | priority and drop bits, in the highest four |
//! | `mpls.label` | 4 | the label in the highest 20 bits, class, bottom of stack, time to live |
//!
//! A packet in a tunnel has the fields of every header on the way, one behind the other.

mod extension;
mod icmp;
mod ipv4;
mod ipv6;
mod transport;
mod tunnel;

use std::net::IpAddr;

use crate::dissection::{Dissection, Endpoint, FRAGMENT_RULE, Fragment, Protocol};

/// IP protocol numbers, from the IANA registry.
mod protocol {
    pub(super) const HOP_BY_HOP: u8 = 0;
    pub(super) const ICMP: u8 = 1;
    pub(super) const IPV4: u8 = 4;
    pub(super) const TCP: u8 = 6;
    pub(super) const UDP: u8 = 17;
    pub(super) const IPV6: u8 = 41;
    pub(super) const ROUTING: u8 = 43;
    pub(super) const FRAGMENT: u8 = 44;
    pub(super) const GRE: u8 = 47;
    pub(super) const ESP: u8 = 50;
    pub(super) const AUTHENTICATION: u8 = 51;
    pub(super) const ICMP_V6: u8 = 58;
    pub(super) const NO_NEXT: u8 = 59;
    pub(super) const DESTINATION: u8 = 60;
    pub(super) const SCTP: u8 = 132;
    pub(super) const MOBILITY: u8 = 135;
    pub(super) const UDP_LITE: u8 = 136;
    pub(super) const HIP: u8 = 139;
    pub(super) const SHIM6: u8 = 140;
}

/// Takes the IP packet behind the last field apart. The first nibble is the version: link layers
/// that name it too are not believed over the packet itself.
pub(crate) fn dissect(packet: &mut Dissection, body: &[u8]) {
    match body.get(packet.tree.len()).map(|first| first >> 4) {
        Some(4) => ipv4::dissect(packet, body),
        Some(6) => ipv6::dissect(packet, body),
        Some(version) => packet.unparsed("ip.version", format!("IP version {version}")),
        None => packet.unparsed("ip.short", "the packet ends before its IP header"),
    }
}

/// Takes apart what fragments were put together to: a packet without its IP header, between `ends`.
#[must_use]
pub(crate) fn reassembled(ends: (Endpoint, Endpoint), next: u8, data: &[u8]) -> Dissection {
    let mut packet = Dissection { ends: Some(ends), ..Dissection::default() };
    transport::dissect(&mut packet, data, next, data.len());
    packet.close(data.len());
    packet
}

fn set_addresses(packet: &mut Dissection, source: IpAddr, destination: IpAddr) {
    let end = |ip| Endpoint { ip, port: None };
    packet.ends = Some((end(source), end(destination)));
}

/// A part of a packet: nothing in it is read until the packet is put together.
fn fragment(packet: &mut Dissection, body: &[u8], fragment: Fragment) {
    packet.protocol = Protocol::Fragment;
    packet.fragment = Some(fragment);
    packet.unparsed(FRAGMENT_RULE, "a fragment: what it is a part of is judged when it is whole");
    packet.close(body.len());
}
