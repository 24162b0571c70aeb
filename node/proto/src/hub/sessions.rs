//! The sessions of a hub: found by connection id, woken in time, flushed in turn.

use super::accounts::ClientKey;
use super::cid_table::{CidTable, Sharing};
use super::wheel::Wheel;
use crate::bulk::{Bulk, Hash, TransferId};
use crate::connection::Connection;
use crate::log::{AccountId, RoomId, Seq, Ticket};
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use spec::key_schedule::Exporter;
use spec::time::Instant;
use spec::wire::long::AttemptId;
use spec::wire::short::ConnectionId;

/// Datagrams of one session that are looked at in one turn: one member's flood delays nobody.
const DATAGRAMS_PER_TURN: u32 = 64;

/// Names a session: its slot, and how many sessions the slot held before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SessionId {
    slot: u32,
    generation: u32,
}

impl SessionId {
    #[cfg(test)]
    pub(super) const fn test(slot: u32) -> Self {
        Self { slot, generation: 0 }
    }

    const fn place(self) -> usize {
        self.slot as usize
    }

    /// A number that no other session has.
    pub(super) const fn number(self) -> u64 {
        (self.generation as u64) << 32 | self.slot as u64
    }

    /// The session with a number.
    #[expect(clippy::cast_possible_truncation, reason = "the halves of a number")]
    pub(super) const fn of_number(number: u64) -> Self {
        Self { generation: (number >> 32) as u32, slot: number as u32 }
    }
}

/// How far a session has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has not said who it is.
    New,
    /// It is to become a device of an account, and has not shown that it may.
    Enrolling,
    /// Its name is being written into the log.
    Registering {
        /// The append.
        ticket: Ticket,
        /// The name.
        name: String,
    },
    /// It is greeted and may do what its account may.
    Greeted(AccountId),
    /// It is being sent away.
    Leaving,
}

/// How far a session has read a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The next entry it needs.
    pub(super) next: Seq,
    /// How much of that entry is said, when it is too large for one datagram.
    pub(super) offset: u32,
    /// The next of the room's ephemeral messages.
    pub(super) heard: u64,
}

impl Cursor {
    /// At the beginning of an entry.
    pub(super) const fn at(next: Seq) -> Self {
        Self { next, offset: 0, heard: 0 }
    }
}

/// One client's session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) connection: Connection,
    pub(super) client_key: ClientKey,
    /// Names the session in a key log.
    pub(super) attempt: AttemptId,
    /// Binds devices and passwords to the session.
    pub(super) exporter: Exporter,
    /// When a ratchet was answered last.
    pub(super) ratcheted: Option<Instant>,
    pub(super) init_arrived: Instant,
    pub(super) is_confirmed: bool,
    pub(super) stage: Stage,
    /// The log looks for something it asked for; what it says next waits.
    pub(super) looks_back: bool,
    pub(super) cursors: BTreeMap<RoomId, Cursor>,
    /// The room whose turn it is when the next datagram is filled.
    pub(super) turn: RoomId,
    /// When it last said that its person types.
    pub(super) typed_at: Option<Instant>,
    pub(super) bulk: Bulk,
    /// Blobs it offered or asked for: the hash, and the length or the place to go on at.
    pub(super) offered: BTreeMap<TransferId, (Hash, u64)>,
    is_ready: bool,
    /// The tick of the wheel at which it is looked at.
    armed: Option<u64>,
    ids: Vec<ConnectionId>,
    /// The turn its last datagram came in, and how many came in it.
    turn_at: Instant,
    turn_datagrams: u32,
}

impl Session {
    pub(super) fn new(
        connection: Connection,
        client_key: ClientKey,
        (attempt, exporter): (AttemptId, Exporter),
        init_arrived: Instant,
    ) -> Self {
        Self {
            connection,
            client_key,
            attempt,
            exporter,
            ratcheted: None,
            init_arrived,
            is_confirmed: false,
            stage: Stage::New,
            looks_back: false,
            cursors: BTreeMap::new(),
            turn: RoomId(0),
            typed_at: None,
            bulk: Bulk::new(0),
            offered: BTreeMap::new(),
            is_ready: false,
            armed: None,
            ids: Vec::new(),
            turn_at: Instant(0),
            turn_datagrams: 0,
        }
    }

    /// Whether another datagram of it may be looked at in the turn that is known by its time.
    pub(super) fn take_turn(&mut self, now: Instant) -> bool {
        if self.turn_at != now {
            (self.turn_at, self.turn_datagrams) = (now, 0);
        }
        self.turn_datagrams += 1;
        self.turn_datagrams <= DATAGRAMS_PER_TURN
    }

    /// The account it was greeted as.
    pub(super) const fn account(&self) -> Option<AccountId> {
        match self.stage {
            Stage::Greeted(account) => Some(account),
            _ => None,
        }
    }
}

/// A place for a session.
#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    session: Option<Session>,
}

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_connection_id: CidTable,
    by_key: BTreeMap<ClientKey, BTreeSet<SessionId>>,
    ready: VecDeque<SessionId>,
    wheel: Wheel,
}

impl Sessions {
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(super) fn get(&self, id: SessionId) -> Option<&Session> {
        let slot = self.slots.get(id.place()).filter(|slot| slot.generation == id.generation)?;
        slot.session.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        let slot = self.slots.get_mut(id.place()).filter(|slot| slot.generation == id.generation)?;
        slot.session.as_mut()
    }

    pub(super) fn ids(&self) -> Vec<SessionId> {
        let named = (0..).zip(&self.slots).filter(|(_, slot)| slot.session.is_some());
        named.map(|(slot, Slot { generation, .. })| SessionId { slot, generation: *generation }).collect()
    }

    /// The connections of all sessions, each with a number that no other has.
    pub(super) fn connections(&self) -> impl Iterator<Item = (u64, &Connection)> {
        (0u64..).zip(&self.slots).filter_map(|(place, slot)| {
            let session = slot.session.as_ref()?;
            Some((place << 32 | u64::from(slot.generation), &session.connection))
        })
    }

    pub(super) fn by_connection_id(&self, id: ConnectionId) -> Sharing {
        self.by_connection_id.get(id)
    }

    pub(super) fn of_key(&self, key: &ClientKey) -> Vec<SessionId> {
        self.by_key.get(key).into_iter().flatten().copied().collect()
    }

    pub(super) fn insert(&mut self, session: Session) -> SessionId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let place = &mut self.slots[slot as usize];
        let id = SessionId { slot, generation: place.generation };
        self.by_key.entry(session.client_key).or_default().insert(id);
        place.session = Some(Session { bulk: Bulk::new(id.number()), ..session });
        self.refresh_ids(id);
        self.mark_ready(id);
        id
    }

    pub(super) fn remove(&mut self, id: SessionId) -> Option<Session> {
        self.get(id)?;
        let slot = self.slots.get_mut(id.place())?;
        let session = slot.session.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.slot);
        session.ids.iter().for_each(|connection_id| self.by_connection_id.remove(*connection_id, id));
        if let Some(ids) = self.by_key.get_mut(&session.client_key) {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_key.remove(&session.client_key);
            }
        }
        Some(session)
    }

    /// The connection ids a session accepts may have moved on.
    pub(super) fn refresh_ids(&mut self, id: SessionId) {
        let Some(session) = self.get(id) else { return };
        if session.connection.accepted_ids().eq(session.ids.iter().copied()) {
            return;
        }
        let new: Vec<ConnectionId> = session.connection.accepted_ids().collect();
        let Some(session) = self.get_mut(id) else { return };
        let old = core::mem::replace(&mut session.ids, new.clone());
        old.iter().for_each(|connection_id| self.by_connection_id.remove(*connection_id, id));
        new.iter().for_each(|connection_id| self.by_connection_id.insert(*connection_id, id));
    }

    /// A session may have something to send.
    pub(super) fn mark_ready(&mut self, id: SessionId) {
        if let Some(session) = self.get_mut(id)
            && !core::mem::replace(&mut session.is_ready, true)
        {
            self.ready.push_back(id);
        }
    }

    /// The next session whose turn it is to send.
    pub(super) fn pop_ready(&mut self) -> Option<SessionId> {
        loop {
            let id = self.ready.pop_front()?;
            if let Some(session) = self.get_mut(id) {
                session.is_ready = false;
                return Some(id);
            }
        }
    }

    /// A session was flushed: note when it wants to be woken.
    pub(super) fn refresh_deadline(&mut self, id: SessionId) {
        let Some(slot) = self.slots.get_mut(id.place()).filter(|slot| slot.generation == id.generation)
        else {
            return;
        };
        let Some(session) = &mut slot.session else { return };
        if let Some((at, _)) = session.connection.poll_timeout() {
            session.armed = Some(self.wheel.arm(id, at, session.armed));
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.wheel.deadline()
    }

    /// Puts the sessions whose deadline has passed into `due`, and sets the others again.
    pub(super) fn due(&mut self, now: Instant, due: &mut Vec<SessionId>) {
        let looked_at = due.len();
        while let Some((tick, ids)) = self.wheel.take(now) {
            let slots = &mut self.slots;
            due.extend(ids.filter(|id| {
                let slot = slots.get_mut(id.place()).filter(|slot| slot.generation == id.generation);
                let session = slot.and_then(|slot| slot.session.as_mut());
                session.is_some_and(|session| session.armed.take_if(|armed| *armed == tick).is_some())
            }));
        }
        let mut at = looked_at;
        while let Some(id) = due.get(at).copied() {
            let is_due = self.get(id).and_then(|session| session.connection.poll_timeout());
            if is_due.is_some_and(|(at, _)| at <= now) {
                at += 1;
            } else {
                due.swap_remove(at);
                self.refresh_deadline(id);
            }
        }
    }
}
