//! Blobs: what clients offer and fetch, as far as the operator lets them.

use super::Hub;
use super::sessions::SessionId;
use crate::bulk::{Answer, Hash, Request, TransferId};
use spec::time::Instant;
use spec::wire::entry::MessageId;
use spec::wire::message::{Message, Refusal, kind};

/// A transfer, as REFUSED names it.
fn refused_id(transfer: TransferId) -> MessageId {
    let mut id = [0; 16];
    id[8..].copy_from_slice(&transfer.0.to_be_bytes());
    MessageId(id)
}

impl Hub {
    pub(super) fn offer(&mut self, id: SessionId, transfer: TransferId, hash: Hash, size_bytes: u64) {
        // A hub that keeps none asks its shell for nothing: nobody there would answer.
        if self.config.blob_bytes_max == 0 || size_bytes > self.config.blob_bytes_max {
            return self.refuse(id, kind::OFFER, Refusal::TooLarge, (refused_id(transfer), ""));
        }
        let known = (hash, size_bytes);
        self.begin_transfer(id, transfer, kind::OFFER, known, |key| Request::Begin { key, hash, size_bytes });
    }

    pub(super) fn fetch(&mut self, id: SessionId, transfer: TransferId, hash: Hash, from: u64) {
        if self.config.blob_bytes_max == 0 {
            return self.refuse(id, kind::FETCH, Refusal::NotValid, (refused_id(transfer), ""));
        }
        self.begin_transfer(id, transfer, kind::FETCH, (hash, from), |key| Request::Find { key, hash });
    }

    fn begin_transfer(
        &mut self,
        id: SessionId,
        transfer: TransferId,
        request: u64,
        known: (Hash, u64),
        ask: impl FnOnce(crate::bulk::Key) -> Request,
    ) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if !session.bulk.has_room() || session.offered.len() >= spec::limits::TRANSFERS_MAX {
            return self.refuse(id, request, Refusal::LogFull, (refused_id(transfer), ""));
        }
        session.offered.insert(transfer, known);
        let key = session.bulk.key(transfer);
        session.bulk.ask(ask(key));
        self.touch(id);
    }

    pub(super) fn release(&mut self, id: SessionId, transfer: TransferId) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.offered.remove(&transfer);
            session.bulk.end(transfer);
        }
    }

    /// The next thing the shell is asked to do with blobs.
    pub fn poll_blob(&mut self) -> Option<Request> {
        self.blobs.pop_front()
    }

    /// What a session asks of the shell.
    pub(super) fn collect_blobs(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(id) {
            self.blobs.extend(core::iter::from_fn(|| session.bulk.poll_request()));
        }
    }

    /// Takes an answer of the shell about blobs.
    pub fn handle_blob(&mut self, _: Instant, answer: Answer) {
        let (id, transfer) = (SessionId::of_number(answer.key().session), answer.key().transfer);
        let Some(session) = self.sessions.get_mut(id) else { return };
        let known = session.offered.get(&transfer).copied();
        match (answer, known) {
            (Answer::Ready { from: Some(from), .. }, Some((hash, size_bytes))) => {
                session.bulk.receive(transfer, hash, from);
                session.bulk.measure(transfer, size_bytes);
                self.say(id, &Message::Want { transfer: transfer.0, from });
            }
            (Answer::Found { size_bytes: Some(size), .. }, Some((hash, from))) => {
                session.bulk.send(transfer, hash, from.min(size), size);
                self.say(id, &Message::Blob { transfer: transfer.0, size });
            }
            (Answer::Finished { is_right: true, .. }, _) => {
                self.release(id, transfer);
                self.say(id, &Message::Got { transfer: transfer.0 });
            }
            (Answer::Ready { .. }, _) => self.refuse_transfer(id, kind::OFFER, Refusal::LogFull, transfer),
            (Answer::Found { .. }, _) => self.refuse_transfer(id, kind::FETCH, Refusal::NotValid, transfer),
            (Answer::Finished { .. }, _) => {
                self.refuse_transfer(id, kind::OFFER, Refusal::NotValid, transfer);
            }
            (answer, _) => session.bulk.answered(answer),
        }
        self.collect_blobs(id);
        self.touch(id);
    }

    fn refuse_transfer(&mut self, id: SessionId, request: u64, reason: Refusal, transfer: TransferId) {
        self.release(id, transfer);
        self.refuse(id, request, reason, (refused_id(transfer), ""));
    }
}
