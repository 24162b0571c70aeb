//! Watches all flows of a capture at once, in bounded memory.

use std::collections::BTreeMap;

use super::finding::{Ends, FlowFinding};
use super::watch::{Piece, Watch};
use crate::dissection::{Endpoint, Protocol};

/// Flows watched at the same time.
pub const FLOWS_MAX: usize = 65_536;
/// Memory of all flows together. A flow that asks for more is read no further.
const HELD_MAX_BYTES: usize = 256 << 20;

/// What all flows showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Every flow that carried something, in the order of first appearance.
    pub flows: Vec<FlowFinding>,
    /// Pieces of flows that there was no room to watch.
    pub unwatched_pieces: u64,
}

/// A watch for each flow.
#[derive(Debug, Default)]
pub struct Watches {
    index: BTreeMap<(Protocol, Endpoint, Endpoint), usize>,
    watches: Vec<(Endpoint, Watch)>,
    held_bytes: usize,
    unwatched_pieces: u64,
}

impl Watches {
    /// Takes what `from` sent to `to`. The first sender of a flow is its initiator.
    pub fn take(
        &mut self,
        transport: Protocol,
        from: Endpoint,
        to: Endpoint,
        packet: usize,
        piece: Piece<'_>,
    ) {
        let key = (transport, from.min(to), from.max(to));
        let at = match self.index.get(&key) {
            Some(&at) => at,
            None if self.watches.len() < FLOWS_MAX && self.held_bytes < HELD_MAX_BYTES => {
                self.index.insert(key, self.watches.len());
                let watch = Watch::new(Ends { transport, initiator: from, responder: to });
                self.held_bytes += watch.held_bytes();
                self.watches.push((from, watch));
                self.watches.len() - 1
            }
            None => {
                self.unwatched_pieces = self.unwatched_pieces.saturating_add(1);
                return;
            }
        };
        let Some((initiator, watch)) = self.watches.get_mut(at) else { return };
        let before = watch.held_bytes();
        watch.take(*initiator == from, packet, piece);
        if self.held_bytes.saturating_sub(before) + watch.held_bytes() > HELD_MAX_BYTES {
            watch.give_up("the memory for watching flows is full");
        }
        self.held_bytes = (self.held_bytes + watch.held_bytes()).saturating_sub(before);
    }

    /// The judgement on every flow.
    #[must_use]
    pub fn finish(self) -> Watched {
        let flows = self.watches.into_iter().map(|(_, watch)| watch.finish());
        Watched { flows: flows.collect(), unwatched_pieces: self.unwatched_pieces }
    }
}
