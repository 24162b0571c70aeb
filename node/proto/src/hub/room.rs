//! One room on this core: its head, the pages that are in memory, and who reads it. Knows no connection.

use super::charter::Charter;
use super::sessions::SessionId;
use crate::log::{AccountId, Page, Run, Seq};
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use spec::limits::EPHEMERAL_MAX;
use spec::wire::message::RoomKind;

/// Bytes of pages a room keeps in memory; any page may be read from the log again.
pub(super) const CACHE_BYTES: usize = 262_144;

/// One room.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) kind: RoomKind,
    pub(super) name: alloc::string::String,
    pub(super) charter: Charter,
    /// The accounts of a room for two.
    pair: Option<(AccountId, AccountId)>,
    head: Seq,
    pages: BTreeMap<Seq, Page>,
    cached: usize,
    readers: BTreeSet<SessionId>,
    /// Reads that were asked of the log and not answered.
    reading: BTreeSet<Seq>,
    ephemeral: VecDeque<Said>,
    /// Number behind the last ephemeral message.
    ephemeral_end: u64,
}

/// An ephemeral message.
#[derive(Debug)]
pub(super) struct Said {
    /// Its number in the room.
    pub(super) serial: u64,
    /// Who said it, and need not hear it.
    pub(super) author: AccountId,
    /// What.
    pub(super) message: Vec<u8>,
}

impl Room {
    pub(super) fn new(kind: RoomKind, name: &str, pair: Option<(AccountId, AccountId)>) -> Self {
        Self {
            kind,
            name: name.into(),
            charter: Charter::default(),
            pair,
            head: Seq::default(),
            pages: BTreeMap::new(),
            cached: 0,
            readers: BTreeSet::new(),
            reading: BTreeSet::new(),
            ephemeral: VecDeque::new(),
            ephemeral_end: 0,
        }
    }

    /// The ephemeral messages from number `from` on, as far as they are kept.
    pub(super) fn ephemeral(&self, from: u64) -> impl Iterator<Item = &Said> {
        self.ephemeral.iter().skip_while(move |said| said.serial < from)
    }

    /// Number behind the last of them.
    pub(super) const fn ephemeral_end(&self) -> u64 {
        self.ephemeral_end
    }

    /// Adds an ephemeral message; the oldest makes room.
    pub(super) fn murmur(&mut self, author: AccountId, message: Vec<u8>) {
        if self.ephemeral.len() >= EPHEMERAL_MAX {
            self.ephemeral.pop_front();
        }
        self.ephemeral.push_back(Said { serial: self.ephemeral_end, author, message });
        self.ephemeral_end += 1;
    }

    /// Whether `account` is one of two, or a member.
    pub(super) fn is_for(&self, account: AccountId) -> bool {
        let is_one_of = |(one, other)| one == account || other == account;
        self.pair.map_or_else(|| self.charter.first(account).is_some(), is_one_of)
    }

    /// Of a room for two, the one who is not `account`.
    pub(super) fn other(&self, account: AccountId) -> Option<AccountId> {
        self.pair.map(|(one, other)| if one == account { other } else { one })
    }

    /// Whether it is known by a name.
    pub(super) const fn is_named(&self) -> bool {
        self.pair.is_none()
    }

    /// An entry is not what it was: it is read again from the log when it is wanted.
    pub(super) fn forget(&mut self, sequence: Seq) {
        let page = self.pages.range(..=sequence).next_back().filter(|(_, page)| sequence < page.end());
        if let Some(first) = page.map(|(first, _)| *first) {
            self.drop_page(first);
        }
    }

    /// The highest number committed.
    pub(super) const fn head(&self) -> Seq {
        self.head
    }

    pub(super) const fn set_head(&mut self, head: Seq) {
        self.head = head;
    }

    pub(super) fn add_reader(&mut self, session: SessionId) {
        self.readers.insert(session);
    }

    pub(super) fn remove_reader(&mut self, session: SessionId) {
        self.readers.remove(&session);
    }

    pub(super) fn readers(&self) -> Vec<SessionId> {
        self.readers.iter().copied().collect()
    }

    /// Appends committed entries; the head never goes back.
    pub(super) fn append(&mut self, committed: &Page) {
        for (sequence, entry) in committed.entries().filter(|(sequence, _)| *sequence > self.head) {
            let is_open = self.last_page().is_some_and(|page| page.end() == sequence && !page.is_full());
            if !is_open {
                self.pages.insert(sequence, Page::new(sequence));
            }
            if let Some(mut page) = self.pages.last_entry() {
                let before = page.get().len();
                page.get_mut().push(entry);
                self.cached += page.get().len() - before;
            }
        }
        self.head = self.head.max(Seq(committed.end().0.saturating_sub(1)));
        self.evict();
    }

    fn last_page(&self) -> Option<&Page> {
        self.pages.last_key_value().map(|(_, page)| page)
    }

    /// Takes a page that was read from the log.
    pub(super) fn insert(&mut self, page: Page) {
        self.reading.remove(&page.first());
        if page.is_empty() || matches!(self.run(page.first(), usize::MAX), Run::Whole { .. }) {
            return;
        }
        self.cached += page.len();
        let first = page.first();
        if let Some(old) = self.pages.insert(first, page) {
            self.cached -= old.len();
        }
        // The page that was just asked for stays: someone waits for it.
        while self.cached > CACHE_BYTES && self.pages.len() > 1 {
            let Some(oldest) = self.pages.keys().find(|key| **key != first).copied() else { return };
            self.drop_page(oldest);
        }
    }

    fn evict(&mut self) {
        while self.cached > CACHE_BYTES && self.pages.len() > 1 {
            let Some((oldest, _)) = self.pages.first_key_value() else { return };
            let oldest = *oldest;
            self.drop_page(oldest);
        }
    }

    fn drop_page(&mut self, first: Seq) {
        if let Some(page) = self.pages.remove(&first) {
            self.cached -= page.len();
        }
    }

    /// The entries from `from` on that fit `space` bytes; [`Run::Elsewhere`] when they are not in memory.
    pub(super) fn run(&self, from: Seq, space: usize) -> Run<'_> {
        self.pages.range(..=from).next_back().map_or(Run::Elsewhere, |(_, page)| page.run(from, space))
    }

    /// Notes that `from` is to be read; whether nobody asked for it yet.
    pub(super) fn want(&mut self, from: Seq) -> bool {
        self.reading.insert(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(first: u64, entries: &[&[u8]]) -> Page {
        let mut page = Page::new(Seq(first));
        entries.iter().for_each(|entry| page.push(entry));
        page
    }

    #[test]
    fn ephemeral_messages_are_few_and_the_oldest_goes() {
        let mut room = Room::new(RoomKind::Open, "lobby", None);
        for said in 0..EPHEMERAL_MAX + 10 {
            room.murmur(AccountId(1), said.to_be_bytes().to_vec());
        }
        let kept: Vec<u64> = room.ephemeral(0).map(|said| said.serial).collect();
        assert_eq!(kept, (10..EPHEMERAL_MAX as u64 + 10).collect::<Vec<_>>());
        assert_eq!((kept.len(), room.ephemeral_end()), (64, 74));
    }

    #[test]
    fn the_cache_is_bounded_and_the_head_only_rises() {
        let mut room = Room::new(RoomKind::Open, "lobby", None);
        for sequence in 1..=600u64 {
            room.append(&page(sequence, &[&[7; 1000]]));
        }
        assert_eq!(room.head(), Seq(600));
        assert!(room.cached <= CACHE_BYTES);
        assert_eq!(room.run(Seq(1), 2000), Run::Elsewhere);
        assert!(matches!(room.run(Seq(600), 2000), Run::Whole { count: 1, .. }));
        room.append(&page(600, &[b"again"]));
        assert_eq!(room.head(), Seq(600));
        assert!(room.want(Seq(1)) && !room.want(Seq(1)));
        room.insert(page(1, &[&[7; 1000]]));
        assert!(matches!(room.run(Seq(1), 2000), Run::Whole { count: 1, .. }));
        assert!(room.want(Seq(1)));
    }
}
