//! One datagram being filled: frames in, sealed bytes out.
//!
//! The order in a datagram is ACK, what was lost, control, then what the owner adds.

mod passing;

use super::Connection;
use super::ledger::Traits;
use super::loss::PROBE_PACKETS;
use super::path::{CHALLENGE_DATAGRAM_BYTES, challenge_timeout};
use super::trace::Step;
use crate::content::Content;
use crate::transmit::{Ecn, Path, Transmit};
use alloc::vec::Vec;
use spec::limits::{DATAGRAM_BYTES, TAG_BYTES};
use spec::number;
use spec::time::Instant;
use spec::wire::frame::Frame;
use spec::wire::short::{self, ShortHeader};

/// Datagrams that one call hands to the kernel (Linux: UDP_MAX_SEGMENTS).
const SEGMENTS_MAX: usize = 64;
/// Bytes of them: an IP packet is as long at most, and carries headers too.
const BATCH_BYTES_MAX: usize = 65_000;
/// Packets the ledger keeps account of: twice the window of a peer.
const LEDGER_PACKETS_MAX: usize = 2048;
/// Packet numbers at the end of the peer's window that only probes may use.
const PROBE_RESERVE_PACKETS: u64 = 32;
/// Packets without an acknowledgement after which even one that only acknowledges asks for one (RFC 9000
/// section 13.2.4): acknowledgements use up packet numbers too, and nobody acknowledges them by themselves.
const UNHEARD_PACKETS_MAX: u64 = 16;

/// Bytes of CLOSE beside its text: type, reason, length.
const CLOSE_BYTES: usize = 1 + 8 + 2;
/// Bytes of its text: a reason is for a person.
const CLOSE_TEXT_BYTES_MAX: usize = 600;

/// Bytes of the largest header of a STREAM frame.
const STREAM_HEADER_BYTES: usize = 1 + 8 + 8 + 2;

/// A datagram being filled. What is in it counts as said, so it has to be [`seal`](Packer::seal)ed.
#[must_use]
#[derive(Debug)]
pub struct Packer<'a> {
    connection: &'a mut Connection,
    out: &'a mut Vec<u8>,
    now: Instant,
    start: usize,
    header: ShortHeader,
    /// Bytes the datagram may have.
    limit: usize,
    contents: usize,
    traits: Traits,
    may_elicit: bool,
    has_ack: bool,
    has_ping: bool,
    /// There is more to say, and it is being fetched.
    expects_more: bool,
    /// How often what is written was repeated by now.
    copies: u8,
    /// It is the PING that shows the hub the next generation.
    is_confirming: bool,
}

impl Connection {
    /// Fills and seals the datagrams that may leave now into `out`, as many of one length as one call to the
    /// kernel takes; `fill` adds what the owner has to say to each. `None` when there is nothing to send.
    pub fn transmit(
        &mut self,
        now: Instant,
        out: &mut Vec<u8>,
        mut fill: impl FnMut(&mut Packer<'_>),
    ) -> Option<Transmit> {
        if let Some(path) = self.write_challenge(now, out) {
            return Some(Transmit::one(path, out.len()));
        }
        if self.write_confirm(now, out) {
            return Some(Transmit { path: self.path(), ecn: self.mark, segment_bytes: out.len() });
        }
        let mut segment = None;
        for _ in 0..SEGMENTS_MAX {
            let start = out.len();
            let Some(mut packer) = self.begin(now, out, segment) else { break };
            fill(&mut packer);
            if !packer.seal() {
                break;
            }
            let len = out.len() - start;
            let first = *segment.get_or_insert(len);
            // Only a run of full datagrams goes on: what is shorter was all there is.
            if len < first || len < DATAGRAM_BYTES || out.len() + first > BATCH_BYTES_MAX {
                break;
            }
        }
        segment.map(|segment_bytes| Transmit { path: self.path(), ecn: self.mark, segment_bytes })
    }

    /// Begins the next datagram at the end of `out`, with what the connection itself has to say already in it.
    /// `None` when nothing may be sent at all.
    ///
    /// Behind others in `out` it has at most as many bytes as `segment`, the first of them, and the same mark.
    fn begin<'a>(
        &'a mut self,
        now: Instant,
        out: &'a mut Vec<u8>,
        segment: Option<usize>,
    ) -> Option<Packer<'a>> {
        if self.end().is_some() && !self.received.is_due() {
            return None;
        }
        let may_elicit = self.may_elicit(now);
        let limit = self.recovery.datagram_bytes().min(self.paths.budget_bytes());
        // A small window may be used up by small datagrams; probes go beyond it.
        let limit =
            if may_elicit && !self.is_probing() { limit.min(self.recovery.room_bytes()) } else { limit };
        let limit = short::longest_within(segment.map_or(limit, |segment| limit.min(segment)))?;
        if segment.is_none() {
            self.mark = self.recovery.mark();
        }
        let probe_bytes = self.take_mtu_probe(now, may_elicit && segment.is_none());
        let mut packer = self.open_packer(now, out, probe_bytes.unwrap_or(limit), false)?;
        packer.may_elicit = may_elicit;
        if probe_bytes.is_some() {
            packer.write_mtu_probe();
        } else {
            packer.write_own();
        }
        Some(packer)
    }

    /// Writes a question for the address the client was at before into `out`, when it is due; where it goes.
    fn write_challenge(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Path> {
        if self.is_closing() {
            return None;
        }
        let pto = challenge_timeout(&self.recovery.rtt);
        let (path, (generation, id), data) = self.paths.take_challenge_before(now, pto)?;
        // Under later keys there is no id that was used there.
        if generation != self.keys.generation() {
            return None;
        }
        let start = out.len();
        let mut packer = self.open_packer(now, out, CHALLENGE_DATAGRAM_BYTES, false)?;
        packer.header.id = id;
        packer.out.truncate(start);
        packer.header.encode(packer.out);
        packer.write(None, &Frame::PathChallenge { data });
        // Whether it arrives says nothing about the path in use, and it is repeated by itself.
        packer.traits.is_eliciting = false;
        packer.seal_on(path).then_some(path)
    }

    /// Writes the client's PING under the next generation into `out`, when it is due.
    fn write_confirm(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        let may_leave = self.numbers.next() < self.number_limit && !self.is_closing();
        if !self.keys.is_confirm_due() || !may_leave {
            return false;
        }
        self.mark = self.recovery.mark();
        let path = self.path();
        let Some(mut packer) = self.open_packer(now, out, DATAGRAM_BYTES, true) else { return false };
        //= spec/PROTOCOL.md#ratchet
        //# The client MUST NOT send anything but PING under the next generation before it has opened a packet of
        //# the hub under it.
        packer.write(None, &Frame::Ping);
        packer.seal_on(path)
    }

    fn open_packer<'a>(
        &'a mut self,
        now: Instant,
        out: &'a mut Vec<u8>,
        limit: usize,
        is_confirming: bool,
    ) -> Option<Packer<'a>> {
        // A peer that never acknowledges may not have us keep account of it for ever.
        if self.recovery.ledger.len() >= LEDGER_PACKETS_MAX {
            self.ending.timed_out();
            return None;
        }
        if self.numbers.leave_out(&mut self.random) {
            self.recovery.ledger.leave_out(now);
        }
        let number = self.numbers.next();
        let last_seen = self.last_received.max(self.last_eliciting);
        let (epoch, id) = self.keys.mark(now, last_seen, number, is_confirming);
        let header = ShortHeader {
            epoch,
            number_len: number::encoded_len(number, self.recovery.ledger.largest_acked()),
            reserved: self.random.reserved(),
            id,
            number,
        };
        let start = out.len();
        header.encode(out);
        Some(Packer {
            connection: self,
            out,
            now,
            start,
            header,
            limit,
            contents: 0,
            traits: Traits::default(),
            may_elicit: true,
            has_ack: false,
            has_ping: false,
            expects_more: false,
            copies: 0,
            is_confirming,
        })
    }

    /// Whether what leaves now does not wait for the window.
    fn is_probing(&self) -> bool {
        self.recovery.loss.has_allowance() || self.is_closing()
    }

    /// Whether a packet that asks for an acknowledgement may leave.
    fn may_elicit(&mut self, now: Instant) -> bool {
        let is_probe = self.is_probing();
        // The end of the peer's window is kept for probes: they bring the ACK that moves it.
        let kept = if is_probe { 0 } else { PROBE_RESERVE_PACKETS };
        if self.numbers.next() > self.number_limit.saturating_sub(kept) {
            // The peer's window is full, and ours is not: that nothing is lost does not show that more would arrive.
            self.recovery.ran_dry();
            return false;
        }
        is_probe || self.recovery.may_send(now)
    }

    /// The length of the probe to send now, if one is due.
    fn take_mtu_probe(&mut self, now: Instant, is_possible: bool) -> Option<usize> {
        if !is_possible || !self.due.mtu_probe || self.is_closing() || !self.paths.is_valid() {
            return None;
        }
        self.due.mtu_probe = false;
        self.recovery.mtu.probe_size(now)
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
        (self.start + self.limit - TAG_BYTES).saturating_sub(self.out.len())
    }

    /// There is more to say than is at hand: that the window is not filled is no sign that it need not be.
    pub fn expect_more(&mut self) {
        self.expects_more = true;
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.out.len() == self.start + self.header.len()
    }

    /// Adds `frame`, which must fit, and remembers `content` for the case that it is lost.
    pub fn write(&mut self, content: Option<Content>, frame: &Frame<'_>) {
        self.traits.is_eliciting |= frame.is_ack_eliciting() || matches!(frame, Frame::Close { .. });
        self.has_ping |= matches!(frame, Frame::Ping);
        frame.encode(self.out);
        debug_assert!(self.out.len() <= self.start + self.limit - TAG_BYTES, "the frame must fit");
        if let Some(content) = content {
            self.connection.recovery.ledger.push(content, self.copies);
            self.contents += 1;
        }
    }

    /// What is lost and the owner's to say again: see [`Connection::poll_lost`].
    pub fn poll_lost(&mut self) -> Option<Content> {
        self.connection.poll_lost()
    }

    /// What is lost of blobs.
    pub(crate) fn poll_lost_bulk(&mut self) -> Option<Content> {
        self.copies = 1;
        let lost = self.connection.lost_bulk.pop_front();
        if lost.is_none() {
            self.copies = 0;
        }
        lost
    }

    /// Puts back what [`poll_lost_bulk`](Self::poll_lost_bulk) gave and did not fit.
    pub(crate) fn still_lost_bulk(&mut self, content: Content) {
        self.copies = 0;
        self.connection.lost_bulk.push_front(content);
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
            if self.may_elicit && !self.expects_more {
                self.connection.recovery.ran_dry();
            }
            return false;
        }
        self.write_stream_copies();
        self.write_ack_in_passing();
        self.ask_in_time();
        self.ask_if_unheard();
        self.add_grease();
        let path = self.connection.path();
        self.seal_on(path)
    }

    fn seal_on(mut self, path: Path) -> bool {
        self.traits.is_marked = self.connection.mark == Ecn::Ect0 && path == self.connection.path();
        let Self { connection, out, now, start, header, contents, traits, has_ping, is_confirming, .. } =
            self;
        let times = (now, connection.recovery.rtt.probe_timeout());
        if connection.keys.seal(times, is_confirming, &header, out, start).is_err() {
            out.truncate(start);
            connection.ending.timed_out();
            return false;
        }
        let bytes = out.len() - start;
        connection.recovery.on_sent(now, header.number, bytes, contents, traits);
        if has_ping {
            connection.recovery.asked();
        }
        connection.paths.sent(path, bytes);
        connection.sent(now, header.number, bytes, traits.is_eliciting);
        true
    }

    /// A packet that only finds out whether its length passes.
    fn write_mtu_probe(&mut self) {
        self.write(None, &Frame::Ping);
        self.out.resize(self.start + self.limit - TAG_BYTES, 0);
        self.traits.is_mtu_probe = true;
        self.may_elicit = false;
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
        if core::mem::take(&mut self.connection.due.done) {
            self.write(Some(Content::Done), &Frame::Done);
        }
        self.write_path_frames();
        self.copies = 1;
        self.write_lost();
        self.copies = 0;
        self.write_limits();
        self.write_streams();
        if core::mem::take(&mut self.connection.due.ping) && !self.traits.is_eliciting {
            self.write(None, &Frame::Ping);
        }
    }

    /// Whether this packet will leave for another reason than an acknowledgement.
    fn will_write(&self) -> bool {
        let connection = &self.connection;
        self.may_elicit
            && (!connection.lost.is_empty()
                || connection.send.has_fresh()
                || connection.due.done
                || connection.due.ping)
            || connection.ending.is_due()
    }

    fn write_ack(&mut self) {
        if let Some(ack) = self.connection.received.take_ack(self.now) {
            let content = Content::Ack { largest: ack.largest() };
            self.write(Some(content), &Frame::Ack(ack));
            self.has_ack = true;
        }
    }

    /// Questions and answers about the path in use.
    fn write_path_frames(&mut self) {
        let connection = &mut *self.connection;
        let pto = challenge_timeout(&connection.recovery.rtt);
        connection.due.challenge = false;
        let challenge = connection.paths.take_challenge(self.now, pto);
        let responses = core::mem::take(&mut connection.responses);
        if let Some(data) = challenge {
            self.write(None, &Frame::PathChallenge { data });
        }
        for data in responses {
            self.write(None, &Frame::PathResponse { data });
        }
    }

    fn write_close(&mut self) {
        // A CLOSE that counts as lost is no longer in flight: no probe would repeat it.
        if self.connection.lost.contains(&Content::Close) {
            self.connection.ending.repeat();
        }
        self.connection.lost.clear();
        // What may be sent to an address that is not validated may be very short.
        if self.remaining() < CLOSE_BYTES {
            return;
        }
        let most = CLOSE_TEXT_BYTES_MAX.min(self.remaining() - CLOSE_BYTES);
        let Some((reason, text)) = self.connection.ending.take_close() else { return };
        // What does not fit is cut at a character.
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
                Content::Entries { .. }
                | Content::Fragment { .. }
                | Content::Bulk { .. }
                | Content::MaxBulk { .. } => {
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
        let space = self.remaining().saturating_sub(STREAM_HEADER_BYTES);
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

    /// Now and then a packet asks to be acknowledged at once.
    fn ask_in_time(&mut self) {
        let is_turn = self.traits.is_eliciting && self.connection.recovery.wants_answer();
        if is_turn && !self.has_ping && self.remaining() > 0 {
            self.write(None, &Frame::Ping);
        }
    }

    fn ask_if_unheard(&mut self) {
        let heard = self.connection.recovery.ledger.largest_acked().map_or(0, |largest| largest + 1);
        let unheard = self.connection.numbers.next().saturating_sub(heard);
        let in_window = self.connection.numbers.next() <= self.connection.number_limit;
        let is_possible = in_window && self.remaining() > 0 && !self.connection.is_closing();
        // Not each of them: what asks for an acknowledgement is in flight, whatever the window says.
        let is_turn = unheard >= UNHEARD_PACKETS_MAX && unheard.is_multiple_of(UNHEARD_PACKETS_MAX);
        if is_turn && is_possible && !self.traits.is_eliciting {
            self.write(None, &Frame::Ping);
        }
    }
}

impl Connection {
    /// The second probe carries what the first did: either may be lost.
    fn repeat_probe(&mut self) {
        if self.recovery.loss.has_allowance() && self.lost.is_empty() && !self.is_closing() {
            self.recovery.ledger.oldest_contents(PROBE_PACKETS, &mut self.lost);
            self.sort_lost();
        }
    }

    fn sent(&mut self, now: Instant, number: u64, bytes: usize, is_eliciting: bool) {
        self.numbers.used();
        self.stats.sent += 1;
        self.stats.sent_bytes += bytes as u64;
        self.trace.sealed(now, self.keys.generation(), self.keys.epoch());
        self.trace.note(now, || Step::Sent { number, bytes, is_eliciting });
        if is_eliciting {
            self.last_eliciting = now;
            self.repeat_probe();
            self.waiting_since = self.waiting_since.or(Some(now));
        }
    }
}
