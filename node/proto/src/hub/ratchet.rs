//! The hub's side of ratchets: each request is answered, and few are allowed.

use super::sessions::SessionId;
use super::{Hub, HubEvent};
use spec::close::CloseReason;
use spec::handshake::kem::KemKey;
use spec::limits::KEY_BYTES;
use spec::ratchet::{AnswerKeys, respond};
use spec::time::Instant;

impl Hub {
    /// Answers RATCHET_REQ, and opens packets under the next generation from now on.
    pub(super) fn ratchet(
        &mut self,
        now: Instant,
        id: SessionId,
        ephemeral: &[u8; KEY_BYTES],
        kem: Option<&KemKey>,
    ) {
        let pause = self.config.keys.ratchet_answer;
        let Some(session) = self.sessions.get_mut(id) else { return };
        let is_soon = session.ratcheted.is_some_and(|at| now.since(at) < pause);
        //= spec/PROTOCOL.md#ratchet
        //# The hub MUST close the session with VIOLATION on a RATCHET_REQ before the last ratchet has ended, or
        //# less than 60 seconds after it answered one.
        if is_soon || session.connection.is_ratcheting() {
            return self.close(now, id, CloseReason::Violation, "a ratchet comes too soon");
        }
        let keys = AnswerKeys { ephemeral: self.random.secret(), kem_random: self.random.secret() };
        let (identity, root) = (&self.config.identity, session.connection.root());
        let (answer, next) = match respond(root, identity, &session.client_key, (ephemeral, kem), &keys) {
            Ok(made) => made,
            Err(error) => {
                let text = alloc::format!("a ratchet is not valid: {error}");
                return self.close(now, id, CloseReason::Violation, &text);
            }
        };
        if self.config.key_log {
            let line = spec::key_log::ratchet_line(session.attempt, &next);
            self.events.push_back(HubEvent::KeyLog(line));
        }
        session.ratcheted = Some(now);
        session.connection.offer_generation(now, next);
        self.sessions.refresh_ids(id);
        self.say(id, &answer.message());
    }
}
