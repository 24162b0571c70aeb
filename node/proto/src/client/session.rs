//! What is said and heard on a connection to the hub.

use super::account::{self, Wishes};
use super::asks::{AskId, Asks};
use super::event::{RoomInfo, RoomState};
use super::login::Asking;
use super::outbox::{Outbox, Target};
use super::ratchet::Ratchet;
use super::timeline::Timeline;
use super::transfers::{Transfer, Transfers, Way, refused, request};
use super::{ClientConfig, ClientEvent};
use crate::bulk::{Bulk, TransferId};
use crate::connection::{Connection, SendStreams};
use crate::log::{LOBBY, RoomId, Seq};
use crate::random::Random;
use crate::timer::{Deadline, Timer, earliest};
use crate::transmit::{Arrival, Transmit};
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use spec::discard::Discard;
use spec::handshake::kem::KemCiphertext;
use spec::key_schedule::Exporter;
use spec::limits::{KEY_BYTES, STREAM_LIMIT_BYTES};
use spec::name::fold;
use spec::time::Instant;
use spec::wire::entry::{MessageId, Submission};
use spec::wire::ephemeral::Ephemeral;
use spec::wire::frame::{Frame, Frames};
use spec::wire::login::FLAG_ENROL;
use spec::wire::long::AttemptId;
use spec::wire::message::{FLAG_KEY_LOG, Message, Refusal, RoomKind, kind};
use spec::wire::request::Request;
use spec::wire::request::kind::{CREATE, SEARCH};

/// The stream of control messages.
pub(super) const CONTROL: u64 = 0;
/// Bytes of an EPHEMERAL frame with a client's TYPING.
const EPHEMERAL_BYTES: usize = 16;

/// What a client has to say before it has heard anything: the content of its FIN.
#[derive(Debug)]
pub(super) struct Greeting<'a> {
    pub(super) config: &'a ClientConfig,
    pub(super) outbox: &'a Outbox,
    pub(super) timelines: &'a BTreeMap<RoomId, Timeline>,
    /// Whether the client is to become a device of the account it names.
    pub(super) is_enrolling: bool,
}

/// The first bytes of a session's streams, and what they stand for.
#[derive(Debug, Default)]
pub(super) struct FirstWords {
    pub(super) streams: SendStreams,
    pub(super) submitted: BTreeSet<MessageId>,
    pub(super) subscribed: BTreeSet<RoomId>,
}

impl Greeting<'_> {
    pub(super) fn first_words(&self) -> FirstWords {
        let mut first = FirstWords::default();
        let mut flags = if self.config.key_log { FLAG_KEY_LOG } else { 0 };
        if self.is_enrolling {
            flags |= FLAG_ENROL;
        }
        let mut bytes = Vec::new();
        Message::Hello { flags, name: &self.config.name, token: &self.config.token }.encode(&mut bytes);
        // Who is no device has no rooms yet.
        for (room, timeline) in self.timelines.iter().filter(|_| !self.is_enrolling) {
            Message::Subscribe { room: room.0, after: timeline.last().0 }.encode(&mut bytes);
            first.subscribed.insert(*room);
        }
        // A fresh buffer holds more than all rooms of a client; what did not fit would be asked for by hand.
        if first.streams.push(CONTROL, &bytes).is_ok() {
            first.submitted = submit(&mut first.streams, self.outbox, self.timelines, BTreeSet::new(), false);
        }
        first
    }
}

/// Where submissions go: a connection, or the streams of one to be.
trait Submit {
    fn waiting(&self, stream: u64) -> usize;
    fn push(&mut self, stream: u64, bytes: &[u8]) -> bool;
}

impl Submit for SendStreams {
    fn waiting(&self, stream: u64) -> usize {
        self.unacknowledged(stream)
    }

    fn push(&mut self, stream: u64, bytes: &[u8]) -> bool {
        Self::push(self, stream, bytes).is_ok()
    }
}

impl Submit for Connection {
    fn waiting(&self, stream: u64) -> usize {
        self.unacknowledged(stream)
    }

    fn push(&mut self, stream: u64, bytes: &[u8]) -> bool {
        self.send(stream, bytes).is_ok()
    }
}

/// Writes the lines that are not yet in this session to the streams of their rooms, in order, as far as the
/// rooms are known and there is space. Returns what is in the session then. Before WELCOME only the lobby is
/// sure to be the room it was: another log has other rooms. A room that is not yet read is not written to, so
/// that nothing is committed before the place its author begins to read at.
fn submit(
    out: &mut impl Submit,
    outbox: &Outbox,
    timelines: &BTreeMap<RoomId, Timeline>,
    mut submitted: BTreeSet<MessageId>,
    is_greeted: bool,
) -> BTreeSet<MessageId> {
    let mut full = BTreeSet::new();
    for line in outbox.lines() {
        let Some(room) = outbox.room_of(&line.target) else { continue };
        let is_unsure = !is_greeted && room != LOBBY || !timelines.contains_key(&room);
        if is_unsure || full.contains(&room) || submitted.contains(&line.id) {
            continue;
        }
        let mut bytes = Vec::new();
        Submission { id: line.id, kind: line.kind, body: &line.body }.encode(&mut bytes);
        if out.waiting(room.0) as u64 >= STREAM_LIMIT_BYTES || !out.push(room.0, &bytes) {
            full.insert(room);
            continue;
        }
        submitted.insert(line.id);
    }
    submitted
}

/// What a session needs of the client to act on what the hub says.
#[derive(Debug)]
pub(super) struct Heard<'a> {
    pub(super) config: &'a ClientConfig,
    pub(super) timelines: &'a mut BTreeMap<RoomId, Timeline>,
    pub(super) outbox: &'a mut Outbox,
    pub(super) transfers: &'a mut Transfers,
    pub(super) asks: &'a mut Asks,
    pub(super) events: &'a mut VecDeque<ClientEvent>,
    pub(super) generation: &'a mut Option<[u8; 8]>,
    pub(super) was_connected: &'a mut bool,
    pub(super) members_wanted: &'a mut VecDeque<RoomId>,
    pub(super) wishes: &'a mut Wishes,
    pub(super) random: &'a mut Random,
}

impl Heard<'_> {
    fn stored(&mut self, id: MessageId, room: RoomId, sequence: Seq) {
        if self.outbox.remove(&id) {
            self.events.push_back(ClientEvent::Stored { id, room, sequence });
        }
    }
}

/// One session with the hub.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) connection: Connection,
    ratchet: Ratchet,
    /// Names the session in a key log.
    attempt: AttemptId,
    is_greeted: bool,
    submitted: BTreeSet<MessageId>,
    subscribed: BTreeSet<RoomId>,
    asked_for: BTreeSet<String>,
    members_asked: usize,
    pub(super) asking: Asking,
    /// The room somebody should hear that the person types in.
    pub(super) typing: Option<RoomId>,
    pub(super) bulk: Bulk,
    announced: BTreeSet<TransferId>,
    asked: BTreeSet<AskId>,
    /// Where we may begin to read rooms.
    firsts: BTreeMap<RoomId, Seq>,
    /// The log is another one than before: what is in it is all news.
    reads_anew: bool,
}

impl Session {
    pub(super) fn new(
        connection: Connection,
        ratchet: Ratchet,
        (attempt, exporter): (AttemptId, Exporter),
        (submitted, subscribed): (BTreeSet<MessageId>, BTreeSet<RoomId>),
    ) -> Self {
        Self {
            connection,
            ratchet,
            attempt,
            is_greeted: false,
            submitted,
            subscribed,
            asked_for: BTreeSet::new(),
            members_asked: 0,
            asking: Asking::new(exporter),
            typing: None,
            bulk: Bulk::new(0),
            announced: BTreeSet::new(),
            asked: BTreeSet::new(),
            firsts: BTreeMap::new(),
            reads_anew: false,
        }
    }

    pub(super) const fn is_greeted(&self) -> bool {
        self.is_greeted
    }

    pub(super) const fn owes_ack(&self) -> bool {
        self.connection.owes_acknowledgement()
    }

    // saying

    fn say(&mut self, message: &Message<'_>) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        // Requests are small and few; one too many for a stalled hub is as good as lost with the session.
        let _: Result<(), _> = self.connection.send(CONTROL, &bytes);
    }

    /// Asks who is in the rooms that are `wanted`, until all these questions are on their way.
    pub(super) fn ask_members(&mut self, wanted: &VecDeque<RoomId>) {
        while self.is_greeted
            && let Some(room) = wanted.get(self.members_asked)
        {
            self.members_asked += 1;
            self.say(&Message::Who { room: room.0 });
        }
    }

    /// Submits what is not submitted in this session, and asks for the rooms of names.
    pub(super) fn submit(&mut self, outbox: &Outbox, timelines: &BTreeMap<RoomId, Timeline>) {
        if self.connection.is_closing() {
            return;
        }
        let mut submitted = core::mem::take(&mut self.submitted);
        submitted.retain(|id| outbox.contains(id));
        self.submitted = submit(&mut self.connection, outbox, timelines, submitted, self.is_greeted);
        for line in outbox.lines() {
            if let Target::Direct(name) = &line.target
                && outbox.room_of(&line.target).is_none()
                && self.asked_for.insert(fold(name))
            {
                self.say(&Message::Direct { name });
            }
        }
    }

    /// Acts on every deadline that has passed.
    pub(super) fn handle_timeout(&mut self, now: Instant, random: &mut Random) {
        self.connection.handle_timeout(now);
        if self.ratchet_at().is_some_and(|at| at <= now) {
            let request = self.ratchet.begin(now, random);
            // A control stream that is full has not been read for long: the session ends by itself.
            let _: Result<(), _> = self.connection.send(CONTROL, &request);
        }
    }

    fn ratchet_at(&self) -> Option<Instant> {
        self.is_greeted.then(|| self.ratchet.deadline(&self.connection)).flatten()
    }

    pub(super) fn poll_timeout(&self) -> Option<Deadline> {
        earliest([self.connection.poll_timeout(), self.ratchet_at().map(|at| (at, Timer::Ratchet))])
    }

    pub(super) fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        let Self { connection, typing, bulk, .. } = self;
        connection.transmit(now, out, |packer| {
            if !packer.may_elicit() {
                return;
            }
            if let Some(room) = typing.take() {
                let mut message = Vec::new();
                Ephemeral::Typing { name: "" }.encode(&mut message);
                if packer.remaining() > EPHEMERAL_BYTES {
                    packer.write(None, &Frame::Ephemeral { room: room.0, message: &message });
                }
            }
            bulk.fill(packer);
        })
    }

    /// Tells the hub of transfers it has not heard of in this session.
    pub(super) fn announce(&mut self, transfers: &Transfers) {
        if !self.is_greeted || self.connection.is_closing() {
            return;
        }
        for id in transfers.ids() {
            if let Some(transfer) = transfers.get(id)
                && self.announced.insert(id)
            {
                self.say(&request(id, &transfer));
                if let Transfer { hash, way: Way::Down { from } } = transfer {
                    self.bulk.receive(id, hash, from);
                }
            }
        }
    }

    /// A transfer is over.
    pub(super) fn release(&mut self, id: TransferId) {
        self.bulk.end(id);
        self.say(&Message::Release { transfer: id.0 });
    }

    /// Asks what is not asked in this session.
    pub(super) fn ask(&mut self, asks: &Asks) {
        if !self.is_greeted || self.connection.is_closing() {
            return;
        }
        for (id, request) in asks.askable(&self.asked) {
            self.say(&Message::Ask { tag: id.0, request: request.clone() });
            self.asked.insert(id);
        }
    }

    // hearing

    /// Takes a SHORT datagram and puts its entries where they belong.
    pub(super) fn handle_datagram(
        &mut self,
        now: Instant,
        from: Arrival,
        datagram: &mut [u8],
        timelines: &mut BTreeMap<RoomId, Timeline>,
        events: &mut VecDeque<ClientEvent>,
    ) -> Result<(), Discard> {
        let Self { connection, bulk, .. } = self;
        let fits = |frames: &Frames<'_>| {
            let with_next = frames.iter().any(|frame| is_next(timelines, &frame));
            frames.iter().all(|frame| has_room(timelines, &frame, with_next) && bulk.check(&frame).is_ok())
        };
        let frames = connection.handle_datagram(now, from, datagram, fits)?;
        for frame in frames.iter() {
            bulk.take(&frame);
            take_entries(timelines, &frame);
            events.extend(ClientEvent::in_passing(&frame));
        }
        Ok(())
    }

    /// Reads whole control messages as they have arrived.
    pub(super) fn read_control(&mut self, now: Instant, mut heard: Heard<'_>) -> Result<(), Discard> {
        loop {
            let bytes = self.connection.readable(CONTROL).to_vec();
            let Some((message, used)) = Message::split(&bytes)? else { return Ok(()) };
            self.connection.consume(CONTROL, used);
            self.handle_message(now, &message, &mut heard)?;
        }
    }

    fn handle_message(
        &mut self,
        now: Instant,
        message: &Message<'_>,
        heard: &mut Heard<'_>,
    ) -> Result<(), Discard> {
        match message {
            Message::Welcome { flags, name, generation, .. } => {
                self.welcome(*flags, name, *generation, heard);
            }
            Message::RatchetRsp { ephemeral, kem } => self.finish_ratchet(now, (ephemeral, *kem), heard)?,
            Message::Room { room, kind: Some(kind), name, head } => {
                self.learn_room(RoomId(*room), *kind, name, Seq(*head), heard);
            }
            Message::State { .. } | Message::Gone { .. } => self.learn_state(message, heard),
            Message::Done { .. } | Message::Rooms { .. } | Message::Page { .. } => {
                self.answered(message, heard);
            }
            Message::Refused { request: CREATE..=SEARCH, reason, id, .. } => {
                let id = AskId(refused(*id).0);
                if let Some((request, event)) = heard.asks.denied(id, *reason) {
                    heard.events.push_back(event);
                    Self::give_up_room(&request, *reason, heard);
                }
            }
            Message::Members { room, names } => {
                let names = names.iter().map(|name| (*name).to_string()).collect();
                self.learn_members(RoomId(*room), names, heard);
            }
            Message::Refused { request: kind::WHO, .. } => self.learn_members(LOBBY, Vec::new(), heard),
            Message::Stored { room, sequence, id } => {
                heard.stored(*id, RoomId(*room), Seq(*sequence));
            }
            Message::Want { transfer, from } => {
                let id = TransferId(*transfer);
                if let Some(Transfer { hash, way: Way::Up { size_bytes } }) = heard.transfers.get(id) {
                    self.bulk.send(id, hash, (*from).min(size_bytes), size_bytes);
                }
            }
            Message::Blob { transfer, size } => {
                self.bulk.measure(TransferId(*transfer), *size);
            }
            Message::Got { transfer } => {
                let transfer = TransferId(*transfer);
                self.bulk.end(transfer);
                if heard.transfers.end(transfer) {
                    heard.events.push_back(ClientEvent::Put { transfer });
                }
            }
            Message::Login(message) => self.hear_account(message, heard),
            Message::Refused { request, reason, .. } if account::is_ask(*request) => {
                self.account_refused(*request, *reason, heard);
            }
            Message::Refused { request: kind::OFFER | kind::FETCH, reason, id, .. } => {
                let transfer = refused(*id);
                self.bulk.end(transfer);
                if heard.transfers.end(transfer) {
                    heard.events.push_back(ClientEvent::TransferRefused { transfer, reason: *reason });
                }
            }
            Message::Refused { request, reason, id, name } => {
                let is_for_name = *request == kind::DIRECT;
                if is_for_name {
                    self.asked_for.remove(&fold(name));
                }
                let ids = if is_for_name { heard.outbox.for_name(name) } else { Vec::from([*id]) };
                for id in ids {
                    if heard.outbox.remove(&id) {
                        let (reason, name) = (*reason, (*name).to_string());
                        heard.events.push_back(ClientEvent::Refused { id, reason, name });
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The hub's half of a ratchet is there: its packets are opened under both generations from now on.
    fn finish_ratchet(
        &mut self,
        now: Instant,
        halves: (&[u8; KEY_BYTES], Option<&KemCiphertext>),
        heard: &mut Heard<'_>,
    ) -> Result<(), Discard> {
        let ClientConfig { identity, hub_key, key_log, .. } = heard.config;
        let next = self.ratchet.finish(now, self.connection.root(), identity, hub_key, halves)?;
        if *key_log {
            let line = spec::key_log::ratchet_line(self.attempt, &next);
            heard.events.push_back(ClientEvent::KeyLog(line));
        }
        self.connection.offer_generation(now, next);
        Ok(())
    }

    fn welcome(&mut self, flags: u64, name: &str, generation: [u8; 8], heard: &mut Heard<'_>) {
        if heard.generation.is_some_and(|known| known != generation) {
            // Another log: its numbers mean nothing here, and every room is read anew.
            heard.timelines.clear();
            heard.outbox.forget_directs();
            self.subscribed.clear();
            self.asked_for.clear();
            self.reads_anew = true;
        }
        *heard.generation = Some(generation);
        self.is_greeted = true;
        self.asking.greeted();
        (heard.wishes.device, heard.wishes.proof) = (None, None);
        if flags & FLAG_KEY_LOG != 0 {
            heard.events.push_back(ClientEvent::HubLogsKeys);
        }
        let is_again = core::mem::replace(heard.was_connected, true);
        heard.events.push_back(ClientEvent::Connected { name: name.to_string(), is_again });
    }

    fn learn_members(&mut self, room: RoomId, names: Vec<String>, heard: &mut Heard<'_>) {
        self.members_asked = self.members_asked.saturating_sub(1);
        heard.members_wanted.pop_front();
        heard.events.push_back(ClientEvent::Members { room, names });
    }

    /// What a room is like, or that we are no member of it.
    fn learn_state(&mut self, message: &Message<'_>, heard: &mut Heard<'_>) {
        match message {
            Message::State { room, flags, role, first, slow_secs, pinned, topic } => {
                let room = RoomId(*room);
                self.firsts.insert(room, Seq(*first));
                let (flags, role, slow_secs, pinned) = (*flags, *role, *slow_secs, *pinned);
                let state = RoomState { flags, role, slow_secs, pinned, topic: (*topic).to_string() };
                heard.events.push_back(ClientEvent::State { room, state });
            }
            Message::Gone { room, text } => {
                let room = RoomId(*room);
                heard.timelines.remove(&room);
                self.subscribed.remove(&room);
                heard.outbox.forget_room(room);
                heard.events.push_back(ClientEvent::Gone { room, text: (*text).to_string() });
            }
            _ => {}
        }
    }

    /// A request was granted.
    fn answered(&mut self, message: &Message<'_>, heard: &mut Heard<'_>) {
        let (tag, event) = match message {
            Message::Done { tag } => (*tag, heard.asks.done(AskId(*tag))),
            Message::Rooms { tag, more, rooms } => {
                let event = heard.asks.done(AskId(*tag)).map(|_| ClientEvent::Rooms {
                    id: AskId(*tag),
                    rooms: rooms.iter().map(RoomInfo::from).collect(),
                    more: *more,
                });
                (*tag, event)
            }
            Message::Page { tag, head, pieces, .. } => {
                let page = heard.asks.page(AskId(*tag), Seq(*head), pieces);
                (*tag, page.map(|(event, _)| event))
            }
            _ => return,
        };
        self.asked.remove(&AskId(tag));
        heard.events.extend(event);
    }

    /// Lines for a room that cannot be joined come back.
    fn give_up_room(request: &Request<'_>, reason: Refusal, heard: &mut Heard<'_>) {
        let (Request::Join { name } | Request::Create { name, .. }) = request else { return };
        for id in heard.outbox.for_room(name) {
            if heard.outbox.remove(&id) {
                heard.events.push_back(ClientEvent::Refused { id, reason, name: name.to_string() });
            }
        }
    }

    fn learn_room(&mut self, room: RoomId, kind: RoomKind, name: &str, head: Seq, heard: &mut Heard<'_>) {
        match kind {
            RoomKind::Direct => heard.outbox.learn_direct(name, room),
            RoomKind::Open => heard.outbox.learn_named(name, room),
        }
        // A newcomer to the lobby begins with what happens next; all else is read from where it may be.
        let is_newcomer = room == LOBBY && !self.reads_anew;
        let first = self.firsts.get(&room).copied().unwrap_or(Seq(1));
        let start = if is_newcomer { head.next() } else { first };
        if heard.timelines.get(&room).is_some_and(|timeline| timeline.next() < first) {
            // We were away, and may not read what was said meanwhile.
            heard.timelines.remove(&room);
            self.subscribed.remove(&room);
        }
        let timeline = heard.timelines.entry(room).or_insert_with(|| Timeline::new(start));
        let after = timeline.last();
        if self.subscribed.insert(room) {
            self.say(&Message::Subscribe { room: room.0, after: after.0 });
        }
        heard.events.push_back(ClientEvent::Room { room, kind, name: name.to_string() });
    }
}

/// Whether a frame brings the entry that its room waits for.
fn is_next(timelines: &BTreeMap<RoomId, Timeline>, frame: &Frame<'_>) -> bool {
    let waits = |room, sequence| timelines.get(&RoomId(room)).is_some_and(|room| room.is_next(Seq(sequence)));
    match frame {
        Frame::Entries(entries) => waits(entries.room, entries.first),
        Frame::Fragment { room, sequence, .. } => waits(*room, *sequence),
        _ => false,
    }
}

fn has_room(timelines: &BTreeMap<RoomId, Timeline>, frame: &Frame<'_>, comes_with_next: bool) -> bool {
    let fits = |room: u64, sequence: u64, len: usize| {
        let timeline = timelines.get(&RoomId(room));
        timeline.is_none_or(|timeline| timeline.has_room(Seq(sequence), len, comes_with_next))
    };
    match frame {
        Frame::Entries(entries) => fits(entries.room, entries.first, entries.bytes.len()),
        Frame::Fragment { room, sequence, data, .. } => fits(*room, *sequence, data.len()),
        _ => true,
    }
}

fn take_entries(timelines: &mut BTreeMap<RoomId, Timeline>, frame: &Frame<'_>) {
    match frame {
        Frame::Entries(entries) => {
            let Some(timeline) = timelines.get_mut(&RoomId(entries.room)) else { return };
            entries.iter().for_each(|(sequence, entry)| timeline.insert(Seq(sequence), entry));
        }
        Frame::Fragment { room, sequence, total, offset, data } => {
            let Some(timeline) = timelines.get_mut(&RoomId(*room)) else { return };
            let (Ok(total), Ok(offset)) = (usize::try_from(*total), usize::try_from(*offset)) else { return };
            timeline.insert_piece(Seq(*sequence), total, offset, data);
        }
        _ => {}
    }
}
