//! Link layers: from the first captured byte to the network packet.
//!
//! Every function here takes the packet built so far and `body`, the captured bytes up to the end of the
//! layer around it; the packet's tree says how far it has been read. A layer that says how long it is narrows
//! `body` for what is inside it, and accounts for what is left over once that has been read.

mod cooked;
pub(crate) mod ethernet;
pub(crate) mod ethertype;
mod llc;
mod loopback;
mod mpls;
mod nflog;
mod pktap;
pub(crate) mod ppp;
mod radio;
mod trailer;
mod wlan;

use crate::dissection::Dissection;
use crate::network;

/// LINKTYPE_ numbers, from <https://www.tcpdump.org/linktypes.html>; 12 and 14 are what some BSDs
/// write for raw IP.
mod link_type {
    pub(super) const NULL: u16 = 0;
    pub(super) const ETHERNET: u16 = 1;
    pub(super) const PPP: u16 = 9;
    pub(super) const RAW_BSD: [u16; 2] = [12, 14];
    pub(super) const PPP_HDLC: u16 = 50;
    pub(super) const PPP_ETHER: u16 = 51;
    pub(super) const RAW: u16 = 101;
    pub(super) const CISCO_HDLC: u16 = 104;
    pub(super) const WLAN: u16 = 105;
    pub(super) const LOOP: u16 = 108;
    pub(super) const LINUX_SLL: u16 = 113;
    pub(super) const PRISM: u16 = 119;
    pub(super) const RADIOTAP: u16 = 127;
    pub(super) const AVS: u16 = 163;
    pub(super) const PPI: u16 = 192;
    pub(super) const IPV4: u16 = 228;
    pub(super) const IPV6: u16 = 229;
    pub(super) const NFLOG: u16 = 239;
    pub(super) const PKTAP: u16 = 258;
    pub(super) const LINUX_SLL2: u16 = 276;
}

/// Whether packets of this link type can be taken apart; the name if so.
#[must_use]
pub fn name(link_type: u16) -> Option<&'static str> {
    Some(match link_type {
        link_type::NULL => "BSD null",
        link_type::ETHERNET => "Ethernet",
        link_type::PPP => "PPP",
        link_type::PPP_HDLC => "PPP in HDLC framing",
        link_type::PPP_ETHER => "PPPoE",
        link_type::RAW => "raw IP",
        other if link_type::RAW_BSD.contains(&other) => "raw IP",
        link_type::CISCO_HDLC => "Cisco HDLC",
        link_type::WLAN => "802.11",
        link_type::LOOP => "OpenBSD loopback",
        link_type::LINUX_SLL => "Linux cooked v1",
        link_type::PRISM => "802.11 with Prism header",
        link_type::RADIOTAP => "802.11 with radiotap header",
        link_type::AVS => "802.11 with AVS header",
        link_type::PPI => "per-packet information",
        link_type::IPV4 => "raw IPv4",
        link_type::IPV6 => "raw IPv6",
        link_type::NFLOG => "Linux netfilter log",
        link_type::PKTAP => "Apple PKTAP",
        link_type::LINUX_SLL2 => "Linux cooked v2",
        _ => return None,
    })
}

/// Takes one captured packet apart. Every byte of `data` ends up in a field; the last `fcs_len` of them are a
/// frame check sequence, behind everything a header speaks of.
#[must_use]
pub fn dissect(link_type: u16, fcs_len: usize, data: &[u8]) -> Dissection {
    let body = data.get(..data.len().saturating_sub(fcs_len)).unwrap_or(data);
    let mut packet = Dissection::default();
    by_type(&mut packet, body, link_type);
    trailer::close(&mut packet, data);
    packet
}

fn by_type(packet: &mut Dissection, body: &[u8], link_type: u16) {
    match link_type {
        link_type::ETHERNET => ethernet::frame(packet, body),
        link_type::LINUX_SLL => cooked::v1(packet, body),
        link_type::LINUX_SLL2 => cooked::v2(packet, body),
        link_type::NULL | link_type::LOOP => loopback::dissect(packet, body),
        link_type::PPP => ppp::dissect(packet, body),
        link_type::PPP_HDLC | link_type::CISCO_HDLC => ppp::hdlc(packet, body),
        link_type::PPP_ETHER => ppp::over_ethernet(packet, body, true),
        link_type::WLAN => wlan::frame(packet, body, false),
        link_type::RADIOTAP => radio::radiotap(packet, body),
        link_type::PRISM | link_type::AVS => radio::prism(packet, body),
        link_type::PPI => radio::ppi(packet, body),
        link_type::NFLOG => nflog::dissect(packet, body),
        link_type::PKTAP => pktap::dissect(packet, body),
        supported if name(supported).is_some() => network::dissect(packet, body),
        other => packet.unparsed("link.unsupported", format!("link type {other} is not supported")),
    }
}

#[cfg(test)]
mod tests;
