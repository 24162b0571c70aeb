//! When each sender was heard last: what tells a session that moved from one more session.
//!
//! Without keys nobody can tell whose ids appear between new addresses: that they cannot be linked is what the
//! protocol promises. But a client is in one place at a time. It may have gone on elsewhere only if nothing more
//! comes from where it was.

use std::collections::{BTreeMap, BTreeSet};

use spec::limits::IDLE_TIMEOUT;
use spec::wire::short::ConnectionId;

use super::datagram::{self, Claim};
use super::{Datagram, IDS_MAX};
use crate::dissection::Endpoint;
use crate::packet::Packet;

/// How long datagrams of the place before may still be under way. A receiver takes an old id for three probe
/// time-outs (PROTOCOL.md, Connection ids in use), and a probe time-out on a bad link is a few seconds.
const LATE_NS: i128 = 10_000_000_000;

/// When a packet was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    index: usize,
    time_ns: Option<i128>,
}

impl Moment {
    pub(super) fn of(packet: &Packet) -> Self {
        Self { index: packet.number, time_ns: packet.time_ns }
    }

    /// The number of the packet.
    pub(super) const fn packet(self) -> usize {
        self.index
    }

    pub(super) const fn time_ns(self) -> Option<i128> {
        self.time_ns
    }

    /// Whether what was heard last at this moment makes room for something else at the moment `now`.
    pub(super) fn is_over_at(self, now: Self) -> bool {
        self.index < now.index || self.after(now).is_some_and(|late_ns| late_ns <= LATE_NS)
    }

    /// Whether a session that was heard last at this moment may still live at the moment `now`: the hub forgets
    /// one that is silent for longer.
    pub(super) fn lives_at(self, now: Self) -> bool {
        now.after(self).is_none_or(|silence_ns| silence_ns.max(0).unsigned_abs() <= IDLE_TIMEOUT.as_nanos())
    }

    fn after(self, earlier: Self) -> Option<i128> {
        self.time_ns.zip(earlier.time_ns).map(|(own, earlier)| own.saturating_sub(earlier))
    }
}

/// The last SHORT datagrams of a capture, to and from hubs.
#[derive(Debug, Default)]
pub(crate) struct LastHeard {
    hubs: BTreeSet<Endpoint>,
    under: BTreeMap<(Endpoint, ConnectionId), Moment>,
    between: BTreeMap<(Endpoint, Endpoint), Moment>,
    /// Whether there was no room for some of them.
    pub(super) is_full: bool,
}

impl LastHeard {
    /// Nobody else than these hubs has sessions.
    pub(crate) fn of_hubs(hubs: BTreeSet<Endpoint>) -> Self {
        Self { hubs, ..Self::default() }
    }

    pub(crate) fn take(&mut self, packet: &Packet, data: &[u8]) {
        let Some(seen) = Datagram::of(packet, data) else { return };
        let (source, destination) = (seen.source, seen.destination);
        let Claim::Short(id, true) = datagram::claim(seen.payload) else { return };
        if !self.hubs.contains(&source) && !self.hubs.contains(&destination) {
            return;
        }
        self.between.insert((source, destination), seen.moment);
        if self.under.len() < IDS_MAX || self.under.contains_key(&(destination, id)) {
            self.under.insert((destination, id), seen.moment);
        } else {
            self.is_full = true;
        }
    }

    /// The last datagram to this address under this id.
    pub(super) fn under(&self, destination: Endpoint, id: ConnectionId) -> Option<Moment> {
        self.under.get(&(destination, id)).copied()
    }

    /// The last datagram from one address to another.
    pub(super) fn between(&self, source: Endpoint, destination: Endpoint) -> Option<Moment> {
        self.between.get(&(source, destination)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_left_when_nothing_but_late_datagrams_comes_from_it() {
        let moment = |index, seconds: Option<i128>| Moment {
            index,
            time_ns: seconds.map(|seconds| seconds * 1_000_000_000),
        };
        for (last, now, over, lives) in [
            (moment(1, Some(1)), moment(2, Some(1)), true, true),
            (moment(9, Some(12)), moment(2, Some(2)), true, true),
            (moment(9, Some(13)), moment(2, Some(2)), false, true),
            (moment(9, None), moment(2, Some(2)), false, true),
            (moment(1, None), moment(2, None), true, true),
            (moment(1, Some(1)), moment(2, Some(31)), true, true),
            (moment(1, Some(1)), moment(2, Some(32)), true, false),
        ] {
            assert_eq!((last.is_over_at(now), last.lives_at(now)), (over, lives), "{last:?} {now:?}");
        }
    }
}
