//! The log's answers: what was waited for, and what becomes of it.

use super::accounts::ClientKey;
use super::devices::DeviceChange;
use super::passwords::PasswordSet;
use super::past::LookingBack;
use super::rooms::Asked;
use super::sessions::{SessionId, Stage};
use super::{Hub, HubEvent, Submitted, Trouble};
use crate::log::{AccountId, Batch, Effect, HUB_ROOM, Page, Refused, RoomId, Seq, Ticket};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use spec::close::CloseReason;
use spec::name::{are_alike, fold};
use spec::time::Instant;
use spec::wire::message::{Message, Refusal};

/// Appends that may wait for the log.
const WAITING_MAX: usize = 4096;
/// Bytes of appends that may wait for the log.
const WAITING_BYTES_MAX: usize = 8 << 20;

/// Why something is being appended, when somebody waits for it.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// A name for a key.
    Register {
        /// The key.
        key: ClientKey,
        /// The name.
        name: String,
    },
    /// A device more or less.
    Device(DeviceChange),
    /// A password.
    Password(PasswordSet),
    /// A room for two.
    Direct {
        /// One of them.
        one: AccountId,
        /// The other.
        other: AccountId,
    },
    /// The lobby.
    Lobby,
    /// A member's submission.
    Submitted(Submitted),
    /// What a member asked for.
    Asked(Asked),
    /// A room with a name.
    Create {
        /// Who asked for it.
        asked: Asked,
        /// Its folded name.
        name: String,
    },
    /// Entries that are looked for.
    LookBack(LookingBack),
}

/// What is on its way to the log.
#[derive(Debug, Default)]
pub(super) struct Pending {
    next: u64,
    costs: BTreeMap<Ticket, usize>,
    bytes: usize,
    purposes: BTreeMap<Ticket, Purpose>,
    /// Lines of the operator whose room for two is being made.
    pub(super) whispers: Vec<(AccountId, String)>,
    /// Why the last commit failed.
    trouble: Option<Trouble>,
    /// Sessions whose submissions wait for room.
    waiting: VecDeque<SessionId>,
}

impl Pending {
    pub(super) const fn ticket(&mut self) -> Ticket {
        self.next += 1;
        Ticket(self.next)
    }

    pub(super) fn count(&mut self, ticket: Ticket, cost: usize) {
        self.costs.insert(ticket, cost);
        self.bytes += cost;
    }

    pub(super) fn has_room(&self) -> bool {
        self.costs.len() < WAITING_MAX && self.bytes < WAITING_BYTES_MAX
    }

    pub(super) fn is_idle(&self) -> bool {
        self.costs.is_empty()
    }

    pub(super) fn wait(&mut self, session: SessionId) {
        if !self.waiting.contains(&session) {
            self.waiting.push_back(session);
        }
    }

    pub(super) fn expect(&mut self, ticket: Ticket, purpose: Purpose) {
        self.purposes.insert(ticket, purpose);
    }

    pub(super) fn submitted(&mut self, ticket: Ticket, submitted: Submitted) {
        self.expect(ticket, Purpose::Submitted(submitted));
    }

    /// The append that binds `wanted` to `key`, while it is on its way.
    pub(super) fn registration(&self, wanted: &str, key: &ClientKey) -> Option<Ticket> {
        let same = |purpose: &Purpose| matches!(purpose, Purpose::Register { name, key: known } if name == wanted && known == key);
        self.purposes.iter().find(|(_, purpose)| same(purpose)).map(|(ticket, _)| *ticket)
    }

    pub(super) fn is_registering(&self, wanted: &str) -> bool {
        let same =
            |purpose: &Purpose| matches!(purpose, Purpose::Register { name, .. } if are_alike(name, wanted));
        self.purposes.values().any(same)
    }

    /// Whether a room of this name is on its way.
    pub(super) fn is_creating(&self, wanted: &str) -> bool {
        let wanted = fold(wanted);
        self.purposes
            .values()
            .any(|purpose| matches!(purpose, Purpose::Create { name, .. } if *name == wanted))
    }

    pub(super) fn is_making_direct(&self, a: AccountId, b: AccountId) -> bool {
        let same = |purpose: &Purpose| matches!(purpose, Purpose::Direct { one, other } if (*one, *other) == (a, b) || (*one, *other) == (b, a));
        self.purposes.values().any(same)
    }

    pub(super) fn is_making_lobby(&self) -> bool {
        self.purposes.values().any(|purpose| matches!(purpose, Purpose::Lobby))
    }

    fn settle(&mut self, ticket: Ticket) -> Option<Purpose> {
        if let Some(cost) = self.costs.remove(&ticket) {
            self.bytes -= cost;
        }
        self.purposes.remove(&ticket)
    }
}

impl Hub {
    /// Entries became real: apply, show and deliver them.
    pub(super) fn committed(&mut self, now: Instant, batch: &Batch) {
        if self.pending.trouble.take().is_some() {
            self.events.push_back(HubEvent::LogWorks);
        }
        for (room, page) in &batch.pages {
            if *room == HUB_ROOM {
                for (sequence, entry) in page.entries() {
                    self.apply_hub_entry(sequence, entry);
                    self.tell_hub_entry(sequence, entry);
                }
            } else {
                self.append_page(*room, page);
            }
        }
        for (room, sequence) in &batch.redacted {
            if let Some(room) = self.rooms.get_mut(room) {
                room.forget(*sequence);
            }
        }
        for (ticket, _, _) in &batch.tickets {
            match self.pending.settle(*ticket) {
                Some(Purpose::Register { key, .. }) => self.registered(now, *ticket, &key),
                Some(Purpose::Device(change)) => self.device_changed(now, *ticket, &change),
                Some(Purpose::Password(set)) => self.password_set(set),
                Some(Purpose::Direct { one, other }) => self.made_direct(one, other),
                Some(Purpose::Asked(asked) | Purpose::Create { asked, .. }) => {
                    self.say(asked.session, &Message::Done { tag: asked.tag })
                }
                _ => {}
            }
        }
        self.serve_waiting(now);
    }

    //= spec/PROTOCOL.md#log-entries
    //# The hub MUST NOT send an entry before it is committed.
    fn append_page(&mut self, room: RoomId, page: &Page) {
        let Some(log) = self.rooms.get_mut(&room) else { return };
        log.append(page);
        for reader in log.readers() {
            self.touch(reader);
        }
        if self.is_shown(room) {
            let event =
                |(sequence, entry): (Seq, &[u8])| HubEvent::Entry { room, sequence, entry: entry.to_vec() };
            self.events.extend(page.entries().map(event));
        }
    }

    /// A name was bound to a key: every session that waits for it is greeted.
    pub(super) fn registered(&mut self, now: Instant, ticket: Ticket, key: &ClientKey) {
        let Some(account) = self.accounts.of_key(key).cloned() else { return };
        for id in self.waiting_for(ticket, key) {
            self.greet(id, &account);
            self.serve(now, id);
        }
    }

    pub(super) fn waiting_for(&self, ticket: Ticket, key: &ClientKey) -> Vec<SessionId> {
        let waits = |id: &SessionId| {
            let stage = self.sessions.get(*id).map(|session| &session.stage);
            matches!(stage, Some(Stage::Registering { ticket: known, .. }) if *known == ticket)
        };
        self.sessions.of_key(key).into_iter().filter(waits).collect()
    }

    fn made_direct(&mut self, one: AccountId, other: AccountId) {
        let Some(room) = self.accounts.direct(one, other) else { return };
        for account in [one, other] {
            for id in self.sessions_of(account) {
                self.tell_room(id, account, room);
            }
        }
        self.say_whispers();
    }

    /// An append was not committed.
    pub(super) fn refused(&mut self, now: Instant, ticket: Ticket, reason: Refused) {
        let purpose = self.pending.settle(ticket);
        // Only appends stand before the log's barrier.
        let is_append = !matches!(purpose, Some(Purpose::LookBack(_)));
        match reason {
            Refused::Duplicate(sequence) => self.repeated(purpose, sequence),
            Refused::NoSuchTarget => {
                if let Some(Purpose::Submitted(Submitted { session, id, .. })) = purpose {
                    self.refuse(session, 0, Refusal::NoSuchMessage, (id, ""));
                }
            }
            Refused::Full => self.failed(now, ticket, purpose, Trouble::Full),
            Refused::Unavailable => self.failed(now, ticket, purpose, Trouble::Unwritable),
        }
        if is_append && matches!(reason, Refused::Full | Refused::Unavailable) {
            self.effects.push_back(Effect::Heard);
        }
        self.serve_waiting(now);
    }

    fn repeated(&mut self, purpose: Option<Purpose>, sequence: Seq) {
        let Some(Purpose::Submitted(Submitted { session, room, id })) = purpose else { return };
        //= spec/PROTOCOL.md#application-messages
        //# The hub MUST recognise a repeated submission by room, author and message id, and commit it
        //# once.
        self.say(session, &Message::Stored { room: room.0, sequence: sequence.0, id });
    }

    /// The log failed. Whoever waits for it is sent away with the reason, and not told that the line is refused: a
    /// client that comes back submits what is not stored again, in order, and so do we not lose what a person said.
    fn failed(&mut self, now: Instant, ticket: Ticket, purpose: Option<Purpose>, trouble: Trouble) {
        if let Some(Purpose::LookBack(looking)) = purpose {
            return self.not_found(now, looking);
        }
        if self.pending.trouble.replace(trouble) != Some(trouble) {
            self.events.push_back(HubEvent::LogTrouble(trouble));
        }
        let concerned = match purpose {
            Some(Purpose::Submitted(Submitted { session, .. })) => Vec::from([session]),
            Some(Purpose::Register { key, .. }) => self.waiting_for(ticket, &key),
            Some(Purpose::Direct { one, other }) => {
                [one, other].into_iter().flat_map(|account| self.sessions_of(account)).collect()
            }
            // Who asked for something is told that it was not done, and may ask again.
            Some(Purpose::Asked(asked) | Purpose::Create { asked, .. }) => {
                return self.deny(asked, Refusal::LogFull);
            }
            Some(Purpose::Device(change)) => return self.device_unchanged(now, ticket, &change),
            Some(Purpose::Password(set)) => return self.password_not_set(set),
            // The lobby is made when somebody comes; what the hub says itself nobody waits for.
            Some(Purpose::Lobby | Purpose::LookBack(_)) | None => Vec::new(),
        };
        for session in concerned {
            self.close(now, session, CloseReason::Failed, trouble.sentence());
        }
    }

    /// A page was read: whoever waits for it may go on.
    pub(super) fn paged(&mut self, room: RoomId, page: Page) {
        let Some(log) = self.rooms.get_mut(&room) else { return };
        let is_missing = page.is_empty() && page.first() <= log.head();
        log.insert(page);
        if is_missing {
            // It is asked for again when a reader is next heard of, and not at once, for ever.
            self.events.push_back(HubEvent::LogTrouble(Trouble::Unreadable));
            return;
        }
        for reader in log.readers() {
            self.touch(reader);
        }
    }

    /// What was looked for.
    pub(super) fn looked_up(&mut self, now: Instant, ticket: Ticket, entries: &[(Seq, Vec<u8>)]) {
        if let Some(Purpose::LookBack(looking)) = self.pending.settle(ticket) {
            self.found(now, looking, entries);
        }
        self.serve_waiting(now);
    }

    fn serve_waiting(&mut self, now: Instant) {
        // Each gets one turn: who is not through by then waits again, behind the others.
        for _ in 0..self.pending.waiting.len() {
            if !self.pending.has_room() {
                return;
            }
            if let Some(id) = self.pending.waiting.pop_front() {
                self.serve(now, id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_appends_and_so_many_bytes_wait_for_the_log() {
        for (cost, fitting) in [(1, 4096), (65_536, 128), (1_000_000, 9)] {
            let mut pending = Pending::default();
            let mut tickets = Vec::new();
            while pending.has_room() {
                tickets.push(pending.ticket());
                pending.count(tickets[tickets.len() - 1], cost);
            }
            assert_eq!(tickets.len(), fitting, "of {cost} bytes");
            pending.settle(tickets[0]);
            assert!(pending.has_room());
            tickets.into_iter().for_each(|ticket| drop(pending.settle(ticket)));
            assert!(pending.is_idle() && pending.bytes == 0);
        }
    }
}
