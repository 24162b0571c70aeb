//! Whose the connection ids are, as far as keys tell: ids find the datagrams of a session wherever they come
//! from.

use std::collections::{BTreeMap, BTreeSet};

use spec::key_schedule::{ConnectionIds, Root};
use spec::wire::frame::Side;
use spec::wire::long::AttemptId;
use spec::wire::short::ConnectionId;

/// Ids derived beyond the highest that was seen. A receiver derives 4 (PROTOCOL.md, Connection ids in use); a
/// capture may have missed more of them than the receiver did.
const AHEAD: u64 = 64;
/// Ids that are remembered: those of some thousand generations.
const IDS_MAX: usize = 1 << 19;

/// What a connection id says to whoever holds the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The handshake of the session.
    pub(crate) attempt: AttemptId,
    /// Who sends under this id.
    pub(crate) side: Side,
    /// The generation whose keys seal what is sent under it.
    pub(crate) generation: u64,
}

/// The connection ids of every session whose keys are known.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    series: Vec<Series>,
    /// The place of an id: which series, and its index there.
    places: BTreeMap<ConnectionId, (usize, u64)>,
    attempts: BTreeSet<AttemptId>,
    /// Whether ids were left out for want of room.
    is_full: bool,
}

/// The ids of one direction of one generation.
#[derive(Debug)]
struct Series {
    owner: Owner,
    ids: ConnectionIds,
    /// How many were derived.
    derived: u64,
}

impl Directory {
    /// Adds the ids below `root` in both directions.
    pub(crate) fn add(&mut self, attempt: AttemptId, generation: u64, root: &Root) {
        self.attempts.insert(attempt);
        for side in [Side::Client, Side::Hub] {
            let ids = root.direction(side).ids;
            self.series.push(Series { owner: Owner { attempt, side, generation }, ids, derived: 0 });
            self.derive(self.series.len() - 1, AHEAD);
        }
    }

    /// Whether the ids of this attempt are known: any other id is not its.
    pub(crate) fn covers(&self, attempt: AttemptId) -> bool {
        self.attempts.contains(&attempt)
    }

    /// The owner of an id.
    pub(crate) fn find(&mut self, id: ConnectionId) -> Option<Owner> {
        let (series, index) = *self.places.get(&id)?;
        self.derive(series, index.saturating_add(AHEAD));
        self.series.get(series).map(|series| series.owner)
    }

    /// Whether there was no room for some ids: what comes under them is of nobody that is known.
    pub(crate) const fn is_full(&self) -> bool {
        self.is_full
    }

    fn derive(&mut self, at: usize, until: u64) {
        let Some(series) = self.series.get_mut(at) else { return };
        for index in series.derived..until {
            if self.places.len() >= IDS_MAX {
                self.is_full = true;
                return;
            }
            // Of an id that two sessions share by a rare chance, the first owner stays.
            self.places.entry(series.ids.id(index)).or_insert((at, index));
        }
        series.derived = series.derived.max(until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::secret::Secret;

    #[test]
    fn ids_are_found_as_far_ahead_as_a_session_gets() {
        let root = Root::from_key_log(Secret::new([7; 32]));
        let attempt = AttemptId([1; 8]);
        let mut directory = Directory::default();
        directory.add(attempt, 0, &root);
        assert!(directory.covers(attempt) && !directory.covers(AttemptId([2; 8])));
        let ids = root.direction(Side::Hub).ids;
        let owner = Some(Owner { attempt, side: Side::Hub, generation: 0 });
        assert_eq!(directory.find(ids.id(3 * AHEAD / 2)), None, "too far ahead");
        assert_eq!(directory.find(ids.id(AHEAD - 1)), owner);
        assert_eq!(directory.find(ids.id(3 * AHEAD / 2)), owner);
        assert_eq!(directory.find(ConnectionId([0; 8])), None);
    }
}
