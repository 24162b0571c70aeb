//! The sessions of a hub: found by connection id, woken in time, flushed in turn.

use super::accounts::ClientKey;
use crate::connection::Connection;
use crate::log::{AccountId, RoomId, Seq, Ticket};
use crate::timer::Deadline;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use spec::time::Instant;
use spec::wire::short::ConnectionId;

/// Names a session; a number is never used for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SessionId(u64);

/// How far a session has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has not said who it is.
    New,
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
}

/// One client's session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) connection: Connection,
    pub(super) client_key: ClientKey,
    pub(super) init_arrived: Instant,
    pub(super) is_confirmed: bool,
    pub(super) stage: Stage,
    pub(super) cursors: BTreeMap<RoomId, Cursor>,
    /// The room whose turn it is when the next datagram is filled.
    pub(super) turn: RoomId,
    is_ready: bool,
    deadline: Option<Deadline>,
    ids: Vec<ConnectionId>,
}

impl Session {
    pub(super) const fn new(connection: Connection, client_key: ClientKey, init_arrived: Instant) -> Self {
        Self {
            connection,
            client_key,
            init_arrived,
            is_confirmed: false,
            stage: Stage::New,
            cursors: BTreeMap::new(),
            turn: RoomId(0),
            is_ready: false,
            deadline: None,
            ids: Vec::new(),
        }
    }

    /// The account it was greeted as.
    pub(super) const fn account(&self) -> Option<AccountId> {
        match self.stage {
            Stage::Greeted(account) => Some(account),
            _ => None,
        }
    }
}

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    sessions: BTreeMap<SessionId, Session>,
    /// Up to a handful of sessions share an id, by chance or by an insider's work: each is tried.
    by_connection_id: BTreeMap<ConnectionId, Vec<SessionId>>,
    by_key: BTreeMap<ClientKey, BTreeSet<SessionId>>,
    ready: VecDeque<SessionId>,
    deadlines: BTreeSet<(Deadline, SessionId)>,
    next: u64,
}

impl Sessions {
    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    pub(super) fn get(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.sessions.get_mut(&id)
    }

    pub(super) fn connections(&self) -> impl Iterator<Item = (u64, &Connection)> + '_ {
        self.sessions.iter().map(|(id, session)| (id.0, &session.connection))
    }

    pub(super) fn ids(&self) -> Vec<SessionId> {
        self.sessions.keys().copied().collect()
    }

    pub(super) fn by_connection_id(&self, id: ConnectionId) -> Vec<SessionId> {
        self.by_connection_id.get(&id).cloned().unwrap_or_default()
    }

    pub(super) fn of_key(&self, key: &ClientKey) -> Vec<SessionId> {
        self.by_key.get(key).into_iter().flatten().copied().collect()
    }

    pub(super) fn insert(&mut self, session: Session) -> SessionId {
        let id = SessionId(self.next);
        self.next += 1;
        self.by_key.entry(session.client_key).or_default().insert(id);
        self.sessions.insert(id, session);
        self.refresh_ids(id);
        self.mark_ready(id);
        id
    }

    pub(super) fn remove(&mut self, id: SessionId) -> Option<Session> {
        let session = self.sessions.remove(&id)?;
        self.forget_ids(id, &session.ids);
        if let Some(deadline) = session.deadline {
            self.deadlines.remove(&(deadline, id));
        }
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
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.connection.accepted_ids().eq(session.ids.iter().copied()) {
            return;
        }
        let new: Vec<ConnectionId> = session.connection.accepted_ids().collect();
        let old = core::mem::replace(&mut session.ids, new.clone());
        self.forget_ids(id, &old);
        for connection_id in new {
            self.by_connection_id.entry(connection_id).or_default().push(id);
        }
    }

    fn forget_ids(&mut self, id: SessionId, ids: &[ConnectionId]) {
        for connection_id in ids {
            if let Some(sharing) = self.by_connection_id.get_mut(connection_id) {
                sharing.retain(|other| *other != id);
                if sharing.is_empty() {
                    self.by_connection_id.remove(connection_id);
                }
            }
        }
    }

    /// A session may have something to send.
    pub(super) fn mark_ready(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(&id)
            && !core::mem::replace(&mut session.is_ready, true)
        {
            self.ready.push_back(id);
        }
    }

    /// The next session whose turn it is to send.
    pub(super) fn pop_ready(&mut self) -> Option<SessionId> {
        loop {
            let id = self.ready.pop_front()?;
            if let Some(session) = self.sessions.get_mut(&id) {
                session.is_ready = false;
                return Some(id);
            }
        }
    }

    /// A session was flushed: note when it wants to be woken.
    pub(super) fn refresh_deadline(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let deadline = session.connection.poll_timeout();
        if let Some(old) = core::mem::replace(&mut session.deadline, deadline) {
            self.deadlines.remove(&(old, id));
        }
        if let Some(deadline) = deadline {
            self.deadlines.insert((deadline, id));
        }
    }

    pub(super) fn deadline(&self) -> Option<Deadline> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// The sessions whose deadline has passed.
    pub(super) fn due(&self, now: Instant) -> Vec<SessionId> {
        self.deadlines.iter().take_while(|((at, _), _)| *at <= now).map(|(_, id)| *id).collect()
    }
}
