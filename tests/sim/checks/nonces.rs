//! No key seals two things under one number: every datagram is opened with the keys of the clients' key logs.

use super::Violation;
use spec::crypto::sha256;
use spec::key_log;
use spec::key_schedule::{ConnectionIds, Root};
use spec::seal::Opener;
use spec::wire::frame::Side;
use spec::wire::long::{AttemptId, Long, LongKind};
use spec::wire::short::{self, ConnectionId};
use std::collections::BTreeMap;

/// Ids of a direction that are looked for.
const IDS: u64 = 8;

/// What one side of a session seals.
#[derive(Debug)]
struct Direction {
    opener: Opener,
    ids: ConnectionIds,
    /// The last number seen.
    last: Option<u64>,
}

/// Every direction of every session, and every message 3 that was sealed.
#[derive(Debug, Default)]
pub(super) struct Nonces {
    directions: Vec<Direction>,
    by_id: BTreeMap<ConnectionId, (usize, u64)>,
    sealed: BTreeMap<AttemptId, [u8; 32]>,
    opened: u64,
}

impl Nonces {
    /// Learns the keys of the sessions in a key log.
    pub(super) fn learn(&mut self, lines: &str) {
        let sessions = key_log::parse(lines).expect("a client writes a key log that can be read");
        for root in sessions.values().filter_map(key_log::LoggedSession::root) {
            self.learn_direction(&root, Side::Client);
            self.learn_direction(&root, Side::Hub);
        }
    }

    fn learn_direction(&mut self, root: &Root, side: Side) {
        let keys = root.direction(side);
        let opener = Opener::new(&keys);
        self.directions.push(Direction { opener, ids: keys.ids, last: None });
        self.accept(self.directions.len() - 1, 0);
    }

    fn accept(&mut self, direction: usize, from: u64) {
        for index in from..from + IDS {
            self.by_id.insert(self.directions[direction].ids.id(index), (direction, index));
        }
    }

    pub(super) const fn opened(&self) -> u64 {
        self.opened
    }

    /// A datagram leaves its endpoint.
    pub(super) fn datagram(&mut self, datagram: &[u8]) -> Result<(), Violation> {
        if self.directions.is_empty() && short::is_short(datagram) {
            // Nobody logs keys in this world.
            return Ok(());
        }
        match Long::parse(datagram) {
            Ok(long) => self.long(&long),
            Err(_) => self.short(datagram),
        }
    }

    /// Message 3 has one key and one nonce: it is built once and repeated byte for byte. (A hub that was restarted
    /// answers the same message 1 anew, with another ephemeral key.)
    fn long(&mut self, long: &Long<'_>) -> Result<(), Violation> {
        if long.kind != LongKind::Fin {
            return Ok(());
        }
        let body = sha256(&[long.body]);
        let known = self.sealed.entry(long.attempt).or_insert(body);
        if *known == body { Ok(()) } else { Err(Violation::Rebuilt) }
    }

    /// Numbers of a direction only rise, and the number in the header is the one the nonce was made from: else the
    /// tag would not verify.
    fn short(&mut self, datagram: &[u8]) -> Result<(), Violation> {
        let id = short::connection_id(datagram).ok_or(Violation::Sealed)?;
        let (at, index) = *self.by_id.get(&id).ok_or(Violation::Sealed)?;
        self.accept(at, index + 1);
        let direction = &mut self.directions[at];
        let opened = direction.opener.open(&mut datagram.to_vec(), direction.last);
        let number = opened.map_err(|_| Violation::Sealed)?.header.number;
        self.opened += 1;
        match direction.last.replace(number) {
            Some(last) if number <= last => Err(Violation::NonceReused { number, last }),
            _ => Ok(()),
        }
    }
}
