//! One datagram being filled: frames in, sealed bytes out.
//!
//! The order in a datagram is ACK, what was lost, control, then what the owner adds.

use super::Connection;
use crate::content::Content;
use alloc::vec::Vec;
use spec::limits::{BUCKETS_BYTES, DATAGRAM_BYTES, TAG_BYTES};
use spec::number;
use spec::time::Instant;
use spec::wire::frame::{Frame, grease};
use spec::wire::short::ShortHeader;

/// One in this many packets carries a GREASE frame, so that peers keep skipping what they do not know.
const GREASE_ONE_IN: u64 = 64;

/// Packets the ledger keeps account of: twice the window of a peer.
const LEDGER_PACKETS_MAX: usize = 2048;
/// Packet numbers at the end of the peer's window that only probes may use.
const PROBE_RESERVE_PACKETS: u64 = 32;
/// Packets without an acknowledgement after which even one that only acknowledges asks for one (RFC 9000
/// section 13.2.4): acknowledgements use up packet numbers too, and nobody acknowledges them by themselves.
const UNHEARD_PACKETS_MAX: u64 = 16;

/// A datagram being filled. What is in it counts as said, so it has to be [`seal`](Packer::seal)ed.
#[must_use]
#[derive(Debug)]
pub struct Packer<'a> {
    connection: &'a mut Connection,
    out: &'a mut Vec<u8>,
    now: Instant,
    start: usize,
    header: ShortHeader,
    contents: usize,
    is_eliciting: bool,
    may_elicit: bool,
}

impl Connection {
    /// Begins the next datagram at the end of `out`, with what the connection itself has to say already in it.
    /// `None` when nothing may be sent at all.
    pub fn begin<'a>(&'a mut self, now: Instant, out: &'a mut Vec<u8>) -> Option<Packer<'a>> {
        if self.end().is_some() && !self.received.is_due() {
            return None;
        }
        // A peer that never acknowledges may not have us keep account of it for ever.
        if self.ledger.len() >= LEDGER_PACKETS_MAX {
            self.ending.timed_out();
            return None;
        }
        let number = self.next_number;
        let last_seen = self.last_received.max(self.last_eliciting);
        let header = ShortHeader {
            //= spec/PROTOCOL.md#key-schedule
            //# This revision uses generation 0 and epoch 0 only; a sender MUST set both epoch bits to 0.
            epoch: 0,
            number_len: number::encoded_len(number, self.ledger.largest_acked()),
            reserved: self.random.reserved(),
            id: self.own_id.for_packet(now, last_seen, number),
            number,
        };
        let start = out.len();
        header.encode(out);
        let may_elicit = self.may_elicit();
        let mut packer = Packer {
            connection: self,
            out,
            now,
            start,
            header,
            contents: 0,
            is_eliciting: false,
            may_elicit,
        };
        packer.write_own();
        Some(packer)
    }

    /// Whether a packet that asks for an acknowledgement may leave.
    fn may_elicit(&self) -> bool {
        //= spec/PROTOCOL.md#short-datagrams
        //# Packet numbers begin at 0.
        let fits = self.congestion.allows(self.ledger.bytes_in_flight());
        let is_probe = self.loss.has_allowance() || self.is_closing();
        // The end of the peer's window is kept for probes: they bring the ACK that moves it.
        let kept = if is_probe { 0 } else { PROBE_RESERVE_PACKETS };
        self.next_number <= self.number_limit.saturating_sub(kept) && (fits || is_probe)
    }
}

impl Packer<'_> {
    /// Whether frames that ask for an acknowledgement may be added.
    #[must_use]
    pub const fn may_elicit(&self) -> bool {
        self.may_elicit
    }

    /// Bytes of frames that still fit.
    #[must_use]
    pub fn remaining(&self) -> usize {
        (self.start + DATAGRAM_BYTES - TAG_BYTES).saturating_sub(self.out.len())
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.out.len() == self.start + self.header.len()
    }

    /// Adds `frame`, which must fit, and remembers `content` for the case that it is lost.
    pub fn write(&mut self, content: Option<Content>, frame: &Frame<'_>) {
        self.is_eliciting |= frame.is_ack_eliciting() || matches!(frame, Frame::Close { .. });
        frame.encode(self.out);
        debug_assert!(self.out.len() <= self.start + DATAGRAM_BYTES - TAG_BYTES, "the frame must fit");
        if let Some(content) = content {
            self.connection.ledger.push(content);
            self.contents += 1;
        }
    }

    /// What is lost and the owner's to say again: see [`Connection::poll_lost`].
    pub fn poll_lost(&mut self) -> Option<Content> {
        self.connection.poll_lost()
    }

    /// See [`Connection::still_lost`].
    pub fn still_lost(&mut self, content: Content) {
        self.connection.still_lost(content);
    }

    /// Pads, seals and enters the datagram into the ledger. An empty one is taken back and `false` returned; so
    /// is one that the keys may no longer seal.
    pub fn seal(mut self) -> bool {
        if self.is_empty() {
            self.out.truncate(self.start);
            return false;
        }
        self.ask_if_unheard();
        self.add_grease();
        let Self { connection, out, now, start, header, contents, is_eliciting, .. } = self;
        if connection.sealer.seal(&header, out, start).is_err() {
            out.truncate(start);
            connection.ending.timed_out();
            return false;
        }
        connection.ledger.enter(now, out.len() - start, contents, is_eliciting);
        connection.sent(now, is_eliciting);
        true
    }

    /// The connection's own frames: ACK, CLOSE and nothing else at the end, lost and fresh stream bytes.
    fn write_own(&mut self) {
        let due = self.connection.received.is_due();
        if due || self.connection.received.is_owed() && self.will_write() {
            self.write_ack();
        }
        //= spec/PROTOCOL.md#closing
        //# An endpoint that closes repeats CLOSE until it is acknowledged, for at most 3 seconds, and sends
        //# nothing else but acknowledgements.
        if self.connection.is_closing() {
            self.may_elicit = false;
            return self.write_close();
        }
        if !self.may_elicit {
            return;
        }
        if core::mem::take(&mut self.connection.done_due) {
            self.write(Some(Content::Done), &Frame::Done);
        }
        self.write_lost();
        self.write_limits();
        self.write_streams();
        if core::mem::take(&mut self.connection.ping_due) && !self.is_eliciting {
            self.write(None, &Frame::Ping);
        }
    }

    /// Whether this packet will leave for another reason than an acknowledgement.
    fn will_write(&self) -> bool {
        let connection = &self.connection;
        self.may_elicit
            && (!connection.lost.is_empty()
                || connection.send.has_fresh()
                || connection.done_due
                || connection.ping_due)
            || connection.ending.is_due()
    }

    fn write_ack(&mut self) {
        if let Some(ack) = self.connection.received.take_ack(self.now) {
            let content = Content::Ack { largest: ack.largest() };
            self.write(Some(content), &Frame::Ack(ack));
        }
    }

    fn write_close(&mut self) {
        self.connection.lost.clear();
        let Some((reason, text)) = self.connection.ending.take_close() else { return };
        // A reason is for a person: what exceeds a datagram is cut at a character.
        let most = 600;
        let cut = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let text = alloc::string::String::from(&text[..cut]);
        self.write(Some(Content::Close), &Frame::Close { reason, text: &text });
    }

    /// What was lost and is the connection's own, up to what is the owner's.
    fn write_lost(&mut self) {
        while let Some(content) = self.connection.lost.pop_front() {
            match content {
                Content::Stream { stream, offset, len } => {
                    if !self.write_stream_again(stream, offset, len) {
                        return;
                    }
                }
                Content::MaxStream { stream } => self.connection.recv.repeat_limit(stream),
                Content::Done => self.write(Some(Content::Done), &Frame::Done),
                Content::Ack { .. } | Content::Close => {}
                Content::Entries { .. } | Content::Fragment { .. } => {
                    self.connection.lost.push_front(content);
                    return;
                }
            }
        }
    }

    /// Says stream bytes again, as far as they are not acknowledged and fit; whether all did.
    fn write_stream_again(&mut self, stream: u64, offset: u64, len: u16) -> bool {
        let mut next = offset;
        let end = offset + u64::from(len);
        while let Some(at) = self.connection.send.first_unacknowledged(stream, next, end) {
            let written = self.write_stream(stream, at, end);
            if written == 0 {
                let left = u16::try_from(end - at).unwrap_or(u16::MAX);
                self.connection.lost.push_front(Content::Stream { stream, offset: at, len: left });
                return false;
            }
            next = at + written;
        }
        true
    }

    fn write_limits(&mut self) {
        while self.remaining() >= 24 {
            let Some((stream, limit)) = self.connection.recv.take_limit() else { return };
            self.write(Some(Content::MaxStream { stream }), &Frame::MaxStream { stream, limit });
        }
    }

    fn write_streams(&mut self) {
        while let Some((stream, offset, end)) = self.connection.send.fresh() {
            let written = self.write_stream(stream, offset, end);
            if written == 0 {
                return;
            }
            self.connection.send.sent(stream, written);
        }
    }

    /// Writes as much of `stream[offset..end]` as fits; how much that was.
    fn write_stream(&mut self, stream: u64, offset: u64, end: u64) -> u64 {
        const HEADER_MAX: usize = 1 + 8 + 8 + 2;
        let space = self.remaining().saturating_sub(HEADER_MAX);
        let len = space.min(usize::try_from(end - offset).unwrap_or(usize::MAX));
        let data = self.connection.send.bytes(stream, offset, len);
        if data.is_empty() {
            return 0;
        }
        let content_len = u16::try_from(data.len()).unwrap_or(u16::MAX);
        self.write(
            Some(Content::Stream { stream, offset, len: content_len }),
            &Frame::Stream { stream, offset, data: &data },
        );
        u64::from(content_len)
    }

    fn ask_if_unheard(&mut self) {
        let heard = self.connection.ledger.largest_acked().map_or(0, |largest| largest + 1);
        let unheard = self.connection.next_number.saturating_sub(heard);
        let in_window = self.connection.next_number <= self.connection.number_limit;
        if unheard >= UNHEARD_PACKETS_MAX && in_window && !self.is_eliciting && !self.connection.is_closing()
        {
            self.write(None, &Frame::Ping);
        }
    }

    /// Now and then a frame that means nothing, where padding would stand anyway.
    fn add_grease(&mut self) {
        let draw = self.connection.random.number();
        if draw.is_multiple_of(GREASE_ONE_IN) && self.remaining() > BUCKETS_BYTES[0] {
            let frame = Frame::Extension { kind: grease(draw >> 32 & 0xf), data: &draw.to_be_bytes()[..3] };
            frame.encode(self.out);
        }
    }
}

impl Connection {
    fn sent(&mut self, now: Instant, is_eliciting: bool) {
        self.next_number += 1;
        self.stats.sent += 1;
        if is_eliciting {
            self.last_eliciting = now;
            self.loss.spend();
            self.waiting_since = self.waiting_since.or(Some(now));
        }
    }
}
