//! The only place where cursors meet connections: what a session needs of its rooms becomes a datagram.

use super::Hub;
use super::room::Room;
use super::sessions::{Cursor, Session, SessionId};
use crate::connection::Packer;
use crate::content::Content;
use crate::log::{AccountId, Effect, RoomId, Run, Seq};
use crate::transmit::Transmit;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use spec::time::Instant;
use spec::wire::frame::{Entries, Frame};

/// Bytes of the largest header of an ENTRIES or FRAGMENT frame: a type and four varints, and a length.
const FRAME_HEADER_BYTES: usize = 1 + 8 + 8 + 4 + 4 + 2;

impl Hub {
    /// Fills and seals the datagrams a session may send now into `out`. A session that has more to say is put at
    /// the back of the queue.
    pub(super) fn flush(&mut self, now: Instant, id: SessionId, out: &mut Vec<u8>) -> Option<Transmit> {
        let session = self.sessions.get_mut(id)?;
        let account = session.account();
        let Session { connection, cursors, turn, bulk, .. } = session;
        let mut filler = Filler { rooms: &mut self.rooms, effects: &mut self.effects };
        let transmit = connection.transmit(now, out, |packer| {
            if packer.may_elicit() {
                filler.write_lost(packer, cursors);
                filler.write_rooms(packer, cursors, turn);
                filler.write_ephemeral(packer, account, cursors);
                filler.write_copies(packer, cursors);
                bulk.fill(packer);
            }
        });
        self.collect_blobs(id);
        if transmit.is_some() {
            self.sessions.mark_ready(id);
        }
        transmit
    }
}

/// What filling a datagram needs of the hub besides the session.
struct Filler<'a> {
    rooms: &'a mut BTreeMap<RoomId, Room>,
    effects: &'a mut VecDeque<Effect>,
}

/// What became of an attempt to write entries.
enum Written {
    /// So many whole entries.
    Whole(u16),
    /// So many bytes of one entry, and so many are left of it.
    Part(u16, usize),
    /// The page is not in memory and was asked for.
    Waiting,
    /// Nothing fits any more.
    Full,
}

impl Filler<'_> {
    /// What was lost, read again from the log.
    fn write_lost(&mut self, packer: &mut Packer<'_>, cursors: &BTreeMap<RoomId, Cursor>) {
        while let Some(content) = packer.poll_lost() {
            let left = match content {
                Content::Entries { room, first, count } if cursors.contains_key(&room) => {
                    self.write_lost_entries(packer, room, first, count)
                }
                Content::Fragment { room, sequence, offset, len } if cursors.contains_key(&room) => {
                    self.write_lost_fragment(packer, room, sequence, offset, len)
                }
                _ => None,
            };
            if let Some(left) = left {
                packer.still_lost(left);
                return;
            }
        }
    }

    fn write_lost_entries(
        &mut self,
        packer: &mut Packer<'_>,
        room: RoomId,
        mut first: Seq,
        mut count: u16,
    ) -> Option<Content> {
        while count > 0 {
            match self.write(packer, room, Cursor::at(first), Some(count)) {
                Written::Whole(written) => {
                    first = Seq(first.0 + u64::from(written));
                    count -= written.min(count);
                }
                Written::Part(_, 0) => {
                    first = first.next();
                    count -= 1;
                }
                // It fitted the datagrams of another path as a whole, and goes on in pieces.
                Written::Part(written, left) => {
                    if count > 1 {
                        packer.still_lost(Content::Entries { room, first: first.next(), count: count - 1 });
                    }
                    let (offset, len) = (u32::from(written), u16::try_from(left).unwrap_or(u16::MAX));
                    return Some(Content::Fragment { room, sequence: first, offset, len });
                }
                _ => return Some(Content::Entries { room, first, count }),
            }
        }
        None
    }

    fn write_lost_fragment(
        &mut self,
        packer: &mut Packer<'_>,
        room: RoomId,
        sequence: Seq,
        offset: u32,
        len: u16,
    ) -> Option<Content> {
        match self.write_part(packer, room, Cursor { offset, ..Cursor::at(sequence) }, Some(len)) {
            Written::Part(written, _) if written >= len => None,
            Written::Part(written, _) => {
                let (offset, len) = (offset + u32::from(written), len - written);
                Some(Content::Fragment { room, sequence, offset, len })
            }
            _ => Some(Content::Fragment { room, sequence, offset, len }),
        }
    }

    /// Small entries that are unacknowledged, where there is space to spare.
    fn write_copies(&self, packer: &mut Packer<'_>, cursors: &BTreeMap<RoomId, Cursor>) {
        while let Some((content, space)) = packer.poll_copy() {
            let Content::Entries { room, first, count } = content else { return };
            let Some(log) = self.rooms.get(&room).filter(|_| cursors.contains_key(&room)) else { return };
            let Run::Whole { count: fits, bytes } = log.run(first, space.saturating_sub(FRAME_HEADER_BYTES))
            else {
                return;
            };
            if fits < count {
                return;
            }
            let bytes = first_entries(bytes, count);
            let entries = Entries { room: room.0, first: first.0, count: u64::from(count), bytes };
            packer.write(Some(content), &Frame::Entries(entries));
        }
    }

    /// New entries of every room, rooms in turn.
    fn write_rooms(
        &mut self,
        packer: &mut Packer<'_>,
        cursors: &mut BTreeMap<RoomId, Cursor>,
        turn: &mut RoomId,
    ) {
        let first = *turn;
        for (room, cursor) in cursors.range_mut(first..) {
            if !self.write_room(packer, *room, cursor) {
                *turn = *room;
                return;
            }
        }
        for (room, cursor) in cursors.range_mut(..first) {
            if !self.write_room(packer, *room, cursor) {
                *turn = *room;
                return;
            }
        }
    }

    /// New entries of a room; `false` when the datagram is full.
    fn write_room(&mut self, packer: &mut Packer<'_>, room: RoomId, cursor: &mut Cursor) -> bool {
        loop {
            match self.write(packer, room, *cursor, None) {
                Written::Whole(count) => cursor.next = Seq(cursor.next.0 + u64::from(count)),
                Written::Part(_, 0) => (cursor.next, cursor.offset) = (cursor.next.next(), 0),
                Written::Part(written, _) => cursor.offset += u32::from(written),
                Written::Waiting => return true,
                Written::Full => return false,
            }
            if self.rooms.get(&room).is_none_or(|room| cursor.next > room.head()) {
                return true;
            }
        }
    }

    /// What may be lost, behind everything that may not.
    fn write_ephemeral(
        &self,
        packer: &mut Packer<'_>,
        account: Option<AccountId>,
        cursors: &mut BTreeMap<RoomId, Cursor>,
    ) {
        for (room, cursor) in cursors {
            let Some(log) = self.rooms.get(room) else { continue };
            for said in log.ephemeral(cursor.heard).filter(|said| Some(said.author) != account) {
                if said.message.len() + FRAME_HEADER_BYTES > packer.remaining() {
                    return;
                }
                packer.write(None, &Frame::Ephemeral { room: room.0, message: &said.message });
                cursor.heard = said.serial + 1;
            }
            cursor.heard = log.ephemeral_end();
        }
    }

    /// Writes entries of `room` from `cursor` on, at most `count`.
    fn write(
        &mut self,
        packer: &mut Packer<'_>,
        room: RoomId,
        cursor: Cursor,
        count: Option<u16>,
    ) -> Written {
        let Some(log) = self.rooms.get(&room) else { return Written::Waiting };
        if cursor.next > log.head() {
            return Written::Waiting;
        }
        if cursor.offset > 0 {
            return self.write_part(packer, room, cursor, None);
        }
        let space = packer.remaining().saturating_sub(FRAME_HEADER_BYTES);
        match log.run(cursor.next, space) {
            Run::Whole { count: fits, bytes } => {
                let written = count.map_or(fits, |count| count.min(fits));
                let bytes = if written < fits { first_entries(bytes, written) } else { bytes };
                let content = Content::Entries { room, first: cursor.next, count: written };
                let entries =
                    Entries { room: room.0, first: cursor.next.0, count: u64::from(written), bytes };
                packer.write(Some(content), &Frame::Entries(entries));
                Written::Whole(written)
            }
            // An entry that fits a datagram is never split, so that each datagram is understood alone.
            Run::Large(entry) if entry.len() + 4 + FRAME_HEADER_BYTES <= Self::most() => Written::Full,
            Run::Large(_) => self.write_part(packer, room, cursor, None),
            Run::Elsewhere => self.read(packer, room, cursor.next),
        }
    }

    /// Bytes of frames in an empty datagram, whatever the length of its number.
    const fn most() -> usize {
        spec::limits::BUCKETS_BYTES[5] - 4
    }

    /// Writes a piece of a large entry, at most `len` bytes.
    fn write_part(
        &mut self,
        packer: &mut Packer<'_>,
        room: RoomId,
        cursor: Cursor,
        len: Option<u16>,
    ) -> Written {
        let Some(log) = self.rooms.get(&room) else { return Written::Waiting };
        let entry = match log.run(cursor.next, 0) {
            Run::Large(entry) => entry,
            Run::Whole { .. } | Run::Elsewhere => return self.read(packer, room, cursor.next),
        };
        let space = packer.remaining().saturating_sub(FRAME_HEADER_BYTES);
        let rest = entry.get(cursor.offset as usize..).unwrap_or_default();
        let piece = rest.len().min(space).min(len.map_or(usize::MAX, usize::from));
        // A crumb costs more header than it carries.
        if piece == 0 || piece < rest.len().min(64) && len.is_none() {
            return Written::Full;
        }
        let data = &rest[..piece];
        let left = rest.len() - piece;
        let piece = u16::try_from(piece).unwrap_or(u16::MAX);
        let content = Content::Fragment { room, sequence: cursor.next, offset: cursor.offset, len: piece };
        packer.write(
            Some(content),
            &Frame::Fragment {
                room: room.0,
                sequence: cursor.next.0,
                total: entry.len() as u64,
                offset: u64::from(cursor.offset),
                data,
            },
        );
        Written::Part(piece, left)
    }

    /// Asks the log for a page, once however many wait for it.
    fn read(&mut self, packer: &mut Packer<'_>, room: RoomId, from: Seq) -> Written {
        packer.expect_more();
        if self.rooms.get_mut(&room).is_some_and(|log| log.want(from)) {
            self.effects.push_back(Effect::Read { room, from });
        }
        Written::Waiting
    }
}

/// The bytes of the first `count` of length-prefixed entries.
fn first_entries(bytes: &[u8], count: u16) -> &[u8] {
    let mut reader = spec::wire::Reader::new(bytes);
    for _ in 0..count {
        if reader.bytes("entry").is_err() {
            break;
        }
    }
    &bytes[..reader.offset()]
}
