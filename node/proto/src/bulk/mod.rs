//! Large things, called blobs: named by their hash, sent in pieces at the lowest priority, resumed where they broke
//! off.
//!
//! A blob is a log too: a packet remembers a place in it and no bytes, and what is lost is read again. The
//! connection does not know what is in a blob, and neither side keeps one in memory: the shell is asked to read
//! and write ([`Request`]), and what it has not written yet gives no credit.

mod receiving;
mod sending;

use receiving::Incoming;
use sending::Outgoing;

use crate::connection::Packer;
use crate::content::Content;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use spec::discard::Discard;
use spec::limits::TRANSFERS_MAX;
use spec::wire::frame::Frame;

/// Names a blob: its SHA-256.
pub type Hash = [u8; 32];

/// Names a transfer in its session; the client chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferId(pub u64);

/// Names a transfer to the shell: the session, as the endpoint counts them, and the transfer in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The session; 0 in a client.
    pub session: u64,
    /// The transfer.
    pub transfer: TransferId,
}

/// What the shell is asked to do with blobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Is there such a blob?
    Find {
        /// The transfer.
        key: Key,
        /// The blob.
        hash: Hash,
    },
    /// Make ready to write a blob of `size_bytes`, or to go on with it.
    Begin {
        /// The transfer.
        key: Key,
        /// The blob.
        hash: Hash,
        /// Its length.
        size_bytes: u64,
    },
    /// Give me a piece.
    Read {
        /// The transfer.
        key: Key,
        /// The blob.
        hash: Hash,
        /// Place of the piece.
        offset: u64,
        /// Its length.
        len: usize,
    },
    /// Write a piece.
    Write {
        /// The transfer.
        key: Key,
        /// The blob.
        hash: Hash,
        /// Place of the piece.
        offset: u64,
        /// The piece.
        bytes: Vec<u8>,
    },
    /// All of it is written: is it what its hash says?
    Finish {
        /// The transfer.
        key: Key,
        /// The blob.
        hash: Hash,
    },
}

/// What the shell answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The length of a blob, or that there is none.
    Found {
        /// The transfer.
        key: Key,
        /// The length.
        size_bytes: Option<u64>,
    },
    /// From where on a blob is wanted, or that it is not taken.
    Ready {
        /// The transfer.
        key: Key,
        /// Bytes that are there already.
        from: Option<u64>,
    },
    /// A piece; nothing when it cannot be read.
    Piece {
        /// The transfer.
        key: Key,
        /// Its place.
        offset: u64,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// So many bytes were written.
    Written {
        /// The transfer.
        key: Key,
        /// How many.
        bytes: usize,
    },
    /// Whether a blob is what its hash says.
    Finished {
        /// The transfer.
        key: Key,
        /// Whether it is.
        is_right: bool,
    },
}

impl Answer {
    /// The transfer it is about.
    #[must_use]
    pub const fn key(&self) -> Key {
        match self {
            Self::Found { key, .. }
            | Self::Ready { key, .. }
            | Self::Piece { key, .. }
            | Self::Written { key, .. }
            | Self::Finished { key, .. } => *key,
        }
    }
}

/// The transfers of one session.
#[derive(Debug)]
pub(crate) struct Bulk {
    session: u64,
    outgoing: BTreeMap<TransferId, Outgoing>,
    incoming: BTreeMap<TransferId, Incoming>,
    requests: VecDeque<Request>,
}

impl Bulk {
    pub(crate) const fn new(session: u64) -> Self {
        Self { session, outgoing: BTreeMap::new(), incoming: BTreeMap::new(), requests: VecDeque::new() }
    }

    pub(crate) const fn key(&self, transfer: TransferId) -> Key {
        Key { session: self.session, transfer }
    }

    /// Whether another transfer may begin.
    pub(crate) fn has_room(&self) -> bool {
        self.outgoing.len() + self.incoming.len() < TRANSFERS_MAX
    }

    pub(crate) fn ask(&mut self, request: Request) {
        self.requests.push_back(request);
    }

    pub(crate) fn poll_request(&mut self) -> Option<Request> {
        self.requests.pop_front()
    }

    /// A blob is sent from `from` on.
    pub(crate) fn send(&mut self, transfer: TransferId, hash: Hash, from: u64, size_bytes: u64) {
        self.outgoing.insert(transfer, Outgoing::new(self.key(transfer), hash, from, size_bytes));
    }

    /// A blob is received from `from` on. Its length may come later than its first bytes: what tells of it may be
    /// lost on the way.
    pub(crate) fn receive(&mut self, transfer: TransferId, hash: Hash, from: u64) {
        self.incoming.insert(transfer, Incoming::new(self.key(transfer), hash, from));
    }

    /// A blob that is received is so long.
    pub(crate) fn measure(&mut self, transfer: TransferId, size_bytes: u64) {
        if let Some(incoming) = self.incoming.get_mut(&transfer) {
            self.requests.extend(incoming.measure(size_bytes));
        }
    }

    /// A transfer is over.
    pub(crate) fn end(&mut self, transfer: TransferId) {
        self.outgoing.remove(&transfer);
        self.incoming.remove(&transfer);
    }

    /// Bytes of a blob that is received that are written without a gap.
    pub(crate) fn written_bytes(&self, transfer: TransferId) -> Option<u64> {
        self.incoming.get(&transfer).map(Incoming::written_bytes)
    }

    /// Whether a frame can be taken: nothing is changed.
    ///
    /// # Errors
    /// What exceeds the credit, or what there is no room for.
    pub(crate) fn check(&self, frame: &Frame<'_>) -> Result<(), Discard> {
        match frame {
            Frame::Bulk { transfer, offset, data } => match self.incoming.get(&TransferId(*transfer)) {
                Some(incoming) => incoming.check(*offset, data.len()),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Takes what [`check`](Self::check) allowed.
    pub(crate) fn take(&mut self, frame: &Frame<'_>) {
        match frame {
            Frame::Bulk { transfer, offset, data } => {
                let Some(incoming) = self.incoming.get_mut(&TransferId(*transfer)) else { return };
                self.requests.extend(incoming.take(*offset, data));
            }
            Frame::MaxBulk { transfer, limit } => {
                if let Some(outgoing) = self.outgoing.get_mut(&TransferId(*transfer)) {
                    outgoing.raise_limit(*limit);
                }
            }
            _ => {}
        }
    }

    /// Takes an answer of the shell about pieces.
    pub(crate) fn answered(&mut self, answer: Answer) {
        let transfer = answer.key().transfer;
        match answer {
            Answer::Piece { offset, bytes, .. } => {
                if let Some(outgoing) = self.outgoing.get_mut(&transfer) {
                    outgoing.give(offset, bytes);
                }
            }
            Answer::Written { bytes, .. } => {
                if let Some(incoming) = self.incoming.get_mut(&transfer) {
                    incoming.written(bytes);
                    self.requests.extend(incoming.finish());
                }
            }
            _ => {}
        }
    }

    /// Fills what is left of a datagram: credit, then what was lost, then what is new, transfers in turn.
    pub(crate) fn fill(&mut self, packer: &mut Packer<'_>) {
        for (transfer, incoming) in &mut self.incoming {
            incoming.write_credit(*transfer, packer);
        }
        while let Some(content) = packer.poll_lost_bulk() {
            if !self.write_lost(packer, content) {
                return;
            }
        }
        for outgoing in self.outgoing.values_mut() {
            outgoing.write_fresh(packer, &mut self.requests);
        }
    }

    /// Says again what was lost; `false` when it has to wait.
    fn write_lost(&mut self, packer: &mut Packer<'_>, content: Content) -> bool {
        match content {
            Content::Bulk { transfer, offset, len } => {
                let Some(outgoing) = self.outgoing.get_mut(&transfer) else { return true };
                outgoing.write_again(packer, offset, len, &mut self.requests)
            }
            Content::MaxBulk { transfer } => {
                if let Some(incoming) = self.incoming.get_mut(&transfer) {
                    incoming.repeat_credit();
                    incoming.write_credit(transfer, packer);
                }
                true
            }
            _ => true,
        }
    }
}
