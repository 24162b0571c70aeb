//! What a packet carried: references, never bytes. The one word that connection and owner share.

use crate::bulk::TransferId;
use crate::log::{RoomId, Seq};

/// Something to send again when the packet that carried it is lost.
///
/// The connection reads its own kinds; what belongs to rooms it only keeps and gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// Whole entries of a room.
    Entries {
        /// The room.
        room: RoomId,
        /// The first entry.
        first: Seq,
        /// How many.
        count: u16,
    },
    /// A piece of an entry larger than a datagram.
    Fragment {
        /// The room.
        room: RoomId,
        /// The entry.
        sequence: Seq,
        /// Place of the piece in it.
        offset: u32,
        /// Length of the piece.
        len: u16,
    },
    /// Bytes of a stream.
    Stream {
        /// The stream.
        stream: u64,
        /// Place of the bytes in it.
        offset: u64,
        /// How many.
        len: u16,
    },
    /// The limit of a stream, whatever it is by then.
    MaxStream {
        /// The stream.
        stream: u64,
    },
    /// Bytes of a blob.
    Bulk {
        /// The transfer.
        transfer: TransferId,
        /// Place of the bytes in the blob.
        offset: u64,
        /// How many.
        len: u16,
    },
    /// The limit of a transfer, whatever it is by then.
    MaxBulk {
        /// The transfer.
        transfer: TransferId,
    },
    /// An acknowledgement: when it arrives, ranges at and below `largest` need no repetition.
    Ack {
        /// The highest number it named.
        largest: u64,
    },
    /// DONE.
    Done,
    /// CLOSE.
    Close,
}
