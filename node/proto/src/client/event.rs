//! What the shell is told.

use super::account::AccountEvent;
use super::asks::AskId;
use crate::bulk::TransferId;
use crate::log::{RoomId, Seq};
use alloc::string::String;
use alloc::vec::Vec;
use spec::close::CloseReason;
use spec::wire::entry::MessageId;
use spec::wire::message::{Refusal, RoomKind};
use spec::wire::request::{Listed, Request, Role};

/// What a room is like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomState {
    /// [`ROOM_INVITE_ONLY`](spec::wire::request::ROOM_INVITE_ONLY) and its like.
    pub flags: u64,
    /// Our role there.
    pub role: Option<Role>,
    /// Seconds between two messages of one member; 0 for none.
    pub slow_secs: u64,
    /// The message that stands above all others; 0 for none.
    pub pinned: u64,
    /// What it is about, or nothing.
    pub topic: String,
}

/// A room that may be joined, or is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomInfo {
    /// Its name.
    pub name: String,
    /// What it is like.
    pub flags: u64,
    /// How many members it has.
    pub members: u64,
    /// What it is about, or nothing.
    pub topic: String,
}

impl From<&Listed<'_>> for RoomInfo {
    fn from(listed: &Listed<'_>) -> Self {
        let Listed { name, flags, members, topic } = listed;
        Self { name: (*name).into(), flags: *flags, members: *members, topic: (*topic).into() }
    }
}

/// What the shell is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientEvent {
    /// The hub greeted us under this name.
    Connected {
        /// The name.
        name: String,
        /// Whether it was connected before.
        is_again: bool,
    },
    /// There is a room we may read.
    Room {
        /// The room.
        room: RoomId,
        /// What it is.
        kind: RoomKind,
        /// Its name, or the other's.
        name: String,
    },
    /// An entry, the next of its room.
    Entry {
        /// The room.
        room: RoomId,
        /// Its number.
        sequence: Seq,
        /// Its bytes: [`spec::wire::entry::Entry`].
        entry: Vec<u8>,
    },
    /// The hub has stored our line.
    Stored {
        /// The line.
        id: MessageId,
        /// The room.
        room: RoomId,
        /// Its number there.
        sequence: Seq,
    },
    /// The hub does not take our line.
    Refused {
        /// The line.
        id: MessageId,
        /// Why.
        reason: Refusal,
        /// The name it was for, or nothing.
        name: String,
    },
    /// A blob of ours is stored.
    Put {
        /// The transfer.
        transfer: TransferId,
    },
    /// A blob is here whole.
    Got {
        /// The transfer.
        transfer: TransferId,
        /// Whether it is what its hash says.
        is_right: bool,
    },
    /// The hub does not take part in a transfer.
    TransferRefused {
        /// The transfer.
        transfer: TransferId,
        /// Why.
        reason: Refusal,
    },
    /// News of our account.
    Account(AccountEvent),
    /// Somebody types.
    Typing {
        /// Where.
        room: RoomId,
        /// Who.
        name: String,
    },
    /// What a room is like, or has become.
    State {
        /// The room.
        room: RoomId,
        /// What it is like.
        state: RoomState,
    },
    /// We are no member of a room any more.
    Gone {
        /// The room.
        room: RoomId,
        /// Why, or nothing.
        text: String,
    },
    /// A request was granted.
    Granted {
        /// The request.
        id: AskId,
        /// What it asked for.
        request: Request<'static>,
    },
    /// A request was not granted.
    Denied {
        /// The request.
        id: AskId,
        /// What it asked for.
        request: Request<'static>,
        /// Why not.
        reason: Refusal,
    },
    /// Rooms there are.
    Rooms {
        /// The request.
        id: AskId,
        /// The rooms.
        rooms: Vec<RoomInfo>,
        /// Whether there are more behind the last.
        more: bool,
    },
    /// What was said before.
    Past {
        /// The request.
        id: AskId,
        /// The room.
        room: RoomId,
        /// Entries and their numbers.
        entries: Vec<(Seq, Vec<u8>)>,
        /// Whether that was all.
        is_last: bool,
    },
    /// Who is here.
    Members {
        /// The room.
        room: RoomId,
        /// Their names.
        names: Vec<String>,
    },
    /// The hub does not answer.
    Silent,
    /// The hub answers again, after it was silent or had ended the session.
    Heard,
    /// The hub ended the session; whether we go on trying.
    Closed {
        /// Why.
        reason: CloseReason,
        /// In its words.
        text: String,
        /// Whether another handshake follows.
        retrying: bool,
    },
    /// The hub speaks other versions.
    OtherVersions(Vec<[u8; 4]>),
    /// Lines for a key log.
    KeyLog(String),
    /// The hub says that it writes a key log.
    HubLogsKeys,
}
