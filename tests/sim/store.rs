//! What the hub's log is made of: an engine that may be slow, may refuse, and keeps what it committed when the
//! hub is killed.

use core::fmt;
use core::time::Duration;
use node_proto::log::{
    Append, Barrier, Batch, Effect, Engine, MemoryLog, Page, Recovered, Refused, Reply, RoomId, Seq,
};
use spec::time::{Instant, UnixTime};
use std::collections::BTreeMap;

/// How long a commit takes on a good day.
pub const COMMIT_TIME: Duration = Duration::from_millis(3);

/// The engine, what was asked of it, and what it said it has committed: the truth screens are measured by.
pub struct Store {
    engine: Box<dyn Engine>,
    rooms: BTreeMap<RoomId, Vec<Vec<u8>>>,
    asked: Vec<Effect>,
    is_busy: bool,
    /// How long the next commit takes.
    pub(crate) commit_time: Duration,
    /// Until then nothing is committed.
    pub(crate) refuses_until: Instant,
    barrier: Barrier,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("rooms", &self.rooms.len()).finish_non_exhaustive()
    }
}

impl Store {
    /// An empty log in memory; `generation` names it.
    #[must_use]
    pub fn new(generation: [u8; 8]) -> Self {
        Self::over(Box::new(MemoryLog::new(generation)))
    }

    /// An empty log over another engine.
    #[must_use]
    pub fn over(engine: Box<dyn Engine>) -> Self {
        Self {
            engine,
            rooms: BTreeMap::new(),
            asked: Vec::new(),
            is_busy: false,
            commit_time: COMMIT_TIME,
            refuses_until: Instant(0),
            barrier: Barrier::default(),
        }
    }

    /// The entries of `room` that were committed.
    #[must_use]
    pub fn entries(&self, room: RoomId) -> &[Vec<u8>] {
        self.rooms.get(&room).map_or(&[], Vec::as_slice)
    }

    /// The number of the last entry of `room`.
    #[must_use]
    pub fn head(&self, room: RoomId) -> Seq {
        Seq(self.entries(room).len() as u64)
    }

    /// The entry at a place.
    #[must_use]
    pub fn entry(&self, room: RoomId, sequence: Seq) -> Option<&[u8]> {
        let index = usize::try_from(sequence.0.checked_sub(1)?).ok()?;
        self.entries(room).get(index).map(Vec::as_slice)
    }

    /// The rooms that have entries.
    pub fn rooms(&self) -> impl Iterator<Item = RoomId> + '_ {
        self.rooms.keys().copied()
    }

    /// The first place at which the engine no longer gives what it said it had committed.
    pub(crate) fn first_lost(&mut self) -> Option<(RoomId, Seq)> {
        for (room, entries) in &self.rooms {
            let mut read = 0;
            while read < entries.len() {
                let from = Seq(read as u64 + 1);
                let Reply::Page { page, .. } = self.engine.read(*room, from) else {
                    return Some((*room, from));
                };
                for (sequence, entry) in page.entries() {
                    if entries.get(read).is_some_and(|known| known != entry) {
                        return Some((*room, sequence));
                    }
                    read += 1;
                }
                if page.is_empty() {
                    return Some((*room, from));
                }
            }
        }
        None
    }

    /// What the next hub knows.
    pub(crate) fn recover(&mut self) -> Recovered {
        self.engine.recover().expect("a log in memory always recovers")
    }

    /// The hub asks for something; whether the engine has to be woken for it, in [`Self::commit_time`].
    pub(crate) fn ask(&mut self, effect: Effect) -> bool {
        self.asked.push(effect);
        !core::mem::replace(&mut self.is_busy, true)
    }

    /// The hub's process is gone, and with it what was asked and not done.
    pub(crate) fn crash(&mut self) {
        self.asked.clear();
        self.barrier = Barrier::default();
        self.is_busy = false;
    }

    /// Does what gathered since the engine last worked.
    pub(crate) fn work(&mut self, now: Instant) -> Vec<Reply> {
        self.is_busy = false;
        let mut appends: Vec<Append> = Vec::new();
        let mut replies: Vec<Reply> = Vec::new();
        for effect in core::mem::take(&mut self.asked) {
            match effect {
                Effect::Append(append) => match self.barrier.stop(&append) {
                    Some(refused) => replies.push(refused),
                    None => appends.push(append),
                },
                Effect::Read { room, from } => replies.push(self.engine.read(room, from)),
                Effect::Heard => self.barrier.heard(),
                Effect::Find(lookup) => replies.push(self.engine.find(&lookup)),
            }
        }
        if now < self.refuses_until {
            let reason = Refused::Unavailable;
            let refuse = |append: &Append| Reply::Refused { ticket: append.ticket, reason };
            let refused: Vec<Reply> = appends.iter().map(refuse).collect();
            self.barrier.answered(&refused);
            replies.extend(refused);
            return replies;
        }
        let committed = self.engine.commit(&appends, UnixTime(now.0 / 1000));
        for reply in &committed {
            if let Reply::Committed(batch) = reply {
                self.keep(batch);
            }
        }
        replies.extend(committed);
        replies
    }

    fn keep(&mut self, batch: &Batch) {
        for (room, page) in &batch.pages {
            let entries = self.rooms.entry(*room).or_default();
            assert_eq!(Page::first(page), Seq(entries.len() as u64 + 1), "the log leaves no gap");
            entries.extend(page.entries().map(|(_, entry)| entry.to_vec()));
        }
    }
}
