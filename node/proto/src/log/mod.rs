//! The room log, seen from the core: one more peer, with messages out ([`Effect`]) and in ([`Reply`]).
//!
//! The log is the only queue: a message becomes real when the log has committed it and given it a sequence
//! number, and it is delivered after that moment, never before. What stores it is an [`Engine`].

mod barrier;
mod found;
mod memory;
mod page;

pub use barrier::Barrier;
pub use found::{Found, tombstone, words};
pub use memory::MemoryLog;
pub use page::{Page, Run};

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use spec::time::UnixTime;
use spec::wire::entry::{Entry, EntryKind, MessageId};

/// Names a room: 0 is the hub's own log, 1 the lobby; any other is the number of its entry in room 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId(pub u64);

/// The hub's own log: accounts and rooms.
pub const HUB_ROOM: RoomId = RoomId(0);
/// The room every account may read.
pub const LOBBY: RoomId = RoomId(1);

/// The place of an entry in its room, from 1 on without gaps; 0 is before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

impl Seq {
    /// The number behind this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Names an account: the number of its entry in room 0; 0 is the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub u64);

/// The hub as an author.
pub const HUB_ACCOUNT: AccountId = AccountId(0);

/// Names an append until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Something to be committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// Comes back with the answer.
    pub ticket: Ticket,
    /// Where it goes.
    pub room: RoomId,
    /// Its author.
    pub author: AccountId,
    /// The author's name for it: with room and author it is committed once, for ever.
    pub id: MessageId,
    /// What it is.
    pub kind: EntryKind,
    /// The author's name at this moment.
    pub name: String,
    /// What it says.
    pub body: Vec<u8>,
    /// The entry it is about, which has to be there.
    pub about: Option<About>,
}

/// The entry that another one is about: a line of the same room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// Its number.
    pub target: Seq,
    /// Whether it has to be of the same author.
    pub is_own: bool,
    /// Whether it is emptied, and what was said instead of it.
    pub redacts: bool,
}

impl Append {
    /// The bytes of the entry, committed at `time`.
    #[must_use]
    pub fn entry(&self, time: UnixTime) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.body.len() + self.name.len() + 48);
        let Self { author, id, kind, name, body, .. } = self;
        Entry { author: author.0, id: *id, time, kind: *kind, name, body }.encode(&mut bytes);
        bytes
    }

    /// Bytes it counts for in a queue.
    #[must_use]
    pub fn cost(&self) -> usize {
        self.body.len() + self.name.len() + 64
    }
}

/// What the core asks of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Commit this.
    Append(Append),
    /// Give me the entries of a room from here on, as many as fit a page.
    Read {
        /// The room.
        room: RoomId,
        /// The first entry wanted.
        from: Seq,
    },
    /// An append was refused because the log failed, and that was acted on: see [`Barrier`].
    Heard,
    /// Look this up.
    Find(Lookup),
}

/// Entries that are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Comes back with the answer.
    pub ticket: Ticket,
    /// The room.
    pub room: RoomId,
    /// None before this.
    pub first: Seq,
    /// Which of them.
    pub wanted: Wanted,
    /// How many at most; fewer when they are long.
    pub count: usize,
}

/// Which entries are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Those that were committed at this time or later, the oldest first.
    Since(UnixTime),
    /// Those that have all of these words, the youngest first.
    Words {
        /// Only those before this one.
        before: Seq,
        /// The words, with white space between them.
        words: String,
    },
}

/// Bytes of entries that end an answer to a [`Lookup`]: the entry with which there are so many is the last.
pub const FOUND_BYTES: usize = 49_152;

/// What the log answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// These entries would survive a power cut.
    Committed(Arc<Batch>),
    /// This append was not committed.
    Refused {
        /// The append.
        ticket: Ticket,
        /// Why.
        reason: Refused,
    },
    /// Entries that were asked for; an empty page when there are none.
    Page {
        /// The room.
        room: RoomId,
        /// The entries.
        page: Page,
    },
    /// Entries that were looked for.
    Found {
        /// The lookup.
        ticket: Ticket,
        /// The entries and their numbers.
        entries: Vec<(Seq, Vec<u8>)>,
    },
}

/// Why an append was not committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It was committed before, with this number.
    Duplicate(Seq),
    /// What it is about is not there, is no line, or is not its author's.
    NoSuchTarget,
    /// The storage takes no more.
    Full,
    /// The storage failed.
    Unavailable,
}

/// The entries of one commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The entries, by room, in their order.
    pub pages: Vec<(RoomId, Page)>,
    /// Which append became which entry.
    pub tickets: Vec<(Ticket, RoomId, Seq)>,
    /// Entries of before that say nothing any more.
    pub redacted: Vec<(RoomId, Seq)>,
}

impl Batch {
    /// Adds a committed entry.
    pub fn push(&mut self, ticket: Ticket, room: RoomId, sequence: Seq, entry: &[u8]) {
        self.tickets.push((ticket, room, sequence));
        if let Some((_, page)) = self.pages.iter_mut().find(|(known, _)| *known == room) {
            page.push(entry);
        } else {
            let mut page = Page::new(sequence);
            page.push(entry);
            self.pages.push((room, page));
        }
    }
}

/// What a hub must know when it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Names the log: made once, with it.
    pub generation: [u8; 8],
    /// The head of every room that has entries.
    pub heads: Vec<(RoomId, Seq)>,
    /// All entries of room 0.
    pub hub_log: Vec<Vec<u8>>,
    /// Accounts whose last JOINED in the lobby has no LEFT behind it.
    pub present: Vec<AccountId>,
}

/// What stores the log. Every call blocks until it is done.
pub trait Engine: Send {
    /// What a hub must know when it starts.
    ///
    /// # Errors
    /// A sentence for the operator.
    fn recover(&mut self) -> Result<Recovered, String>;

    /// Commits `appends` in their order, all or none but for duplicates, and returns once they would survive a
    /// power cut. When it fails, all are refused.
    fn commit(&mut self, appends: &[Append], time: UnixTime) -> Vec<Reply>;

    /// The entries of `room` from `from` on, as many as fit a page.
    fn read(&mut self, room: RoomId, from: Seq) -> Reply;

    /// Looks for entries; [`Refused::Unavailable`] when the storage fails.
    fn find(&mut self, lookup: &Lookup) -> Reply;
}
