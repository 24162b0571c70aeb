//! What must hold after every event, whatever befell the network.
//!
//! | module | what it watches |
//! |---|---|
//! | [`lines`] | what was said, what the log made of it, and what every screen shows |
//! | [`rooms`] | who may read which room |
//! | [`nonces`] | that no key seals two things under one number |
//! | [`gauges`] | bytes in flight, and every queue a peer can fill |
//! | [`settled`] | that everyone has everything once the faults have stopped |

mod gauges;
mod lines;
mod nonces;
mod rooms;
mod settled;

use crate::ClientId;
use crate::plant::Plant;
use crate::store::Store;
use gauges::Gauges;
use lines::Lines;
use node_proto::client::ClientEvent;
use node_proto::log::{RoomId, Seq};
use node_proto::{Client, Hub};
use nonces::Nonces;
use spec::wire::entry::MessageId;

/// Something that must never be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A screen shows an entry out of turn.
    #[error("client {client} shows entry {shown} of room {room} where {expected} comes next")]
    Disorder {
        /// Whose screen.
        client: usize,
        /// The room.
        room: u64,
        /// What it shows.
        shown: u64,
        /// What it should.
        expected: u64,
    },
    /// A screen shows what the log does not hold.
    #[error("client {client} shows as entry {sequence} of room {room} what the log does not hold there")]
    Invented {
        /// Whose screen.
        client: usize,
        /// The room.
        room: u64,
        /// The place.
        sequence: u64,
    },
    /// A screen shows a room of others.
    #[error("client {client} shows room {room}, which is for others")]
    Overheard {
        /// Whose screen.
        client: usize,
        /// The room.
        room: u64,
    },
    /// A line is reported stored that is not.
    #[error("client {client} was told that its line is entry {sequence} of room {room}, and it is not")]
    NotStored {
        /// Who was told.
        client: usize,
        /// The room.
        room: u64,
        /// The place.
        sequence: u64,
    },
    /// An entry that was reported stored is gone.
    #[error("entry {sequence} of room {room} was committed, and the log has lost it")]
    Lost {
        /// The room.
        room: u64,
        /// The place.
        sequence: u64,
    },
    /// A line is in the log twice.
    #[error("a line of client {client} is in the log twice: entry {sequence} of room {room} is the second")]
    Doubled {
        /// Who said it.
        client: usize,
        /// The room.
        room: u64,
        /// The second place.
        sequence: u64,
    },
    /// A later line of the same person stands before an earlier one.
    #[error("entry {sequence} of room {room} was said by client {client} before the entry in front of it")]
    Overtaken {
        /// Who said both.
        client: usize,
        /// The room.
        room: u64,
        /// The place of the earlier line.
        sequence: u64,
    },
    /// The log holds what nobody said.
    #[error("entry {sequence} of room {room} is a text nobody said")]
    Unsaid {
        /// The room.
        room: u64,
        /// The place.
        sequence: u64,
    },
    /// A key sealed under one number twice, or went back.
    #[error("packet number {number} was sealed under after {last} had been")]
    NonceReused {
        /// The number.
        number: u64,
        /// The highest before.
        last: u64,
    },
    /// A SHORT datagram does not open with the keys of any session.
    #[error("a datagram was sent that no logged key opens")]
    Sealed,
    /// A FIN was built anew.
    #[error("message 3 of a handshake was sealed twice")]
    Rebuilt,
    /// More is on its way than the congestion window allows.
    #[error("{in_flight} bytes are in flight where {allowed} are allowed")]
    WindowExceeded {
        /// Bytes in flight.
        in_flight: usize,
        /// Bytes allowed.
        allowed: usize,
    },
    /// A queue is longer than it may be.
    #[error("{what}: {held} held, {most} allowed")]
    QueueExceeded {
        /// The queue.
        what: &'static str,
        /// What it holds.
        held: usize,
        /// What it may hold.
        most: usize,
    },
    /// The faults have stopped, and still not all is well.
    #[error("faults stopped {seconds} s ago, and {what}")]
    NotSettled {
        /// How long ago the faults stopped.
        seconds: u64,
        /// What is missing.
        what: String,
    },
}

/// All checks and what they remember.
#[derive(Debug, Default)]
pub struct Checks {
    lines: Lines,
    nonces: Nonces,
    gauges: Gauges,
}

impl Checks {
    pub(crate) fn joined(&mut self, client: ClientId, name: &str) {
        self.lines.joined(client, name);
    }

    pub(crate) fn said(&mut self, line: MessageId, by: ClientId, starts: u32, text: &str) {
        self.lines.said(line, by, starts, text);
    }

    pub(crate) fn begin_log(&mut self) {
        self.lines.begin_log();
    }

    pub(crate) fn committed(&mut self, room: RoomId, sequence: Seq, entry: &[u8]) -> Result<(), Violation> {
        self.lines.committed(room, sequence, entry)
    }

    pub(crate) fn event(
        &mut self,
        client: ClientId,
        event: &ClientEvent,
        store: &Store,
    ) -> Result<(), Violation> {
        if let ClientEvent::KeyLog(lines) = event {
            self.nonces.learn(lines);
        }
        self.lines.event(client, event, store)
    }

    pub(crate) fn datagram(&mut self, datagram: &[u8]) -> Result<(), Violation> {
        self.nonces.datagram(datagram)
    }

    pub(crate) fn hub(
        &mut self,
        hub: &Hub,
        plant: Option<&mut (dyn Plant + 'static)>,
    ) -> Result<(), Violation> {
        self.gauges.hub(hub, plant)
    }

    pub(crate) fn client(
        &mut self,
        id: ClientId,
        client: &Client,
        plant: Option<&mut (dyn Plant + 'static)>,
    ) -> Result<(), Violation> {
        self.gauges.client(id, client, plant)
    }

    /// Datagrams that were opened and whose numbers were compared.
    #[must_use]
    pub const fn opened(&self) -> u64 {
        self.nonces.opened()
    }

    /// Lines that were said and stored.
    #[must_use]
    pub fn stored(&self) -> usize {
        self.lines.stored()
    }
}
