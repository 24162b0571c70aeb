//! Everything that follows from acknowledgements, and from their absence, on the path in use: round trips, loss,
//! the congestion window, its pace, marks, and how long a datagram may be.

use super::congestion::pacer::{Pace, Pacer};
use super::congestion::persistent::LostRun;
use super::congestion::{Algorithm, Congestion};
use super::ecn::EcnPath;
use super::ledger::{Ledger, Optimistic, Packet, Traits};
use super::loss::{Loss, LossRate, PROBE_PACKETS};
use super::mtu::{FLOOR_BYTES, Mtu};
use super::rtt::Rtt;
use super::status::Stats;
use super::trace::{Metrics, Step, Trace};
use crate::content::Content;
use crate::transmit::Ecn;
use alloc::collections::VecDeque;
use core::time::Duration;
use spec::limits::ACK_EVERY_PACKETS;
use spec::time::Instant;
use spec::wire::ack::Ack;

/// A window of fewer full datagrams is used up by small ones, too: a line must not wait for one that is acknowledged.
const SMALL_WINDOW_DATAGRAMS: usize = 4;
/// Bytes of a datagram that holds a line of chat.
const SMALL_DATAGRAM_BYTES: usize = 285;

/// Acknowledgements that each window is to bring.
const ANSWERS_A_WINDOW: usize = 4;

/// The recovery of one connection.
#[derive(Debug)]
pub(super) struct Recovery {
    pub(super) ledger: Ledger,
    pub(super) loss: Loss,
    pub(super) rtt: Rtt,
    pub(super) mtu: Mtu,
    algorithm: Algorithm,
    congestion: Congestion,
    pacer: Pacer,
    ecn: EcnPath,
    rate: LossRate,
    /// When the path in use began.
    path_since: Instant,
    /// When its round trip was first measured.
    measured_at: Option<Instant>,
    /// Whether there was less to say than the window took.
    is_app_limited: bool,
    /// When the pacer lets the next packet go, once it held one back.
    paced_until: Option<Instant>,
    /// Bytes that left since a packet last asked to be acknowledged at once.
    unasked_bytes: usize,
}

/// What an acknowledgement touches besides.
pub(super) struct Told<'a> {
    pub(super) lost: &'a mut VecDeque<Content>,
    pub(super) stats: &'a mut Stats,
    pub(super) trace: &'a mut Trace,
}

impl Recovery {
    pub(super) fn new(now: Instant, algorithm: Algorithm) -> Self {
        Self {
            ledger: Ledger::default(),
            loss: Loss::default(),
            rtt: Rtt::default(),
            mtu: Mtu::new(now),
            algorithm,
            congestion: Congestion::new(algorithm, FLOOR_BYTES),
            pacer: Pacer::new(),
            ecn: EcnPath::new(),
            rate: LossRate::default(),
            path_since: now,
            measured_at: None,
            is_app_limited: false,
            paced_until: None,
            unasked_bytes: 0,
        }
    }

    /// Another path is used from packet `next_number` on; nothing is known of it, unless it differs `only_in_port`.
    pub(super) fn move_to(&mut self, now: Instant, next_number: u64, only_in_port: bool) {
        if only_in_port {
            return;
        }
        self.ledger.forget_path();
        self.rtt = Rtt::default();
        self.mtu.reset(now, next_number);
        self.congestion = Congestion::new(self.algorithm, FLOOR_BYTES);
        self.pacer = Pacer::new();
        self.ecn.reset();
        self.path_since = now;
        self.measured_at = None;
    }

    pub(super) fn metrics(&self) -> Metrics {
        Metrics {
            latest_rtt: self.rtt.latest(),
            smoothed_rtt: self.rtt.smoothed(),
            rtt_variation: self.rtt.variation(),
            least_rtt: self.rtt.least().unwrap_or_default(),
            window_bytes: to_usize(self.congestion.window_bytes()),
            threshold_bytes: self.congestion.threshold_bytes().map(to_usize),
            bytes_in_flight: self.ledger.bytes_in_flight(),
            probes: self.loss.probes(),
        }
    }

    // sending

    /// Whether packets are being lost, so that repeating in passing is worth its bytes.
    pub(super) const fn is_lossy(&self) -> bool {
        self.rate.is_lossy()
    }

    /// Bytes the next datagram may have. Probes stay short, for whatever length passes no longer.
    pub(super) fn datagram_bytes(&self) -> usize {
        if self.loss.has_allowance() { FLOOR_BYTES } else { self.mtu.size() }
    }

    /// Whether window and pacer let another full datagram go.
    pub(super) fn may_send(&mut self, now: Instant) -> bool {
        self.paced_until = None;
        if self.has_room() {
            self.paced_until = self.pacer.next_at(now, self.mtu.size() as u64, &self.pace());
        } else {
            self.is_app_limited = false;
            return false;
        }
        self.paced_until.is_none()
    }

    /// Bytes the window leaves.
    pub(super) fn room_bytes(&self) -> usize {
        self.window_bytes().saturating_sub(self.ledger.bytes_in_flight())
    }

    pub(super) fn window_bytes(&self) -> usize {
        to_usize(self.congestion.window_bytes())
    }

    /// Whether the window takes another full datagram; of a small one every bit is used.
    fn has_room(&self) -> bool {
        let (room, full) = (self.room_bytes(), self.mtu.size());
        room >= full || room >= SMALL_DATAGRAM_BYTES && self.window_bytes() < SMALL_WINDOW_DATAGRAMS * full
    }

    /// Whether the next packet asks to be acknowledged at once: the window is full with it, or a quarter of a window
    /// left since one that did. A peer acknowledges runs of packets; of a window that is not many of them, it would
    /// acknowledge all at once, the next would leave in the wake of that, and the link would idle in between. Four
    /// times a round trip keep it busy (Li et al., "TACK", SIGCOMM 2020).
    pub(super) fn wants_answer(&self) -> bool {
        let quarter = self.window_bytes() / ANSWERS_A_WINDOW;
        let is_seldom = quarter < ACK_EVERY_PACKETS as usize * self.mtu.size();
        self.room_bytes() < 2 * self.mtu.size()
            || is_seldom && self.unasked_bytes + self.mtu.size() >= quarter
    }

    /// A packet asks to be acknowledged at once.
    pub(super) const fn asked(&mut self) {
        self.unasked_bytes = 0;
    }

    /// There is nothing more to say although more might be said.
    pub(super) const fn ran_dry(&mut self) {
        self.is_app_limited = true;
    }

    /// The mark of the next packet.
    pub(super) const fn mark(&self) -> Ecn {
        self.ecn.mark()
    }

    /// Packet `number` left with the `contents` that were pushed last.
    pub(super) fn on_sent(
        &mut self,
        now: Instant,
        number: u64,
        bytes: usize,
        contents: usize,
        traits: Traits,
    ) {
        if traits.is_eliciting {
            self.congestion.on_sent(now, self.ledger.bytes_in_flight());
            self.pacer.on_sent(now, bytes as u64, &self.pace());
            self.loss.spend();
            self.unasked_bytes = self.unasked_bytes.saturating_add(bytes);
        }
        if traits.is_marked {
            self.ecn.on_sent(Ecn::Ect0);
        }
        if traits.is_mtu_probe {
            self.mtu.probe_sent(now, number, self.rtt.probe_timeout());
        }
        self.ledger.enter(now, bytes, contents, traits);
    }

    fn pace(&self) -> Pace {
        Pace {
            window_bytes: self.congestion.window_bytes(),
            rtt: self.rtt.smoothed(),
            mtu_bytes: self.mtu.size() as u64,
        }
    }

    // acknowledgement and loss

    /// Acts on an acknowledgement; `delivered` is told every content that arrived. Returns whether it was news.
    pub(super) fn on_ack(
        &mut self,
        now: Instant,
        ack: &Ack,
        mut delivered: impl FnMut(Content),
        told: &mut Told<'_>,
    ) -> Result<bool, Optimistic> {
        self.sample(now, ack);
        let largest_before = self.ledger.largest_acked();
        let (mut is_news, mut marked, mut largest_sent) = (false, 0, self.path_since);
        let Self { ledger, congestion, mtu, rate, rtt, is_app_limited, .. } = self;
        let lost = &mut *told.lost;
        let arrived = |content: Content| {
            lost.retain(|known| *known != content);
            delivered(content);
        };
        let stats = &mut *told.stats;
        ledger.acknowledge(now, ack, arrived, |packet| {
            is_news |= packet.traits.is_eliciting;
            marked += u64::from(packet.traits.is_marked);
            largest_sent = largest_sent.max(packet.sent);
            mtu.on_acknowledged(now, packet.number, packet.bytes);
            if packet.was_lost {
                stats.spurious += 1;
                congestion.on_spurious(packet.sent);
            } else if packet.is_counted {
                rate.arrived();
                congestion.on_acknowledged(now, packet.sent, packet.bytes, rtt, *is_app_limited);
            }
        })?;
        if self.ledger.largest_acked() > largest_before && self.ecn.on_acknowledged(marked, ack.ecn) {
            self.congestion.on_marked(now, largest_sent);
        }
        self.ledger.keep_lost(self.rtt.persistent_duration());
        self.follow_mtu(now, told);
        if is_news {
            self.loss.acknowledged();
        }
        self.detect(now, ack.largest(), told);
        Ok(is_news)
    }

    fn sample(&mut self, now: Instant, ack: &Ack) {
        let sample = self.ledger.sample(ack);
        if let Some(sent) = sample.sent.filter(|sent| sample.is_eliciting && *sent >= self.path_since) {
            self.measured_at = self.measured_at.or(Some(now));
            self.rtt.sample(now.since(sent), Duration::from_micros(ack.delay_us));
        }
    }

    /// Finds what is lost, given the largest number acknowledged.
    fn detect(&mut self, now: Instant, largest: u64, told: &mut Told<'_>) {
        let Self { ledger, loss, congestion, mtu, ecn, rate, rtt, .. } = self;
        let mut count = 0;
        loss.detect(now, ledger, rtt, largest, told.lost, |packet: Packet| {
            count += 1;
            told.trace.note(now, || Step::Lost { number: packet.number });
            let is_probe = mtu.on_lost(now, packet.number, packet.bytes);
            if packet.is_counted && !is_probe {
                rate.lost();
                congestion.on_lost(now, packet.sent);
                if packet.traits.is_marked {
                    ecn.on_lost();
                }
            }
        });
        told.stats.lost += count;
        if count > 0 {
            self.notice_persistence(now);
            self.follow_mtu(now, told);
        }
    }

    fn notice_persistence(&mut self, now: Instant) {
        let Some(measured_at) = self.measured_at else { return };
        let mut run = LostRun::new(measured_at);
        self.ledger.tell_losses(&mut run);
        if run.is_persistent(&self.rtt) {
            self.congestion.on_persistent_congestion();
            // What was lost by now has had its effect.
            self.measured_at = Some(now);
        }
    }

    fn follow_mtu(&mut self, now: Instant, told: &mut Told<'_>) {
        let bytes = self.mtu.size();
        if bytes != to_usize(self.congestion.mtu_bytes()) {
            self.congestion.on_mtu(bytes);
            told.trace.note(now, || Step::Mtu { bytes });
        }
    }

    // time

    /// The time-outs of loss detection and of the pacer.
    pub(super) fn handle_timeout(&mut self, now: Instant, told: &mut Told<'_>) {
        self.paced_until = self.paced_until.filter(|at| *at > now);
        if self.loss.deadline().is_some_and(|at| at <= now)
            && let Some(largest) = self.ledger.largest_acked()
        {
            self.detect(now, largest, told);
        }
    }

    /// A probe time-out: what is oldest is said again.
    pub(super) fn probe(&mut self, now: Instant, lost: &mut VecDeque<Content>) {
        self.loss.probed(now);
        if lost.is_empty() {
            self.ledger.oldest_contents(PROBE_PACKETS, lost);
        }
        self.loss.allow_probes();
    }

    pub(super) const fn paced_until(&self) -> Option<Instant> {
        self.paced_until
    }
}

fn to_usize(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const ELICITING: Traits = Traits { is_eliciting: true, is_marked: false, is_mtu_probe: false };

    fn recovery(window_datagrams: usize) -> Recovery {
        let mut recovery = Recovery::new(Instant(0), Algorithm::Cubic);
        while recovery.window_bytes() < window_datagrams * FLOOR_BYTES {
            let Recovery { congestion, rtt, .. } = &mut recovery;
            congestion.on_acknowledged(Instant(1), Instant(0), FLOOR_BYTES, rtt, false);
        }
        recovery
    }

    /// Sends a window of full datagrams; the places of those that ask to be acknowledged.
    fn asking(recovery: &mut Recovery) -> Vec<usize> {
        let window = recovery.window_bytes() / FLOOR_BYTES;
        let mut places = Vec::new();
        for place in 1..=window {
            let asks = recovery.wants_answer();
            recovery.on_sent(Instant(0), place as u64, FLOOR_BYTES, 0, ELICITING);
            if asks {
                recovery.asked();
                places.push(place);
            }
        }
        places
    }

    #[test]
    fn a_small_window_asks_four_times_and_a_large_one_at_its_end() {
        assert_eq!(asking(&mut recovery(10)), [3, 6, 9, 10]);
        assert_eq!(asking(&mut recovery(40)), [10, 20, 30, 40]);
        assert_eq!(asking(&mut recovery(100)), [100]);
    }

    #[test]
    fn only_a_full_window_shows_that_it_is_used() {
        let mut recovery = recovery(10);
        recovery.ran_dry();
        let mut sent = 0;
        while recovery.has_room() {
            assert!(recovery.may_send(Instant(1_000_000 * sent)));
            assert!(recovery.is_app_limited);
            recovery.on_sent(Instant(1_000_000 * sent), sent, FLOOR_BYTES, 0, ELICITING);
            sent += 1;
        }
        assert!(!recovery.may_send(Instant(1_000_000 * sent)));
        assert!(!recovery.is_app_limited);
    }
}
