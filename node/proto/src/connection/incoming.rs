//! One datagram that arrived: opened, checked as a whole, and only then applied.

use super::Connection;
use super::keys::Unsealed;
use super::ledger::Optimistic;
use super::path::Move;
use super::recovery::Told;
use super::stream::Intake;
use super::trace::Step;
use crate::content::Content;
use crate::transmit::{Arrival, Ecn, Path};
use spec::close::CloseReason;
use spec::discard::Discard;
use spec::time::Instant;
use spec::wire::ack::Ack;
use spec::wire::frame::{Frame, Frames, Side};

impl Connection {
    /// Opens a datagram, applies what is the connection's, and returns the frames for the owner to read the
    /// rest.
    ///
    /// `has_room` says whether the owner can hold the frames that are its own: what is refused here is not
    /// acknowledged and comes again.
    ///
    /// # Errors
    /// [`Discard`]; nothing but counters changed.
    pub fn handle_datagram<'d>(
        &mut self,
        now: Instant,
        from: Arrival,
        datagram: &'d mut [u8],
        has_room: impl FnOnce(&Frames<'_>) -> bool,
    ) -> Result<Frames<'d>, Discard> {
        let bytes = datagram.len();
        let result = self.open(now, from, datagram, has_room);
        if result.is_err() {
            self.stats.discarded += 1;
            self.trace.note(now, || Step::Dropped { bytes });
        }
        result
    }

    fn open<'d>(
        &mut self,
        now: Instant,
        from: Arrival,
        datagram: &'d mut [u8],
        has_room: impl FnOnce(&Frames<'_>) -> bool,
    ) -> Result<Frames<'d>, Discard> {
        //= spec/PROTOCOL.md#paths
        //# A client MUST drop a SHORT datagram from another address than the hub's.
        if self.side == Side::Client && from.path.remote != self.paths.active().remote {
            return Err(Discard::UnknownConnection);
        }
        let bytes = datagram.len();
        //= spec/PROTOCOL.md#the-hub-silence
        //# An endpoint MUST NOT change any state but counters because of a datagram that fails its MAC or its
        //# tag.
        let times = (now, self.recovery.rtt.probe_timeout());
        let opened = self.keys.open(times, datagram, self.received.largest());
        if opened == Err(Discard::EpochOrder) {
            self.close(now, CloseReason::Violation, "epochs and packet numbers contradict each other");
        }
        let Unsealed { number, frames } = opened?;
        //= spec/PROTOCOL.md#short-datagrams
        //# A receiver MUST check for repetition only after the tag was verified.
        self.received.check(number)?;
        let sender = if self.side == Side::Client { Side::Hub } else { Side::Client };
        let frames = Frames::parse(&datagram[frames], sender)?;
        self.check(&frames)?;
        if !has_room(&frames) {
            return Err(Discard::NoRoom);
        }
        self.follow(now, from.path, number, bytes);
        self.apply(now, number, from.ecn, &frames);
        self.trace.note(now, || Step::Received { number, bytes });
        self.stats.received_bytes += bytes as u64;
        Ok(frames)
    }

    /// The client may be at another address by now.
    fn follow(&mut self, now: Instant, path: Path, number: u64, bytes: usize) {
        //= spec/PROTOCOL.md#paths
        //# A hub MUST take the source of a packet for the client's new address only when the packet opened and its
        //# number is the highest so far.
        let is_newest = self.received.largest().is_none_or(|largest| number > largest);
        if self.side == Side::Hub && is_newest && path != self.paths.active() {
            let id = (self.keys.generation(), self.keys.id());
            let how = self.paths.move_to(now, path, id, &mut self.random);
            self.leave_path(now, how);
            self.trace.note(now, || Step::Moved { path });
        }
        self.paths.received(now, path, bytes, &mut self.random);
    }

    /// From the next packet on another path is used.
    pub(super) fn leave_path(&mut self, now: Instant, how: Move) {
        //= spec/PROTOCOL.md#paths
        //# An endpoint MUST move to its next connection id before it sends to, or from, another address than
        //# before.
        self.keys.move_id(self.numbers.next());
        self.recovery.move_to(now, self.numbers.next(), how == Move::Port);
        self.due.challenge = self.paths.is_due(now);
    }

    /// Whether all of the frames may be applied: nothing is marked or applied before this is known.
    fn check(&self, frames: &Frames<'_>) -> Result<(), Discard> {
        let mut intake = Intake::default();
        for frame in frames.iter() {
            match frame {
                Frame::Ack(ack) if ack.largest() >= self.numbers.next() => return Err(Discard::WrongState),
                Frame::Stream { stream, offset, data } => {
                    self.recv.check(&mut intake, stream, offset, data)?
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn apply(&mut self, now: Instant, number: u64, ecn: Ecn, frames: &Frames<'_>) {
        self.stats.received += 1;
        self.last_received = now;
        self.waiting_since = None;
        self.received.mark(now, number, ecn, frames);
        for frame in frames.iter() {
            match frame {
                Frame::Ack(ack) => self.apply_ack(now, &ack),
                Frame::Stream { stream, offset, data } => self.recv.insert(stream, offset, data),
                Frame::MaxStream { stream, limit } => self.send.raise_limit(stream, limit),
                Frame::Close { reason, text } => {
                    self.trace.note(now, || Step::Closed { reason, by_peer: true });
                    self.ending.peer_closed(reason, text);
                }
                Frame::PathChallenge { data } => {
                    if self.responses.is_full() {
                        self.responses.remove(0);
                    }
                    self.responses.push(data);
                }
                Frame::PathResponse { data } => self.apply_path_response(now, data),
                _ => {}
            }
        }
    }

    fn apply_path_response(&mut self, now: Instant, data: [u8; 8]) {
        if self.paths.answered(data) {
            let path = self.paths.active();
            self.trace.note(now, || Step::Validated { path });
        }
    }

    fn apply_ack(&mut self, now: Instant, ack: &Ack) {
        self.number_limit = self.number_limit.max(ack.largest().saturating_add(ack.window));
        let Self { recovery, send, received, keys, ending, lost, lost_bulk, stats, trace, .. } = self;
        let delivered = |content| match content {
            Content::Bulk { .. } => lost_bulk.retain(|known| *known != content),
            Content::Stream { stream, offset, len } => send.acknowledge(stream, offset, len),
            Content::Ack { largest } => received.forget_through(largest),
            Content::Close => ending.close_acknowledged(),
            _ => {}
        };
        match recovery.on_ack(now, ack, delivered, &mut Told { lost, stats, trace }) {
            Ok(true) => keys.acknowledged(ack.largest()),
            Ok(false) => {}
            Err(Optimistic) => {
                self.close(now, CloseReason::Violation, "packets were acknowledged that were never sent");
            }
        }
        self.sort_lost();
        self.trace.note(now, || Step::Metrics(self.recovery.metrics()));
    }
}
