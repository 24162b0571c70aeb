//! Opens SHORT datagrams, seals them again and compares.

use std::collections::BTreeMap;

use spec::key_schedule::{DirectionKeys, Root};
use spec::limits::TAG_BYTES;
use spec::seal::{Opened, Opener, Sealer};
use spec::wire::frame::Side;
use spec::wire::long::AttemptId;
use spec::wire::short::{ConnectionId, NUMBER_START, connection_id};

use super::Opening;
use crate::bytes::count;
use crate::packet::{Endpoint, Packet};
use crate::session::{Kind, Session, hex, looks_short, payload};
use crate::tree::{Class, Tree};
use crate::verdict::{Finding, Level};

/// Connection ids derived in advance for each direction. A sender moves on at most every 15 minutes.
const IDS: u64 = 1_024;

/// The keys of the sessions that could be derived, found by who sends where under which id.
#[derive(Default)]
pub(super) struct Keys {
    by_id: BTreeMap<(Endpoint, Endpoint, ConnectionId), (usize, Side)>,
    /// The same by session, for a client that moved to another address.
    of_session: BTreeMap<(usize, ConnectionId), Side>,
    directions: BTreeMap<(usize, Side), Direction>,
}

struct Direction {
    keys: DirectionKeys,
    opener: Opener,
    /// The highest packet number opened.
    largest: Option<u64>,
    /// Whether falsifications of one of its datagrams were tried.
    controlled: bool,
}

impl Keys {
    /// Adds both directions of the session with this index.
    pub(super) fn add(&mut self, index: usize, session: &Session, root: &Root) {
        let ends = [(Side::Client, session.client, session.hub), (Side::Hub, session.hub, session.client)];
        for (side, source, destination) in ends {
            let keys = root.direction(side);
            for id in 0..IDS {
                let id = keys.ids.id(id);
                self.by_id.insert((source, destination, id), (index, side));
                self.of_session.insert((index, id), side);
            }
            let opener = Opener::new(&keys);
            self.directions
                .insert((index, side), Direction { keys, opener, largest: None, controlled: false });
        }
    }
}

/// Opens every SHORT datagram of every session, in the order of the capture.
pub(super) fn open(
    keys: Keys,
    sessions: &[Session],
    bytes: &[u8],
    packets: &mut [Packet],
    opening: &mut Opening,
) {
    let of = |(index, session): (usize, &Session)| -> Vec<(usize, usize)> {
        session.packets(Kind::Short).map(|member| (member, index)).collect()
    };
    let mut members: Vec<(usize, usize)> = sessions.iter().enumerate().flat_map(of).collect();
    members.sort_unstable();
    let first_seen = first_seen(bytes, packets);
    let mut run = Run { keys, sessions, opening, first_seen, used: BTreeMap::new() };
    for (member, assigned) in members {
        if let Some(packet) = packets.get_mut(member) {
            run.open(packet, payload(bytes, packet), assigned);
        }
    }
}

struct Run<'a> {
    keys: Keys,
    sessions: &'a [Session],
    opening: &'a mut Opening,
    /// The packet that used a connection id towards an address first.
    first_seen: BTreeMap<(Endpoint, ConnectionId), usize>,
    /// The datagram that each packet number sealed, and the number of its packet.
    used: BTreeMap<(AttemptId, Side, u64), (&'a [u8], usize)>,
}

impl<'a> Run<'a> {
    /// `assigned` is the session that recognition, which has no keys, took the datagram for.
    fn open(&mut self, packet: &mut Packet, datagram: &'a [u8], assigned: usize) {
        self.opening.report.sealed += 1;
        let Some((index, side)) = self.owner(packet, datagram, assigned) else {
            self.unknown_id(packet, datagram, assigned);
            return;
        };
        let sessions = self.sessions;
        let Some(session) = sessions.get(index) else { return };
        let Some((opened, clear)) = self.verify(index, side, datagram) else {
            let text = format!("a SHORT datagram of attempt {} does not open", session.attempt());
            self.opening.violation("sealed.tag", packet.number, text);
            return;
        };
        self.opening.report.verified += 1;
        self.opening.report.opened_short += 1;
        self.reseal(index, side, &opened, &clear, datagram, packet.number);
        self.controls(index, side, datagram);
        name_fields(packet, &opened, datagram.len());
        let number = opened.header.number;
        match self.used.insert((session.attempt_id, side, number), (datagram, packet.number)) {
            Some((earlier, first)) if earlier != datagram => {
                let text = format!("packet number {number} seals two datagrams; the other is packet {first}");
                self.opening.violation("sealed.nonce-reuse", packet.number, text);
            }
            Some((_, first)) => {
                self.opening.report.repeated += 1;
                packet.info = format!("#{number}, the same datagram as packet {first}");
            }
            None => {
                let frames = clear.get(opened.frames.clone()).unwrap_or_default().to_vec();
                let lines = self.opening.opened(packet.number, session, side, Some(number), frames);
                packet.info = format!("#{number} {lines}");
            }
        }
    }

    fn owner(&self, packet: &Packet, datagram: &[u8], assigned: usize) -> Option<(usize, Side)> {
        let (source, destination) = packet.dissection.ends?;
        let id = connection_id(datagram)?;
        let exact = self.keys.by_id.get(&(source, destination, id)).copied();
        exact.or_else(|| Some((assigned, *self.keys.of_session.get(&(assigned, id))?)))
    }

    /// An id that no derived key gives: of a session whose secrets are missing, or of none at all.
    ///
    /// An id that was seen before the handshake ended may be of a session that began before the capture.
    fn unknown_id(&mut self, packet: &Packet, datagram: &[u8], assigned: usize) {
        let has_keys = self.keys.directions.contains_key(&(assigned, Side::Client));
        let (true, Some(id), Some((_, destination))) =
            (has_keys, connection_id(datagram), packet.dissection.ends)
        else {
            return;
        };
        let text = format!("connection id {} is not one that the session's keys give", hex(&id.0));
        let first = self.first_seen.get(&(destination, id));
        let fin = self.sessions.get(assigned).and_then(|session| session.packets(Kind::Fin).next());
        if fin.is_some_and(|fin| first.is_none_or(|first| *first > fin)) {
            self.opening.violation("sealed.connection-id", packet.number, text);
        } else {
            let text = format!("{text}; it may be of a session before the capture");
            let finding = Finding::gap(Level::E4, "sealed.earlier-session", text);
            self.opening.findings.push(finding.in_packet(packet.number));
        }
    }

    /// Opens a copy; the whole datagram in clear.
    fn verify(&mut self, index: usize, side: Side, datagram: &[u8]) -> Option<(Opened, Vec<u8>)> {
        let direction = self.keys.directions.get_mut(&(index, side))?;
        let mut clear = datagram.to_vec();
        let opened = direction.opener.open(&mut clear, direction.largest).ok()?;
        direction.largest = direction.largest.max(Some(opened.header.number));
        Some((opened, clear))
    }

    /// Seals header and frames again, which must give the captured bytes.
    fn reseal(
        &mut self,
        index: usize,
        side: Side,
        opened: &Opened,
        clear: &[u8],
        datagram: &[u8],
        number: usize,
    ) {
        let Some(direction) = self.keys.directions.get(&(index, side)) else { return };
        let mut again = Vec::with_capacity(datagram.len());
        opened.header.encode(&mut again);
        again.extend_from_slice(clear.get(opened.frames.clone()).unwrap_or_default());
        let sealed = Sealer::new(&direction.keys).seal(&opened.header, &mut again, 0);
        if sealed.is_ok() && again == datagram {
            self.opening.report.resealed += 1;
        } else {
            self.opening.violation(
                "sealed.reseal",
                number,
                "sealing the same plaintext again gives other bytes",
            );
        }
    }

    /// On the first datagram of a direction: one bit flipped in each part, and the keys of the other
    /// direction, must fail.
    fn controls(&mut self, index: usize, side: Side, datagram: &[u8]) {
        let other = if side == Side::Client { Side::Hub } else { Side::Client };
        let wrong_keys = self.keys.directions.get(&(index, other)).map(|direction| direction.keys.clone());
        let Some(direction) = self.keys.directions.get_mut(&(index, side)) else { return };
        if std::mem::replace(&mut direction.controlled, true) {
            return;
        }
        let fails = |keys: &DirectionKeys, flipped: Option<usize>| {
            let mut copy = datagram.to_vec();
            if let Some(byte) = flipped.and_then(|at| copy.get_mut(at)) {
                *byte ^= 1;
            }
            [None, direction.largest]
                .into_iter()
                .all(|largest| Opener::new(keys).open(&mut copy.clone(), largest).is_err())
        };
        let last = datagram.len().saturating_sub(1);
        let parts =
            [0, 1, 8, NUMBER_START, NUMBER_START + 8, datagram.len() / 2, last - TAG_BYTES, last - 8, last];
        let mut outcomes: Vec<bool> = parts.iter().map(|at| fails(&direction.keys, Some(*at))).collect();
        outcomes.extend(wrong_keys.map(|keys| fails(&keys, None)));
        self.opening.report.controls += count(outcomes.len());
        self.opening.report.controls_rejected += count(outcomes.iter().filter(|rejected| **rejected).count());
    }
}

/// Where each connection id was sent to first, whether it is of a session or not.
fn first_seen(bytes: &[u8], packets: &[Packet]) -> BTreeMap<(Endpoint, ConnectionId), usize> {
    let mut seen = BTreeMap::new();
    for (index, packet) in packets.iter().enumerate() {
        let datagram = payload(bytes, packet);
        let id = connection_id(datagram).filter(|_| looks_short(datagram));
        if let (Some(id), Some((_, destination))) = (id, packet.dissection.ends) {
            seen.entry((destination, id)).or_insert(index);
        }
    }
    seen
}

/// With the keys it is known where the number ends.
fn name_fields(packet: &mut Packet, opened: &Opened, len: usize) {
    let mut tree = Tree::default();
    tree.push("number", Class::Masked, opened.header.number_len);
    tree.push("sealed-frames", Class::Ciphertext, len.saturating_sub(opened.header.len() + TAG_BYTES));
    let Some(range) = packet.dissection.tree.range("number-and-sealed-frames") else { return };
    packet.dissection.tree.refine(&range, &tree);
}
