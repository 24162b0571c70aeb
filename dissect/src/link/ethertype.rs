//! What an EtherType leads to: the numbers of the IEEE registry that carry IP sooner or later.

use super::ethernet::{self, typed_or_sized};
use super::{mpls, ppp};
use crate::dissection::{Dissection, Protocol};
use crate::layout::Layout;
use crate::network;
use crate::tree::Class;

pub(crate) const IPV4: u16 = 0x0800;
pub(crate) const ARP: u16 = 0x0806;
/// 802.1Q, 802.1ad and their ancestors: four bytes, and another EtherType behind them.
const VLAN_TAGS: [u16; 4] = [0x8100, SERVICE_TAG, 0x9100, 0x9200];
/// 802.1ad, which tshark names apart.
const SERVICE_TAG: u16 = 0x88a8;
/// A whole Ethernet frame: RFC 1701 and NVGRE.
pub(crate) const TRANSPARENT_ETHERNET: u16 = 0x6558;
pub(crate) const IPV6: u16 = 0x86dd;
const MPLS: [u16; 2] = [0x8847, 0x8848];
const PPPOE_DISCOVERY: u16 = 0x8863;
const PPPOE_SESSION: u16 = 0x8864;
/// PPP inside GRE: RFC 2637.
const PPP: u16 = 0x880b;
/// IEEE 802.1ah: a service tag, and the customer's whole frame behind it.
const PROVIDER_BACKBONE: u16 = 0x88e7;

const VLAN: Layout<4> = Layout::new("VLAN", "link.short", Class::L2, &[("vlan.id", 2), ("vlan.etype", 2)]);
const SERVICE: Layout<4> =
    Layout::new("802.1ad", "link.short", Class::L2, &[("ieee8021ad.id", 2), ("vlan.etype", 2)]);
const BACKBONE: Layout<4> = Layout::new("802.1ah", "link.short", Class::L2, &[("ieee8021ah.isid", 4)]);
/// RFC 826, for IPv4 over Ethernet.
const ARP_IPV4: Layout<28> = Layout::new(
    "ARP",
    "link.short",
    Class::Foreign,
    &[
        ("arp.hw.type", 2),
        ("arp.proto.type", 2),
        ("arp.hw.size", 1),
        ("arp.proto.size", 1),
        ("arp.opcode", 2),
        ("arp.src.hw_mac", 6),
        ("arp.src.proto_ipv4", 4),
        ("arp.dst.hw_mac", 6),
        ("arp.dst.proto_ipv4", 4),
    ],
);

/// Whether this number leads on to something that is read here.
pub(super) fn is_known(ethertype: u16) -> bool {
    is_ip(ethertype)
        || VLAN_TAGS.contains(&ethertype)
        || MPLS.contains(&ethertype)
        || matches!(ethertype, ARP | PPPOE_DISCOVERY | PPPOE_SESSION | PROVIDER_BACKBONE)
}

pub(super) const fn is_ip(ethertype: u16) -> bool {
    matches!(ethertype, IPV4 | IPV6)
}

/// Takes apart what stands behind this EtherType.
pub(crate) fn dissect(packet: &mut Dissection, body: &[u8], ethertype: u16) {
    match ethertype {
        IPV4 | IPV6 => network::dissect(packet, body),
        ARP => arp(packet, body),
        PPPOE_DISCOVERY | PPPOE_SESSION => ppp::over_ethernet(packet, body, ethertype == PPPOE_SESSION),
        PPP => ppp::dissect(packet, body),
        tag if VLAN_TAGS.contains(&tag) => vlan(packet, body, tag),
        label if MPLS.contains(&label) => mpls::dissect(packet, body),
        TRANSPARENT_ETHERNET => inner_frame(packet, body),
        PROVIDER_BACKBONE => {
            if BACKBONE.read(packet, body).is_some() {
                inner_frame(packet, body);
            }
        }
        other => packet.carries(Protocol::EtherType(other), body),
    }
}

fn inner_frame(packet: &mut Dissection, body: &[u8]) {
    if packet.enter() {
        ethernet::frame(packet, body);
    }
}

/// A stack of tags, however high; `tag` is the EtherType that led to the first.
fn vlan(packet: &mut Dissection, body: &[u8], mut tag: u16) {
    while VLAN_TAGS.contains(&tag) {
        let layout = if tag == SERVICE_TAG { &SERVICE } else { &VLAN };
        let Some(header) = layout.read(packet, body) else { return };
        tag = u16::from_be_bytes([header[2], header[3]]);
    }
    // The frame inside may be one of 802.3, and what is inside that have tags again.
    if packet.enter() {
        typed_or_sized(packet, body, tag);
    }
}

fn arp(packet: &mut Dissection, body: &[u8]) {
    const ETHERNET_AND_IPV4: [u8; 6] = [0, 1, 8, 0, 6, 4];
    if ARP_IPV4.peek(packet, body).is_some_and(|header| header.starts_with(&ETHERNET_AND_IPV4)) {
        packet.protocol = Protocol::Arp;
        // What stands behind it is padding, and looked at as that.
        let _header = ARP_IPV4.read(packet, body);
    } else {
        packet.foreign(Protocol::Arp, body.len());
    }
}
