//! Who is here. Coming and going are entries of the lobby, so that they are announced once and in order.

use super::Hub;
use super::accounts::Account;
use super::sessions::SessionId;
use crate::connection::End;
use crate::log::{AccountId, LOBBY};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use spec::close::CloseReason;
use spec::time::Instant;
use spec::wire::entry::EntryKind;

/// The accounts that were announced as here.
#[derive(Debug, Default)]
pub(super) struct Presence {
    /// When an account that has no session is announced as gone; `None` while it has one.
    here: BTreeMap<AccountId, Option<Instant>>,
}

impl Presence {
    /// Those who were here when the log ends; they have until `deadline` to come back.
    pub(super) fn recovered(deadline: Instant, present: &[AccountId]) -> Self {
        Self { here: present.iter().map(|account| (*account, Some(deadline))).collect() }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.here.values().flatten().min().copied()
    }

    /// Notes that `account` has a session; whether it has to be announced.
    fn arrive(&mut self, account: AccountId) -> bool {
        self.here.insert(account, None).is_none()
    }

    fn expect_back(&mut self, account: AccountId, until: Instant) {
        if let Some(deadline) = self.here.get_mut(&account) {
            *deadline = Some(until);
        }
    }

    /// Takes out `account`; whether it was here.
    fn remove(&mut self, account: AccountId) -> bool {
        self.here.remove(&account).is_some()
    }

    /// Those whose time to come back is over.
    pub(super) fn overdue(&self, now: Instant) -> Vec<AccountId> {
        let is_over = |deadline: &Option<Instant>| deadline.is_some_and(|at| at <= now);
        self.here.iter().filter(|(_, deadline)| is_over(deadline)).map(|(account, _)| *account).collect()
    }

    /// Those who are here, or were a moment ago.
    pub(super) fn accounts(&self) -> impl Iterator<Item = AccountId> + '_ {
        self.here.keys().copied()
    }
}

impl Hub {
    /// `account` was greeted: announce it, unless it never was away for long.
    pub(super) fn arrive(&mut self, account: &Account) {
        if self.presence.arrive(account.id) {
            self.append_about(LOBBY, account, EntryKind::Joined, "");
        }
    }

    /// A session of `account` was closed by the hub for a reason.
    pub(super) fn leave(
        &mut self,
        now: Instant,
        session: SessionId,
        account: AccountId,
        reason: CloseReason,
        text: &str,
    ) {
        if self.has_other_session(session, account) {
            return;
        }
        match reason {
            CloseReason::Removed => self.announce_left(account, text),
            // Whoever has to go for the hub's sake is expected back.
            _ => self.presence.expect_back(account, now + self.config.grace),
        }
    }

    /// A session of `account` ended by itself; its client was heard at `last_heard`.
    pub(super) fn part(
        &mut self,
        now: Instant,
        session: SessionId,
        account: AccountId,
        end: &End,
        last_heard: Instant,
    ) {
        if self.has_other_session(session, account) {
            return;
        }
        match end {
            End::ByPeer { reason: CloseReason::Quit, text } => self.announce_left(account, text),
            _ => self.presence.expect_back(account, (last_heard + self.config.grace).max(now)),
        }
    }

    fn has_other_session(&self, session: SessionId, account: AccountId) -> bool {
        self.sessions_of(account).into_iter().any(|other| other != session)
    }

    /// The sessions that were greeted as `account`.
    pub(super) fn sessions_of(&self, account: AccountId) -> Vec<SessionId> {
        let Some(known) = self.accounts.get(account) else { return Vec::new() };
        let is_greeted =
            |id: &SessionId| self.sessions.get(*id).is_some_and(|session| session.account() == Some(account));
        let keys = known.present_devices().map(|device| &device.key);
        keys.flat_map(|key| self.sessions.of_key(key)).filter(is_greeted).collect()
    }

    pub(super) fn announce_left(&mut self, account: AccountId, reason: &str) {
        if self.presence.remove(account)
            && let Some(account) = self.accounts.get(account).cloned()
        {
            self.append_about(LOBBY, &account, EntryKind::Left, reason);
        }
    }
}
