//! Frames: what a packet's sealed bytes say.

use super::ack::Ack;
use super::reader::{DecodeError, DecodeErrorKind, Reader};
use super::varint;
use crate::close::CloseReason;
use crate::limits::{BODY_BYTES_MAX, STREAM_ID_MAX};
use alloc::vec::Vec;

/// Which end of a session sent something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The initiator.
    Client,
    /// The responder.
    Hub,
}

/// Frame types (PROTOCOL.md, Frames).
pub mod kind {
    /// One zero byte.
    pub const PADDING: u64 = 0x00;
    /// Asks for an acknowledgement at once.
    pub const PING: u64 = 0x01;
    /// Acknowledges packets.
    pub const ACK: u64 = 0x02;
    /// Acknowledges packets, and says how many were marked.
    pub const ACK_ECN: u64 = 0x03;
    /// Bytes of a stream.
    pub const STREAM: u64 = 0x04;
    /// Whole log entries.
    pub const ENTRIES: u64 = 0x05;
    /// A piece of one log entry.
    pub const FRAGMENT: u64 = 0x06;
    /// The end of the session.
    pub const CLOSE: u64 = 0x07;
    /// FIN was opened.
    pub const DONE: u64 = 0x08;
    /// A stream may carry more.
    pub const MAX_STREAM: u64 = 0x09;
    /// Asks whether the client is at an address.
    pub const PATH_CHALLENGE: u64 = 0x0a;
    /// Answers that it is.
    pub const PATH_RESPONSE: u64 = 0x0b;
    /// What may be lost.
    pub const EPHEMERAL: u64 = 0x0c;
    /// Bytes of a blob.
    pub const BULK: u64 = 0x0d;
    /// A transfer may carry more.
    pub const MAX_BULK: u64 = 0x0e;
    /// From here on frames carry their length and may be skipped.
    pub const EXTENSION: u64 = 0x40;
}

/// Types `0x40 + 31 n` mean nothing for ever: sent now and then so that receivers keep skipping.
#[must_use]
pub const fn grease(n: u64) -> u64 {
    kind::EXTENSION.saturating_add(n.saturating_mul(31))
}

/// One frame, borrowing from the packet it stands in.
#[expect(
    clippy::large_enum_variant,
    reason = "an ACK lives on the stack: no allocation for each acknowledgement"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A run of zero bytes.
    Padding {
        /// Length of the run.
        len: usize,
    },
    /// Asks for an acknowledgement at once.
    Ping,
    /// Acknowledges packets.
    Ack(Ack),
    /// Bytes of a stream.
    Stream {
        /// 0 for control, else the room submitted to.
        stream: u64,
        /// Place of the first byte in the stream.
        offset: u64,
        /// The bytes.
        data: &'a [u8],
    },
    /// Whole entries of a room.
    Entries(Entries<'a>),
    /// A piece of one entry.
    Fragment {
        /// The room.
        room: u64,
        /// The entry's sequence number.
        sequence: u64,
        /// Length of the whole entry in bytes.
        total: u64,
        /// Place of the first byte in the entry.
        offset: u64,
        /// The bytes.
        data: &'a [u8],
    },
    /// The end of the session.
    Close {
        /// Why.
        reason: CloseReason,
        /// What the person is told.
        text: &'a str,
    },
    /// FIN was opened.
    Done,
    /// A stream may carry more.
    MaxStream {
        /// The stream.
        stream: u64,
        /// The offset its bytes must stay below.
        limit: u64,
    },
    /// Asks whether the client is at an address.
    PathChallenge {
        /// What the answer has to repeat.
        data: [u8; 8],
    },
    /// Answers that it is.
    PathResponse {
        /// What was asked with.
        data: [u8; 8],
    },
    /// What may be lost: typing.
    Ephemeral {
        /// The room.
        room: u64,
        /// What is said: [`ephemeral`](super::ephemeral).
        message: &'a [u8],
    },
    /// Bytes of a blob.
    Bulk {
        /// The transfer.
        transfer: u64,
        /// Place of the first byte in the blob.
        offset: u64,
        /// The bytes.
        data: &'a [u8],
    },
    /// A transfer may carry more.
    MaxBulk {
        /// The transfer.
        transfer: u64,
        /// The offset its bytes must stay below.
        limit: u64,
    },
    /// A frame of a type this version does not know.
    Extension {
        /// The type, 0x40 or above.
        kind: u64,
        /// Its content.
        data: &'a [u8],
    },
}

/// Whole entries of a room, in the bytes they have on the wire and in the hub's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entries<'a> {
    /// The room.
    pub room: u64,
    /// Sequence number of the first entry.
    pub first: u64,
    /// How many entries.
    pub count: u64,
    /// The entries, each with its length in front; checked to hold exactly `count`.
    pub bytes: &'a [u8],
}

impl<'a> Entries<'a> {
    /// The entries with their sequence numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &'a [u8])> + use<'a> {
        let mut reader = Reader::new(self.bytes);
        (self.first..self.first.saturating_add(self.count))
            .map_while(move |sequence| Some((sequence, reader.bytes("entry").ok()?)))
    }
}

impl<'a> Frame<'a> {
    /// Whether the frame asks for an acknowledgement; CLOSE is acknowledged once, as an end.
    #[must_use]
    pub const fn is_ack_eliciting(&self) -> bool {
        !matches!(self, Self::Padding { .. } | Self::Ack(_) | Self::Close { .. })
    }

    /// Whether only a hub sends it.
    const fn is_hubs(&self) -> bool {
        matches!(self, Self::Entries(_) | Self::Fragment { .. } | Self::Done | Self::PathChallenge { .. })
    }

    /// Whether only a client sends it.
    const fn is_clients(&self) -> bool {
        matches!(self, Self::PathResponse { .. })
    }

    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Padding { len } => out.resize(out.len().saturating_add(*len), 0),
            Self::Ping => varint::encode(kind::PING, out),
            Self::Ack(ack) => {
                varint::encode(if ack.ecn.is_some() { kind::ACK_ECN } else { kind::ACK }, out);
                ack.encode(out);
            }
            Self::Stream { stream, offset, data } => {
                encode_all(&[kind::STREAM, *stream, *offset], out);
                varint::encode_bytes(data, out);
            }
            Self::Entries(Entries { room, first, count, bytes }) => {
                encode_all(&[kind::ENTRIES, *room, *first, *count], out);
                out.extend_from_slice(bytes);
            }
            Self::Fragment { room, sequence, total, offset, data } => {
                encode_all(&[kind::FRAGMENT, *room, *sequence, *total, *offset], out);
                varint::encode_bytes(data, out);
            }
            Self::Close { reason, text } => {
                encode_all(&[kind::CLOSE, reason.code()], out);
                varint::encode_bytes(text.as_bytes(), out);
            }
            Self::Done => varint::encode(kind::DONE, out),
            Self::MaxStream { stream, limit } => encode_all(&[kind::MAX_STREAM, *stream, *limit], out),
            Self::PathChallenge { data } => {
                varint::encode(kind::PATH_CHALLENGE, out);
                out.extend_from_slice(data);
            }
            Self::PathResponse { data } => {
                varint::encode(kind::PATH_RESPONSE, out);
                out.extend_from_slice(data);
            }
            Self::Ephemeral { room, message } => {
                encode_all(&[kind::EPHEMERAL, *room], out);
                varint::encode_bytes(message, out);
            }
            Self::Bulk { transfer, offset, data } => {
                encode_all(&[kind::BULK, *transfer, *offset], out);
                varint::encode_bytes(data, out);
            }
            Self::MaxBulk { transfer, limit } => encode_all(&[kind::MAX_BULK, *transfer, *limit], out),
            Self::Extension { kind, data } => {
                varint::encode(*kind, out);
                varint::encode_bytes(data, out);
            }
        }
    }

    /// Reads one frame; padding is read as one run.
    fn decode(reader: &mut Reader<'a>, from: Side) -> Result<Self, DecodeError> {
        let unknown = reader.error("frame type", DecodeErrorKind::UnknownFrame);
        let direction = reader.error("frame type", DecodeErrorKind::Direction);
        let frame = match reader.varint("frame type")? {
            kind::PADDING => {
                let len = reader.peek().iter().take_while(|byte| **byte == 0).count();
                reader.take(len, "padding")?;
                Self::Padding { len: len.saturating_add(1) }
            }
            kind::PING => Self::Ping,
            kind::ACK => Self::Ack(Ack::decode(reader, false)?),
            kind::ACK_ECN => Self::Ack(Ack::decode(reader, true)?),
            kind::STREAM => decode_stream(reader)?,
            kind::ENTRIES => Self::Entries(decode_entries(reader)?),
            kind::FRAGMENT => decode_fragment(reader)?,
            kind::CLOSE => Self::Close {
                reason: CloseReason::from_code(reader.varint("close reason")?),
                text: reader.string("close text")?,
            },
            kind::DONE => Self::Done,
            kind::MAX_STREAM => {
                Self::MaxStream { stream: decode_stream_id(reader)?, limit: reader.varint("stream limit")? }
            }
            kind::PATH_CHALLENGE => Self::PathChallenge { data: reader.array("path data")? },
            kind::PATH_RESPONSE => Self::PathResponse { data: reader.array("path data")? },
            kind::EPHEMERAL => Self::Ephemeral {
                room: reader.varint("ephemeral room")?,
                message: reader.bytes("ephemeral message")?,
            },
            kind::BULK => Self::Bulk {
                transfer: reader.varint("bulk transfer")?,
                offset: reader.varint("bulk offset")?,
                data: reader.bytes("bulk data")?,
            },
            kind::MAX_BULK => Self::MaxBulk {
                transfer: reader.varint("bulk transfer")?,
                limit: reader.varint("bulk limit")?,
            },
            //= spec/PROTOCOL.md#frames
            //# A receiver MUST skip an extension frame it does not know.
            kind if kind >= kind::EXTENSION => Self::Extension { kind, data: reader.bytes("extension")? },
            _ => return Err(unknown),
        };
        //= spec/PROTOCOL.md#frames
        //# The hub MUST drop a packet that carries a frame only a hub sends.
        //= spec/PROTOCOL.md#frames
        //# The client MUST drop a packet that carries a frame only a client sends.
        let is_theirs = match from {
            Side::Client => !frame.is_hubs(),
            Side::Hub => !frame.is_clients(),
        };
        if is_theirs { Ok(frame) } else { Err(direction) }
    }
}

fn encode_all(values: &[u64], out: &mut Vec<u8>) {
    for value in values {
        varint::encode(*value, out);
    }
}

fn decode_stream_id(reader: &mut Reader<'_>) -> Result<u64, DecodeError> {
    let error = reader.error("stream", DecodeErrorKind::OutOfRange);
    let stream = reader.varint("stream")?;
    //= spec/PROTOCOL.md#streams
    //# A receiver MUST drop a packet with stream bytes above the limit it gave, or on a stream above 2^32.
    if stream > STREAM_ID_MAX { Err(error) } else { Ok(stream) }
}

fn decode_stream<'a>(reader: &mut Reader<'a>) -> Result<Frame<'a>, DecodeError> {
    let stream = decode_stream_id(reader)?;
    let offset = reader.varint("stream offset")?;
    let data = reader.bytes("stream data")?;
    let end = offset.saturating_add(data.len() as u64);
    if end > varint::MAX {
        return Err(reader.error("stream offset", DecodeErrorKind::OutOfRange));
    }
    Ok(Frame::Stream { stream, offset, data })
}

fn decode_entries<'a>(reader: &mut Reader<'a>) -> Result<Entries<'a>, DecodeError> {
    let room = reader.varint("entries room")?;
    let first = reader.varint("entries first")?;
    let count = reader.varint("entries count")?;
    if first.saturating_add(count) > varint::MAX {
        return Err(reader.error("entries count", DecodeErrorKind::OutOfRange));
    }
    let start = reader.peek();
    let at = reader.offset();
    for _ in 0..count {
        reader.bytes("entry")?;
    }
    let len = reader.offset().saturating_sub(at);
    let bytes = start.get(..len).unwrap_or_default();
    Ok(Entries { room, first, count, bytes })
}

fn decode_fragment<'a>(reader: &mut Reader<'a>) -> Result<Frame<'a>, DecodeError> {
    let room = reader.varint("fragment room")?;
    let sequence = reader.varint("fragment sequence")?;
    let total = reader.varint("fragment total")?;
    let offset = reader.varint("fragment offset")?;
    let data = reader.bytes("fragment data")?;
    let fits = offset.checked_add(data.len() as u64).is_some_and(|end| end <= total);
    // An entry is its body and a header of names and numbers, which is far below the second term.
    if !fits || total > (BODY_BYTES_MAX as u64).saturating_add(1024) {
        return Err(reader.error("fragment total", DecodeErrorKind::OutOfRange));
    }
    Ok(Frame::Fragment { room, sequence, total, offset, data })
}

/// The frames of one packet, all of which decode.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    payload: &'a [u8],
    from: Side,
}

impl<'a> Frames<'a> {
    /// Checks that `payload`, sent by `from`, decodes to its last byte.
    ///
    /// # Errors
    /// The first field that does not decode; [`DecodeErrorKind::Empty`] for no bytes at all.
    pub fn parse(payload: &'a [u8], from: Side) -> Result<Self, DecodeError> {
        //= spec/PROTOCOL.md#frames
        //# A receiver MUST drop a packet whose frames do not decode to its last byte.
        let mut reader = Reader::new(payload);
        if reader.is_empty() {
            return Err(reader.error("packet", DecodeErrorKind::Empty));
        }
        while !reader.is_empty() {
            Frame::decode(&mut reader, from)?;
        }
        Ok(Self { payload, from })
    }

    /// The frames, in order.
    pub fn iter(&self) -> impl Iterator<Item = Frame<'a>> + use<'a> {
        let mut reader = Reader::new(self.payload);
        let from = self.from;
        core::iter::from_fn(
            move || {
                if reader.is_empty() { None } else { Frame::decode(&mut reader, from).ok() }
            },
        )
    }
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
