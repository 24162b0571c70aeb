//! Connection ids in use: the one we send under, and the five we accept.

use spec::key_schedule::ConnectionIds;
use spec::limits::{CONNECTION_ID_IDLE, CONNECTION_ID_WINDOW};
use spec::time::Instant;
use spec::wire::short::ConnectionId;

/// The id our datagrams carry.
#[derive(Debug)]
pub(super) struct Identity {
    ids: ConnectionIds,
    index: u64,
    id: ConnectionId,
    /// The first packet number sent under the index.
    since_number: u64,
    /// The highest index that an acknowledged packet carried.
    acked_index: Option<u64>,
}

impl Identity {
    pub(super) fn new(ids: ConnectionIds) -> Self {
        let id = ids.id(0);
        Self { ids, index: 0, id, since_number: 0, acked_index: None }
    }

    /// The id for packet `number`, moved on when there was no datagram either way for long.
    pub(super) fn for_packet(&mut self, now: Instant, last_seen: Instant, number: u64) -> ConnectionId {
        if now.since(last_seen) >= CONNECTION_ID_IDLE {
            self.move_on(number);
        }
        self.id
    }

    /// Moves on to the next id from packet `number` on, as far as the peer is sure to accept it.
    pub(super) fn move_on(&mut self, number: u64) {
        if self.may_move() {
            self.index += 1;
            self.id = self.ids.id(self.index);
            self.since_number = number;
        }
    }

    /// Packets up to `largest` include one that was acknowledged.
    pub(super) fn acknowledged(&mut self, largest: u64) {
        if largest >= self.since_number {
            self.acked_index = Some(self.index);
        }
    }

    fn may_move(&self) -> bool {
        //= spec/PROTOCOL.md#connection-ids-in-use
        //# A sender MUST NOT use an id more than 4 above the highest of its own that a packet acknowledged by
        //# the peer carried.
        self.index + 1 < self.acked_index.unwrap_or(0) + CONNECTION_ID_WINDOW as u64
    }
}

/// The ids the peer's datagrams may carry.
#[derive(Debug)]
pub(super) struct PeerIdentity {
    ids: ConnectionIds,
    base: u64,
    accepted: [ConnectionId; CONNECTION_ID_WINDOW],
}

impl PeerIdentity {
    pub(super) fn new(ids: ConnectionIds) -> Self {
        let accepted = window(&ids, 0);
        Self { ids, base: 0, accepted }
    }

    pub(super) fn accepted(&self) -> impl Iterator<Item = ConnectionId> + '_ {
        self.accepted.iter().copied()
    }

    /// The index of `id` if it is accepted.
    pub(super) fn index(&self, id: ConnectionId) -> Option<u64> {
        (self.base..).zip(&self.accepted).find(|(_, accepted)| **accepted == id).map(|(index, _)| index)
    }

    /// A packet under `index` was opened: accept from there on.
    pub(super) fn advance(&mut self, index: u64) {
        if index > self.base {
            self.base = index;
            self.accepted = window(&self.ids, index);
        }
    }
}

fn window(ids: &ConnectionIds, base: u64) -> [ConnectionId; CONNECTION_ID_WINDOW] {
    let mut index = base;
    [(); CONNECTION_ID_WINDOW].map(|()| {
        index += 1;
        ids.id(index - 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::key_schedule::Root;
    use spec::secret::Secret;
    use spec::wire::frame::Side;

    fn ids() -> ConnectionIds {
        Root::from_key_log(Secret::new([1; 32])).direction(Side::Client).ids
    }

    #[test]
    fn a_sender_stays_within_what_the_peer_accepts() {
        //= spec/PROTOCOL.md#connection-ids-in-use
        //= type=test
        //# A sender MUST NOT use an id more than 4 above the highest of its own that a packet acknowledged by the
        //# peer carried.
        let (mut own, mut peer) = (Identity::new(ids()), PeerIdentity::new(ids()));
        let mut now = Instant(0);
        for number in 0..20 {
            let before = now;
            now = now + CONNECTION_ID_IDLE;
            let id = own.for_packet(now, before, number);
            assert!(peer.index(id).is_some(), "nothing acknowledged, packet {number}");
        }
        own.acknowledged(19);
        let id = own.for_packet(now + CONNECTION_ID_IDLE, now, 20);
        assert_eq!(peer.index(id), None);
        peer.advance(4);
        assert_eq!(peer.index(id), Some(5));
    }
}
