//! The fields of requests about rooms and what was said, and of their answers, in the order they have on the wire.

use spec::wire::message::{Message, kind};
use spec::wire::request::{Request, Role, Setting};

use super::sealgram::Facts;
use crate::bytes::count;

/// Adds the fields of a message about rooms.
pub(super) fn facts(message: &Message<'_>, facts: &mut Facts<'_>) {
    match message {
        Message::Ask { tag, request } => {
            facts.number("sealgram.control.tag", *tag);
            asked(request, facts);
        }
        Message::Gone { room, text } => {
            facts.number("sealgram.control.room", *room);
            facts.text("sealgram.control.text", text);
        }
        Message::Rooms { tag, more, rooms } => {
            facts.number("sealgram.control.tag", *tag);
            facts.number("sealgram.control.more", u64::from(*more));
            facts.number("sealgram.control.count", count(rooms.len()));
            for room in rooms {
                facts.text("sealgram.control.name", room.name);
                facts.number("sealgram.control.flags", room.flags);
                facts.number("sealgram.control.members", room.members);
                facts.text("sealgram.control.topic", room.topic);
            }
        }
        Message::Page { tag, room, head, pieces } => {
            facts.number("sealgram.control.tag", *tag);
            facts.number("sealgram.control.room", *room);
            facts.number("sealgram.control.head", *head);
            facts.number("sealgram.control.count", count(pieces.len()));
            for piece in pieces {
                facts.number("sealgram.control.sequence", piece.sequence);
                facts.number("sealgram.control.total", piece.total);
                facts.number("sealgram.control.offset", piece.offset);
                facts.bytes("sealgram.control.data", piece.data);
            }
        }
        Message::Done { tag } => facts.number("sealgram.control.tag", *tag),
        Message::State { room, flags, role, first, slow_secs, pinned, topic } => {
            facts.number("sealgram.control.room", *room);
            facts.number("sealgram.control.flags", *flags);
            facts.number("sealgram.control.role", role.map_or(0, Role::code));
            facts.number("sealgram.control.first", *first);
            facts.number("sealgram.control.slow", *slow_secs);
            facts.number("sealgram.control.pinned", *pinned);
            facts.text("sealgram.control.topic", topic);
        }
        _ => {}
    }
}

fn asked(request: &Request<'_>, facts: &mut Facts<'_>) {
    match request {
        Request::Create { flags, name } => {
            facts.number("sealgram.control.flags", *flags);
            facts.text("sealgram.control.name", name);
        }
        Request::Join { name } | Request::Rooms { after: name } => facts.text("sealgram.control.name", name),
        Request::Leave { room } => facts.number("sealgram.control.room", *room),
        Request::Set { room, setting } => {
            let (code, number, text) = match setting {
                Setting::Topic(text) => (1, 0, text.as_ref()),
                Setting::Pinned(sequence) => (2, *sequence, ""),
                Setting::Slow(seconds) => (3, *seconds, ""),
            };
            facts.number("sealgram.control.room", *room);
            facts.number("sealgram.control.setting", code);
            facts.number("sealgram.control.number", number);
            facts.text("sealgram.control.text", text);
        }
        Request::Invite { room, name } => {
            facts.number("sealgram.control.room", *room);
            facts.text("sealgram.control.name", name);
        }
        Request::Grant { room, role, name } => {
            facts.number("sealgram.control.room", *room);
            facts.number("sealgram.control.role", role.code());
            facts.text("sealgram.control.name", name);
        }
        Request::History { room, from, offset, since_ms, count } => {
            facts.number("sealgram.control.room", *room);
            facts.number("sealgram.control.from", *from);
            facts.number("sealgram.control.offset", *offset);
            facts.number("sealgram.control.since", *since_ms);
            facts.number("sealgram.control.limit", *count);
        }
        Request::Search { room, before, count, words } => {
            facts.number("sealgram.control.room", *room);
            facts.number("sealgram.control.before", *before);
            facts.number("sealgram.control.limit", *count);
            facts.text("sealgram.control.words", words);
        }
    }
}

/// The type on the wire of a message about rooms.
pub(super) const fn code(message: &Message<'_>) -> Option<u64> {
    Some(match message {
        Message::Ask { request, .. } => request.kind(),
        Message::Gone { .. } => kind::GONE,
        Message::Rooms { .. } => kind::ROOMS,
        Message::Page { .. } => kind::PAGE,
        Message::Done { .. } => kind::DONE,
        Message::State { .. } => kind::STATE,
        _ => return None,
    })
}
