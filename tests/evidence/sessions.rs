//! The sessions of a capture, opened with the key log: what a program sent before it sealed it.

use super::tape::Tape;
use spec::handshake::audit::Audit;
use spec::key_log::{self, LoggedSession};
use spec::key_schedule::{DirectionKeys, Root};
use spec::seal::Opener;
use spec::wire::frame::Side;
use spec::wire::long::{AttemptId, Long, LongKind};
use spec::wire::short::{ConnectionId, ShortHeader, connection_id, is_short};
use std::collections::BTreeMap;

/// Connection ids of a direction that are looked for.
const IDS: u64 = 16;

/// A SHORT datagram in clear.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Its place on the tape.
    pub(crate) at: usize,
    /// Which session it is of, in the order of the first INITs.
    pub(crate) session: usize,
    /// Who sent it.
    pub(crate) side: Side,
    /// Its header, with the whole number.
    pub(crate) header: ShortHeader,
    /// Header and frames in clear, and room for the tag.
    pub(crate) datagram: Vec<u8>,
}

/// All sessions of a tape.
#[derive(Debug)]
pub(crate) struct Sessions {
    /// Attempt ids in the order of their first INIT.
    pub(crate) attempts: Vec<AttemptId>,
    /// The keys of each session and side.
    pub(crate) keys: BTreeMap<(usize, Side), DirectionKeys>,
    /// The SHORT datagrams, in the order of the tape.
    pub(crate) opened: Vec<Opened>,
}

impl Sessions {
    /// Follows every handshake as an auditor does, and opens everything.
    pub(crate) fn open(tape: &Tape, key_log: &str) -> Self {
        let logged = key_log::parse(key_log).unwrap();
        let attempts = attempts(tape);
        let mut keys = BTreeMap::new();
        let mut openers: BTreeMap<ConnectionId, (usize, Side)> = BTreeMap::new();
        for (session, attempt) in attempts.iter().enumerate() {
            let root = root_of(tape, *attempt, &logged[attempt]);
            for side in [Side::Client, Side::Hub] {
                let direction = root.direction(side);
                openers.extend((0..IDS).map(|index| (direction.ids.id(index), (session, side))));
                keys.insert((session, side), direction);
            }
        }
        let opened = open_all(tape, &keys, &openers);
        Self { attempts, keys, opened }
    }
}

fn attempts(tape: &Tape) -> Vec<AttemptId> {
    let mut attempts = Vec::new();
    for long in tape.0.iter().filter_map(|datagram| Long::parse(&datagram.payload).ok()) {
        if long.kind == LongKind::Init && !attempts.contains(&long.attempt) {
            attempts.push(long.attempt);
        }
    }
    attempts
}

/// The root of the session's keys, derived and not read from the key log.
fn root_of(tape: &Tape, attempt: AttemptId, logged: &LoggedSession) -> Root {
    let body = |kind, fragment| {
        let all = tape.0.iter().filter_map(|datagram| Long::parse(&datagram.payload).ok());
        let mut own =
            all.filter(|long| (long.attempt, long.kind, long.fragment) == (attempt, kind, fragment));
        own.next().unwrap().body
    };
    let message_one = [body(LongKind::Init, 0), body(LongKind::Init, 1)].concat();
    let mut audit = Audit::new(logged.handshake().unwrap());
    audit.message_one(&message_one).unwrap();
    audit.message_two(body(LongKind::Resp, 0)).unwrap();
    let (_, _, root) = audit.message_three(body(LongKind::Fin, 0)).unwrap();
    assert_eq!(root.secret(), logged.root().unwrap().secret(), "the key log tells the truth");
    root
}

fn open_all(
    tape: &Tape,
    keys: &BTreeMap<(usize, Side), DirectionKeys>,
    owners: &BTreeMap<ConnectionId, (usize, Side)>,
) -> Vec<Opened> {
    let mut openers: BTreeMap<_, _> =
        keys.iter().map(|(owner, keys)| (*owner, (Opener::new(keys), None))).collect();
    let mut all = Vec::new();
    for (at, datagram) in tape.0.iter().enumerate() {
        let id = connection_id(&datagram.payload).filter(|_| is_short(&datagram.payload));
        let Some((session, side)) = id.and_then(|id| owners.get(&id)).copied() else { continue };
        let (opener, largest) = openers.get_mut(&(session, side)).unwrap();
        let mut datagram = datagram.payload.clone();
        let header = opener.open(&mut datagram, *largest).unwrap().header;
        *largest = (*largest).max(Some(header.number));
        all.push(Opened { at, session, side, header, datagram });
    }
    all
}
