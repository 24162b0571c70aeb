//! Blobs on their way, whatever becomes of sessions.

use super::Client;
use super::event::ClientEvent;
use crate::bulk::{Answer, Hash, Request, TransferId};
use alloc::collections::BTreeMap;
use spec::limits::TRANSFERS_MAX;
use spec::time::Instant;
use spec::wire::entry::MessageId;
use spec::wire::message::Message;

/// There are as many transfers as there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at most {TRANSFERS_MAX} transfers at a time")]
pub struct TransfersFull;

/// One blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Transfer {
    pub(super) hash: Hash,
    pub(super) way: Way,
}

/// Which way a blob goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To the hub.
    Up {
        /// Its length.
        size_bytes: u64,
    },
    /// From the hub.
    Down {
        /// Bytes that are written already.
        from: u64,
    },
}

/// All transfers.
#[derive(Debug, Default)]
pub(super) struct Transfers {
    open: BTreeMap<TransferId, Transfer>,
    next: u64,
}

impl Transfers {
    fn begin(&mut self, transfer: Transfer) -> Result<TransferId, TransfersFull> {
        if self.open.len() >= TRANSFERS_MAX {
            return Err(TransfersFull);
        }
        self.next += 1;
        self.open.insert(TransferId(self.next), transfer);
        Ok(TransferId(self.next))
    }

    pub(super) fn get(&self, id: TransferId) -> Option<Transfer> {
        self.open.get(&id).copied()
    }

    pub(super) fn end(&mut self, id: TransferId) -> bool {
        self.open.remove(&id).is_some()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = TransferId> + '_ {
        self.open.keys().copied()
    }

    fn written(&mut self, id: TransferId, bytes: u64) {
        if let Some(Transfer { way: Way::Down { from }, .. }) = self.open.get_mut(&id) {
            *from = (*from).max(bytes);
        }
    }
}

/// What the hub is told of a transfer at the beginning of a session.
pub(super) fn request(id: TransferId, transfer: &Transfer) -> Message<'static> {
    let Transfer { hash, way } = *transfer;
    match way {
        Way::Up { size_bytes } => Message::Offer { transfer: id.0, hash, size: size_bytes },
        Way::Down { from } => Message::Fetch { transfer: id.0, hash, from },
    }
}

/// The transfer that REFUSED names.
pub(super) const fn refused(id: MessageId) -> TransferId {
    let [_, _, _, _, _, _, _, _, number @ ..] = id.0;
    TransferId(u64::from_be_bytes(number))
}

impl Client {
    /// Sends the hub a blob, which the shell reads when it is asked to. Ends with [`ClientEvent::Put`].
    ///
    /// # Errors
    /// [`TransfersFull`].
    pub fn put(&mut self, hash: Hash, size_bytes: u64) -> Result<TransferId, TransfersFull> {
        let id = self.transfers.begin(Transfer { hash, way: Way::Up { size_bytes } })?;
        self.submit();
        Ok(id)
    }

    /// Fetches a blob of which `from` bytes are there already. Ends with [`ClientEvent::Got`].
    ///
    /// # Errors
    /// [`TransfersFull`].
    pub fn get(&mut self, hash: Hash, from: u64) -> Result<TransferId, TransfersFull> {
        let id = self.transfers.begin(Transfer { hash, way: Way::Down { from } })?;
        self.submit();
        Ok(id)
    }

    /// The next thing the shell is asked to do with blobs.
    pub fn poll_blob(&mut self) -> Option<Request> {
        self.session.as_mut()?.bulk.poll_request()
    }

    /// Takes an answer of the shell about blobs.
    pub fn handle_blob(&mut self, _: Instant, answer: Answer) {
        let Some(session) = &mut self.session else { return };
        let (key, id) = (answer.key(), answer.key().transfer);
        if key != session.bulk.key(id) {
            return;
        }
        if let Answer::Finished { is_right, .. } = answer {
            session.release(id);
            if self.transfers.end(id) {
                self.events.push_back(ClientEvent::Got { transfer: id, is_right });
            }
            return;
        }
        session.bulk.answered(answer);
        if let Some(written) = session.bulk.written_bytes(id) {
            self.transfers.written(id, written);
        }
    }
}
