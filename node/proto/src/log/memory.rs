//! The log in memory: for tests, and for whoever wants nothing kept.

use super::found::{Found, tombstone, words};
use super::page::PAGE_BYTES;
use super::{
    AccountId, Append, Batch, Engine, HUB_ROOM, LOBBY, Lookup, Page, Recovered, Refused, Reply, RoomId, Seq,
    Wanted,
};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use spec::time::UnixTime;
use spec::wire::entry::{Entry, EntryKind, MessageId, split_target};

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
        if let Some(about) = &append.about {
            let at = usize::try_from(about.target.0).ok().and_then(|target| target.checked_sub(1));
            let line = at.and_then(|at| entries.get(at)).and_then(|bytes| Entry::decode(bytes).ok());
            let fits =
                |line: &Entry<'_>| line.kind.is_line() && (!about.is_own || line.author == append.author.0);
            if !line.as_ref().is_some_and(fits) {
                let reason = Refused::NoSuchTarget;
                return Some(Reply::Refused { ticket: append.ticket, reason });
            }
            if about.redacts {
                redact(entries, about.target, |sequence| batch.redacted.push((append.room, sequence)));
            }
        }
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

/// Empties an entry and what its author said instead of it.
fn redact(entries: &mut [Vec<u8>], target: Seq, mut redacted: impl FnMut(Seq)) {
    for (sequence, bytes) in (1..).zip(entries) {
        let Ok(entry) = Entry::decode(bytes) else { continue };
        let edits = entry.kind == EntryKind::Edit
            && split_target(entry.body).is_ok_and(|(edited, _)| edited == target.0);
        if sequence == target.0 || edits {
            *bytes = tombstone(&entry);
            redacted(Seq(sequence));
        }
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

    fn find(&mut self, lookup: &Lookup) -> Reply {
        let all = self.rooms.get(&lookup.room).map(Vec::as_slice).unwrap_or_default();
        let numbered = (1..).map(Seq).zip(all).filter(|(sequence, _)| *sequence >= lookup.first);
        let mut found = Found::new(lookup.count);
        match &lookup.wanted {
            Wanted::Since(since) => {
                let is_late = |bytes: &Vec<u8>| Entry::decode(bytes).is_ok_and(|entry| entry.time >= *since);
                let mut late = numbered.skip_while(|(_, bytes)| !is_late(bytes));
                while found.has_room()
                    && let Some((sequence, bytes)) = late.next()
                {
                    found.push(sequence, bytes.clone());
                }
            }
            Wanted::Words { before, words: wanted } => {
                let mut matching =
                    numbered.collect::<Vec<_>>().into_iter().rev().filter(|(sequence, bytes)| {
                        let said = Entry::decode(bytes).ok().and_then(|entry| words(&entry));
                        *sequence < *before && said.is_some_and(|said| has_words(&said, wanted))
                    });
                while found.has_room()
                    && let Some((sequence, bytes)) = matching.next()
                {
                    found.push(sequence, bytes.clone());
                }
            }
        }
        Reply::Found { ticket: lookup.ticket, entries: found.entries }
    }
}

fn has_words(said: &str, wanted: &str) -> bool {
    let split = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect()
    };
    let wanted = split(wanted);
    !wanted.is_empty() && wanted.is_subset(&split(said))
}
