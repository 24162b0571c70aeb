//! What the shell is told.

use super::account::AccountEvent;
use crate::bulk::TransferId;
use crate::log::{RoomId, Seq};
use alloc::string::String;
use alloc::vec::Vec;
use spec::close::CloseReason;
use spec::wire::entry::MessageId;
use spec::wire::message::{Refusal, RoomKind};

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
    /// Who is here.
    Members(Vec<String>),
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
