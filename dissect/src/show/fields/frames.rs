//! The fields of frames, in the order they have on the wire.

use spec::wire::ack::Ack;
use spec::wire::ephemeral::Ephemeral;
use spec::wire::frame::{Frame, kind};
use spec::wire::varint;

use super::sealgram::Facts;
use crate::bytes::count;

/// Adds the fields of one frame.
pub(super) fn facts(frame: &Frame<'_>, facts: &mut Facts<'_>) {
    facts.number("sealgram.frame.type", code(frame));
    match frame {
        Frame::Padding { len } => facts.number("sealgram.padding.length", count(*len)),
        Frame::Ping | Frame::Done => {}
        Frame::Ack(ack) => acknowledgement(ack, facts),
        Frame::Stream { stream, offset, data } => {
            facts.number("sealgram.stream.stream", *stream);
            facts.number("sealgram.stream.offset", *offset);
            facts.bytes("sealgram.stream.data", data);
        }
        Frame::Entries(entries) => {
            facts.number("sealgram.entries.room", entries.room);
            facts.number("sealgram.entries.first", entries.first);
            facts.number("sealgram.entries.count", entries.count);
            entries.iter().for_each(|(_, entry)| facts.bytes("sealgram.entries.entry", entry));
        }
        Frame::Fragment { room, sequence, total, offset, data } => {
            facts.number("sealgram.fragment.room", *room);
            facts.number("sealgram.fragment.sequence", *sequence);
            facts.number("sealgram.fragment.total", *total);
            facts.number("sealgram.fragment.offset", *offset);
            facts.bytes("sealgram.fragment.data", data);
        }
        Frame::Close { reason, text } => {
            facts.number("sealgram.close.reason", reason.code());
            facts.text("sealgram.close.text", text);
        }
        Frame::MaxStream { stream, limit } => {
            facts.number("sealgram.max_stream.stream", *stream);
            facts.number("sealgram.max_stream.limit", *limit);
        }
        Frame::PathChallenge { data } | Frame::PathResponse { data } => {
            facts.bytes("sealgram.path.data", data);
        }
        Frame::Ephemeral { room, message } => {
            facts.number("sealgram.ephemeral.room", *room);
            facts.bytes("sealgram.ephemeral.message", message);
            ephemeral(message, facts);
        }
        Frame::Bulk { transfer, offset, data } => {
            facts.number("sealgram.bulk.transfer", *transfer);
            facts.number("sealgram.bulk.offset", *offset);
            facts.bytes("sealgram.bulk.data", data);
        }
        Frame::MaxBulk { transfer, limit } => {
            facts.number("sealgram.max_bulk.transfer", *transfer);
            facts.number("sealgram.max_bulk.limit", *limit);
        }
        Frame::Extension { data, .. } => facts.bytes("sealgram.extension.data", data),
    }
}

fn acknowledgement(ack: &Ack, facts: &mut Facts<'_>) {
    facts.number("sealgram.ack.largest", ack.largest());
    facts.number("sealgram.ack.delay", ack.delay_us);
    facts.number("sealgram.ack.window", ack.window);
    let ranges = ack.ranges();
    facts.number("sealgram.ack.count", count(ranges.len().saturating_sub(1)));
    let mut above: Option<u64> = None;
    for range in ranges {
        let length = range.end().saturating_sub(*range.start());
        match above {
            None => facts.number("sealgram.ack.first", length),
            Some(above) => {
                facts.number("sealgram.ack.gap", above.saturating_sub(range.end().saturating_add(2)));
                facts.number("sealgram.ack.length", length);
            }
        }
        above = Some(*range.start());
    }
    if let Some(marks) = ack.ecn {
        facts.number("sealgram.ack.ect0", marks.ect0);
        facts.number("sealgram.ack.ect1", marks.ect1);
        facts.number("sealgram.ack.ce", marks.ce);
    }
}

fn ephemeral(message: &[u8], facts: &mut Facts<'_>) {
    if let Ok((kind, _)) = varint::decode(message) {
        facts.number("sealgram.ephemeral.type", kind);
    }
    if let Ok(Ephemeral::Typing { name }) = Ephemeral::decode(message) {
        facts.text("sealgram.ephemeral.name", name);
    }
}

/// The type on the wire.
fn code(frame: &Frame<'_>) -> u64 {
    match frame {
        Frame::Padding { .. } => kind::PADDING,
        Frame::Ping => kind::PING,
        Frame::Ack(ack) => ack.ecn.map_or(kind::ACK, |_| kind::ACK_ECN),
        Frame::Stream { .. } => kind::STREAM,
        Frame::Entries(_) => kind::ENTRIES,
        Frame::Fragment { .. } => kind::FRAGMENT,
        Frame::Close { .. } => kind::CLOSE,
        Frame::Done => kind::DONE,
        Frame::MaxStream { .. } => kind::MAX_STREAM,
        Frame::PathChallenge { .. } => kind::PATH_CHALLENGE,
        Frame::PathResponse { .. } => kind::PATH_RESPONSE,
        Frame::Ephemeral { .. } => kind::EPHEMERAL,
        Frame::Bulk { .. } => kind::BULK,
        Frame::MaxBulk { .. } => kind::MAX_BULK,
        Frame::Extension { kind, .. } => *kind,
    }
}
