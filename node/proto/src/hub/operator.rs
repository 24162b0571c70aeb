//! What the person at the hub may do.

use super::sessions::SessionId;
use super::{Hub, Stage};
use crate::connection::Stats;
use crate::log::{HUB_ACCOUNT, LOBBY, RoomId};
use crate::transmit::Path;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;
use spec::close::CloseReason;
use spec::limits::BODY_BYTES_MAX;
use spec::name::{HUB_NAME, fold};
use spec::time::Instant;
use spec::wire::entry::EntryKind;

/// One client, as the operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: Path,
    /// Smoothed round-trip time.
    pub rtt: Duration,
    /// Counters.
    pub stats: Stats,
}

/// Why what the operator wanted did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsaid {
    /// Nobody has this name.
    NoSuchName,
    /// The text is longer than 65,536 bytes.
    TooLong,
}

fn check_length(text: &str) -> Result<(), Unsaid> {
    if text.len() > BODY_BYTES_MAX { Err(Unsaid::TooLong) } else { Ok(()) }
}

impl Hub {
    /// The clients that are connected.
    #[must_use]
    pub fn list(&self) -> Vec<Present> {
        let present = |id: SessionId| {
            let session = self.sessions.get(id)?;
            let account = self.accounts.get(session.account()?)?;
            let connection = &session.connection;
            let (path, stats) = (connection.path(), *connection.stats());
            Some(Present { name: account.name.clone(), path, rtt: connection.rtt().smoothed(), stats })
        };
        self.sessions.ids().into_iter().filter_map(present).collect()
    }

    /// Sends everyone with this name away, tells them why, and announces it.
    ///
    /// # Errors
    /// [`Unsaid::NoSuchName`] when nobody connected has it.
    pub fn kick(&mut self, now: Instant, name: &str, reason: &str) -> Result<(), Unsaid> {
        check_length(reason)?;
        let named = |session: &SessionId| {
            let account = self.sessions.get(*session).and_then(|session| session.account());
            let account = account.and_then(|account| self.accounts.get(account));
            account.is_some_and(|account| fold(&account.name) == fold(name))
        };
        let sessions: Vec<SessionId> = self.sessions.ids().into_iter().filter(named).collect();
        if sessions.is_empty() {
            return Err(Unsaid::NoSuchName);
        }
        let text = if reason.is_empty() { "removed by the operator" } else { reason };
        for session in sessions {
            self.close(now, session, CloseReason::Removed, text);
        }
        Ok(())
    }

    /// Says something to everyone.
    ///
    /// # Errors
    /// [`Unsaid::TooLong`].
    pub fn alert(&mut self, text: &str) -> Result<(), Unsaid> {
        check_length(text)?;
        self.append_as_hub(LOBBY, EntryKind::Alert, HUB_NAME, text.as_bytes().to_vec());
        Ok(())
    }

    /// Says something to one person, now or when they come back.
    ///
    /// # Errors
    /// [`Unsaid::NoSuchName`] when nobody has it.
    pub fn whisper(&mut self, name: &str, text: &str) -> Result<(), Unsaid> {
        check_length(text)?;
        let known = self.accounts.of_name(name).map(|account| account.id);
        let Some(to) = known.filter(|account| *account != HUB_ACCOUNT) else {
            return Err(Unsaid::NoSuchName);
        };
        self.pending.whispers.push((to, text.to_string()));
        if self.accounts.direct(HUB_ACCOUNT, to).is_none() {
            self.make_direct(HUB_ACCOUNT, to);
        }
        self.say_whispers();
        Ok(())
    }

    /// Appends the operator's lines whose rooms are there.
    pub(super) fn say_whispers(&mut self) {
        for (to, text) in core::mem::take(&mut self.pending.whispers) {
            match self.accounts.direct(HUB_ACCOUNT, to) {
                Some(room) => self.append_whisper(room, text),
                None => self.pending.whispers.push((to, text)),
            }
        }
    }

    fn append_whisper(&mut self, room: RoomId, text: String) {
        self.append_as_hub(room, EntryKind::Text, HUB_NAME, text.into_bytes());
    }

    /// Tells everyone that the hub goes down, and why; from then on nobody gets in.
    pub fn shut_down(&mut self, now: Instant, text: &str) {
        self.is_closing = true;
        self.save_attempts(now, Instant(u64::MAX));
        for session in self.sessions.ids() {
            if self.sessions.get(session).is_some_and(|session| session.stage != Stage::Leaving) {
                self.close(now, session, CloseReason::Shutdown, text);
            }
        }
    }

    /// Whether everyone has been told and the log has taken everything.
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        self.is_closing && self.sessions.len() == 0 && self.pending.is_idle()
    }
}
