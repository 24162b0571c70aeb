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

/// What one side of a session seals in one generation.
#[derive(Debug)]
struct Generation {
    opener: Opener,
    ids: ConnectionIds,
    /// Whose numbers they are: they go on from generation to generation.
    by: (AttemptId, Side),
}

/// Every direction of every session, and every message 3 that was sealed.
#[derive(Debug, Default)]
pub(super) struct Nonces {
    /// The root of the latest generation of each session.
    roots: BTreeMap<AttemptId, Root>,
    generations: Vec<Generation>,
    by_id: BTreeMap<ConnectionId, (usize, u64)>,
    /// The last number each side of a session has used; [`Side`] has no order.
    last: BTreeMap<(AttemptId, bool), u64>,
    sealed: BTreeMap<AttemptId, [u8; 32]>,
    opened: u64,
}

impl Nonces {
    /// Learns the keys in a key log: those of a handshake, or those a ratchet led to.
    pub(super) fn learn(&mut self, lines: &str) {
        let sessions = key_log::parse(lines).expect("a client writes a key log that can be read");
        for (attempt, session) in sessions {
            if let Some(root) = session.root() {
                self.learn_root(attempt, root);
            }
            let Some(root) = self.roots.get(&attempt).cloned() else { continue };
            session.later_roots(&root).for_each(|root| self.learn_root(attempt, root));
        }
    }

    fn learn_root(&mut self, attempt: AttemptId, root: Root) {
        for side in [Side::Client, Side::Hub] {
            let keys = root.direction(side);
            let opener = Opener::new(&keys);
            self.generations.push(Generation { opener, ids: keys.ids, by: (attempt, side) });
            self.accept(self.generations.len() - 1, 0);
        }
        self.roots.insert(attempt, root);
    }

    fn accept(&mut self, generation: usize, from: u64) {
        for index in from..from + IDS {
            self.by_id.insert(self.generations[generation].ids.id(index), (generation, index));
        }
    }

    pub(super) const fn opened(&self) -> u64 {
        self.opened
    }

    /// A datagram leaves its endpoint.
    pub(super) fn datagram(&mut self, datagram: &[u8]) -> Result<(), Violation> {
        if self.generations.is_empty() && short::is_short(datagram) {
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

    /// Numbers of a direction only rise, through all epochs and generations, and the number in the header is the one
    /// the nonce was made from: else the tag would not verify.
    fn short(&mut self, datagram: &[u8]) -> Result<(), Violation> {
        let id = short::connection_id(datagram).ok_or(Violation::Sealed)?;
        let (at, index) = *self.by_id.get(&id).ok_or(Violation::Sealed)?;
        self.accept(at, index + 1);
        let Generation { opener, by: (attempt, side), .. } = &mut self.generations[at];
        let by = (*attempt, *side == Side::Client);
        let last = self.last.get(&by).copied();
        let opened = opener.open(&mut datagram.to_vec(), last).map_err(|_| Violation::Sealed)?;
        self.opened += 1;
        match self.last.insert(by, opened.header.number) {
            Some(last) if opened.header.number <= last => {
                Err(Violation::NonceReused { number: opened.header.number, last })
            }
            _ => Ok(()),
        }
    }
}
