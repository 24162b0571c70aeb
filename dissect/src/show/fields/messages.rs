//! The fields of control messages, in the order they have on the wire.

use spec::wire::message::{Message, RoomKind, kind};

use super::login;
use super::requests;
use super::sealgram::Facts;
use crate::bytes::count;

/// Adds the fields of one message.
pub(super) fn facts(message: &Message<'_>, facts: &mut Facts<'_>) {
    facts.number("sealgram.control.type", code(message));
    match message {
        Message::Hello { flags, name, token } => {
            facts.number("sealgram.control.flags", *flags);
            facts.text("sealgram.control.name", name);
            facts.bytes("sealgram.control.token", token);
        }
        Message::Subscribe { room, after } => {
            facts.number("sealgram.control.room", *room);
            facts.number("sealgram.control.after", *after);
        }
        Message::Who { room } => facts.number("sealgram.control.room", *room),
        Message::Direct { name } => facts.text("sealgram.control.name", name),
        Message::RatchetReq { ephemeral, kem } => {
            ratchet("sealgram.control.e1", ephemeral, kem.map(|kem| &kem[..]), facts);
        }
        Message::RatchetRsp { ephemeral, kem } => {
            ratchet("sealgram.control.e2", ephemeral, kem.map(|kem| &kem[..]), facts);
        }
        Message::Welcome { flags, account, name, generation } => {
            facts.number("sealgram.control.flags", *flags);
            facts.number("sealgram.control.account", *account);
            facts.text("sealgram.control.name", name);
            facts.bytes("sealgram.control.generation", generation);
        }
        Message::Room { room, kind, name, head } => {
            facts.number("sealgram.control.room", *room);
            facts.number("sealgram.control.kind", kind.map_or(0, RoomKind::code));
            facts.text("sealgram.control.name", name);
            facts.number("sealgram.control.head", *head);
        }
        Message::Members { room, names } => {
            facts.number("sealgram.control.room", *room);
            facts.number("sealgram.control.count", count(names.len()));
            names.iter().for_each(|name| facts.text("sealgram.control.name", name));
        }
        Message::Refused { request, reason, id, name } => {
            facts.number("sealgram.control.request", *request);
            facts.number("sealgram.control.reason", reason.code());
            facts.bytes("sealgram.control.id", &id.0);
            facts.text("sealgram.control.name", name);
        }
        Message::Stored { room, sequence, id } => {
            facts.number("sealgram.control.room", *room);
            facts.number("sealgram.control.sequence", *sequence);
            facts.bytes("sealgram.control.id", &id.0);
        }
        Message::Login(message) => login::facts(message, facts),
        _ => blob(message, facts),
    }
}

/// The fields of messages about blobs.
fn blob(message: &Message<'_>, facts: &mut Facts<'_>) {
    match message {
        Message::Offer { transfer, hash, size } => {
            facts.number("sealgram.control.transfer", *transfer);
            facts.bytes("sealgram.control.hash", hash);
            facts.number("sealgram.control.size", *size);
        }
        Message::Fetch { transfer, hash, from } => {
            facts.number("sealgram.control.transfer", *transfer);
            facts.bytes("sealgram.control.hash", hash);
            facts.number("sealgram.control.from", *from);
        }
        Message::Release { transfer } | Message::Got { transfer } => {
            facts.number("sealgram.control.transfer", *transfer);
        }
        Message::Want { transfer, from } => {
            facts.number("sealgram.control.transfer", *transfer);
            facts.number("sealgram.control.from", *from);
        }
        Message::Blob { transfer, size } => {
            facts.number("sealgram.control.transfer", *transfer);
            facts.number("sealgram.control.size", *size);
        }
        _ => requests::facts(message, facts),
    }
}

/// Half of a ratchet.
fn ratchet(name: &'static str, ephemeral: &[u8], kem: Option<&[u8]>, facts: &mut Facts<'_>) {
    facts.bytes(name, ephemeral);
    facts.bytes("sealgram.control.kem", kem.unwrap_or_default());
}

/// The type on the wire.
const fn code(message: &Message<'_>) -> u64 {
    match message {
        Message::Hello { .. } => kind::HELLO,
        Message::Subscribe { .. } => kind::SUBSCRIBE,
        Message::Who { .. } => kind::WHO,
        Message::Direct { .. } => kind::DIRECT,
        Message::RatchetReq { .. } => kind::RATCHET_REQ,
        Message::Offer { .. } => kind::OFFER,
        Message::Fetch { .. } => kind::FETCH,
        Message::Release { .. } => kind::RELEASE,
        Message::Welcome { .. } => kind::WELCOME,
        Message::Room { .. } => kind::ROOM,
        Message::Members { .. } => kind::MEMBERS,
        Message::Refused { .. } => kind::REFUSED,
        Message::Stored { .. } => kind::STORED,
        Message::RatchetRsp { .. } => kind::RATCHET_RSP,
        Message::Want { .. } => kind::WANT,
        Message::Blob { .. } => kind::BLOB,
        Message::Got { .. } => kind::GOT,
        Message::Login(message) => message.kind(),
        Message::Unknown { kind } => *kind,
        _ => match requests::code(message) {
            Some(code) => code,
            None => 0,
        },
    }
}
