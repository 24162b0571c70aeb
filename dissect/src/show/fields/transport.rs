//! UDP and TCP.

use super::super::field::{Field, Occurrence};
use super::super::layer::Layer;
use super::super::seen::Seen;
use super::super::stream::StreamPlace;
use super::super::value::{Kind, Value};
use super::frame::whole;
use super::network::both;
use crate::bytes::{Endian, count};
use crate::dissection::Protocol;

/// RFC 8200, section 3.
const IPV6_HEADER_BYTES: usize = 40;

pub(super) const FIELDS: &[Field] = &[
    Field::function("udp", Kind::Protocol, "UDP", |seen| whole(Layer::Udp, seen)),
    Field::number("udp.srcport", "sender's port", Layer::Udp, 0, 2),
    Field::number("udp.dstport", "receiver's port", Layer::Udp, 2, 2),
    Field::function("udp.port", Kind::Unsigned, "both ports", |seen| {
        both("udp.srcport", "udp.dstport", seen)
    }),
    Field::number("udp.length", "length with header, in bytes", Layer::Udp, 4, 2),
    Field::number("udp.checksum", "checksum", Layer::Udp, 6, 2).hex(4),
    Field::function("udp.stream", Kind::Unsigned, "number of the conversation, from 0", |seen| {
        stream(seen, Protocol::Udp, |place| place.index)
    }),
    Field::function("udp.payload", Kind::Bytes, "what it carries", |seen| payload(seen, Protocol::Udp)),
    Field::function("tcp", Kind::Protocol, "TCP", |seen| whole(Layer::Tcp, seen)),
    Field::number("tcp.srcport", "sender's port", Layer::Tcp, 0, 2),
    Field::number("tcp.dstport", "receiver's port", Layer::Tcp, 2, 2),
    Field::function("tcp.port", Kind::Unsigned, "both ports", |seen| {
        both("tcp.srcport", "tcp.dstport", seen)
    }),
    Field::function("tcp.stream", Kind::Unsigned, "number of the connection, from 0", |seen| {
        stream(seen, Protocol::Tcp, |place| place.index)
    }),
    Field::function("tcp.len", Kind::Unsigned, "length of the payload, in bytes", |seen| {
        segment_len(seen).map(derived).into_iter().collect()
    }),
    Field::function("tcp.seq", Kind::Unsigned, "sequence number, from the beginning of the stream", |seen| {
        stream(seen, Protocol::Tcp, |place| place.sequence.into())
    }),
    Field::number("tcp.seq_raw", "sequence number on the wire", Layer::Tcp, 4, 4),
    Field::function("tcp.ack", Kind::Unsigned, "acknowledgement, from the beginning of the stream", |seen| {
        stream(seen, Protocol::Tcp, |place| place.acknowledgement.into())
    }),
    Field::number("tcp.ack_raw", "acknowledgement on the wire", Layer::Tcp, 8, 4),
    Field::number("tcp.hdr_len", "length of the header, in bytes", Layer::Tcp, 12, 1).bits(0xf0).times(4),
    Field::number("tcp.flags", "flags", Layer::Tcp, 12, 2).bits(0x0fff).hex(4),
    Field::number("tcp.flags.cwr", "window was made smaller", Layer::Tcp, 13, 1).flag(0x80),
    Field::number("tcp.flags.ece", "a congestion mark was seen", Layer::Tcp, 13, 1).flag(0x40),
    Field::number("tcp.flags.urg", "urgent", Layer::Tcp, 13, 1).flag(0x20),
    Field::number("tcp.flags.ack", "acknowledges", Layer::Tcp, 13, 1).flag(0x10),
    Field::number("tcp.flags.push", "deliver at once", Layer::Tcp, 13, 1).flag(0x08),
    Field::number("tcp.flags.reset", "resets the connection", Layer::Tcp, 13, 1).flag(0x04),
    Field::number("tcp.flags.syn", "opens the connection", Layer::Tcp, 13, 1).flag(0x02),
    Field::number("tcp.flags.fin", "closes the connection", Layer::Tcp, 13, 1).flag(0x01),
    Field::number("tcp.window_size_value", "window, before it is scaled", Layer::Tcp, 14, 2),
    Field::number("tcp.checksum", "checksum", Layer::Tcp, 16, 2).hex(4),
    Field::number("tcp.urgent_pointer", "where urgent data ends", Layer::Tcp, 18, 2),
    Field::function("tcp.payload", Kind::Bytes, "what it carries", |seen| payload(seen, Protocol::Tcp)),
];

/// Bytes that a TCP segment carries by its headers; where IP names no length, those that are there.
fn segment_len(seen: &Seen<'_>) -> Option<u64> {
    let there = seen.payload_range().filter(|_| seen.packet.dissection.protocol == Protocol::Tcp)?;
    let claimed = || {
        let start = seen.headers(Layer::Tcp).last()?.start;
        let word = |at: usize| Endian::Big.u16(seen.data, at).map(usize::from);
        let ip = seen.places.iter().rfind(|place| matches!(place.layer, Layer::Ipv4 | Layer::Ipv6))?;
        let end = match ip.layer {
            Layer::Ipv4 => ip.range.start + word(ip.range.start + 2).filter(|len| *len > 0)?,
            _ => ip.range.start + IPV6_HEADER_BYTES + word(ip.range.start + 4).filter(|len| *len > 0)?,
        };
        let header = usize::from(seen.data.get(start + 12)? >> 4) * 4;
        end.checked_sub(start + header)
    };
    Some(count(claimed().unwrap_or(there.len())))
}

fn derived<'a>(number: u64) -> Occurrence<'a> {
    Occurrence::derived(Value::Number(number))
}

fn stream<'a>(seen: &Seen<'a>, protocol: Protocol, pick: fn(&StreamPlace) -> u64) -> Vec<Occurrence<'a>> {
    let place = seen.stream.as_ref().filter(|_| seen.packet.dissection.protocol == protocol);
    place.map(|place| derived(pick(place))).into_iter().collect()
}

fn payload<'a>(seen: &Seen<'a>, protocol: Protocol) -> Vec<Occurrence<'a>> {
    let bytes = seen.payload();
    if seen.packet.dissection.protocol != protocol || bytes.is_empty() {
        return Vec::new();
    }
    vec![Occurrence { value: Value::Bytes(bytes.into()), range: seen.payload_range() }]
}
