//! Ethernet, VLAN tags and address resolution.

use super::super::field::{Field, Occurrence};
use super::super::layer::Layer;
use super::super::seen::Seen;
use super::super::value::{Kind, Value};
use super::frame::whole;
use super::network::both;
use crate::bytes::Endian;

/// The field behind the addresses is a length up to here, and an EtherType above (IEEE 802.3).
const LENGTH_MAX: u16 = 1500;

pub(super) const FIELDS: &[Field] = &[
    Field::function("eth", Kind::Protocol, "Ethernet", |seen| whole(Layer::Ethernet, seen)),
    Field::fixed("eth.dst", Kind::Mac, "receiver", Layer::Ethernet, 0, 6),
    Field::fixed("eth.src", Kind::Mac, "sender", Layer::Ethernet, 6, 6),
    Field::function("eth.addr", Kind::Mac, "receiver and sender", |seen| both("eth.dst", "eth.src", seen)),
    Field::function("eth.type", Kind::Unsigned, "EtherType", |seen| {
        length_or_type(seen, |number| (number > LENGTH_MAX).then_some(Value::Hex(number.into(), 4)))
    }),
    Field::function("eth.len", Kind::Unsigned, "length of an IEEE 802.3 frame", |seen| {
        length_or_type(seen, |number| (number <= LENGTH_MAX).then_some(Value::Number(number.into())))
    }),
    Field::function("vlan", Kind::Protocol, "VLAN tag", |seen| whole(Layer::Vlan, seen)),
    Field::number("vlan.priority", "priority", Layer::Vlan, 0, 2).bits(0xe000),
    Field::number("vlan.dei", "may be dropped first", Layer::Vlan, 0, 2).flag(0x1000),
    Field::number("vlan.id", "number of the VLAN", Layer::Vlan, 0, 2).bits(0x0fff),
    Field::number("vlan.etype", "EtherType behind the tag", Layer::Vlan, 2, 2).hex(4),
    Field::function("ieee8021ad", Kind::Protocol, "VLAN service tag", |seen| whole(Layer::ServiceVlan, seen)),
    Field::number("ieee8021ad.priority", "priority", Layer::ServiceVlan, 0, 2).bits(0xe000),
    Field::number("ieee8021ad.dei", "may be dropped first", Layer::ServiceVlan, 0, 2).flag(0x1000),
    Field::number("ieee8021ad.id", "number of the service VLAN", Layer::ServiceVlan, 0, 2).bits(0x0fff),
    Field::function("arp", Kind::Protocol, "address resolution", |seen| whole(Layer::Arp, seen)),
    Field::number("arp.hw.type", "kind of link", Layer::Arp, 0, 2),
    Field::number("arp.proto.type", "kind of network", Layer::Arp, 2, 2).hex(4),
    Field::number("arp.opcode", "1 request, 2 reply", Layer::Arp, 6, 2),
];

fn length_or_type<'a>(seen: &Seen<'a>, pick: fn(u16) -> Option<Value<'a>>) -> Vec<Occurrence<'a>> {
    let of = |header: std::ops::Range<usize>| {
        let range = header.start + 12..header.start + 14;
        let value = pick(Endian::Big.u16(seen.data, range.start)?)?;
        Some(Occurrence { value, range: Some(range) })
    };
    seen.headers(Layer::Ethernet).filter_map(of).collect()
}
