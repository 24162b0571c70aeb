//! The log in memory: for tests, and for whoever wants nothing kept.

use super::page::PAGE_BYTES;
use super::{
    AccountId, Append, Batch, Engine, HUB_ROOM, LOBBY, Page, Recovered, Refused, Reply, RoomId, Seq,
};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use spec::time::UnixTime;
use spec::wire::entry::{Entry, EntryKind, MessageId};

/// Everything committed, as long as the value lives.
#[derive(Clone, Debug, Default)]
pub struct MemoryLog {
    generation: [u8; 8],
    rooms: BTreeMap<RoomId, Vec<Vec<u8>>>,
    ids: BTreeMap<(RoomId, AccountId, MessageId), Seq>,
}

impl MemoryLog {
    /// An empty log; `generation` is 8 random bytes.
    #[must_use]
    pub fn new(generation: [u8; 8]) -> Self {
        Self { generation, ..Self::default() }
    }

    fn commit_one(&mut self, append: &Append, time: UnixTime, batch: &mut Batch) -> Option<Reply> {
        let key = (append.room, append.author, append.id);
        if let Some(sequence) = self.ids.get(&key) {
            let reason = Refused::Duplicate(*sequence);
            return Some(Reply::Refused { ticket: append.ticket, reason });
        }
        let entries = self.rooms.entry(append.room).or_default();
        let sequence = Seq(entries.len() as u64 + 1);
        entries.push(append.entry(time));
        batch.push(append.ticket, append.room, sequence, entries.last().map_or(&[], Vec::as_slice));
        self.ids.insert(key, sequence);
        None
    }

    fn present(&self) -> Vec<AccountId> {
        let mut present = BTreeSet::new();
        for entry in self.rooms.get(&LOBBY).into_iter().flatten() {
            let Ok(entry) = Entry::decode(entry) else { continue };
            match entry.kind {
                EntryKind::Joined => present.insert(AccountId(entry.author)),
                EntryKind::Left => present.remove(&AccountId(entry.author)),
                _ => false,
            };
        }
        present.into_iter().collect()
    }
}

impl Engine for MemoryLog {
    fn recover(&mut self) -> Result<Recovered, String> {
        Ok(Recovered {
            generation: self.generation,
            heads: self.rooms.iter().map(|(room, entries)| (*room, Seq(entries.len() as u64))).collect(),
            hub_log: self.rooms.get(&HUB_ROOM).cloned().unwrap_or_default(),
            present: self.present(),
        })
    }

    fn commit(&mut self, appends: &[Append], time: UnixTime) -> Vec<Reply> {
        let mut batch = Batch::default();
        let mut replies = vec![];
        for append in appends {
            replies.extend(self.commit_one(append, time, &mut batch));
        }
        if !batch.tickets.is_empty() {
            replies.insert(0, Reply::Committed(Arc::new(batch)));
        }
        replies
    }

    fn read(&mut self, room: RoomId, from: Seq) -> Reply {
        let mut page = Page::new(from);
        let skip = usize::try_from(from.0.saturating_sub(1)).unwrap_or(usize::MAX);
        for entry in self.rooms.get(&room).into_iter().flatten().skip(skip) {
            page.push(entry);
            if page.len() >= PAGE_BYTES {
                break;
            }
        }
        Reply::Page { room, page }
    }
}
