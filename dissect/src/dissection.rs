//! What the headers of one captured packet say: protocol, ends, payload, and a field for every byte.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use serde::Serialize;

use crate::tree::{Class, Tree};

/// What a packet carries above its link layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// Not known: the packet was cut or its link type is not supported.
    #[default]
    Unknown,
    /// A UDP datagram.
    Udp,
    /// A TCP segment.
    Tcp,
    /// An ICMP message for IPv4.
    Icmp,
    /// An ICMP message for IPv6.
    IcmpV6,
    /// A fragment of an IP packet; fragments are not put together.
    Fragment,
    /// Address resolution.
    Arp,
    /// An IEEE 802.3 frame with a length instead of a type.
    Llc,
    /// Another EtherType.
    EtherType(u16),
    /// Another IP protocol, by its number.
    Ip(u8),
    /// Something else that has no number of its own.
    Other,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown"),
            Self::Udp => f.write_str("UDP"),
            Self::Tcp => f.write_str("TCP"),
            Self::Icmp => f.write_str("ICMP"),
            Self::IcmpV6 => f.write_str("ICMPv6"),
            Self::Fragment => f.write_str("IP fragment"),
            Self::Arp => f.write_str("ARP"),
            Self::Llc => f.write_str("LLC"),
            Self::EtherType(number) => write!(f, "EtherType 0x{number:04x}"),
            Self::Ip(number) => write!(f, "IP protocol {number}"),
            Self::Other => f.write_str("other"),
        }
    }
}

impl Serialize for Protocol {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One end of a packet: an address, with a port where the transport has ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// The network address.
    pub ip: IpAddr,
    /// The UDP or TCP port.
    pub port: Option<u16>,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}", SocketAddr::new(self.ip, port)),
            None => write!(f, "{}", self.ip),
        }
    }
}

impl Serialize for Endpoint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Something odd about a packet, with a rule id that stays the same from version to version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Anomaly {
    /// The rule, such as `udp.length`.
    pub rule: &'static str,
    /// What is odd, for a person.
    pub text: String,
    /// Whether bytes could not be understood because of it.
    pub unparsed: bool,
}

/// What the headers of one captured packet say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dissection {
    /// Every captured byte, as a field.
    pub tree: Tree,
    /// What it carries.
    pub protocol: Protocol,
    /// Sender and receiver, of IP packets.
    pub ends: Option<(Endpoint, Endpoint)>,
    /// The payload of a UDP datagram or TCP segment, as a range of the captured bytes.
    pub payload: Option<Range<usize>>,
    /// What was odd.
    pub anomalies: Vec<Anomaly>,
}

impl Dissection {
    /// Records something odd that leaves no byte unread.
    pub(crate) fn note(&mut self, rule: &'static str, text: impl Into<String>) {
        self.anomalies.push(Anomaly { rule, text: text.into(), unparsed: false });
    }

    /// Gives up on the rest of the packet, which [`Dissection::finish`] counts as unparsed.
    pub(crate) fn unparsed(&mut self, rule: &'static str, text: impl Into<String>) {
        self.anomalies.push(Anomaly { rule, text: text.into(), unparsed: true });
    }

    /// A packet of an interface that the file does not describe.
    pub(crate) fn unreadable(captured_len: usize) -> Self {
        let mut packet = Self::default();
        packet.unparsed("link.unknown", "the interface of this packet is not described");
        packet.finish(captured_len);
        packet
    }

    /// Protocol and oddities in one line.
    pub(crate) fn describe(&self) -> String {
        let mut line = self.protocol.to_string();
        for anomaly in &self.anomalies {
            line.push_str("; ");
            line.push_str(&anomaly.text);
        }
        line
    }

    /// Counts everything up to the offset `end` as somebody else's.
    pub(crate) fn foreign(&mut self, protocol: Protocol, end: usize) {
        self.protocol = protocol;
        self.tree.push("foreign", Class::Foreign, end.saturating_sub(self.tree.len()));
    }

    /// Accounts for what no header claimed, up to the captured length.
    pub(crate) fn finish(&mut self, captured_len: usize) {
        let rest = captured_len.saturating_sub(self.tree.len());
        if self.anomalies.iter().any(|anomaly| anomaly.unparsed) {
            self.tree.push("unparsed", Class::Unparsed, rest);
        } else {
            self.tree.push("trailer", Class::L2Trailer, rest);
        }
    }
}
