//! How a connection ends.

use alloc::string::{String, ToString};
use spec::close::CloseReason;
use spec::limits::CLOSE_TIME;
use spec::time::Instant;

/// Why and how a connection is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The peer said so.
    ByPeer {
        /// Its reason.
        reason: CloseReason,
        /// What the person is told.
        text: String,
    },
    /// We said so, and the peer knows or was told long enough.
    ByUs,
    /// The peer fell silent.
    TimedOut,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Open,
    /// We repeat CLOSE.
    Closing {
        reason: CloseReason,
        text: String,
        until: Instant,
        due: bool,
    },
    Over(End),
}

/// The end of a connection, as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Ending(State);

impl Ending {
    pub(super) fn end(&self) -> Option<End> {
        match &self.0 {
            State::Over(end) => Some(end.clone()),
            _ => None,
        }
    }

    pub(super) const fn is_closing(&self) -> bool {
        !matches!(self.0, State::Open)
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        match self.0 {
            State::Closing { until, .. } => Some(until),
            _ => None,
        }
    }

    pub(super) fn close(&mut self, now: Instant, reason: CloseReason, text: &str) {
        if matches!(self.0, State::Open) {
            self.0 = State::Closing { reason, text: text.to_string(), until: now + CLOSE_TIME, due: true };
        }
    }

    pub(super) fn peer_closed(&mut self, reason: CloseReason, text: &str) {
        if !matches!(self.0, State::Over(_)) {
            self.0 = State::Over(End::ByPeer { reason, text: text.to_string() });
        }
    }

    pub(super) fn close_acknowledged(&mut self) {
        if matches!(self.0, State::Closing { .. }) {
            self.0 = State::Over(End::ByUs);
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.deadline().is_some_and(|until| until <= now) {
            self.0 = State::Over(End::ByUs);
        }
    }

    pub(super) fn timed_out(&mut self) {
        if !matches!(self.0, State::Over(_)) {
            self.0 = State::Over(End::TimedOut);
        }
    }

    /// CLOSE is to be said once more.
    pub(super) const fn repeat(&mut self) {
        if let State::Closing { due, .. } = &mut self.0 {
            *due = true;
        }
    }

    /// What is to be said, once each time it is due.
    pub(super) fn take_close(&mut self) -> Option<(CloseReason, &str)> {
        match &mut self.0 {
            State::Closing { reason, text, due, .. } if *due => {
                *due = false;
                Some((*reason, text))
            }
            _ => None,
        }
    }

    /// Whether CLOSE is to be said now.
    pub(super) const fn is_due(&self) -> bool {
        matches!(self.0, State::Closing { due: true, .. })
    }
}
