//! Connection ids of one generation: the one we send under, and those we accept.

use alloc::collections::VecDeque;
use spec::key_schedule::ConnectionIds;
use spec::limits::{CONNECTION_ID_IDLE, CONNECTION_ID_WINDOW};
use spec::time::Instant;
use spec::wire::short::ConnectionId;

/// Ids below the window that are still accepted: two whole windows, whatever the peer does.
const KEPT_MAX: usize = 2 * CONNECTION_ID_WINDOW;

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

    pub(super) const fn id(&self) -> ConnectionId {
        self.id
    }

    /// The id for packet `number`, moved on when there was no datagram either way for long.
    pub(super) fn for_packet(&mut self, now: Instant, last_seen: Instant, number: u64) -> ConnectionId {
        if now.since(last_seen) >= CONNECTION_ID_IDLE {
            self.move_on(number);
        }
        self.id
    }

    /// Takes the next id from packet `number` on, as far as the peer is sure to accept it.
    pub(super) fn move_on(&mut self, number: u64) {
        //= spec/PROTOCOL.md#connection-ids-in-use
        //# A sender MUST NOT use an id more than 4 above the highest of its own that a packet acknowledged by
        //# the peer carried.
        let may_move = self.index + 1 < self.acked_index.unwrap_or(0) + CONNECTION_ID_WINDOW as u64;
        if may_move {
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
}

/// The ids the peer's datagrams may carry.
#[derive(Debug)]
pub(super) struct PeerIdentity {
    ids: ConnectionIds,
    base: u64,
    accepted: [ConnectionId; CONNECTION_ID_WINDOW],
    /// Ids below the window, oldest first, each with its index and the time it goes.
    kept: VecDeque<(u64, ConnectionId, Instant)>,
}

impl PeerIdentity {
    pub(super) fn new(ids: ConnectionIds) -> Self {
        let accepted = window(&ids, 0);
        Self { ids, base: 0, accepted, kept: VecDeque::new() }
    }

    pub(super) fn accepted(&self) -> impl Iterator<Item = ConnectionId> + '_ {
        self.kept.iter().map(|(_, id, _)| *id).chain(self.accepted)
    }

    /// The index of `id` if it is accepted.
    pub(super) fn index(&self, id: ConnectionId) -> Option<u64> {
        let window = (self.base..).zip(self.accepted);
        let kept = self.kept.iter().map(|(index, id, _)| (*index, *id));
        window.chain(kept).find(|(_, accepted)| *accepted == id).map(|(index, _)| index)
    }

    /// A packet under `index` was opened: accept from there on, and what lies below until `until`.
    pub(super) fn advance(&mut self, index: u64, until: Instant) {
        if index <= self.base {
            return;
        }
        let left = (self.base..index).zip(self.accepted).map(|(index, id)| (index, id, until));
        self.kept.extend(left);
        let surplus = self.kept.len().saturating_sub(KEPT_MAX);
        self.kept.drain(..surplus);
        self.base = index;
        self.accepted = window(&self.ids, index);
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.kept.iter().map(|(_, _, until)| *until).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.kept.retain(|(_, _, until)| *until > now);
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
        own.move_on(20);
        assert_eq!(own.index, 4, "at the limit it keeps the id");
        own.acknowledged(19);
        own.move_on(20);
        let id = own.for_packet(now, now, 20);
        assert_eq!(peer.index(id), None);
        peer.advance(4, now);
        assert_eq!(peer.index(id), Some(5));
    }

    #[test]
    fn ids_below_the_window_stay_for_a_while_and_are_few() {
        let mut peer = PeerIdentity::new(ids());
        peer.advance(2, Instant(50));
        peer.advance(1, Instant(90));
        assert_eq!(
            [0, 1, 2, 6, 7].map(|index| peer.index(ids().id(index))),
            [Some(0), Some(1), Some(2), Some(6), None]
        );
        assert_eq!(peer.deadline(), Some(Instant(50)));
        peer.handle_timeout(Instant(50));
        assert_eq!((peer.index(ids().id(1)), peer.deadline()), (None, None));
        for index in 3..100 {
            peer.advance(index, Instant(99));
            assert!(peer.accepted().count() <= KEPT_MAX + CONNECTION_ID_WINDOW);
        }
        assert_eq!((peer.index(ids().id(89)), peer.index(ids().id(88))), (Some(89), None));
    }
}
