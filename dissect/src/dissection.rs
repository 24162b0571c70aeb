//! What the headers of one captured packet say: protocol, ends, payload, and a field for every byte.

use std::fmt;
use std::mem::take;
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
    /// A fragment of an IP packet: see [`Dissection::fragment`].
    Fragment,
    /// Address resolution.
    Arp,
    /// An 802.11 frame that carries no packet that can be read: management, control, or protected.
    Wlan,
    /// A PPP packet of another protocol, by its number.
    Ppp(u16),
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
            Self::Wlan => f.write_str("802.11"),
            Self::Ppp(number) => write!(f, "PPP 0x{number:04x}"),
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

/// What the header of a fragment says. Its key is this, the addresses, and the version of IP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// The identification all fragments of one packet share.
    pub id: u32,
    /// The protocol of what was cut; IPv6 says it in each fragment, and the first one counts.
    pub protocol: u8,
    /// Where its first byte stands in what was cut.
    pub offset: usize,
    /// Whether this is not the last fragment.
    pub more: bool,
    /// Its bytes, as a range of the captured bytes.
    pub data: Range<usize>,
    /// Whether the capture has fewer bytes of it than were sent.
    pub cut: bool,
}

/// What the header of a TCP segment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The number of its first byte.
    pub sequence: u32,
    /// The number of the byte expected next from the other end.
    pub acknowledgment: u32,
    /// The nine flag bits, such as [`Segment::SYN`].
    pub flags: u16,
    /// The window, unscaled.
    pub window: u16,
}

impl Segment {
    /// The sender has nothing more to say.
    pub const FIN: u16 = 0x01;
    /// The sequence number is the first.
    pub const SYN: u16 = 0x02;
    /// The connection is broken off.
    pub const RST: u16 = 0x04;
    /// The acknowledgment number counts.
    pub const ACK: u16 = 0x10;

    /// Whether all of these flag bits are set.
    #[must_use]
    pub const fn has(&self, flags: u16) -> bool {
        self.flags & flags == flags
    }
}

/// What a fragment is reported as that is not part of a packet put together.
pub(crate) const FRAGMENT_RULE: &str = "ip.fragment";

/// Encapsulations inside each other that are followed: more than real networks stack, and a bound for recursion.
pub const DEPTH_MAX: u8 = 8;

/// What the headers of one captured packet say.
///
/// Of a packet in a tunnel, `protocol`, `ends`, `payload`, `fragment` and `segment` are those of the innermost packet
/// that could be read, for that is what was said and between whom; the headers around it are fields of the tree,
/// under the same names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dissection {
    /// Every captured byte, as a field.
    pub tree: Tree,
    /// What it carries.
    pub protocol: Protocol,
    /// Sender and receiver, of IP packets.
    pub ends: Option<(Endpoint, Endpoint)>,
    /// What the innermost header carries, whole, as a range of the captured bytes: the payload of a UDP datagram or
    /// TCP segment, or all that stands behind a header nothing is known to follow.
    pub payload: Option<Range<usize>>,
    /// What is there of a payload that was cut short, by the capture or by a lie about its length: enough to find
    /// readable text in it, and not to judge it.
    pub cut_payload: Option<Range<usize>>,
    /// Which part of a packet this is, of a fragment.
    pub fragment: Option<Fragment>,
    /// Sequence number and flags, of a TCP segment.
    pub segment: Option<Segment>,
    /// Number of tunnels and other encapsulations around what the fields above speak of.
    pub depth: u8,
    /// What was odd.
    pub anomalies: Vec<Anomaly>,
    /// Whether a header claims bytes that are not there, so that the payload is cut.
    pub cut: bool,
}

impl Dissection {
    /// Records something odd that leaves no byte unread.
    pub(crate) fn note(&mut self, rule: &'static str, text: impl Into<String>) {
        self.anomalies.push(Anomaly { rule, text: text.into(), unparsed: false });
    }

    /// Gives up on the rest of the packet, which [`Dissection::close`] counts as unparsed.
    pub(crate) fn unparsed(&mut self, rule: &'static str, text: impl Into<String>) {
        self.anomalies.push(Anomaly { rule, text: text.into(), unparsed: true });
    }

    /// A packet of an interface that the file does not describe.
    pub(crate) fn unreadable(captured_len: usize) -> Self {
        let mut packet = Self::default();
        packet.unparsed("link.unknown", "the interface of this packet is not described");
        packet.close(captured_len);
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

    /// Whether the packet inside an encapsulation may be taken apart; gives up where they are too deep.
    #[must_use]
    pub(crate) fn enter(&mut self) -> bool {
        if self.depth >= DEPTH_MAX {
            let text = format!("more than {DEPTH_MAX} packets inside each other");
            self.unparsed("link.depth", text);
            return false;
        }
        self.depth += 1;
        true
    }

    /// The part of `body` a header leaves for what is inside it, given the offset where it says that ends. Where
    /// that is more than there is, whatever payload follows is cut.
    pub(crate) fn claim<'a>(&mut self, body: &'a [u8], end: usize, rule: &'static str) -> &'a [u8] {
        if let Some(claimed) = body.get(..end) {
            return claimed;
        }
        let there = body.len().saturating_sub(self.tree.len());
        let claimed = end.saturating_sub(self.tree.len());
        self.unparsed(rule, format!("a length of {claimed} bytes where {there} are there"));
        self.cut = true;
        body
    }

    /// Reads what is in the packet beside what it is about: its fields and oddities are kept, and no more.
    pub(crate) fn beside(&mut self, read: impl FnOnce(&mut Self)) {
        let (tree, anomalies) = (take(&mut self.tree), take(&mut self.anomalies));
        let about = self.clone();
        (self.tree, self.anomalies) = (tree, anomalies);
        read(self);
        let (tree, anomalies) = (take(&mut self.tree), take(&mut self.anomalies));
        *self = Self { tree, anomalies, ..about };
    }

    /// Says that the bytes of this fragment are looked at as part of the packet they are put together to: they are
    /// somebody's content then, and no longer not understood.
    pub fn settle_fragment(&mut self) {
        let Some(fragment) = &self.fragment else { return };
        let mut parts = Tree::default();
        parts.push("fragment", Class::Foreign, fragment.data.len());
        self.tree.refine(&fragment.data, &parts);
        self.anomalies.retain(|anomaly| anomaly.rule != FRAGMENT_RULE);
    }

    /// Counts everything up to the end of `body` as the payload of `protocol`: somebody's content.
    pub(crate) fn carries(&mut self, protocol: Protocol, body: &[u8]) {
        self.protocol = protocol;
        let start = self.tree.len();
        let range = start..body.len().max(start);
        let class = if self.cut { Class::Unparsed } else { Class::Foreign };
        self.tree.push("payload", class, range.len());
        *if self.cut { &mut self.cut_payload } else { &mut self.payload } = Some(range);
    }

    /// Counts everything up to the offset `end` as somebody else's, with nothing that anybody said.
    pub(crate) fn foreign(&mut self, protocol: Protocol, end: usize) {
        self.protocol = protocol;
        self.tree.push("foreign", Class::Foreign, end.saturating_sub(self.tree.len()));
    }

    /// Accounts for what no header claimed, up to the offset `end`.
    pub(crate) fn close(&mut self, end: usize) {
        let rest = end.saturating_sub(self.tree.len());
        if self.anomalies.iter().any(|anomaly| anomaly.unparsed) {
            self.tree.push("unparsed", Class::Unparsed, rest);
        } else {
            self.tree.push("trailer", Class::L2Trailer, rest);
        }
    }
}
