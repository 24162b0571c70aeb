//! The streams of rooms: what members submit goes to the log, and nowhere else.

use super::greeting::CONTROL;
use super::rights::Act;
use super::sessions::SessionId;
use super::{Hub, Submitted};
use crate::log::{About, AccountId, Append, RoomId, Seq};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;
use spec::close::CloseReason;
use spec::time::Instant;
use spec::wire::entry::{EntryKind, MessageId, Submission, split_target};
use spec::wire::message::Refusal;

/// Bytes of a sign at a line: an emoji of several parts fits.
const REACTION_BYTES_MAX: usize = 64;
/// Writers in rooms of slow pace that are remembered before those are forgotten who may write again.
const WRITERS_MAX: usize = 65_536;

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
                    self.submit(now, id, account, RoomId(stream), &submission);
                }
                Err(error) => return self.close(now, id, CloseReason::Violation, &error.to_string()),
            }
        }
        if let Some(session) = self.sessions.get_mut(id) {
            session.connection.consume(stream, used);
        }
    }

    fn submit(
        &mut self,
        now: Instant,
        id: SessionId,
        account: AccountId,
        room: RoomId,
        submission: &Submission<'_>,
    ) {
        let about = match self.check(now, account, room, submission) {
            Ok(about) => about,
            Err((reason, wait)) => return self.refuse(id, 0, reason, (submission.id, &wait)),
        };
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
            about,
        };
        self.pending.submitted(ticket, Submitted { session: id, room, id: submission.id });
        self.append(append);
    }

    /// What a submission is about, or why it is refused, with the seconds to wait.
    fn check(
        &mut self,
        now: Instant,
        account: AccountId,
        room: RoomId,
        submission: &Submission<'_>,
    ) -> Result<Option<About>, (Refusal, String)> {
        let refuse = |reason| Err((reason, String::new()));
        if !self.rooms.contains_key(&room) || !self.may_use(account, room) {
            return refuse(Refusal::NotMember);
        }
        if !self.may(account, room, Act::Write) {
            return refuse(Refusal::NotAllowed);
        }
        let (about, text) = match self.about(account, room, submission) {
            Some(parts) if submission.kind.is_clients() => parts,
            _ => return refuse(Refusal::NotValid),
        };
        if core::str::from_utf8(text).is_err() {
            return refuse(Refusal::NotValid);
        }
        match self.wait(now, account, room, submission.id) {
            0 => Ok(about),
            seconds => Err((Refusal::TooSoon, seconds.to_string())),
        }
    }

    /// The entry a submission is about, if it is, and its text.
    fn about<'s>(
        &self,
        account: AccountId,
        room: RoomId,
        submission: &Submission<'s>,
    ) -> Option<(Option<About>, &'s [u8])> {
        let kind = submission.kind;
        if !kind.is_about_another() {
            return Some((None, submission.body));
        }
        let (target, text) = split_target(submission.body).ok()?;
        //= spec/PROTOCOL.md#what-was-said
        //# The hub MUST refuse an EDIT by another account than the line's, and a DELETE by another account that is no
        //# moderator.
        let is_cleaner = self.may(account, room, Act::Clean);
        let about = About {
            target: Seq(target),
            is_own: kind == EntryKind::Edit || kind == EntryKind::Delete && !is_cleaner,
            redacts: kind == EntryKind::Delete,
        };
        let is_short = kind != EntryKind::React || text.len() <= REACTION_BYTES_MAX;
        is_short.then_some((Some(about), text))
    }

    /// Seconds until an account may write in a room whose pace is slow; it is noted that it writes now.
    fn wait(&mut self, now: Instant, account: AccountId, room: RoomId, id: MessageId) -> u64 {
        let slow_secs = self.rooms.get(&room).map_or(0, |room| room.charter.slow_secs);
        if slow_secs == 0 || self.may(account, room, Act::Hurry) {
            return 0;
        }
        let slow = Duration::from_secs(slow_secs);
        match self.wrote_at.get(&(room, account)) {
            // What is submitted again after a broken session was taken before.
            Some((at, last)) if *last != id && now < *at + slow => {
                (*at + slow).since(now).as_secs().saturating_add(1)
            }
            _ => {
                if self.wrote_at.len() >= WRITERS_MAX {
                    self.wrote_at.retain(|_, (at, _)| now < *at + slow);
                }
                self.wrote_at.insert((room, account), (now, id));
                0
            }
        }
    }
}
