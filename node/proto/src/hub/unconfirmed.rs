//! Sessions whose client was not heard in them yet, and what becomes of others when it is.

use super::Hub;
use super::accounts::ClientKey;
use super::sessions::SessionId;
use alloc::vec::Vec;
use spec::close::CloseReason;
use spec::time::Instant;

/// Sessions of one key that were never heard of.
const UNCONFIRMED_PER_KEY_MAX: usize = 4;

impl Hub {
    /// One key needs no more than a few sessions at a time: the oldest that were never heard of make room.
    pub(super) fn forget_unconfirmed(&mut self, now: Instant, key: &ClientKey) {
        let is_unconfirmed =
            |id: &SessionId| self.sessions.get(*id).is_some_and(|session| !session.is_confirmed);
        let unconfirmed: Vec<SessionId> =
            self.sessions.of_key(key).into_iter().filter(is_unconfirmed).collect();
        let surplus = (unconfirmed.len() + 1).saturating_sub(UNCONFIRMED_PER_KEY_MAX);
        for id in &unconfirmed[..surplus.min(unconfirmed.len())] {
            self.abandon(now, *id);
        }
    }

    fn abandon(&mut self, now: Instant, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.connection.abandon();
        }
        self.drop_if_over(now, id);
    }

    /// The first packet of a client shows that it holds the keys: only then its older sessions go.
    pub(super) fn confirm(&mut self, now: Instant, id: SessionId) {
        //= spec/PROTOCOL.md#handshake-flow
        //# A session replaces an older one of the same client key only after a SHORT datagram of the client was
        //# opened in it, and only if its INIT arrived later.
        let Some(session) = self.sessions.get_mut(id) else { return };
        if core::mem::replace(&mut session.is_confirmed, true) {
            return;
        }
        let (key, arrived) = (session.client_key, session.init_arrived);
        for older in self.sessions.of_key(&key) {
            if older != id && self.sessions.get(older).is_some_and(|older| older.init_arrived < arrived) {
                self.close(now, older, CloseReason::Replaced, "joined again from elsewhere");
            }
        }
    }
}
