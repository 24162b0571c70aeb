//! What may be lost: passed on to whoever reads the room, and kept nowhere.

use super::Hub;
use super::sessions::SessionId;
use crate::log::RoomId;
use alloc::vec::Vec;
use spec::limits::EPHEMERAL_EVERY;
use spec::time::Instant;
use spec::wire::ephemeral::Ephemeral;
use spec::wire::frame::{Frame, Frames};

impl Hub {
    /// Passes on what a member says in passing.
    pub(super) fn hear_ephemeral(&mut self, now: Instant, id: SessionId, frames: &Frames<'_>) {
        for frame in frames.iter() {
            if let Frame::Ephemeral { room, message } = frame
                && let Ok(Ephemeral::Typing { .. }) = Ephemeral::decode(message)
            {
                self.pass_on_typing(now, id, RoomId(room));
            }
        }
    }

    fn pass_on_typing(&mut self, now: Instant, id: SessionId, room: RoomId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(account) = session.account() else { return };
        if session.typed_at.is_some_and(|at| now < at + EPHEMERAL_EVERY) || !self.may_use(account, room) {
            return;
        }
        let (Some(author), Some(log)) = (self.accounts.get(account), self.rooms.get_mut(&room)) else {
            return;
        };
        let mut message = Vec::new();
        Ephemeral::Typing { name: &author.name }.encode(&mut message);
        log.murmur(account, message);
        let readers = log.readers();
        if let Some(session) = self.sessions.get_mut(id) {
            session.typed_at = Some(now);
        }
        readers.into_iter().for_each(|reader| self.touch(reader));
    }
}
