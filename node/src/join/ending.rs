//! When a client is done, and with which exit code.

use crate::exit;
use crate::failure::Failure;
use node_proto::client::ClientEvent;
use node_proto::client::account::AccountEvent;
use spec::close::CloseReason;
use spec::time::Instant;
use std::time::Duration;

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// Where the client stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// Lines the hub has not stored.
    pub(super) unstored: usize,
    /// Requests the hub has not answered.
    pub(super) unanswered: usize,
    /// Whether the hub is heard.
    pub(super) is_connected: bool,
    /// Whether the client has nothing more to do.
    pub(super) is_done: bool,
}

impl Progress {
    const fn is_idle(self) -> bool {
        self.unstored == 0 && self.unanswered == 0
    }
}

/// What speaks for going on and what for leaving.
#[derive(Debug)]
pub(super) struct Ending {
    /// Whether the end of input is no reason to leave.
    stays: bool,
    timeout: Option<Duration>,
    input_ended: bool,
    wants_to_quit: bool,
    /// Whether something that was asked for did not happen.
    has_failed: bool,
    answers_due: usize,
    /// Since when the hub is not heard.
    silent_since: Option<Instant>,
    /// Since when the hub sends us away because it cannot store what is said, and its words for it.
    failing: Option<(Instant, String)>,
    /// Leaving until then, with this code.
    leaving: Option<(Instant, u8)>,
    closed: Option<(CloseReason, String)>,
}

impl Ending {
    pub(super) const fn new(stays: bool, timeout: Option<Duration>) -> Self {
        Self {
            stays,
            timeout,
            input_ended: false,
            wants_to_quit: false,
            has_failed: false,
            answers_due: 0,
            silent_since: Some(Instant(0)),
            failing: None,
            leaving: None,
            closed: None,
        }
    }

    /// Whether it goes on after the end of input.
    pub(super) const fn stays(&self) -> bool {
        self.stays
    }

    pub(super) const fn input_ended(&mut self) {
        self.input_ended = true;
    }

    /// A person wants to leave once everything is stored.
    pub(super) const fn quit(&mut self) {
        self.wants_to_quit = true;
    }

    /// Whether what stands behind in the input is not to be said any more.
    pub(super) const fn is_quitting(&self) -> bool {
        self.wants_to_quit
    }

    pub(super) const fn failed(&mut self) {
        self.has_failed = true;
    }

    pub(super) const fn expect_answer(&mut self) {
        self.answers_due += 1;
    }

    pub(super) fn leaving(&mut self, now: Instant, code: u8) {
        self.leaving.get_or_insert((now + GOODBYE, code));
    }

    /// The code when everything went as it should, or not.
    pub(super) const fn code(&self) -> u8 {
        if self.has_failed { exit::FAILURE } else { exit::DONE }
    }

    pub(super) fn event(&mut self, now: Instant, event: &ClientEvent) {
        match event {
            ClientEvent::Connected { .. } | ClientEvent::Heard => self.silent_since = None,
            ClientEvent::Silent => self.silent_since = self.silent_since.or(Some(now)),
            ClientEvent::Members { .. } => self.answers_due = self.answers_due.saturating_sub(1),
            ClientEvent::Refused { .. } => self.has_failed = true,
            ClientEvent::Stored { .. } => self.failing = None,
            ClientEvent::Account(event) => self.account_event(event),
            ClientEvent::Closed { reason, text, retrying } => {
                self.silent_since = self.silent_since.or(Some(now));
                if *reason == CloseReason::Failed {
                    self.failing.get_or_insert_with(|| (now, text.clone()));
                }
                if !retrying {
                    self.closed = Some((*reason, text.clone()));
                }
            }
            _ => {}
        }
    }

    fn account_event(&mut self, event: &AccountEvent) {
        let is_answer =
            !matches!(event, AccountEvent::Code(_) | AccountEvent::Devices { is_asked: false, .. });
        self.answers_due = self.answers_due.saturating_sub(usize::from(is_answer));
        self.has_failed |= matches!(event, AccountEvent::Refused { .. });
    }

    /// Whether it is time to say goodbye.
    pub(super) fn wants_to_leave(&self, progress: Progress) -> bool {
        let is_through = self.wants_to_quit || self.input_ended && !self.stays && self.answers_due == 0;
        self.leaving.is_none() && is_through && progress.is_idle() && progress.is_connected
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let failing_since = self.failing.as_ref().map(|(since, _)| *since);
        let since = self.silent_since.into_iter().chain(failing_since).min();
        let gives_up = since.zip(self.timeout).map(|(since, timeout)| since + timeout);
        let leaves = self.leaving.map(|(until, _)| until);
        gives_up.into_iter().chain(leaves).min()
    }

    /// The exit code, when it is time for one.
    pub(super) fn poll(&mut self, now: Instant, progress: Progress) -> Result<Option<u8>, Failure> {
        if progress.is_connected && self.closed.is_none() {
            self.silent_since = None;
        }
        if progress.unstored == 0 {
            self.failing = None;
        }
        if let Some((reason, text)) = &self.closed {
            return Err(closed(*reason, text, progress.unstored));
        }
        if let Some((until, code)) = self.leaving {
            return Ok((progress.is_done || until <= now).then_some(code));
        }
        if self.wants_to_quit && !progress.is_connected && progress.is_idle() {
            return Ok(Some(self.code()));
        }
        let Some(timeout) = self.timeout else { return Ok(None) };
        if let Some((since, text)) = &self.failing
            && *since + timeout <= now
        {
            return Err(closed(CloseReason::Failed, text, progress.unstored));
        }
        match self.silent_since {
            Some(since) if since + timeout <= now => Err(gave_up(timeout, progress.unstored)),
            _ => Ok(None),
        }
    }
}

fn gave_up(timeout: Duration, unstored: usize) -> Failure {
    let lost = undelivered(unstored);
    Failure::new(format!("the hub did not answer for {} s{lost}", timeout.as_secs()))
        .advise("is it running, is the address right, is the invite the present one? --timeout waits longer")
}

fn undelivered(unstored: usize) -> String {
    match unstored {
        0 => String::new(),
        1 => "; 1 line was not delivered".to_owned(),
        lines => format!("; {lines} lines were not delivered"),
    }
}

fn closed(reason: CloseReason, text: &str, unstored: usize) -> Failure {
    let text = crate::output::visible(text);
    let lost = undelivered(unstored);
    match reason {
        CloseReason::Removed => {
            Failure::new(format!("removed by an operator: {text}{lost}")).code(exit::REMOVED)
        }
        CloseReason::NameTaken => Failure::new(text)
            .advise("another --name; if it is yours, --device or --password joins as one more device of it")
            .code(exit::NAME_TAKEN),
        CloseReason::Revoked => Failure::new(format!("{text}{lost}"))
            .advise("another --data folder with --device NAME, and approve it on a device that you have"),
        CloseReason::TooOften => Failure::new(text).advise("the same again later"),
        CloseReason::NotEnrolled => Failure::new(text).advise("the same again, and a device that is at hand"),
        CloseReason::NameRefused => Failure::new(text).advise("another --name"),
        CloseReason::TokenRefused => Failure::new(text).advise("a new invite"),
        CloseReason::Replaced => Failure::new(format!("you joined again from elsewhere{lost}")),
        _ => Failure::new(format!("the hub ended the session: {text}{lost}")),
    }
}
