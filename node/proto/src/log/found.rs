//! What every engine does alike: what can be searched for, what is left of what was deleted, how much is found.

use super::{FOUND_BYTES, Seq};
use alloc::string::String;
use alloc::vec::Vec;
use spec::wire::entry::{Entry, EntryKind, split_target};

/// What is left of an entry whose text is gone.
#[must_use]
pub fn tombstone(entry: &Entry<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    Entry { kind: EntryKind::Deleted, body: &[], ..*entry }.encode(&mut bytes);
    bytes
}

/// The words of an entry that can be searched for; nothing for what is no line.
#[must_use]
pub fn words(entry: &Entry<'_>) -> Option<String> {
    let text = match entry.kind {
        EntryKind::Text | EntryKind::Action | EntryKind::Alert => entry.body,
        EntryKind::Reply | EntryKind::Edit => split_target(entry.body).ok()?.1,
        _ => return None,
    };
    Some(String::from_utf8_lossy(text).into_owned())
}

/// Entries that were found, as many as one answer takes.
#[derive(Debug)]
pub struct Found {
    /// They and their numbers.
    pub entries: Vec<(Seq, Vec<u8>)>,
    bytes: usize,
    count_max: usize,
}

impl Found {
    /// Nothing yet, of at most `count_max`.
    #[must_use]
    pub const fn new(count_max: usize) -> Self {
        Self { entries: Vec::new(), bytes: 0, count_max }
    }

    /// Whether another one is wanted.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.entries.len() < self.count_max && self.bytes < FOUND_BYTES
    }

    /// Adds one.
    pub fn push(&mut self, sequence: Seq, entry: Vec<u8>) {
        self.bytes += entry.len();
        self.entries.push((sequence, entry));
    }
}
