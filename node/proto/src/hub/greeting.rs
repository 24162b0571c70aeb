//! The control stream: a client says who it is, then what it wants.

use super::accounts::Account;
use super::charter::{Made, room_body};
use super::commit::Purpose;
use super::rooms::Asked;
use super::sessions::{Cursor, SessionId, Stage};
use super::{Hub, HubEvent};
use crate::bulk::TransferId;
use crate::log::{AccountId, HUB_ROOM, LOBBY, RoomId, Seq, Ticket};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use spec::close::CloseReason;
use spec::name;
use spec::time::Instant;
use spec::wire::entry::{EntryKind, MessageId};
use spec::wire::login::FLAG_ENROL;
use spec::wire::message::{FLAG_KEY_LOG, Message, Refusal, kind};

/// The stream of control messages.
pub(super) const CONTROL: u64 = 0;

/// Bytes of answers that may wait for a client to read them.
const ANSWERS_BYTES_MAX: usize = 65_536;

/// Bytes of names in one MEMBERS message: it must fit a control message.
const MEMBERS_BYTES_MAX: usize = 32_768;

impl Hub {
    /// Reads whole control messages as they have arrived.
    pub(super) fn read_control(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get(id) else { return };
        // One copy of what has arrived, so that the connection is free while messages are acted on.
        let bytes = session.connection.readable(CONTROL).to_vec();
        let mut used = 0;
        while self.takes_messages(now, id) {
            match Message::split(&bytes[used..]) {
                Ok(None) => break,
                Ok(Some((message, len))) => {
                    used += len;
                    self.handle_message(now, id, &message);
                }
                //= spec/PROTOCOL.md#application-messages
                //# A receiver MUST close the session with VIOLATION when a control message or a submission is
                //# longer than it may be or does not decode.
                Err(error) => return self.close(now, id, CloseReason::Violation, &error.to_string()),
            }
        }
        if let Some(session) = self.sessions.get_mut(id) {
            session.connection.consume(CONTROL, used);
        }
    }

    /// What follows HELLO waits until the log has taken the name, and who does not read answers gets no more.
    fn takes_messages(&mut self, now: Instant, id: SessionId) -> bool {
        let Some(session) = self.sessions.get(id) else { return false };
        if session.looks_back || matches!(session.stage, Stage::Registering { .. } | Stage::Leaving) {
            return false;
        }
        if self.enrolments.is_holding(id) {
            return false;
        }
        if session.connection.unacknowledged(CONTROL) > ANSWERS_BYTES_MAX {
            self.close(now, id, CloseReason::Slow, "the hub's answers are not read");
            return false;
        }
        // What a request leads to waits for the log, and so many may.
        if !self.pending.has_room() {
            self.pending.wait(id);
            return false;
        }
        true
    }

    fn handle_message(&mut self, now: Instant, id: SessionId, message: &Message<'_>) {
        let Some(session) = self.sessions.get(id) else { return };
        let account = session.account();
        match (account, message) {
            (None, Message::Hello { flags, name, .. }) => self.hello(now, id, *flags, name),
            (None, Message::Login(message)) if session.stage == Stage::Enrolling => {
                self.enrolling(now, id, message);
            }
            (Some(account), Message::Login(message)) => self.account_request(id, account, message),
            //= spec/PROTOCOL.md#application-messages
            //# The hub MUST close a session whose first control message is not HELLO.
            (None, _) => self.close(now, id, CloseReason::Violation, "HELLO comes first"),
            (Some(account), Message::Subscribe { room, after }) => {
                self.subscribe(id, account, RoomId(*room), Seq(*after));
            }
            (Some(account), Message::Who { room }) => self.who(id, account, RoomId(*room)),
            (Some(account), Message::Direct { name }) => self.direct(id, account, name),
            (Some(_), Message::Offer { transfer, hash, size }) => {
                self.offer(id, TransferId(*transfer), *hash, *size);
            }
            (Some(_), Message::Fetch { transfer, hash, from }) => {
                self.fetch(id, TransferId(*transfer), *hash, *from);
            }
            (Some(_), Message::Release { transfer }) => self.release(id, TransferId(*transfer)),
            (Some(account), Message::Ask { tag, request }) => {
                self.ask(Asked { session: id, account, tag: *tag, kind: request.kind() }, request);
            }
            (Some(_), Message::RatchetReq { ephemeral, kem }) => self.ratchet(now, id, ephemeral, *kem),
            (Some(_), _) => {}
        }
    }

    pub(super) fn say(&mut self, id: SessionId, message: &Message<'_>) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        self.say_bytes(id, &bytes);
    }

    pub(super) fn say_bytes(&mut self, id: SessionId, message: &[u8]) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        // Answers stop long before the buffer is full: see `takes_messages`.
        if session.connection.send(CONTROL, message).is_ok() {
            self.touch(id);
        }
    }

    pub(super) fn refuse(&mut self, id: SessionId, request: u64, reason: Refusal, about: (MessageId, &str)) {
        let (message_id, name) = about;
        self.say(id, &Message::Refused { request, reason, id: message_id, name });
    }

    // who it is

    fn hello(&mut self, now: Instant, id: SessionId, flags: u64, wanted: &str) {
        let Some(session) = self.sessions.get(id) else { return };
        let key = session.client_key;
        if flags & FLAG_KEY_LOG != 0 {
            self.events.push_back(HubEvent::PeerLogsKeys { name: wanted.to_string() });
        }
        if let Err(error) = name::check(wanted) {
            return self.close(now, id, CloseReason::NameRefused, &error.to_string());
        }
        // An entry before the lobby would take its number.
        if !self.rooms.contains_key(&LOBBY) {
            self.make_lobby();
            return self.close(now, id, CloseReason::Failed, "the hub could not store its first room");
        }
        if self.accounts.is_revoked(&key) {
            return self.close_revoked(now, id);
        }
        let own = self.accounts.of_key(&key).cloned();
        if let Some(account) = own.as_ref().filter(|account| account.name == wanted) {
            return self.greet(id, &account.clone());
        }
        if flags & FLAG_ENROL != 0 {
            return self.enrol(now, id, wanted, own.as_ref());
        }
        let is_taken = self.accounts.is_taken(wanted, own.as_ref().map(|own| own.id));
        if let Some(ticket) = self.pending.registration(wanted, &key) {
            // The same client, again, before the log has answered.
            return self.wait_for_name(id, ticket, wanted);
        }
        let prefix = self.prefix_of(id);
        let wait = self.attempts.name_wait(now, prefix);
        if !wait.is_zero() {
            let secs = wait.as_secs() + 1;
            let text = alloc::format!("too many names of others were asked for; the next may be in {secs} s");
            return self.close(now, id, CloseReason::TooOften, &text);
        }
        if is_taken || self.pending.is_registering(wanted) {
            self.attempts.name_was_taken(now, prefix);
            let text = alloc::format!("the name {wanted} belongs to someone else");
            return self.close(now, id, CloseReason::NameTaken, &text);
        }
        let ticket = self.append_as_hub(HUB_ROOM, EntryKind::Account, wanted, key.to_vec());
        self.pending.expect(ticket, Purpose::Register { key, name: wanted.to_string() });
        self.wait_for_name(id, ticket, wanted);
    }

    pub(super) fn wait_for_name(&mut self, id: SessionId, ticket: Ticket, name: &str) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.stage = Stage::Registering { ticket, name: name.to_string() };
        }
    }

    /// Tells a client who it is and what it may read, and announces it.
    pub(super) fn greet(&mut self, id: SessionId, account: &Account) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.stage = Stage::Greeted(account.id);
        let path = session.connection.path();
        self.events.push_back(HubEvent::Greeted { name: account.name.clone(), path });
        let flags = if self.config.key_log { FLAG_KEY_LOG } else { 0 };
        let generation = self.generation;
        self.say(id, &Message::Welcome { flags, account: account.id.0, name: &account.name, generation });
        for room in self.rooms_of(account.id) {
            self.tell_room(id, account.id, room);
        }
        self.arrive(account);
    }

    // what it wants

    fn subscribe(&mut self, id: SessionId, account: AccountId, room: RoomId, after: Seq) {
        let allowed = self.may_use(account, room);
        let Some(log) = self.rooms.get_mut(&room).filter(|_| allowed) else {
            // Who was sent away while it was elsewhere learns it by asking.
            return self.say(id, &Message::Gone { room: room.0, text: "" });
        };
        //= spec/PROTOCOL.md#rooms
        //# The hub MUST NOT send a member an entry before the first that STATE names.
        let first = log.charter.first(account).unwrap_or(Seq(1));
        let next = after.min(log.head()).next().max(first);
        let heard = log.ephemeral_end();
        log.add_reader(id);
        if let Some(session) = self.sessions.get_mut(id) {
            session.cursors.insert(room, Cursor { heard, ..Cursor::at(next) });
        }
        self.touch(id);
    }

    fn who(&mut self, id: SessionId, account: AccountId, room: RoomId) {
        if !self.may_use(account, room) {
            return self.refuse(id, kind::WHO, Refusal::NoSuchRoom, (MessageId([0; 16]), ""));
        }
        let names = self.present_in(room);
        let mut bytes = 0;
        let fits = |name: &&String| {
            bytes += name.len() + 2;
            bytes <= MEMBERS_BYTES_MAX
        };
        let names: Vec<&str> = names.iter().take_while(fits).map(String::as_str).collect();
        self.say(id, &Message::Members { room: room.0, names });
    }

    /// The names of those who are here, in their order.
    #[must_use]
    pub fn present_names(&self) -> Vec<String> {
        self.present_in(LOBBY)
    }

    fn present_in(&self, room: RoomId) -> Vec<String> {
        let here = self.presence.accounts().filter(|account| self.may_use(*account, room));
        let accounts = here.filter_map(|account| self.accounts.get(account));
        let mut names: Vec<String> = accounts.map(|account| account.name.clone()).collect();
        names.sort_unstable();
        names
    }

    fn direct(&mut self, id: SessionId, account: AccountId, name: &str) {
        let other = self.accounts.of_name(name).map(|other| other.id);
        let Some(other) = other.filter(|other| *other != account) else {
            return self.refuse(id, kind::DIRECT, Refusal::NoSuchName, (MessageId([0; 16]), name));
        };
        match self.accounts.direct(account, other) {
            Some(room) => self.tell_room(id, account, room),
            None => self.make_direct(account, other),
        }
    }

    /// Has the log make a room for two; both hear of it when it is there.
    pub(super) fn make_direct(&mut self, one: AccountId, other: AccountId) {
        if self.pending.is_making_direct(one, other) {
            return;
        }
        let body = room_body(Made::Direct(one, other));
        let ticket = self.append_as_hub(HUB_ROOM, EntryKind::Room, "", body);
        self.pending.expect(ticket, Purpose::Direct { one, other });
    }
}
