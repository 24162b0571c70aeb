//! Requests that the hub has not answered: asked again in every session until it has.

use super::ClientEvent;
use crate::log::{RoomId, Seq};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use spec::wire::message::{Message, Refusal};
use spec::wire::request::{Piece, Request};

/// Requests at most.
const ASKS_MAX: usize = 64;
/// Bytes of a request: far more than any that a hub grants.
const ASK_BYTES_MAX: usize = 8_192;
/// Bytes of an entry that comes in pieces.
const ENTRY_BYTES_MAX: u64 = 1 << 17;

/// Names a request until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub u64);

/// Why a request was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAsked {
    /// There are as many requests as there may be.
    #[error("too many requests wait for the hub")]
    Full,
    /// No hub takes it: a message so long ends the session, and asking again would end the next.
    #[error("it is too long")]
    TooLong,
}

/// All requests that wait.
#[derive(Debug, Default)]
pub(super) struct Asks {
    next: u64,
    waiting: BTreeMap<AskId, Request<'static>>,
    /// The entry of a history that is here in part.
    part: Vec<u8>,
}

impl Asks {
    pub(super) fn push(&mut self, request: Request<'static>) -> Result<AskId, NotAsked> {
        if self.waiting.len() >= ASKS_MAX {
            return Err(NotAsked::Full);
        }
        let mut bytes = Vec::new();
        Message::Ask { tag: self.next, request: request.clone() }.encode(&mut bytes);
        if bytes.len() > ASK_BYTES_MAX {
            return Err(NotAsked::TooLong);
        }
        self.next += 1;
        self.waiting.insert(AskId(self.next), request);
        Ok(AskId(self.next))
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether the room of this name is asked for.
    pub(super) fn is_joining(&self, wanted: &str) -> bool {
        let is_for = |request: &Request<'_>| matches!(request, Request::Join { name } | Request::Create { name, .. } if name == wanted);
        self.waiting.values().any(is_for)
    }

    /// What may be asked now, besides what was: pages come one at a time, so that the hub need not keep them.
    pub(super) fn askable(&self, asked: &BTreeSet<AskId>) -> Vec<(AskId, &Request<'static>)> {
        let is_page =
            |request: &Request<'_>| matches!(request, Request::History { .. } | Request::Search { .. });
        let mut is_reading = asked.iter().any(|id| self.waiting.get(id).is_some_and(&is_page));
        let mut askable = Vec::new();
        for (id, request) in self.waiting.iter().filter(|(id, _)| !asked.contains(id)) {
            if !is_page(request) || !core::mem::replace(&mut is_reading, true) {
                askable.push((*id, request));
            }
        }
        askable
    }

    pub(super) fn done(&mut self, id: AskId) -> Option<ClientEvent> {
        self.waiting.remove(&id).map(|request| ClientEvent::Granted { id, request })
    }

    pub(super) fn denied(&mut self, id: AskId, reason: Refusal) -> Option<(Request<'static>, ClientEvent)> {
        let request = self.waiting.remove(&id)?;
        Some((request.clone(), ClientEvent::Denied { id, request, reason }))
    }

    /// Takes a page; what is told, and whether the same request goes on with the next page.
    pub(super) fn page(&mut self, id: AskId, head: Seq, pieces: &[Piece<'_>]) -> Option<(ClientEvent, bool)> {
        let mut request = self.waiting.remove(&id)?;
        let mut entries = Vec::new();
        for piece in pieces {
            if let Some(entry) = self.join(piece) {
                entries.push((Seq(piece.sequence), entry));
            }
        }
        let room = match &mut request {
            Request::History { room, from, offset, count, .. } => {
                *count = count.saturating_sub(entries.len() as u64);
                let last = pieces.last();
                *offset = self.part.len() as u64;
                *from = match last {
                    Some(last) if self.part.is_empty() => last.sequence.saturating_add(1),
                    Some(last) => last.sequence,
                    None => u64::MAX,
                };
                let goes_on = *count > 0 && *from <= head.0;
                let room = RoomId(*room);
                if goes_on {
                    self.waiting.insert(id, request);
                } else {
                    self.part.clear();
                }
                return Some((ClientEvent::Past { id, room, entries, is_last: !goes_on }, goes_on));
            }
            Request::Search { room, .. } => RoomId(*room),
            _ => return None,
        };
        self.part.clear();
        Some((ClientEvent::Past { id, room, entries, is_last: true }, false))
    }

    /// The whole entry, when this piece ends it.
    fn join(&mut self, piece: &Piece<'_>) -> Option<Vec<u8>> {
        if piece.offset != self.part.len() as u64 || piece.total > ENTRY_BYTES_MAX {
            self.part.clear();
        }
        if piece.offset == self.part.len() as u64 {
            self.part.extend_from_slice(piece.data);
        }
        let is_whole = self.part.len() as u64 == piece.total;
        is_whole.then(|| core::mem::take(&mut self.part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn piece(sequence: u64, total: u64, offset: u64, data: &[u8]) -> Piece<'_> {
        Piece { sequence, total, offset, data }
    }

    #[test]
    fn pages_follow_each_other_and_entries_come_whole() {
        let mut asks = Asks::default();
        let history = Request::History { room: 1, from: 3, offset: 0, since_ms: 0, count: 3 };
        let id = asks.push(history).unwrap();
        let pages = [
            vec![piece(3, 2, 0, b"ab"), piece(4, 4, 0, b"cd")],
            vec![piece(4, 4, 2, b"ef"), piece(5, 1, 0, b"g")],
        ];
        let (event, goes_on) = asks.page(id, Seq(9), &pages[0]).unwrap();
        let past = |entries, is_last| ClientEvent::Past { id, room: RoomId(1), entries, is_last };
        assert_eq!((event, goes_on), (past(vec![(Seq(3), b"ab".to_vec())], false), true));
        let expected = Request::History { room: 1, from: 4, offset: 2, since_ms: 0, count: 2 };
        assert_eq!(asks.waiting.get(&id), Some(&expected));
        let (event, goes_on) = asks.page(id, Seq(9), &pages[1]).unwrap();
        let entries = vec![(Seq(4), b"cdef".to_vec()), (Seq(5), b"g".to_vec())];
        assert_eq!((event, goes_on, asks.len()), (past(entries, true), false, 0));
    }

    #[test]
    fn the_last_page_is_the_one_that_reaches_the_head_or_holds_nothing() {
        for (pieces, head) in [(vec![], 9), (vec![piece(9, 1, 0, b"x")], 9)] {
            let mut asks = Asks::default();
            let history = Request::History { room: 1, from: 3, offset: 0, since_ms: 0, count: 300 };
            let id = asks.push(history).unwrap();
            assert!(!asks.page(id, Seq(head), &pieces).unwrap().1);
        }
    }

    #[test]
    fn one_page_at_a_time_and_not_too_many_requests() {
        let mut asks = Asks::default();
        let search = || Request::Search { room: 1, before: 0, count: 5, words: "mill".into() };
        let ids = [search(), search(), Request::Leave { room: 7 }].map(|request| asks.push(request).unwrap());
        let askable = |asks: &Asks, asked: &[AskId]| -> Vec<AskId> {
            let asked = asked.iter().copied().collect();
            asks.askable(&asked).into_iter().map(|(id, _)| id).collect()
        };
        assert_eq!(askable(&asks, &[]), [ids[0], ids[2]]);
        assert_eq!(askable(&asks, &[ids[0], ids[2]]), []);
        let long = Request::Join { name: "x".repeat(70_000).into() };
        assert_eq!(asks.push(long), Err(NotAsked::TooLong));
        while asks.push(search()).is_ok() {}
        assert_eq!(asks.push(search()), Err(NotAsked::Full));
        assert_eq!(asks.len(), ASKS_MAX);
    }
}
