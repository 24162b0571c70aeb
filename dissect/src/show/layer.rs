//! Where the header of each protocol stands in a packet.

use std::ops::Range;

use crate::bytes::Endian;
use crate::dissection::Protocol;
use crate::packet::Packet;

/// A protocol whose fields have names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Layer {
    /// The packet as it was captured.
    Frame,
    /// Ethernet.
    Ethernet,
    /// A VLAN tag of IEEE 802.1Q.
    Vlan,
    /// A service tag of IEEE 802.1ad.
    ServiceVlan,
    /// Address resolution.
    Arp,
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
    /// ICMP for IPv4.
    Icmp,
    /// ICMP for IPv6.
    IcmpV6,
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// Our protocol.
    Sealgram,
}

impl Layer {
    /// The prefix of its fields: tshark's.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Ethernet => "eth",
            Self::Vlan => "vlan",
            Self::ServiceVlan => "ieee8021ad",
            Self::Arp => "arp",
            Self::Ipv4 => "ip",
            Self::Ipv6 => "ipv6",
            Self::Icmp => "icmp",
            Self::IcmpV6 => "icmpv6",
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Sealgram => "sealgram",
        }
    }

    /// Its name for people.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Frame => "Frame",
            Self::Ethernet => "Ethernet",
            Self::Vlan => "VLAN tag",
            Self::ServiceVlan => "VLAN service tag",
            Self::Arp => "Address resolution (ARP)",
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
            Self::Icmp => "ICMP",
            Self::IcmpV6 => "ICMPv6",
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Sealgram => "Sealgram",
        }
    }
}

/// A header, and everything behind it that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The protocol.
    pub(crate) layer: Layer,
    /// From the first byte of the header to the end of what it carries.
    pub(crate) range: Range<usize>,
}

/// The headers of a packet, outermost first. The one place that knows what the link and network layers call
/// them in the tree of a packet.
pub(crate) fn places(packet: &Packet, data: &[u8]) -> Vec<Place> {
    let captured_len = data.len();
    let mut places = vec![Place { layer: Layer::Frame, range: 0..captured_len }];
    let payload = packet.dissection.payload.clone().or(packet.dissection.cut_payload.clone());
    for field in packet.dissection.tree.fields() {
        // The first field of each header, as the link and network layers name it.
        let layer = match (field.name, packet.dissection.protocol) {
            ("eth.dst", _) => Layer::Ethernet,
            ("vlan.id", _) if is_service_tag(data, field.start) => Layer::ServiceVlan,
            ("vlan.id", _) => Layer::Vlan,
            ("ip.version", _) => Layer::Ipv4,
            ("ipv6.version", _) => Layer::Ipv6,
            ("udp.srcport", _) => Layer::Udp,
            ("tcp.srcport", _) => Layer::Tcp,
            ("icmp.type", _) => Layer::Icmp,
            ("icmpv6.type", _) => Layer::IcmpV6,
            ("arp.hw.type", _) | ("foreign", Protocol::Arp) => Layer::Arp,
            _ => continue,
        };
        let end = match (layer, &payload) {
            (Layer::Udp | Layer::Tcp, Some(payload)) if payload.end >= field.start => payload.end,
            _ => captured_len,
        };
        places.push(Place { layer, range: field.start..end.min(captured_len) });
    }
    if let (Some(_), Some(range)) = (packet.message, payload) {
        places.push(Place { layer: Layer::Sealgram, range });
    }
    places
}

/// Whether the EtherType in front of a tag is that of IEEE 802.1ad.
fn is_service_tag(data: &[u8], start: usize) -> bool {
    const SERVICE_TAG: u16 = 0x88a8;
    start.checked_sub(2).and_then(|at| Endian::Big.u16(data, at)) == Some(SERVICE_TAG)
}
