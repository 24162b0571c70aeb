//! Which sessions a connection id belongs to.

use super::sessions::SessionId;
use arrayvec::ArrayVec;
use core::hash::{BuildHasherDefault, Hasher};
use hashbrown::HashMap;
use spec::limits::SHARING_MAX;
use spec::wire::short::ConnectionId;

/// Sessions that share an id, by chance or by an insider's work: each is tried.
pub(super) type Sharing = ArrayVec<SessionId, SHARING_MAX>;

/// Ids are the output of a cipher, and no peer chooses them: they are their own hash.
#[derive(Clone, Copy, Debug, Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Ok(id) = bytes.try_into() {
            self.0 = u64::from_be_bytes(id);
        }
    }

    fn write_usize(&mut self, _: usize) {}
}

/// From connection id to session.
#[derive(Debug, Default)]
pub(super) struct CidTable(HashMap<ConnectionId, Sharing, BuildHasherDefault<IdHasher>>);

impl CidTable {
    /// The sessions `id` belongs to.
    pub(super) fn get(&self, id: ConnectionId) -> Sharing {
        self.0.get(&id).cloned().unwrap_or_default()
    }

    /// Adds a session to those of an id. When too many share it already, the session does without: what is sent
    /// under that id is lost, and sent again under another.
    pub(super) fn insert(&mut self, id: ConnectionId, session: SessionId) {
        let sharing = self.0.entry(id).or_default();
        if !sharing.is_full() {
            sharing.push(session);
        }
    }

    pub(super) fn remove(&mut self, id: ConnectionId, session: SessionId) {
        let Some(sharing) = self.0.get_mut(&id) else { return };
        sharing.retain(|other| *other != session);
        if sharing.is_empty() {
            self.0.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn an_id_that_sessions_share_belongs_to_each() {
        let mut table = CidTable::default();
        let id = ConnectionId([7; 8]);
        for session in 0..6 {
            table.insert(id, SessionId::test(session));
        }
        assert_eq!(table.get(id).to_vec(), (0..4).map(SessionId::test).collect::<Vec<_>>());
        table.remove(id, SessionId::test(0));
        table.remove(id, SessionId::test(9));
        assert_eq!(table.get(id).len(), 3);
        assert!(table.get(ConnectionId([8; 8])).is_empty());
    }
}
