//! How much a connection holds because of its peer.

use super::Connection;

/// What a peer can make a connection hold; each is bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Packets kept account of.
    pub packets: usize,
    /// Bytes of streams that arrived and were not consumed.
    pub stream_bytes: usize,
    /// Gaps between them.
    pub stream_gaps: usize,
}

impl Connection {
    /// What it holds at present.
    #[must_use]
    pub fn held(&self) -> Held {
        let (stream_bytes, stream_gaps) = self.recv.held();
        Held { packets: self.recovery.ledger.len(), stream_bytes, stream_gaps }
    }
}
