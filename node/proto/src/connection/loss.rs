//! Loss detection and probes (RFC 9002 section 6).

use super::ledger::{Ledger, Packet};
use super::rtt::Rtt;
use crate::content::Content;
use alloc::collections::VecDeque;
use core::time::Duration;
use spec::limits::{PACKET_THRESHOLD, PROBE_QUICK_MAX, PROBE_QUICK_TIME};
use spec::time::Instant;

/// Packets a probe time-out may send beyond the window (section 6.2.4).
pub(super) const PROBE_PACKETS: usize = 2;

/// The timers of loss recovery.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Loss {
    /// When an earlier packet will count as lost by time.
    at: Option<Instant>,
    /// Probe time-outs in a row.
    probes: u32,
    probed_at: Option<Instant>,
    /// Packets that may leave although the window is full.
    allowance: usize,
}

impl Loss {
    pub(super) const fn deadline(&self) -> Option<Instant> {
        self.at
    }

    /// Something new was acknowledged: the peer is there.
    pub(super) const fn acknowledged(&mut self) {
        self.probes = 0;
        self.probed_at = None;
        self.allowance = 0;
    }

    /// Probe time-outs since the last acknowledgement.
    pub(super) const fn probes(&self) -> u32 {
        self.probes
    }

    /// Finds packets lost by count or by time, given the largest number acknowledged; `told` hears of each.
    pub(super) fn detect(
        &mut self,
        now: Instant,
        ledger: &mut Ledger,
        rtt: &Rtt,
        largest: u64,
        lost: &mut VecDeque<Content>,
        told: impl FnMut(Packet),
    ) {
        let delay = rtt.loss_delay();
        let is_lost = |number: u64, sent: Instant| {
            number < largest && (largest - number >= PACKET_THRESHOLD || now >= sent + delay)
        };
        ledger.lose(now, is_lost, lost, told);
        let earlier = largest.checked_sub(1).and_then(|below| ledger.oldest_in_flight(below));
        self.at = earlier.map(|sent| sent + delay);
    }

    /// When the next probe is due, if the last packet that asks for an answer left at `sent`.
    pub(super) fn probe_at(&self, sent: Instant, rtt: &Rtt, waiting_since: Option<Instant>) -> Instant {
        let from = self.probed_at.map_or(sent, |probed| probed.max(sent));
        from + self.interval(from, rtt, waiting_since)
    }

    /// Doubled for each probe, but quick while the silence is young: a person waits.
    fn interval(&self, from: Instant, rtt: &Rtt, waiting_since: Option<Instant>) -> Duration {
        let doubled = rtt.probe_timeout() * 2u32.pow(self.probes.min(6));
        let young = waiting_since.is_none_or(|since| from.since(since) < PROBE_QUICK_TIME);
        if young && self.probes > 0 { doubled.min(PROBE_QUICK_MAX.max(rtt.probe_timeout())) } else { doubled }
    }

    pub(super) fn probed(&mut self, now: Instant) {
        self.probes += 1;
        self.probed_at = Some(now);
    }

    pub(super) const fn allow_probes(&mut self) {
        self.allowance = PROBE_PACKETS;
    }

    pub(super) const fn has_allowance(&self) -> bool {
        self.allowance > 0
    }

    pub(super) const fn spend(&mut self) {
        self.allowance = self.allowance.saturating_sub(1);
    }
}

/// Parts that a whole is counted in.
const WHOLE: u32 = 1 << 16;
/// One loss in this many packets is worth repeating small things for: a person notices it.
const LOSSY_ONE_IN: u32 = 256;
/// The newest packet counts for one part in this many.
const MEMORY_PACKETS: u32 = 64;

/// The share of packets that are lost, of late.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LossRate(u32);

impl LossRate {
    pub(super) const fn arrived(&mut self) {
        self.0 -= self.0.div_ceil(MEMORY_PACKETS);
    }

    pub(super) const fn lost(&mut self) {
        self.0 += (WHOLE - self.0) / MEMORY_PACKETS;
    }

    pub(super) const fn is_lossy(self) -> bool {
        self.0 > WHOLE / LOSSY_ONE_IN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::ledger::Traits;

    #[test]
    fn one_loss_is_remembered_for_some_packets() {
        let mut rate = LossRate::default();
        rate.arrived();
        assert!(!rate.is_lossy());
        rate.lost();
        let quiet = core::iter::repeat_with(|| {
            rate.arrived();
            rate.is_lossy()
        });
        assert_eq!(quiet.take_while(|lossy| *lossy).count(), 82);
    }

    const fn at(ms: u64) -> Instant {
        Instant(ms * 1000)
    }

    fn ledger(times_ms: &[u64]) -> Ledger {
        let mut ledger = Ledger::default();
        for (number, ms) in times_ms.iter().enumerate() {
            ledger.push(Content::Stream { stream: 0, offset: number as u64, len: 1 }, 0);
            ledger.enter(at(*ms), 100, 1, Traits { is_eliciting: true, ..Traits::default() });
        }
        ledger
    }

    #[test]
    fn three_later_packets_or_nine_eighths_of_a_round_trip() {
        let mut rtt = Rtt::default();
        rtt.sample(Duration::from_millis(80), Duration::ZERO);
        let (mut loss, mut lost) = (Loss::default(), VecDeque::new());
        let mut ledger = ledger(&[0, 50, 60, 70, 71]);
        let mut detect = |loss: &mut Loss, now| {
            let mut count = 0;
            loss.detect(now, &mut ledger, &rtt, 4, &mut lost, |_| count += 1);
            count
        };
        // 0 and 1 lie three or more below 4; 2 and 3 are given 90 ms from when they were sent.
        assert_eq!(detect(&mut loss, at(100)), 2);
        assert_eq!(loss.deadline(), Some(at(150)));
        assert_eq!(detect(&mut loss, at(150)), 1);
        assert_eq!(loss.deadline(), Some(at(160)));
    }

    #[test]
    fn probes_stay_quick_while_a_person_waits() {
        let mut rtt = Rtt::default();
        rtt.sample(Duration::from_millis(80), Duration::ZERO);
        let mut loss = Loss::default();
        assert_eq!(loss.probe_at(at(0), &rtt, Some(at(0))), at(80 + 160 + 25));
        for _ in 0..5 {
            loss.probed(at(1000));
        }
        assert_eq!(loss.probe_at(at(0), &rtt, Some(at(0))), at(1265));
        loss.probed(at(4000));
        assert_eq!(loss.probe_at(at(0), &rtt, Some(at(0))), at(4000 + 265 * 64));
    }
}
