//! One endpoint of the model: the real structs, put together as `Connection` and `Packer` do, without keys, clock
//! and window.

use crate::connection::ledger::{Ledger, Traits};
use crate::connection::loss::Loss;
use crate::connection::received::Received;
use crate::connection::rtt::Rtt;
use crate::connection::stream::{Intake, RecvStreams, SendStreams};
use crate::content::Content;
use crate::transmit::Ecn;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use spec::limits::RECEIVE_WINDOW_PACKETS;
use spec::time::Instant;
use spec::wire::ack::Ack;
use spec::wire::frame::{Frame, Frames, Side};

/// The one stream.
const STREAM: u64 = 1;
/// Packets one probe copies: less than the real two, so that a run needs more of them.
const PROBE_PACKETS: usize = 1;
/// When everything arrives: whatever depends on time is a time-out of its own.
const ARRIVAL: Instant = Instant(0);

/// A defect planted to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fault {
    /// None.
    None,
    /// What arrives twice is accepted twice.
    SkipsReplayCheck,
    /// What a lost packet carried is not said again.
    DropsLostContents,
    /// What was repeated in passing is not said again, as if one of two always arrived.
    TrustsCopies,
    /// What arrives is taken for what comes next.
    IgnoresOffsets,
    /// An ACK names everything below the highest number.
    AcknowledgesGaps,
    /// Without an acknowledgement nothing happens.
    NeverProbes,
    /// What is said again has the number of the last packet.
    ReusesNumbers,
}

/// What one end did that it must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Breach {
    /// It accepted a packet twice.
    AcceptedTwice,
    /// It acknowledged what did not arrive.
    AcknowledgedNothing,
    /// It refused what its peer had a right to send.
    RefusedPeer,
}

/// How a packet is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Filling {
    /// Bytes of the stream that fit; when none does, only an ACK may leave.
    pub(super) room_bytes: usize,
    /// Whether there is space to repeat what is unacknowledged.
    pub(super) has_copies: bool,
    /// Whether a number is left out before it.
    pub(super) leaves_out: bool,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct End {
    pub(super) ledger: Ledger,
    loss: Loss,
    received: Received,
    send: SendStreams,
    recv: RecvStreams,
    lost: VecDeque<Content>,
    owes_ping: bool,
    /// As `Numbers` counts.
    next_number: u64,
    /// What the owner has read.
    pub(super) read: Vec<u8>,
    /// One bit for each number that was accepted.
    accepted: u64,
    pub(super) breach: Option<Breach>,
    fault: Fault,
    /// What was repeated in passing, for [`Fault::TrustsCopies`].
    trusted: Vec<Content>,
}

/// A packet being filled.
#[derive(Default)]
struct Packet {
    frames: Vec<u8>,
    room_bytes: usize,
    contents: usize,
    is_eliciting: bool,
    repeats: bool,
}

impl End {
    /// An endpoint with `line` to say.
    pub(super) fn new(line: &[u8], fault: Fault) -> Self {
        let mut send = SendStreams::default();
        send.push(STREAM, line).unwrap();
        Self {
            ledger: Ledger::default(),
            loss: Loss::default(),
            received: Received::default(),
            send,
            recv: RecvStreams::default(),
            lost: VecDeque::new(),
            owes_ping: false,
            next_number: 0,
            read: Vec::new(),
            accepted: 0,
            breach: None,
            fault,
            trusted: Vec::new(),
        }
    }

    // what may happen next

    pub(super) fn owes_ack(&self) -> bool {
        self.received.is_owed()
    }

    pub(super) fn has_to_say(&self) -> bool {
        !self.lost.is_empty() || self.send.has_fresh() || self.owes_ping
    }

    pub(super) fn loss_may_time_out(&self) -> bool {
        self.loss.deadline().is_some()
    }

    pub(super) fn may_probe(&self) -> bool {
        let waits = self.ledger.last_eliciting_in_flight().is_some();
        waits && self.lost.is_empty() && !self.owes_ping && self.fault != Fault::NeverProbes
    }

    // what a judge asks

    /// Whether everything said has arrived, and is known to have.
    pub(super) fn is_settled(&self) -> bool {
        self.send.all_acknowledged() && self.ledger.is_settled()
    }

    /// Whether a byte was sent that is neither acknowledged, nor in flight, nor waiting to be said again.
    pub(super) fn has_forgotten(&self, line: &[u8]) -> bool {
        let sent = self.send.fresh().map_or(line.len() as u64, |(_, next, _)| next);
        let unacknowledged = |from| self.send.first_unacknowledged(STREAM, from, sent);
        let mut bytes = core::iter::successors(unacknowledged(0), |byte| unacknowledged(byte + 1));
        bytes.any(|byte| {
            let mut remembered = self.ledger.contents_in_flight().chain(&self.lost);
            !remembered.any(|content| holds(content, byte))
        })
    }

    /// Whether the ledger and the counter agree which number comes next.
    pub(super) fn numbers_agree(&self) -> bool {
        self.ledger.next_number() == self.next_number
    }

    /// Whether the same content is in flight in two packets.
    pub(super) fn has_copies_in_flight(&self) -> bool {
        let contents: Vec<_> = self.ledger.contents_in_flight().collect();
        contents.iter().enumerate().any(|(at, content)| contents[..at].contains(content))
    }

    // sending

    /// Fills the next packet: its number and frames; `None` when there turns out to be nothing to say.
    pub(super) fn fill(&mut self, how: Filling) -> Option<(u64, Vec<u8>)> {
        if how.leaves_out {
            self.ledger.leave_out(Instant(self.next_number));
            self.next_number += 1;
        }
        let mut packet = Packet { room_bytes: how.room_bytes, ..Packet::default() };
        if self.received.is_owed() {
            self.write_ack(&mut packet);
        }
        if how.room_bytes > 0 {
            self.write_lost(&mut packet);
            self.write_fresh(&mut packet);
            if core::mem::take(&mut self.owes_ping) && !packet.is_eliciting {
                packet.add(&Frame::Ping);
            }
        }
        if how.has_copies && packet.is_eliciting {
            self.write_copies(&mut packet);
        }
        self.enter(packet)
    }

    fn enter(&mut self, packet: Packet) -> Option<(u64, Vec<u8>)> {
        if packet.frames.is_empty() {
            return None;
        }
        // Numbers serve as times: whoever is sent later has the higher one.
        let number = self.next_number;
        let traits = Traits { is_eliciting: packet.is_eliciting, ..Traits::default() };
        self.ledger.enter(Instant(number), packet.frames.len(), packet.contents, traits);
        if packet.repeats && self.fault == Fault::ReusesNumbers {
            return Some((number - 1, packet.frames));
        }
        self.next_number += 1;
        Some((number, packet.frames))
    }

    fn write_ack(&mut self, packet: &mut Packet) {
        let Some(mut ack) = self.received.take_ack(ARRIVAL) else { return };
        if self.fault == Fault::AcknowledgesGaps {
            let all = core::iter::once((0, ack.largest()));
            ack = Ack::new(0, RECEIVE_WINDOW_PACKETS, all).unwrap();
        }
        if ack.ranges().iter().cloned().flatten().any(|number| self.accepted >> number & 1 == 0) {
            self.breach = Some(Breach::AcknowledgedNothing);
        }
        self.ledger.push(Content::Ack { largest: ack.largest() }, 0);
        packet.contents += 1;
        packet.add(&Frame::Ack(ack));
    }

    fn write_lost(&mut self, packet: &mut Packet) {
        while let Some(content) = self.lost.pop_front() {
            let Content::Stream { stream, offset, len } = content else { continue };
            let (mut next, end) = (offset, offset + u64::from(len));
            while let Some(at) = self.send.first_unacknowledged(stream, next, end) {
                let written = self.write_stream(packet, at, end, 1);
                if written == 0 {
                    let left = u16::try_from(end - at).unwrap();
                    self.lost.push_front(Content::Stream { stream, offset: at, len: left });
                    return;
                }
                packet.repeats = true;
                next = at + written;
            }
        }
    }

    fn write_fresh(&mut self, packet: &mut Packet) {
        while let Some((stream, offset, end)) = self.send.fresh() {
            let written = self.write_stream(packet, offset, end, 0);
            if written == 0 {
                return;
            }
            self.send.sent(stream, written);
        }
    }

    fn write_copies(&mut self, packet: &mut Packet) {
        let is_fit = |content: &Content| matches!(content, Content::Stream { .. });
        while let Some((content, copies)) =
            self.ledger.next_copy(Instant(self.next_number), packet.contents, is_fit)
        {
            let Content::Stream { offset, len, .. } = content else { return };
            packet.room_bytes = usize::from(len);
            self.write_stream(packet, offset, offset + u64::from(len), copies);
            if self.fault == Fault::TrustsCopies {
                self.trusted.push(content);
            }
        }
    }

    fn write_stream(&mut self, packet: &mut Packet, offset: u64, end: u64, copies: u8) -> u64 {
        let len = packet.room_bytes.min(usize::try_from(end - offset).unwrap());
        let data = self.send.bytes(STREAM, offset, len);
        if data.is_empty() {
            return 0;
        }
        let len = u16::try_from(data.len()).unwrap();
        self.ledger.push(Content::Stream { stream: STREAM, offset, len }, copies);
        packet.contents += 1;
        packet.room_bytes -= data.len();
        packet.add(&Frame::Stream { stream: STREAM, offset, data: &data });
        u64::from(len)
    }

    // arrival

    /// A packet arrived, once or once more.
    pub(super) fn receive(&mut self, number: u64, payload: &[u8]) {
        if self.received.check(number).is_err() && self.fault != Fault::SkipsReplayCheck {
            return;
        }
        if self.accepted >> number & 1 == 1 {
            self.breach = Some(Breach::AcceptedTwice);
        }
        self.accepted |= 1 << number;
        let frames = Frames::parse(payload, Side::Client).unwrap();
        if !self.is_allowed(&frames) {
            self.breach = Some(Breach::RefusedPeer);
            return;
        }
        self.received.mark(ARRIVAL, number, Ecn::NotEct, &frames);
        for frame in frames.iter() {
            match frame {
                Frame::Ack(ack) => self.apply_ack(&ack),
                Frame::Stream { stream, offset, data } => self.take(stream, offset, data),
                _ => {}
            }
        }
    }

    fn is_allowed(&self, frames: &Frames<'_>) -> bool {
        let mut intake = Intake::default();
        frames.iter().all(|frame| match frame {
            Frame::Ack(ack) => ack.largest() < self.next_number,
            Frame::Stream { stream, offset, data } => {
                self.recv.check(&mut intake, stream, offset, data).is_ok()
            }
            _ => true,
        })
    }

    fn take(&mut self, stream: u64, offset: u64, data: &[u8]) {
        let expected = self.read.len() as u64;
        let offset = if self.fault == Fault::IgnoresOffsets { expected } else { offset };
        self.recv.insert(stream, offset, data);
        let readable = self.recv.readable(stream);
        let len = readable.len();
        self.read.extend_from_slice(readable);
        self.recv.consume(stream, len);
    }

    fn apply_ack(&mut self, ack: &Ack) {
        let now = Instant(self.next_number);
        let Self { ledger, send, received, lost, .. } = self;
        let delivered = |content| {
            lost.retain(|known| *known != content);
            match content {
                Content::Stream { stream, offset, len } => send.acknowledge(stream, offset, len),
                Content::Ack { largest } => received.forget_through(largest),
                _ => {}
            }
        };
        if ledger.acknowledge(now, ack, delivered, |_| {}).is_err() {
            self.breach = Some(Breach::RefusedPeer);
            return;
        }
        self.detect(now, ack.largest());
    }

    // time

    /// What was sent before something acknowledged is given up for lost.
    pub(super) fn time_out_loss(&mut self) {
        let Some((at, largest)) = self.loss.deadline().zip(self.ledger.largest_acked()) else { return };
        self.detect(at, largest);
    }

    fn detect(&mut self, now: Instant, largest: u64) {
        let known = self.lost.len();
        let Self { ledger, loss, lost, .. } = self;
        loss.detect(now, ledger, &Rtt::default(), largest, lost, |_| {});
        let is_kept = |content: &Content| match self.fault {
            Fault::DropsLostContents => false,
            Fault::TrustsCopies => !self.trusted.contains(content),
            _ => true,
        };
        let new: Vec<_> = self.lost.drain(known..).collect();
        self.lost.extend(new.into_iter().filter(is_kept));
    }

    /// Nothing was heard: the oldest is said again. By how much the next probe waits longer does not matter here.
    pub(super) fn probe(&mut self) {
        self.ledger.oldest_contents(PROBE_PACKETS, &mut self.lost);
        self.owes_ping = self.lost.is_empty();
    }

    /// The oldest packet that counts as lost is too old to arrive.
    pub(super) fn forget_lost(&mut self) {
        let Some(at) = self.ledger.forgets_at() else { return };
        self.ledger.lose(at, |_, _| false, &mut self.lost, |_| {});
    }
}

impl Packet {
    fn add(&mut self, frame: &Frame<'_>) {
        self.is_eliciting |= frame.is_ack_eliciting();
        frame.encode(&mut self.frames);
    }
}

fn holds(content: &Content, byte: u64) -> bool {
    matches!(*content, Content::Stream { offset, len, .. } if (offset..offset + u64::from(len)).contains(&byte))
}
