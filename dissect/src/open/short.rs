//! Opens SHORT datagrams, seals them again and compares.

use std::collections::BTreeMap;

use spec::key_schedule::Root;
use spec::limits::TAG_BYTES;
use spec::wire::frame::Side;
use spec::wire::long::AttemptId;
use spec::wire::short::{ConnectionId, NUMBER_START, connection_id};

use super::generation::{Generation, Opened};
use super::numbers::Use;
use super::order::Order;
use super::{OpenedDatagram, Opening};
use crate::bytes::count;
use crate::dissection::Endpoint;
use crate::fields::{self, Part};
use crate::packet::Packet;
use crate::session::{Directory, IDS_MAX, Kind, Member, Owner, Session, hex, looks_short};
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
    pub(super) fn changes(&self, sessions: &[Session]) -> (u64, u64) {
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

/// Where each connection id was sent to first, whether it is of a session or not.
#[derive(Default)]
pub(super) struct FirstSeen(BTreeMap<(Endpoint, ConnectionId), usize>);

impl FirstSeen {
    pub(super) fn take(&mut self, packet: &Packet, datagram: &[u8]) {
        let id = connection_id(datagram).filter(|_| looks_short(datagram));
        // Beyond the bound nothing is known of an id, and it is taken for one of before.
        if let (Some(id), Some((_, destination))) = (id, packet.dissection.ends)
            && self.0.len() < IDS_MAX
        {
            self.0.entry((destination, id)).or_insert(packet.number);
        }
    }
}

impl Opening {
    /// Opens a SHORT datagram, seals it again and compares. `member` is its place as recognition found it; it knew
    /// the ids that the keys give.
    pub(super) fn open(
        &mut self,
        member: Member,
        session: &Session,
        packet: &mut Packet,
        datagram: &[u8],
    ) -> Option<OpenedDatagram> {
        let index = member.session;
        self.report.sealed += 1;
        let id = connection_id(datagram)?;
        let owner = self.keys.directory.find(id).filter(|owner| owner.attempt == session.attempt_id);
        let Some(owner) = owner else {
            self.unknown_id(packet, id, index, session);
            return None;
        };
        let direction = self.keys.directions.get_mut(&(index, owner.side))?;
        let generation = usize::try_from(owner.generation).ok()?;
        let opened = direction.open(datagram, generation);
        let is_exhausted = direction.generations.get(generation).is_some_and(Generation::is_exhausted);
        let Some(opened) = opened else {
            let text = format!("a SHORT datagram of attempt {} does not open", session.attempt());
            let finding = if is_exhausted {
                let text = format!("{text}, after more key updates than are followed");
                Finding::gap(Level::E4, "sealed.epochs-many", text)
            } else {
                Finding::violation(Level::E4, "sealed.tag", text)
            };
            self.findings.push(finding.in_packet(packet.number));
            return None;
        };
        self.report.verified += 1;
        self.report.opened_short += 1;
        self.reseal((index, owner.side), generation, &opened, datagram, packet.number);
        self.controls((index, owner.side), generation, datagram);
        name_fields(packet, &opened);
        self.take_in(packet, datagram, session, owner, &opened)
    }

    /// Takes in what a datagram says, unless it was captured before.
    fn take_in(
        &mut self,
        packet: &mut Packet,
        datagram: &[u8],
        session: &Session,
        owner: Owner,
        opened: &Opened,
    ) -> Option<OpenedDatagram> {
        let (number, side) = (opened.header.number, owner.side);
        let (generation, first) = (owner.generation, opened.header.first());
        let place = super::Place { number, generation, epoch: opened.epoch, first };
        match self.numbers.take(session.attempt_id, side, number, datagram, packet.number) {
            Use::Other(first) => {
                let text = format!("packet number {number} seals two datagrams; the other is packet {first}");
                self.violation("sealed.nonce-reuse", packet.number, text);
                None
            }
            Use::Same(first) => {
                self.report.repeated += 1;
                packet.info = format!("#{number}, the same datagram as packet {first}");
                Some(OpenedDatagram {
                    packet: packet.number,
                    attempt_id: session.attempt(),
                    from_client: side == Side::Client,
                    place: Some(place),
                    frames: Vec::new(),
                    said_bytes: 0,
                    plaintext: Vec::new(),
                    repeats: Some(first),
                })
            }
            Use::New => {
                let said = self.opened(packet.number, session, side, Some(place), opened.frames());
                packet.info = format!("{place} {}", said.frames.join(", "));
                Some(said)
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
        let first = self.first_seen.0.get(&(destination, id));
        let fin = session.first(Kind::Fin);
        let is_later = fin.zip(first).is_some_and(|(fin, first)| *first > fin);
        if is_later && !self.keys.directory.is_full() {
            let finding = Finding::violation(Level::E4, "sealed.connection-id", text);
            self.stranger(session.attempt_id, finding.in_packet(packet.number));
        } else {
            let text = format!("{text}; it may be of a session before the capture");
            let finding = Finding::gap(Level::E4, "sealed.earlier-session", text);
            self.findings.push(finding.in_packet(packet.number));
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
        let fits = direction.order.fits(count(generation), opened.epoch, opened.header.number);
        if again.is_some_and(|again| again == datagram) {
            self.report.resealed += 1;
        } else {
            let text = "sealing the same plaintext again gives other bytes";
            self.violation("sealed.reseal", packet, text);
        }
        if !fits {
            let text =
                format!("packet {} was sealed under an older key than one before it", opened.header.number);
            self.violation("sealed.key-order", packet, text);
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
            self.report.controls += count(outcomes.len());
            self.report.controls_rejected += count(outcomes.iter().filter(|rejected| **rejected).count());
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

/// With the keys it is known where the number ends.
fn name_fields(packet: &mut Packet, opened: &Opened) {
    let masked = packet.dissection.tree.range("sealgram.number_and_sealed_frames");
    let (Some(range), Some(layout)) = (masked, fields::layout(Kind::Short.name(), 0)) else { return };
    let behind: Vec<Part> =
        layout.opened.iter().filter(|part| !layout.parts.contains(part)).copied().collect();
    let len = range.len() + TAG_BYTES;
    packet.dissection.tree.refine(&range, &fields::tree(&behind, len, opened.header.number_len));
}
