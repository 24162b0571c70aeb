//! What arrived: the replay window, read as ack ranges, and when to acknowledge.

use crate::transmit::Ecn;
use spec::discard::Discard;
use spec::limits::{
    ACK_DELAY_MAX, ACK_EVERY_FIRST_PACKETS, ACK_EVERY_PACKETS, ACK_OFTEN_PACKETS, RECEIVE_WINDOW_PACKETS,
};
use spec::replay::ReplayWindow;
use spec::time::{Instant, micros};
use spec::wire::ack::{Ack, EcnCounts};
use spec::wire::frame::{Frame, Frames};

/// The packets accepted, and what the peer has yet to hear about them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Received {
    window: ReplayWindow,
    largest_at: Instant,
    /// Ranges at and below this need no repetition: the peer knows that we know.
    floor: u64,
    /// Packets that asked for an acknowledgement since the last one.
    eliciting: u32,
    /// The same, ever.
    eliciting_ever: u64,
    ecn: Option<EcnCounts>,
    due_at: Option<Instant>,
    due: bool,
}

impl Received {
    pub(super) const fn largest(&self) -> Option<u64> {
        self.window.highest()
    }

    pub(super) fn check(&self, number: u64) -> Result<(), Discard> {
        self.window.check(number)
    }

    /// Accepts packet `number` with its mark and frames, and decides when it is acknowledged.
    pub(super) fn mark(&mut self, now: Instant, number: u64, ecn: Ecn, frames: &Frames<'_>) {
        let expected = self.largest().map_or(0, |largest| largest + 1);
        self.window.mark(number);
        if number >= expected {
            self.largest_at = now;
        }
        self.count(ecn);
        let mut prompt = ecn == Ecn::Ce;
        let mut eliciting = false;
        for frame in frames.iter() {
            eliciting |= frame.is_ack_eliciting();
            //= spec/PROTOCOL.md#frames
            //# PADDING, ACK, ACK_ECN and CLOSE do not elicit an acknowledgement, except that CLOSE is
            //# acknowledged once.
            prompt |= matches!(frame, Frame::Ping | Frame::Done | Frame::Close { .. });
        }
        if !eliciting && !prompt {
            return;
        }
        self.eliciting += 1;
        self.eliciting_ever += 1;
        let often = self.eliciting_ever <= ACK_OFTEN_PACKETS;
        let every = if often { ACK_EVERY_FIRST_PACKETS } else { ACK_EVERY_PACKETS };
        let gap = number != expected;
        if prompt || gap || self.eliciting >= every {
            self.due = true;
        } else if self.due_at.is_none() {
            self.due_at = Some(now + ACK_DELAY_MAX);
        }
    }

    fn count(&mut self, ecn: Ecn) {
        let count = match ecn {
            Ecn::NotEct => return,
            Ecn::Ect0 => &mut self.ecn.get_or_insert_default().ect0,
            Ecn::Ect1 => &mut self.ecn.get_or_insert_default().ect1,
            Ecn::Ce => &mut self.ecn.get_or_insert_default().ce,
        };
        *count += 1;
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        self.due_at
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.due |= self.due_at.is_some_and(|at| at <= now);
    }

    /// Whether an acknowledgement is to be sent even if nothing else is.
    pub(super) const fn is_due(&self) -> bool {
        self.due
    }

    /// Whether the peer waits for one at all.
    pub(super) const fn is_owed(&self) -> bool {
        self.eliciting > 0
    }

    /// Whether the acknowledgement names but a few ranges.
    pub(super) fn is_simple(&self) -> bool {
        self.window.ranges(self.floor).nth(4).is_none()
    }

    /// The acknowledgement to put into a packet; then none is due.
    pub(super) fn take_ack(&mut self, now: Instant) -> Option<Ack> {
        let delay = micros(now.since(self.largest_at));
        let ack = Ack::new(delay, RECEIVE_WINDOW_PACKETS, self.window.ranges(self.floor))?.with_ecn(self.ecn);
        self.eliciting = 0;
        self.due = false;
        self.due_at = None;
        Some(ack)
    }

    /// The peer has acknowledged an ACK that named `largest`: what lies below is settled.
    pub(super) fn forget_through(&mut self, largest: u64) {
        self.floor = self.floor.max(largest);
    }
}
