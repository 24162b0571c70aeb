//! What was said before: pages of history, and where words were said.

use super::Hub;
use super::commit::Purpose;
use super::rooms::Asked;
use crate::log::{Effect, Lookup, RoomId, Seq, Wanted};
use alloc::string::ToString;
use alloc::vec::Vec;
use spec::limits::WORDS_BYTES_MAX;
use spec::time::{Instant, UnixTime};
use spec::wire::message::{Message, Refusal};
use spec::wire::request::{Piece, Request};

/// Entries of one answer.
const ENTRIES_MAX: u64 = 256;
/// Bytes of entries in one answer: it must fit a control message.
const PAGE_BYTES: usize = 49_152;

/// Who waits for entries, and of which part of the first.
#[derive(Clone, Copy, Debug)]
pub(super) struct LookingBack {
    pub(super) asked: Asked,
    room: RoomId,
    /// Bytes of the first entry that are there already.
    offset: u64,
}

impl Hub {
    /// Asks the log for entries that were said before.
    pub(super) fn look_back(&mut self, asked: Asked, request: &Request<'_>) {
        let (room, count, offset) = match request {
            Request::History { room, count, offset, .. } => (RoomId(*room), *count, *offset),
            Request::Search { room, count, words, .. } if words.len() <= WORDS_BYTES_MAX => {
                (RoomId(*room), *count, 0)
            }
            _ => return self.deny(asked, Refusal::NotValid),
        };
        if !self.may_use(asked.account, room) {
            return self.deny(asked, Refusal::NoSuchRoom);
        }
        let first = self.rooms.get(&room).and_then(|room| room.charter.first(asked.account));
        let first = first.unwrap_or(Seq(1));
        let (first, wanted) = match request {
            Request::History { from, since_ms, .. } => {
                (first.max(Seq(*from)), Wanted::Since(UnixTime(*since_ms)))
            }
            Request::Search { before, words, .. } => {
                let before = if *before == 0 { Seq(u64::MAX) } else { Seq(*before) };
                (first, Wanted::Words { before, words: words.to_string() })
            }
            _ => return,
        };
        let Some(session) = self.sessions.get_mut(asked.session) else { return };
        session.looks_back = true;
        let ticket = self.pending.ticket();
        self.pending.count(ticket, 64);
        self.pending.expect(ticket, Purpose::LookBack(LookingBack { asked, room, offset }));
        let count = usize::try_from(count.clamp(1, ENTRIES_MAX)).unwrap_or(1);
        self.effects.push_back(Effect::Find(Lookup { ticket, room, first, wanted, count }));
    }

    /// The log has found what was asked for.
    pub(super) fn found(&mut self, now: Instant, looking: LookingBack, entries: &[(Seq, Vec<u8>)]) {
        let LookingBack { asked, room, offset } = looking;
        let head = self.rooms.get(&room).map_or(0, |room| room.head().0);
        let mut space = PAGE_BYTES;
        let mut pieces = Vec::new();
        for (index, (sequence, entry)) in entries.iter().enumerate() {
            let skip = if index == 0 { usize::try_from(offset).unwrap_or(usize::MAX) } else { 0 };
            let rest = entry.get(skip..).unwrap_or_default();
            if space == 0 {
                break;
            }
            let data = rest.get(..space).unwrap_or(rest);
            let (total, offset) = (entry.len() as u64, skip.min(entry.len()) as u64);
            pieces.push(Piece { sequence: sequence.0, total, offset, data });
            space -= data.len();
        }
        if let Some(session) = self.sessions.get_mut(asked.session) {
            session.looks_back = false;
        }
        self.say(asked.session, &Message::Page { tag: asked.tag, room: room.0, head, pieces });
        self.serve(now, asked.session);
    }

    /// The log could not look.
    pub(super) fn not_found(&mut self, now: Instant, looking: LookingBack) {
        if let Some(session) = self.sessions.get_mut(looking.asked.session) {
            session.looks_back = false;
        }
        self.deny(looking.asked, Refusal::LogFull);
        self.serve(now, looking.asked.session);
    }
}
