//! How much may be on its way at once (RFC 9002 section 7).
//!
//! [`Congestion`] holds what all algorithms share: slow start, one reaction a recovery period, its undoing, and
//! the bounds. A [`Controller`] decides the rest: how deep a reaction cuts, and how the window grows beyond
//! the threshold.

mod cubic;
mod new_reno;
pub(super) mod pacer;
pub(super) mod persistent;
#[cfg(test)]
mod tests;
mod window;

use super::rtt::Rtt;
use core::time::Duration;
use cubic::Cubic;
use new_reno::NewReno;
use spec::time::Instant;
use window::Window;

/// Which congestion control a connection uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// RFC 9002 section 7.3: half at congestion, one datagram more each round trip.
    NewReno,
    /// RFC 9438: 0.7 at congestion, then along a cubic curve back to where it happened.
    #[default]
    Cubic,
}

/// What an algorithm decides by itself.
trait Controller {
    /// The window in bytes after a congestion event, which it takes note of.
    fn reduce(&mut self, window: &Window) -> u64;

    /// The window in bytes after an acknowledgement beyond slow start.
    fn grow(&mut self, window: &Window, acknowledged: &Acknowledged) -> u64;

    /// Forgets where congestion happened: after persistent congestion nothing of it holds.
    fn forget(&mut self);

    /// Time up to `now` was not used to the full and counts for nothing.
    fn pause(&mut self, now: Instant);
}

/// Bytes that arrived.
#[derive(Clone, Copy, Debug)]
struct Acknowledged {
    now: Instant,
    bytes: u64,
    smoothed_rtt: Duration,
}

/// The state of one algorithm: flat, and told apart by a match.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Growth {
    NewReno(NewReno),
    Cubic(Cubic),
}

impl From<Algorithm> for Growth {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::NewReno => Self::NewReno(NewReno::default()),
            Algorithm::Cubic => Self::Cubic(Cubic::default()),
        }
    }
}

impl Controller for Growth {
    fn reduce(&mut self, window: &Window) -> u64 {
        match self {
            Self::NewReno(reno) => reno.reduce(window),
            Self::Cubic(cubic) => cubic.reduce(window),
        }
    }

    fn grow(&mut self, window: &Window, acknowledged: &Acknowledged) -> u64 {
        match self {
            Self::NewReno(reno) => reno.grow(window, acknowledged),
            Self::Cubic(cubic) => cubic.grow(window, acknowledged),
        }
    }

    fn forget(&mut self) {
        match self {
            Self::NewReno(reno) => reno.forget(),
            Self::Cubic(cubic) => cubic.forget(),
        }
    }

    fn pause(&mut self, now: Instant) {
        match self {
            Self::NewReno(reno) => reno.pause(now),
            Self::Cubic(cubic) => cubic.pause(now),
        }
    }
}

/// The congestion window of one path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Congestion {
    window: Window,
    growth: Growth,
    /// When the last reaction was: what was sent up to then tells nothing new.
    recovery_since: Option<Instant>,
    undo: Option<Undo>,
}

/// What was before the last reaction, for the case that every packet it was for arrives after all (RFC 9438
/// section 4.9.2).
#[derive(Clone, Copy, Debug)]
struct Undo {
    window: Window,
    growth: Growth,
    recovery_since: Option<Instant>,
    /// Packets counted as lost whose acknowledgement has not come late.
    lost_packets: u64,
}

impl Congestion {
    /// The initial window for datagrams of `mtu_bytes`.
    pub(super) fn new(algorithm: Algorithm, mtu_bytes: usize) -> Self {
        Self {
            window: Window::new(mtu_bytes as u64),
            growth: algorithm.into(),
            recovery_since: None,
            undo: None,
        }
    }

    /// Bytes that may be in flight.
    pub(super) const fn window_bytes(&self) -> u64 {
        self.window.bytes()
    }

    /// The window at which slow start ends; `None` before the first congestion.
    pub(super) const fn threshold_bytes(&self) -> Option<u64> {
        self.window.threshold_bytes()
    }

    /// The longest datagram that counts.
    pub(super) const fn mtu_bytes(&self) -> u64 {
        self.window.mtu_bytes()
    }

    /// A packet leaves at `now`, beside `bytes_in_flight` before it.
    pub(super) fn on_sent(&mut self, now: Instant, bytes_in_flight: usize) {
        if bytes_in_flight == 0 {
            self.growth.pause(now);
        }
    }

    /// `bytes` that left at `sent` have arrived. A window that was not filled (`is_app_limited`) does not grow:
    /// nobody has seen that the path carries it (RFC 9002 section 7.8).
    pub(super) fn on_acknowledged(
        &mut self,
        now: Instant,
        sent: Instant,
        bytes: usize,
        rtt: &Rtt,
        is_app_limited: bool,
    ) {
        if is_app_limited {
            return self.growth.pause(now);
        }
        if self.in_recovery(sent) {
            return;
        }
        let bytes = bytes as u64;
        let grown = if self.window.is_slow_start() {
            self.window.bytes() + bytes
        } else {
            self.growth.grow(&self.window, &Acknowledged { now, bytes, smoothed_rtt: rtt.smoothed() })
        };
        self.window.set(grown);
    }

    /// A packet that left at `sent` counts as lost. To be told of each one: of those of a recovery period only
    /// the first matters to the window, but all of them to its undoing.
    pub(super) fn on_lost(&mut self, now: Instant, sent: Instant) {
        if !self.in_recovery(sent) {
            let Self { window, growth, recovery_since, .. } = *self;
            self.undo = Some(Undo { window, growth, recovery_since, lost_packets: 0 });
            self.react(now);
        }
        if let Some(undo) = self.undo.as_mut().filter(|undo| undo.covers(sent)) {
            undo.lost_packets += 1;
        }
    }

    /// A router marked a packet (CE), as the acknowledgement of one that left at `sent` says: congestion beyond
    /// doubt, so that no late acknowledgement undoes its reaction.
    pub(super) fn on_marked(&mut self, now: Instant, sent: Instant) {
        if !self.in_recovery(sent) {
            self.react(now);
        }
        self.undo = None;
    }

    /// All packets of a long time were lost (RFC 9002 section 7.6): see [`persistent`].
    pub(super) fn on_persistent_congestion(&mut self) {
        self.window.collapse();
        self.growth.forget();
        self.recovery_since = None;
        self.undo = None;
    }

    /// A packet that left at `sent` and counted as lost has arrived after all. Once that is so of all packets of
    /// a reaction, what it took is given back. Returns whether it was.
    pub(super) fn on_spurious(&mut self, sent: Instant) -> bool {
        let in_recovery = self.in_recovery(sent);
        let Some(undo) = self.undo.as_mut().filter(|undo| in_recovery && undo.covers(sent)) else {
            return false;
        };
        undo.lost_packets = undo.lost_packets.saturating_sub(1);
        if undo.lost_packets > 0 {
            return false;
        }
        let Undo { window, growth, recovery_since, .. } = *undo;
        self.undo = None;
        let is_less = self.window.bytes() < window.bytes();
        if is_less {
            self.window.restore(&window);
            self.growth = growth;
            self.recovery_since = recovery_since;
        }
        is_less
    }

    /// Datagrams are `bytes` long from now on.
    pub(super) fn on_mtu(&mut self, bytes: usize) {
        self.window.set_mtu(bytes as u64);
    }

    fn in_recovery(&self, sent: Instant) -> bool {
        self.recovery_since.is_some_and(|since| sent <= since)
    }

    fn react(&mut self, now: Instant) {
        let reduced = self.growth.reduce(&self.window);
        self.window.reduce_to(reduced);
        self.recovery_since = Some(now);
    }
}

impl Undo {
    /// Whether a packet of this age belongs to the reaction, and not to the one before.
    fn covers(&self, sent: Instant) -> bool {
        self.recovery_since.is_none_or(|before| sent > before)
    }
}
