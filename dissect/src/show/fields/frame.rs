//! The packet as it was captured.

use super::super::field::{Field, Occurrence};
use super::super::layer::Layer;
use super::super::seen::Seen;
use super::super::value::{Kind, Value};
use crate::bytes::count;

pub(super) const FIELDS: &[Field] = &[
    Field::function("frame", Kind::Protocol, "all captured bytes", |seen| whole(Layer::Frame, seen)),
    Field::function("frame.number", Kind::Unsigned, "number of the packet in the file, from 1", |seen| {
        number(count(seen.packet.number))
    }),
    Field::function("frame.time", Kind::Date, "when it was captured, in UTC", |seen| {
        seen.clock.now_ns.map(|now| Occurrence::derived(Value::Date(now))).into_iter().collect()
    }),
    Field::function("frame.time_epoch", Kind::Seconds, "seconds since 1970", |seen| {
        seconds(seen.clock.now_ns)
    }),
    Field::function("frame.time_relative", Kind::Seconds, "seconds since the first packet", |seen| {
        seconds(seen.clock.relative_ns())
    }),
    Field::function("frame.time_delta", Kind::Seconds, "seconds since the packet before", |seen| {
        seconds(seen.clock.since(seen.clock.previous_ns))
    }),
    Field::function(
        "frame.time_delta_displayed",
        Kind::Seconds,
        "seconds since the packet shown before",
        |seen| seconds(seen.clock.since(seen.clock.displayed_ns)),
    ),
    Field::function("frame.len", Kind::Unsigned, "length on the wire, in bytes", |seen| {
        number(seen.packet.original_len)
    }),
    Field::function("frame.cap_len", Kind::Unsigned, "length in the file, in bytes", |seen| {
        number(count(seen.data.len()))
    }),
    Field::function("frame.interface_id", Kind::Unsigned, "index of the interface, from 0", |seen| {
        seen.packet.interface.map(|index| number(count(index))).unwrap_or_default()
    }),
    Field::function("frame.protocols", Kind::Text, "the protocols in it, outermost first", |seen| {
        vec![Occurrence::derived(Value::Text(seen.protocols().join(":").into()))]
    }),
];

/// A protocol as a whole, from each of its headers on.
pub(super) fn whole<'a>(layer: Layer, seen: &Seen<'a>) -> Vec<Occurrence<'a>> {
    let occurrence = |range: std::ops::Range<usize>| {
        let value = Value::Protocol(layer.prefix(), seen.data.get(range.clone())?);
        Some(Occurrence { value, range: Some(range) })
    };
    seen.headers(layer).filter_map(occurrence).collect()
}

fn number<'a>(number: u64) -> Vec<Occurrence<'a>> {
    vec![Occurrence::derived(Value::Number(number))]
}

fn seconds<'a>(nanoseconds: Option<i128>) -> Vec<Occurrence<'a>> {
    nanoseconds.map(|time| Occurrence::derived(Value::Seconds(time))).into_iter().collect()
}
