//! How long a datagram may be on this path: DPLPMTUD (RFC 8899, RFC 9000 section 14.3) over a short list of
//! lengths, so that the length of a datagram tells an onlooker nothing but the path.
//!
//! A length is used once a probe of it arrived. That it no longer passes is believed in two steps, because lost
//! packets are mostly just lost: after a few losses in a row the path is *suspected*, and full datagrams shrink to
//! 1200 bytes while probes of the old length go on; one that arrives lifts the suspicion. Only when many in
//! turn are lost, each alone and while shorter packets pass, it is a black hole. So a wrong suspicion costs a round
//! trip with shorter datagrams, and a black hole costs no more.
//!
//! What is sent because of a probe time-out has to be at most 1200 bytes long ([`FLOOR_BYTES`]): in a black hole
//! nothing else brings the acknowledgement by which the losses are noticed.

#[cfg(test)]
mod tests;

use core::time::Duration;
use spec::time::Instant;

/// Lengths of full datagrams: with 48 bytes of IPv6 and UDP header they fill the MTU of IPv6 at least (1280), of
/// WireGuard (1420), of a tunnel in IPv4 (1480) and of Ethernet (1500).
pub(super) const SIZES_BYTES: [usize; 5] = [FLOOR_BYTES, 1232, 1372, 1432, 1452];
/// What every path must carry (RFC 9000 section 14).
pub(super) const FLOOR_BYTES: usize = 1200;
const TOP: usize = SIZES_BYTES.len() - 1;

/// Probes of a length that may be lost before it counts as too long (RFC 8899 section 5.1.2: `MAX_PROBES`).
const PROBES_MAX: u32 = 3;
/// Time after which lengths that were too long are tried again (RFC 8899 section 5.1.1: `PMTU_RAISE_TIMER`).
const SEARCH_AGAIN: Duration = Duration::from_secs(600);
/// The same after a black hole, which often is a path that was away for a moment.
const SEARCH_AFTER_BLACK_HOLE: Duration = Duration::from_secs(60);
/// Losses in a row after which a length is suspected.
const SUSPICION_LOSSES: u32 = 3;
/// Losses in a row that are a black hole. Those beyond the suspicion are single probes, a probe time-out apart, so
/// that no burst counts for more than one. At 50 % loss a suspicion ends here once in two million times, at 30 %
/// once in 10^11.
const BLACK_HOLE_LOSSES: u32 = SUSPICION_LOSSES + 21;

/// The path MTU as far as it is known. Lengths are indices of [`SIZES_BYTES`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Mtu {
    /// The longest that arrived.
    known: usize,
    /// The longest that is not refuted: while it exceeds `known`, it is searched for.
    ceiling: usize,
    /// Probes of the ceiling that were lost.
    lost_probes: u32,
    /// Number and length of the probe on its way.
    probe: Option<(u64, usize)>,
    /// The next probe leaves no sooner.
    probe_at: Instant,
    /// When what was refuted is tried again.
    search_at: Instant,
    /// The first packet number that says something about this path.
    first_number: u64,
    /// The highest number of each length that arrived; of the floor or less in the first place.
    arrived: [Option<u64>; SIZES_BYTES.len()],
    run: Run,
    black_holes: u64,
}

/// Packets longer than the floor that were lost since one as long as the shortest of them arrived.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    losses: u32,
    shortest: usize,
}

impl Mtu {
    /// A path of which nothing is known.
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            known: 0,
            ceiling: TOP,
            lost_probes: 0,
            probe: None,
            probe_at: now,
            search_at: now,
            first_number: 0,
            arrived: [None; SIZES_BYTES.len()],
            run: Run { losses: 0, shortest: 0 },
            black_holes: 0,
        }
    }

    /// The path is another one from packet `next_number` on.
    pub(super) const fn reset(&mut self, now: Instant, next_number: u64) {
        *self = Self { first_number: next_number, black_holes: self.black_holes, ..Self::new(now) };
    }

    /// Bytes a datagram may have now.
    pub(super) fn size(&self) -> usize {
        //= spec/PROTOCOL.md#path-mtu
        //# A sender MUST NOT send a datagram of more than 1200 bytes, except to find out whether it arrives, before one
        //# of that length or more was acknowledged on the path.
        if self.is_suspected() { FLOOR_BYTES } else { SIZES_BYTES[self.known] }
    }

    /// Black holes found on this connection.
    pub(super) const fn black_holes(&self) -> u64 {
        self.black_holes
    }

    /// The length of the probe to send now, if one is due: padded to it, and asking for an acknowledgement.
    pub(super) fn probe_size(&self, now: Instant) -> Option<usize> {
        let is_due = self.deadline().is_some_and(|at| at <= now);
        is_due.then(|| SIZES_BYTES[self.candidate()])
    }

    /// When the next probe is due; `None` while one is on its way, or when the longest passes.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.probe.is_some() {
            return None;
        }
        if self.is_suspected() || self.is_searching() {
            return Some(self.probe_at);
        }
        (self.known < TOP).then(|| self.probe_at.max(self.search_at))
    }

    /// The probe asked for left as packet `number`; the next waits for at least `probe_timeout`.
    pub(super) fn probe_sent(&mut self, now: Instant, number: u64, probe_timeout: Duration) {
        let size = self.candidate();
        self.probe = Some((number, size));
        self.probe_at = now + probe_timeout;
        self.ceiling = self.ceiling.max(size);
    }

    /// Packet `number` of `bytes`, a probe or not, has arrived.
    pub(super) fn on_acknowledged(&mut self, now: Instant, number: u64, bytes: usize) {
        self.take_probe(number);
        if number < self.first_number {
            return;
        }
        let size = index(bytes);
        self.arrived[size] = self.arrived[size].max(Some(number));
        if size >= self.run.shortest {
            self.run = Run::default();
        }
        if size > self.known {
            self.known = size;
            self.lost_probes = 0;
            self.end_search(now);
        }
    }

    /// Packet `number` of `bytes`, a probe or not, counts as lost. Returns whether it was a probe: then the loss
    /// says nothing about congestion (RFC 9000 section 14.4).
    pub(super) fn on_lost(&mut self, now: Instant, number: u64, bytes: usize) -> bool {
        let is_probe = self.take_probe(number);
        let size = index(bytes);
        if number < self.first_number {
            return is_probe;
        }
        if is_probe && size > self.known {
            self.refute(now);
        } else if self.is_evidence(number, size) && (is_probe || !self.is_suspected()) {
            self.run.shortest = if self.run.losses == 0 { size } else { self.run.shortest.min(size) };
            self.run.losses += 1;
            if self.run.losses >= BLACK_HOLE_LOSSES {
                self.fall(now, number);
            }
        }
        is_probe
    }

    const fn is_suspected(&self) -> bool {
        self.run.losses >= SUSPICION_LOSSES
    }

    const fn is_searching(&self) -> bool {
        self.ceiling > self.known
    }

    /// The length the next probe has. The longest comes first: mostly it passes, and one probe was enough.
    const fn candidate(&self) -> usize {
        if self.is_suspected() {
            self.known
        } else if self.is_searching() {
            self.ceiling
        } else {
            TOP
        }
    }

    /// Whether the loss speaks against the length: something short that left later arrived, and nothing as long.
    fn is_evidence(&self, number: u64, size: usize) -> bool {
        let later = |arrived: &Option<u64>| arrived.is_some_and(|arrived| arrived > number);
        size > 0 && later(&self.arrived[0]) && !self.arrived[size..].iter().any(later)
    }

    fn take_probe(&mut self, number: u64) -> bool {
        self.probe.take_if(|(probe, _)| *probe == number).is_some()
    }

    fn refute(&mut self, now: Instant) {
        self.lost_probes += 1;
        if self.lost_probes >= PROBES_MAX && self.is_searching() {
            self.lost_probes = 0;
            self.ceiling -= 1;
            self.end_search(now);
        }
    }

    fn end_search(&mut self, now: Instant) {
        self.ceiling = self.ceiling.max(self.known);
        if !self.is_searching() {
            self.search_at = now + SEARCH_AGAIN;
        }
    }

    fn fall(&mut self, now: Instant, number: u64) {
        self.black_holes += 1;
        self.known = 0;
        self.ceiling = 0;
        self.lost_probes = 0;
        self.run = Run::default();
        self.first_number = number + 1;
        self.search_at = now + SEARCH_AFTER_BLACK_HOLE;
    }
}

/// The shortest of the lengths that `bytes` fit in.
fn index(bytes: usize) -> usize {
    SIZES_BYTES.partition_point(|size| *size < bytes).min(TOP)
}
