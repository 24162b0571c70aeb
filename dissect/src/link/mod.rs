//! Link layers: from the first captured byte to the network packet.

use crate::bytes::{Endian, array};
use crate::dissection::{Dissection, Protocol};
use crate::network;
use crate::tree::Class;

/// LINKTYPE_ numbers, from <https://www.tcpdump.org/linktypes.html>; 12 and 14 are what some BSDs
/// write for raw IP.
mod link_type {
    pub(super) const NULL: u16 = 0;
    pub(super) const ETHERNET: u16 = 1;
    pub(super) const RAW_BSD: [u16; 2] = [12, 14];
    pub(super) const RAW: u16 = 101;
    pub(super) const LOOP: u16 = 108;
    pub(super) const LINUX_SLL: u16 = 113;
    pub(super) const IPV4: u16 = 228;
    pub(super) const IPV6: u16 = 229;
    pub(super) const LINUX_SLL2: u16 = 276;
}

/// EtherTypes that carry another one behind four bytes: 802.1Q, 802.1ad and their ancestors.
const VLAN_TAGS: [u16; 4] = [0x8100, 0x88a8, 0x9100, 0x9200];
const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_IPV6: u16 = 0x86dd;
/// An Ethernet type field up to this value is a length (IEEE 802.3), and an LLC header follows.
const LENGTH_MAX: u16 = 1500;

/// Whether packets of this link type can be taken apart; the name if so.
#[must_use]
pub fn name(link_type: u16) -> Option<&'static str> {
    match link_type {
        link_type::NULL => Some("BSD null"),
        link_type::ETHERNET => Some("Ethernet"),
        link_type::LOOP => Some("OpenBSD loopback"),
        link_type::LINUX_SLL => Some("Linux cooked v1"),
        link_type::LINUX_SLL2 => Some("Linux cooked v2"),
        link_type::IPV4 => Some("raw IPv4"),
        link_type::IPV6 => Some("raw IPv6"),
        link_type::RAW => Some("raw IP"),
        other if link_type::RAW_BSD.contains(&other) => Some("raw IP"),
        _ => None,
    }
}

/// Takes one captured packet apart. Every byte of `data` ends up in a field.
#[must_use]
pub fn dissect(link_type: u16, fcs_len: usize, data: &[u8]) -> Dissection {
    // The frame check sequence is behind everything a header speaks of.
    let body = data.get(..data.len().saturating_sub(fcs_len)).unwrap_or(data);
    let mut packet = Dissection::default();
    match link_type {
        link_type::ETHERNET => ethertype_at(&mut packet, body, "ethernet", 12, 14),
        link_type::LINUX_SLL => ethertype_at(&mut packet, body, "linux-cooked", 14, 16),
        link_type::LINUX_SLL2 => ethertype_at(&mut packet, body, "linux-cooked-2", 0, 20),
        link_type::NULL => loopback(&mut packet, body, &[Endian::Little, Endian::Big]),
        link_type::LOOP => loopback(&mut packet, body, &[Endian::Big, Endian::Little]),
        supported if name(supported).is_some() => network::dissect(&mut packet, body),
        other => packet.unparsed("link.unsupported", format!("link type {other} is not supported")),
    }
    packet.finish(data.len());
    packet
}

/// A header of `len` bytes with an EtherType at `offset`; for cooked v2 the type stands in front.
fn ethertype_at(packet: &mut Dissection, body: &[u8], name: &'static str, offset: usize, len: usize) {
    let (Some(ethertype), true) = (Endian::Big.u16(body, offset), body.len() >= len) else {
        packet.unparsed("link.short", format!("the packet ends inside its {name} header"));
        return;
    };
    packet.tree.push(name, Class::L2, len);
    by_ethertype(packet, body, ethertype);
}

fn by_ethertype(packet: &mut Dissection, body: &[u8], mut ethertype: u16) {
    while VLAN_TAGS.contains(&ethertype) {
        let Some(inner) = Endian::Big.u16(body, packet.tree.len() + 2) else {
            packet.unparsed("link.short", "the packet ends inside a VLAN tag");
            return;
        };
        packet.tree.push("vlan", Class::L2, 4);
        ethertype = inner;
    }
    match ethertype {
        ETHERTYPE_IPV4 | ETHERTYPE_IPV6 => network::dissect(packet, body),
        ETHERTYPE_ARP => packet.foreign(Protocol::Arp, body.len()),
        0..=LENGTH_MAX => llc(packet, body),
        other => packet.foreign(Protocol::EtherType(other), body.len()),
    }
}

/// IEEE 802.2: only the SNAP header of encapsulated Ethernet (RFC 1042) leads on to IP.
fn llc(packet: &mut Dissection, body: &[u8]) {
    const SNAP: [u8; 6] = [0xaa, 0xaa, 0x03, 0, 0, 0];
    let at = packet.tree.len();
    match (array::<6>(body, at), Endian::Big.u16(body, at + 6)) {
        (Some(SNAP), Some(ethertype)) if is_ip(ethertype) => {
            packet.tree.push("llc-snap", Class::L2, 8);
            network::dissect(packet, body);
        }
        _ => packet.foreign(Protocol::Llc, body.len()),
    }
}

/// Four bytes of address family, in the byte order of the machine that captured; some programs
/// write an EtherType instead.
fn loopback(packet: &mut Dissection, body: &[u8], orders: &[Endian]) {
    const FAMILIES: [u32; 6] = [2, 10, 23, 24, 28, 30];
    let values: Vec<u32> = orders.iter().filter_map(|order| order.u32(body, 0)).collect();
    let ethertype = orders.iter().filter_map(|order| order.u16(body, 2)).any(is_ip);
    if values.is_empty() {
        packet.unparsed("link.short", "the packet ends inside its loopback header");
        return;
    }
    packet.tree.push("loopback", Class::L2, 4);
    let named = |value: &u32| FAMILIES.contains(value) || u16::try_from(*value).is_ok_and(is_ip);
    if ethertype || values.iter().any(named) {
        network::dissect(packet, body);
    } else {
        packet.foreign(Protocol::Other, body.len());
    }
}

const fn is_ip(ethertype: u16) -> bool {
    matches!(ethertype, ETHERTYPE_IPV4 | ETHERTYPE_IPV6)
}

#[cfg(test)]
mod tests;
