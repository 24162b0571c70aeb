//! Who may read which room, as the log of room 0 has it.

use node_proto::hub::charter::{Made, read_room_body};
use node_proto::log::{AccountId, RoomId, Seq};
use spec::wire::entry::{Entry, EntryKind};
use std::collections::BTreeMap;

/// Accounts and the rooms for two.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    names: BTreeMap<AccountId, String>,
    directs: BTreeMap<RoomId, [String; 2]>,
}

impl Rooms {
    /// The rooms of a whole log of room 0.
    pub(super) fn of(entries: &[Vec<u8>]) -> Self {
        let mut rooms = Self::default();
        (1..).zip(entries).for_each(|(sequence, entry)| rooms.apply(Seq(sequence), entry));
        rooms
    }

    /// Applies the next entry of room 0.
    pub(super) fn apply(&mut self, sequence: Seq, entry: &[u8]) {
        let Ok(entry) = Entry::decode(entry) else { return };
        match entry.kind {
            EntryKind::Account => {
                self.names.insert(AccountId(sequence.0), entry.name.to_owned());
            }
            EntryKind::Room => {
                let Some(Made::Direct(one, other)) = read_room_body(entry.body) else { return };
                let pair = [one, other].map(|account| self.names.get(&account).cloned().unwrap_or_default());
                self.directs.insert(RoomId(sequence.0), pair);
            }
            _ => {}
        }
    }

    /// Whether `room` is for others than whoever has this name.
    pub(super) fn is_for_others(&self, room: RoomId, name: &str) -> bool {
        self.directs.get(&room).is_some_and(|pair| !pair.iter().any(|one| one == name))
    }

    /// The rooms for two that are for `name`.
    pub(super) fn directs_of(&self, name: &str) -> impl Iterator<Item = RoomId> {
        self.directs.iter().filter(move |(_, pair)| pair.iter().any(|one| one == name)).map(|(room, _)| *room)
    }
}
