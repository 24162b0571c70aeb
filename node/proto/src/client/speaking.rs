//! What a person says and asks: kept until the hub has it, whatever becomes of sessions.

use super::Client;
use super::account::Ask;
use super::asks::{AskId, NotAsked};
use super::outbox::{OutboxFull, Target};
use super::timeline::Timeline;
use crate::log::{RoomId, Seq};
use crate::opaque::Password;
use alloc::vec::Vec;
use spec::wire::entry::{EntryKind, MessageId};
use spec::wire::request::Request;

impl Client {
    /// Submits a line; its id comes back in [`Stored`](super::ClientEvent::Stored).
    ///
    /// # Errors
    /// [`OutboxFull`]; nothing was kept.
    pub fn say(&mut self, target: Target, kind: EntryKind, text: &str) -> Result<MessageId, OutboxFull> {
        self.keep(target, kind, text.as_bytes().to_vec())
    }

    /// Submits something about another entry of a room: a reply, an edit, a deletion or a sign.
    ///
    /// # Errors
    /// [`OutboxFull`]; nothing was kept.
    pub fn say_about(
        &mut self,
        target: Target,
        kind: EntryKind,
        entry: Seq,
        text: &str,
    ) -> Result<MessageId, OutboxFull> {
        self.keep(target, kind, spec::wire::entry::about(entry.0, text))
    }

    fn keep(&mut self, target: Target, kind: EntryKind, body: Vec<u8>) -> Result<MessageId, OutboxFull> {
        let id = self.random.message_id();
        if let Target::Named(name) = &target
            && self.outbox.room_of(&target).is_none()
            && !self.asks.is_joining(name)
        {
            self.asks.push(Request::Join { name: name.clone().into() }).map_err(|_| OutboxFull)?;
        }
        self.outbox.push(id, target, kind, body)?;
        self.submit();
        Ok(id)
    }

    /// Asks the hub for something; the answer comes back as [`Granted`](super::ClientEvent::Granted), [`Denied`](super::ClientEvent::Denied),
    /// [`Rooms`](super::ClientEvent::Rooms) or [`Past`](super::ClientEvent::Past) with the same id, whatever becomes of sessions.
    ///
    /// # Errors
    /// [`NotAsked`]; nothing was asked.
    pub fn ask(&mut self, request: Request<'static>) -> Result<AskId, NotAsked> {
        let id = self.asks.push(request)?;
        self.submit();
        Ok(id)
    }

    /// The room of a name, when we are a member of it.
    #[must_use]
    pub fn room_of(&self, target: &Target) -> Option<RoomId> {
        self.outbox.room_of(target)
    }

    /// The last entry that is known of a room.
    #[must_use]
    pub fn last_of(&self, room: RoomId) -> Option<Seq> {
        self.timelines.get(&room).map(Timeline::last)
    }

    /// Requests that are not answered.
    #[must_use]
    pub fn unanswered(&self) -> usize {
        self.asks.len()
    }

    /// Asks who is in a room; the answer is one [`Members`](super::ClientEvent::Members) for each question, once the hub is there.
    pub fn ask_members(&mut self, room: RoomId) {
        self.members_wanted.push_back(room);
        self.submit();
    }

    /// Whether another line can be kept, however long.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.outbox.has_room()
    }

    /// Says in passing that the person types something for `room`; it may be lost.
    pub fn typing(&mut self, room: RoomId) {
        if let Some(session) = &mut self.session {
            session.typing = Some(room);
        }
    }

    /// The name is that of an account we are to become a device of, called `device`; before the first attempt.
    pub fn enrol(&mut self, device: &str) {
        self.wishes.device = Some(device.into());
    }

    /// The same, and it is a password that shows that we may: [`prove`](Self::prove).
    pub fn enrol_by_password(&mut self, device: &str) {
        self.enrol(device);
        self.wishes.is_by_password = true;
    }

    /// The password; when it is refused, another may follow.
    pub fn prove(&mut self, password: Password) {
        self.wishes.proof = Some(password);
        self.submit();
    }

    /// Asks for something about the account; the answer is a [`Account`](super::ClientEvent::Account).
    ///
    /// # Errors
    /// [`OutboxFull`]; nothing was kept.
    pub fn ask_account(&mut self, ask: Ask) -> Result<(), OutboxFull> {
        if !self.wishes.ask(ask) {
            return Err(OutboxFull);
        }
        self.submit();
        Ok(())
    }
}
