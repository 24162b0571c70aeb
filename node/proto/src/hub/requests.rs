//! The streams of rooms: what members submit goes to the log, and nowhere else.

use super::greeting::CONTROL;
use super::sessions::SessionId;
use super::{Hub, Submitted};
use crate::log::{AccountId, Append, RoomId};
use alloc::string::ToString;
use alloc::vec::Vec;
use spec::close::CloseReason;
use spec::time::Instant;
use spec::wire::entry::Submission;
use spec::wire::message::Refusal;

impl Hub {
    /// Reads whole submissions as they have arrived, as long as the log's queue has room. What stays unread
    /// gives no credit, so that a full log slows authors down and nobody else.
    pub(super) fn read_submissions(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get(id) else { return };
        let Some(account) = session.account() else { return };
        let streams: Vec<u64> =
            session.connection.readable_streams().filter(|stream| *stream != CONTROL).collect();
        for stream in streams {
            self.read_stream(now, id, account, stream);
        }
        if !self.pending.has_room() {
            self.pending.wait(id);
        }
    }

    fn read_stream(&mut self, now: Instant, id: SessionId, account: AccountId, stream: u64) {
        let Some(session) = self.sessions.get(id) else { return };
        let readable = session.connection.readable(stream);
        if Submission::split(readable) == Ok(None) {
            return;
        }
        // One copy of what has arrived, so that the connection is free while submissions are acted on.
        let bytes = readable.to_vec();
        let mut used = 0;
        while self.pending.has_room() {
            match Submission::split(&bytes[used..]) {
                Ok(None) => break,
                Ok(Some((submission, len))) => {
                    used += len;
                    self.submit(id, account, RoomId(stream), &submission);
                }
                Err(error) => return self.close(now, id, CloseReason::Violation, &error.to_string()),
            }
        }
        if let Some(session) = self.sessions.get_mut(id) {
            session.connection.consume(stream, used);
        }
    }

    fn submit(&mut self, id: SessionId, account: AccountId, room: RoomId, submission: &Submission<'_>) {
        let refusal = if !self.rooms.contains_key(&room) || !self.may_use(account, room) {
            Some(Refusal::NotMember)
        } else if !submission.kind.is_clients() || core::str::from_utf8(submission.body).is_err() {
            Some(Refusal::NotValid)
        } else {
            None
        };
        if let Some(reason) = refusal {
            return self.refuse(id, 0, reason, (submission.id, ""));
        }
        let Some(author) = self.accounts.get(account) else { return };
        let ticket = self.pending.ticket();
        let append = Append {
            ticket,
            room,
            author: account,
            id: submission.id,
            kind: submission.kind,
            name: author.name.clone(),
            body: submission.body.to_vec(),
        };
        self.pending.submitted(ticket, Submitted { session: id, room, id: submission.id });
        self.append(append);
    }
}
