//! IPv4, IPv6 and ICMP.

use super::super::field::{Field, Occurrence, find};
use super::super::layer::Layer;
use super::super::seen::Seen;
use super::super::value::Kind;
use super::frame::whole;

pub(super) const FIELDS: &[Field] = &[
    Field::function("ip", Kind::Protocol, "IPv4", |seen| whole(Layer::Ipv4, seen)),
    Field::number("ip.version", "version of IP", Layer::Ipv4, 0, 1).bits(0xf0),
    Field::number("ip.hdr_len", "length of the header, in bytes", Layer::Ipv4, 0, 1).bits(0x0f).times(4),
    Field::number("ip.dsfield", "class of service and congestion marks", Layer::Ipv4, 1, 1).hex(2),
    Field::number("ip.dsfield.dscp", "class of service", Layer::Ipv4, 1, 1).bits(0xfc),
    Field::number("ip.dsfield.ecn", "congestion marks (RFC 3168)", Layer::Ipv4, 1, 1).bits(0x03),
    Field::number("ip.len", "length with header, in bytes", Layer::Ipv4, 2, 2),
    Field::number("ip.id", "identification, for fragments", Layer::Ipv4, 4, 2).hex(4),
    Field::number("ip.flags", "flags, for fragments", Layer::Ipv4, 6, 1).bits(0xe0).hex(2),
    Field::number("ip.flags.rb", "reserved", Layer::Ipv4, 6, 1).flag(0x80),
    Field::number("ip.flags.df", "may not be fragmented", Layer::Ipv4, 6, 1).flag(0x40),
    Field::number("ip.flags.mf", "more fragments follow", Layer::Ipv4, 6, 1).flag(0x20),
    Field::number("ip.frag_offset", "place of the fragment, in units of 8 bytes", Layer::Ipv4, 6, 2)
        .bits(0x1fff),
    Field::number("ip.ttl", "hops left", Layer::Ipv4, 8, 1),
    Field::number("ip.proto", "protocol inside", Layer::Ipv4, 9, 1),
    Field::number("ip.checksum", "checksum of the header", Layer::Ipv4, 10, 2).hex(4),
    Field::fixed("ip.src", Kind::Ipv4, "sender", Layer::Ipv4, 12, 4),
    Field::fixed("ip.dst", Kind::Ipv4, "receiver", Layer::Ipv4, 16, 4),
    Field::function("ip.addr", Kind::Ipv4, "sender and receiver", |seen| both("ip.src", "ip.dst", seen)),
    Field::function("ipv6", Kind::Protocol, "IPv6", |seen| whole(Layer::Ipv6, seen)),
    Field::number("ipv6.version", "version of IP", Layer::Ipv6, 0, 1).bits(0xf0),
    Field::number("ipv6.tclass", "class of service and congestion marks", Layer::Ipv6, 0, 4)
        .bits(0x0ff0_0000)
        .hex(8),
    Field::number("ipv6.flow", "flow label", Layer::Ipv6, 0, 4).bits(0x000f_ffff).hex(6),
    Field::number("ipv6.plen", "length without header, in bytes", Layer::Ipv6, 4, 2),
    Field::number("ipv6.nxt", "protocol or extension header inside", Layer::Ipv6, 6, 1),
    Field::number("ipv6.hlim", "hops left", Layer::Ipv6, 7, 1),
    Field::fixed("ipv6.src", Kind::Ipv6, "sender", Layer::Ipv6, 8, 16),
    Field::fixed("ipv6.dst", Kind::Ipv6, "receiver", Layer::Ipv6, 24, 16),
    Field::function("ipv6.addr", Kind::Ipv6, "sender and receiver", |seen| {
        both("ipv6.src", "ipv6.dst", seen)
    }),
    Field::function("icmp", Kind::Protocol, "ICMP", |seen| whole(Layer::Icmp, seen)),
    Field::number("icmp.type", "kind of message", Layer::Icmp, 0, 1),
    Field::number("icmp.code", "variant of that kind", Layer::Icmp, 1, 1),
    Field::function("icmpv6", Kind::Protocol, "ICMPv6", |seen| whole(Layer::IcmpV6, seen)),
    Field::number("icmpv6.type", "kind of message", Layer::IcmpV6, 0, 1),
    Field::number("icmpv6.code", "variant of that kind", Layer::IcmpV6, 1, 1),
];

/// The occurrences of two fields that stand one behind the other in each header, in that order.
pub(super) fn both<'a>(first: &str, second: &str, seen: &Seen<'a>) -> Vec<Occurrence<'a>> {
    let read = |name| find(name).map(|field| field.read(seen)).unwrap_or_default();
    let pairs = read(first).into_iter().zip(read(second));
    pairs.flat_map(|(first, second)| [first, second]).collect()
}
