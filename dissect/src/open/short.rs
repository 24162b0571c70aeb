//! Opens SHORT datagrams, seals them again and compares.

use std::collections::BTreeMap;

use spec::key_schedule::Root;
use spec::limits::TAG_BYTES;
use spec::wire::frame::Side;
use spec::wire::long::AttemptId;
use spec::wire::short::{ConnectionId, NUMBER_START, connection_id};

use super::Opening;
use super::generation::{Generation, Opened};
use super::order::Order;
use crate::bytes::count;
use crate::dissection::Endpoint;
use crate::fields::{self, Part};
use crate::packet::Packet;
use crate::session::{Directory, Kind, Session, hex, looks_short, payload};
use crate::verdict::{Finding, Level};

/// The keys of the sessions that could be derived, by the place of the session.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) directory: Directory,
    directions: BTreeMap<(usize, Side), Direction>,
}

struct Direction {
    generations: Vec<Generation>,
    /// The highest packet number opened.
    largest: Option<u64>,
    order: Order,
    /// Whether falsifications of one of its datagrams were tried.
    controlled: bool,
}

impl Keys {
    /// Adds both directions of the session with this index; `roots` are those of its generations.
    pub(super) fn add(&mut self, index: usize, session: &Session, roots: &[Root]) {
        let is_new = !self.directory.covers(session.attempt_id);
        for (generation, root) in (0..).zip(roots).filter(|_| is_new) {
            self.directory.add(session.attempt_id, generation, root);
        }
        for side in [Side::Client, Side::Hub] {
            let generations = roots.iter().map(|root| Generation::new(root.direction(side))).collect();
            let order = Order::of(side);
            let direction = Direction { generations, largest: None, order, controlled: false };
            self.directions.insert((index, side), direction);
        }
    }

    /// How many key updates and ratchets were seen. A relay shows those of one session twice.
    fn changes(&self, sessions: &[Session]) -> (u64, u64) {
        let mut most: BTreeMap<AttemptId, [(u64, u64); 2]> = BTreeMap::new();
        for ((index, side), direction) in &self.directions {
            let Some(session) = sessions.get(*index) else { continue };
            let [client, hub] = most.entry(session.attempt_id).or_default();
            let own = if *side == Side::Client { client } else { hub };
            *own = direction.order.changes().max(*own);
        }
        let updates = most.values().flatten().map(|(updates, _)| updates).sum();
        // Both sides go through a ratchet together.
        let ratchets = most.values().map(|[client, hub]| client.1.max(hub.1)).sum();
        (updates, ratchets)
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
    for (member, index) in members {
        if let Some(packet) = packets.get_mut(member) {
            run.open(packet, payload(bytes, packet), index);
        }
    }
    (opening.report.updates, opening.report.ratchets) = run.keys.changes(sessions);
}

struct Run<'a> {
    keys: Keys,
    sessions: &'a [Session],
    opening: &'a mut Opening,
    /// The packet that used a connection id towards an address first.
    first_seen: BTreeMap<(Endpoint, ConnectionId), usize>,
    /// The datagram that each packet number sealed, and the number of its packet. Numbers are one space for all
    /// keys of a direction.
    used: BTreeMap<(AttemptId, Side, u64), (&'a [u8], usize)>,
}

impl<'a> Run<'a> {
    /// `index` is the session that recognition found for the datagram; it knew the ids that the keys give.
    fn open(&mut self, packet: &mut Packet, datagram: &'a [u8], index: usize) {
        self.opening.report.sealed += 1;
        let sessions = self.sessions;
        let (Some(session), Some(id)) = (sessions.get(index), connection_id(datagram)) else { return };
        let owner = self.keys.directory.find(id).filter(|owner| owner.attempt == session.attempt_id);
        let Some(owner) = owner else {
            self.unknown_id(packet, id, index, session);
            return;
        };
        let (Some(direction), Ok(generation)) =
            (self.keys.directions.get_mut(&(index, owner.side)), usize::try_from(owner.generation))
        else {
            return;
        };
        let Some(opened) = direction.open(datagram, generation) else {
            let text = format!("a SHORT datagram of attempt {} does not open", session.attempt());
            self.opening.violation("sealed.tag", packet.number, text);
            return;
        };
        self.opening.report.verified += 1;
        self.opening.report.opened_short += 1;
        self.reseal((index, owner.side), generation, &opened, datagram, packet.number);
        self.controls((index, owner.side), generation, datagram);
        name_fields(packet, &opened);
        self.take(packet, datagram, session, owner.side, &opened, owner.generation);
    }

    /// Takes in what a datagram says, unless it was captured before.
    fn take(
        &mut self,
        packet: &mut Packet,
        datagram: &'a [u8],
        session: &Session,
        side: Side,
        opened: &Opened,
        generation: u64,
    ) {
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
                let place = super::Place { number, generation, epoch: opened.epoch };
                let frames = opened.frames().to_vec();
                let lines = self.opening.opened(packet.number, session, side, Some(place), frames);
                packet.info = format!("{place} {lines}");
            }
        }
    }

    /// An id that no derived key gives: of a session whose secrets are missing, or of none at all.
    ///
    /// An id that was seen before the handshake ended may be of a session that began before the capture.
    fn unknown_id(&mut self, packet: &Packet, id: ConnectionId, index: usize, session: &Session) {
        let has_keys = self.keys.directions.contains_key(&(index, Side::Client));
        let (true, Some((_, destination))) = (has_keys, packet.dissection.ends) else { return };
        let text = format!("connection id {} is not one that the session's keys give", hex(&id.0));
        let first = self.first_seen.get(&(destination, id));
        let fin = session.packets(Kind::Fin).next();
        if fin.is_some_and(|fin| first.is_none_or(|first| *first > fin)) {
            let finding = Finding::violation(Level::E4, "sealed.connection-id", text);
            self.opening.strangers.push((session.attempt_id, finding.in_packet(packet.number)));
        } else {
            let text = format!("{text}; it may be of a session before the capture");
            let finding = Finding::gap(Level::E4, "sealed.earlier-session", text);
            self.opening.findings.push(finding.in_packet(packet.number));
        }
    }

    /// Seals header and frames again, which must give the captured bytes; and sees that its number fits its keys.
    fn reseal(
        &mut self,
        key: (usize, Side),
        generation: usize,
        opened: &Opened,
        datagram: &[u8],
        packet: usize,
    ) {
        let Some(direction) = self.keys.directions.get_mut(&key) else { return };
        let again = direction.generations.get(generation).and_then(|generation| generation.seal(opened));
        if again.is_some_and(|again| again == datagram) {
            self.opening.report.resealed += 1;
        } else {
            let text = "sealing the same plaintext again gives other bytes";
            self.opening.violation("sealed.reseal", packet, text);
        }
        if !direction.order.fits(count(generation), opened.epoch, opened.header.number) {
            let text =
                format!("packet {} was sealed under an older key than one before it", opened.header.number);
            self.opening.violation("sealed.key-order", packet, text);
        }
    }

    /// On the first datagram of a direction: one bit flipped in each part, the keys of the other direction, and
    /// those of another epoch, must fail.
    fn controls(&mut self, (index, side): (usize, Side), generation: usize, datagram: &[u8]) {
        let other = if side == Side::Client { Side::Hub } else { Side::Client };
        let Some(mut direction) = self.keys.directions.remove(&(index, side)) else { return };
        if !std::mem::replace(&mut direction.controlled, true) {
            let largest = direction.largest;
            let last = datagram.len().saturating_sub(1);
            let parts = [
                0,
                1,
                8,
                NUMBER_START,
                NUMBER_START + 8,
                datagram.len() / 2,
                last - TAG_BYTES,
                last - 8,
                last,
            ];
            let mut outcomes = Vec::new();
            if let Some(own) = direction.generations.get_mut(generation) {
                outcomes.extend(parts.iter().map(|at| fails(own, largest, datagram, Some(*at))));
                outcomes.extend(own.shifted().map(|mut keys| fails(&mut keys, largest, datagram, None)));
            }
            let other = self.keys.directions.get_mut(&(index, other));
            let other = other.and_then(|direction| direction.generations.get_mut(generation));
            outcomes.extend(other.map(|keys| fails(keys, largest, datagram, None)));
            self.opening.report.controls += count(outcomes.len());
            self.opening.report.controls_rejected +=
                count(outcomes.iter().filter(|rejected| **rejected).count());
        }
        self.keys.directions.insert((index, side), direction);
    }
}

impl Direction {
    fn open(&mut self, datagram: &[u8], generation: usize) -> Option<Opened> {
        let opened = self.generations.get_mut(generation)?.open(datagram, self.largest)?;
        self.largest = self.largest.max(Some(opened.header.number));
        Some(opened)
    }
}

/// Whether a datagram with one bit flipped does not open, however its number is completed.
fn fails(keys: &mut Generation, largest: Option<u64>, datagram: &[u8], flipped: Option<usize>) -> bool {
    let mut copy = datagram.to_vec();
    if let Some(byte) = flipped.and_then(|at| copy.get_mut(at)) {
        *byte ^= 1;
    }
    [None, largest].into_iter().all(|largest| keys.open(&copy, largest).is_none())
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
fn name_fields(packet: &mut Packet, opened: &Opened) {
    let masked = packet.dissection.tree.range("sealgram.number_and_sealed_frames");
    let (Some(range), Some(layout)) = (masked, fields::layout(Kind::Short.name(), 0)) else { return };
    let behind: Vec<Part> =
        layout.opened.iter().filter(|part| !layout.parts.contains(part)).copied().collect();
    let len = range.len() + TAG_BYTES;
    packet.dissection.tree.refine(&range, &fields::tree(&behind, len, opened.header.number_len));
}
