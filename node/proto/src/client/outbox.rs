//! Lines that the hub has not stored: kept in order, under their ids, whatever becomes of sessions.

use crate::log::RoomId;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use spec::limits::BODY_BYTES_MAX;
use spec::name::fold;
use spec::wire::entry::{EntryKind, MessageId};

/// Lines at most.
const LINES_MAX: usize = 1000;
/// Bytes at most.
const BYTES_MAX: usize = 1 << 20;

/// Where a line goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Into a room.
    Room(RoomId),
    /// Into the room of this name, which is joined for it.
    Named(String),
    /// To one person, by name.
    Direct(String),
}

/// The outbox holds as much as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many lines wait for the hub")]
pub struct OutboxFull;

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) id: MessageId,
    pub(super) target: Target,
    pub(super) kind: EntryKind,
    /// What the kind says: text, behind the number of another entry where the kind has one.
    pub(super) body: Vec<u8>,
}

/// All lines that wait, and the rooms for two that names stand for.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    lines: VecDeque<Line>,
    bytes: usize,
    directs: BTreeMap<String, RoomId>,
    named: BTreeMap<String, RoomId>,
}

impl Outbox {
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn push(
        &mut self,
        id: MessageId,
        target: Target,
        kind: EntryKind,
        body: Vec<u8>,
    ) -> Result<(), OutboxFull> {
        if self.lines.len() >= LINES_MAX || self.bytes + body.len() > BYTES_MAX {
            return Err(OutboxFull);
        }
        self.bytes += body.len();
        self.lines.push_back(Line { id, target, kind, body });
        Ok(())
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter()
    }

    /// The room a line goes to, when it is known.
    pub(super) fn room_of(&self, target: &Target) -> Option<RoomId> {
        match target {
            Target::Room(room) => Some(*room),
            Target::Direct(name) => self.directs.get(&fold(name)).copied(),
            Target::Named(name) => self.named.get(&fold(name)).copied(),
        }
    }

    /// Notes the room with a name.
    pub(super) fn learn_named(&mut self, name: &str, room: RoomId) {
        self.named.insert(fold(name), room);
    }

    /// We are no member of a room any more.
    pub(super) fn forget_room(&mut self, room: RoomId) {
        self.named.retain(|_, known| *known != room);
    }

    /// Notes the room for two with `name`.
    pub(super) fn learn_direct(&mut self, name: &str, room: RoomId) {
        self.directs.insert(fold(name), room);
    }

    /// Whether another line of any length can be kept.
    pub(super) fn has_room(&self) -> bool {
        self.lines.len() < LINES_MAX && self.bytes + BODY_BYTES_MAX <= BYTES_MAX
    }

    pub(super) fn contains(&self, id: &MessageId) -> bool {
        self.lines.iter().any(|line| line.id == *id)
    }

    /// The hub's log is another one: its rooms have other numbers.
    pub(super) fn forget_directs(&mut self) {
        self.directs.clear();
        self.named.clear();
    }

    /// Takes out a line; whether it was there.
    pub(super) fn remove(&mut self, id: &MessageId) -> bool {
        let Some(at) = self.lines.iter().position(|line| line.id == *id) else { return false };
        if let Some(line) = self.lines.remove(at) {
            self.bytes -= line.body.len();
        }
        true
    }

    /// The lines for a room that cannot be joined.
    pub(super) fn for_room(&self, name: &str) -> Vec<MessageId> {
        let its = |line: &&Line| matches!(&line.target, Target::Named(to) if fold(to) == fold(name));
        self.lines.iter().filter(its).map(|line| line.id).collect()
    }

    /// The lines for a name nobody has.
    pub(super) fn for_name(&self, name: &str) -> Vec<MessageId> {
        let its = |line: &&Line| matches!(&line.target, Target::Direct(to) if fold(to) == fold(name));
        self.lines.iter().filter(its).map(|line| line.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_and_forgets_what_is_stored() {
        let mut outbox = Outbox::default();
        let push = |outbox: &mut Outbox, n: u16, text: &str| {
            let mut id = [0; 16];
            id[..2].copy_from_slice(&n.to_be_bytes());
            outbox.push(MessageId(id), Target::Direct("Ann".into()), EntryKind::Text, text.into())
        };
        for n in 0..1000 {
            push(&mut outbox, n, "x").unwrap();
        }
        assert_eq!(push(&mut outbox, 1000, "x"), Err(OutboxFull));
        let ids = outbox.for_name("ANN");
        assert!(ids.iter().all(|id| outbox.remove(id)));
        assert!(!outbox.remove(&ids[0]));
        assert_eq!((outbox.len(), outbox.bytes), (0, 0));
        assert_eq!(push(&mut outbox, 0, &"x".repeat(BYTES_MAX + 1)), Err(OutboxFull));
    }
}
