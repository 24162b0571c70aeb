//! The hub's endpoint: strangers in, sessions, rooms, and the log as one more peer. Dispatch only.
//!
//! | module | what it knows |
//! |---|---|
//! | [`admission`] | strangers: gate, cookie, fragments, handshake; no session |
//! | [`sessions`] | which session owns which connection id, and when each wants to be woken |
//! | [`ratchet`] | the hub's half of making a session's keys anew |
//! | [`greeting`], [`requests`] | what a client says on its control stream and its rooms' streams |
//! | [`rooms`], [`rights`] | what it asks for about rooms, and who may |
//! | [`charter`], [`told`] | what entries of room 0 make of a room, and whom it concerns |
//! | [`past`] | what was said before |
//! | [`accounts`], [`presence`] | who is who, and who is here |
//! | [`enrolment`], [`devices`] | how a key becomes a device of an account, and stops being one |
//! | [`passwords`], [`attempts`] | passwords the hub never sees, and how often one may be tried |
//! | [`room`] | pages and readers of one room; no connection |
//! | [`flush`] | the only place where cursors meet connections |
//! | [`operator`] | what the person at the hub may do |

pub mod accounts;
pub mod admission;
mod answered;
mod attempts;
mod bulk;
pub mod charter;
mod cid_table;
mod commit;
mod devices;
mod enrolment;
mod ephemeral;
mod flush;
mod greeting;
pub mod operator;
mod passwords;
mod past;
mod prefix;
mod presence;
mod ratchet;
mod requests;
mod rights;
mod room;
mod rooms;
mod sessions;
mod told;
mod trouble;
mod wheel;

use crate::bulk::Request;
use crate::connection::{Connection, End, KeyPolicy, Step};
use crate::log::{
    AccountId, Append, Effect, HUB_ACCOUNT, HUB_ROOM, LOBBY, Recovered, Reply, RoomId, Seq, Ticket,
};
use crate::opaque::Keeper;
use crate::random::Random;
use crate::timer::{Deadline, Timer, earliest};
use crate::transmit::{Arrival, Path, Transmit};
use crate::watch::Watch;
use accounts::{Account, Accounts};
use admission::{Admission, Newcomer, Outcome};
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use attempts::Attempts;
use charter::{Made, room_body};
use commit::{Pending, Purpose};
use core::time::Duration;
use enrolment::Enrolments;
use presence::Presence;
use room::Room;
use sessions::{Session, SessionId, Sessions, Stage};
use spec::close::CloseReason;
use spec::crypto::hmac;
use spec::discard::Discard;
use spec::handshake::KeyPair;
use spec::limits::BODY_BYTES_MAX;
use spec::secret::Secret;
use spec::time::Instant;
use spec::wire::entry::{EntryKind, MessageId};
use spec::wire::frame::{Frames, Side};
use spec::wire::request::Role;
use spec::wire::{long, short};
pub use trouble::Trouble;

/// The lobby's name.
pub const LOBBY_NAME: &str = "lobby";

/// Sessions of one key that were never heard of.
const UNCONFIRMED_PER_KEY_MAX: usize = 4;
/// How long a session may go unheard from its beginning: twice what a client waits for an answer.
const UNCONFIRMED_TIME: Duration = Duration::from_secs(10);

/// What an operator decides about a hub.
#[derive(Debug)]
pub struct HubConfig {
    /// The hub's identity.
    pub identity: KeyPair,
    /// The access secrets that open the gate: the present one, then others still accepted.
    pub access_secrets: Vec<Secret<32>>,
    /// Whether strangers may ask for the key.
    pub is_open: bool,
    /// How long a member who fell silent may stay away before it is announced.
    pub grace: Duration,
    /// Length of the largest blob the shell keeps; 0 when it keeps none.
    pub blob_bytes_max: u64,
    /// Sessions at most.
    pub sessions_max: usize,
    /// Whether secrets are given out as [`HubEvent::KeyLog`].
    pub key_log: bool,
    /// When keys are changed.
    pub keys: KeyPolicy,
    /// What passwords need.
    pub logins: LoginConfig,
}

/// What a hub needs to work with passwords.
#[derive(Debug)]
pub struct LoginConfig {
    /// Made once: without it no password that was set with it holds.
    pub secret: Secret<32>,
    /// What [`HubEvent::Attempts`] said last, or nothing.
    pub attempts: Vec<u8>,
}

/// What the shell is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HubEvent {
    /// A client's handshake is done.
    Opened {
        /// Where it is.
        path: Path,
    },
    /// A client was greeted under its name.
    Greeted {
        /// Its name.
        name: String,
        /// Where it is.
        path: Path,
    },
    /// A session is over.
    Gone {
        /// Its name, when it had one.
        name: Option<String>,
        /// Why.
        why: String,
    },
    /// Lines for a key log.
    KeyLog(String),
    /// A client says that it writes a key log.
    PeerLogsKeys {
        /// Its name.
        name: String,
    },
    /// An entry of the lobby, or of a room for the hub and one account, was committed.
    Entry {
        /// The room.
        room: RoomId,
        /// Its number.
        sequence: Seq,
        /// Its bytes.
        entry: Vec<u8>,
    },
    /// The log fails: told once, until it works again.
    LogTrouble(Trouble),
    /// The log works again.
    LogWorks,
    /// How often what was tried, to be kept for the next start.
    Attempts(Vec<u8>),
}

/// Counters of a hub.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HubStats {
    /// Datagrams received.
    pub datagrams: u64,
    /// Datagrams dropped.
    pub discarded: u64,
    /// Sessions opened.
    pub sessions: u64,
}

/// One core's endpoint of a hub.
#[derive(Debug)]
pub struct Hub {
    config: HubConfig,
    random: Random,
    generation: [u8; 8],
    admission: Admission,
    sessions: Sessions,
    accounts: Accounts,
    enrolments: Enrolments,
    keeper: Keeper,
    attempts: Attempts,
    presence: Presence,
    rooms: BTreeMap<RoomId, Room>,
    /// Rooms by their folded names.
    by_name: BTreeMap<String, RoomId>,
    /// The named rooms that an account is a member of.
    joined: BTreeMap<AccountId, BTreeSet<RoomId>>,
    /// Roles on the whole hub.
    roles: BTreeMap<AccountId, Role>,
    /// When a member wrote last in a room whose pace is slow.
    wrote_at: BTreeMap<(RoomId, AccountId), (Instant, MessageId)>,
    pending: Pending,
    answers: VecDeque<(Path, Vec<u8>)>,
    effects: VecDeque<Effect>,
    blobs: VecDeque<Request>,
    events: VecDeque<HubEvent>,
    is_closing: bool,
    stats: HubStats,
    watch: Watch,
    /// Sessions whose deadline passed; empty between calls.
    due: Vec<SessionId>,
}

impl Hub {
    /// A hub over a log that was `recovered`; `seed` is 32 random bytes.
    #[must_use]
    pub fn new(now: Instant, config: HubConfig, recovered: &Recovered, seed: [u8; 32]) -> Self {
        let mut random = Random::new(seed);
        let admission = Admission::new(now, &config, random.secret());
        let LoginConfig { secret, attempts } = &config.logins;
        let keeper = Keeper::new(secret, *config.identity.public());
        let attempts = Attempts::new(now, hmac(secret.expose(), &[b"attempts"]), attempts);
        let mut hub = Self {
            presence: Presence::recovered(now + config.grace, &recovered.present),
            config,
            random,
            generation: recovered.generation,
            admission,
            sessions: Sessions::default(),
            accounts: Accounts::default(),
            enrolments: Enrolments::default(),
            keeper,
            attempts,
            rooms: BTreeMap::new(),
            by_name: BTreeMap::new(),
            joined: BTreeMap::new(),
            roles: BTreeMap::new(),
            wrote_at: BTreeMap::new(),
            pending: Pending::default(),
            answers: VecDeque::new(),
            effects: VecDeque::new(),
            blobs: VecDeque::new(),
            events: VecDeque::new(),
            is_closing: false,
            stats: HubStats::default(),
            watch: Watch::default(),
            due: Vec::new(),
        };
        hub.recover(recovered);
        hub
    }

    fn recover(&mut self, recovered: &Recovered) {
        for (sequence, entry) in (1..).zip(&recovered.hub_log) {
            self.apply_hub_entry(Seq(sequence), entry);
        }
        for (room, head) in &recovered.heads {
            if let Some(room) = self.rooms.get_mut(room) {
                room.set_head(*head);
            }
        }
        self.make_lobby();
    }

    /// The lobby is the first entry of a log: until it is there, there is nothing to be in.
    fn make_lobby(&mut self) {
        if !self.rooms.contains_key(&LOBBY) && !self.pending.is_making_lobby() {
            let body = room_body(Made::Open { flags: 0, owner: None });
            let ticket = self.append_as_hub(HUB_ROOM, EntryKind::Room, LOBBY_NAME, body);
            self.pending.expect(ticket, Purpose::Lobby);
        }
    }

    // getters

    /// Counters.
    #[must_use]
    pub const fn stats(&self) -> &HubStats {
        &self.stats
    }

    /// Sessions, greeted or not.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// The connections of all sessions, each with a number that no other session ever has.
    pub fn connections(&self) -> impl Iterator<Item = (u64, &Connection)> + '_ {
        self.sessions.connections()
    }

    /// Half-open handshakes and fragment slots: bounded whatever strangers send.
    #[must_use]
    pub fn half_open_count(&self) -> usize {
        self.admission.half_open_count()
    }

    /// From now on the steps of new sessions are kept for [`poll_step`](Self::poll_step).
    pub fn watch(&mut self) {
        self.watch.enable();
    }

    // what happened

    /// Takes a datagram from the network.
    ///
    /// # Errors
    /// [`Discard`]; nothing but counters changed, and nothing is answered.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        from: impl Into<Arrival>,
        datagram: &mut [u8],
    ) -> Result<(), Discard> {
        let from = from.into();
        self.stats.datagrams += 1;
        //= spec/PROTOCOL.md#long-datagrams
        //# A receiver MUST drop a datagram whose form is `00` or `10`, and a LONG datagram of type 7.
        //= spec/PROTOCOL.md#the-hub-silence
        //# An endpoint MUST drop, without any answer, every datagram that this document does not tell it to
        //# answer.
        let result = if short::is_short(datagram) {
            self.handle_short(now, from, datagram)
        } else if long::is_long(datagram) {
            self.handle_long(now, from.path, datagram)
        } else {
            Err(Discard::Length)
        };
        if result.is_err() {
            self.stats.discarded += 1;
        }
        result
    }

    fn handle_short(&mut self, now: Instant, from: Arrival, datagram: &mut [u8]) -> Result<(), Discard> {
        let id = short::connection_id(datagram).ok_or(Discard::Length)?;
        let mut result = Err(Discard::UnknownConnection);
        //= spec/PROTOCOL.md#connection-ids-in-use
        //# An id that up to four sessions share belongs to each: the receiver tries them in turn.
        let candidates = self.sessions.by_connection_id(id);
        for (tried, session) in candidates.iter().enumerate() {
            // Opening in place spoils the bytes, so all but the last try work on a copy.
            let mut copy;
            let bytes = if tried + 1 == candidates.len() {
                &mut *datagram
            } else {
                copy = datagram.to_vec();
                &mut copy[..]
            };
            let Some(known) = self.sessions.get_mut(*session) else { continue };
            if !known.take_turn(now) {
                return Err(Discard::RateLimited);
            }
            let Session { connection, bulk, .. } = known;
            let has_room = |frames: &Frames<'_>| frames.iter().all(|frame| bulk.check(&frame).is_ok());
            let opened = connection.handle_datagram(now, from, bytes, has_room);
            result = opened.as_ref().map(|_| ()).map_err(|discard| *discard);
            if let Ok(frames) = opened {
                frames.iter().for_each(|frame| bulk.take(&frame));
                self.hear_ephemeral(now, *session, &frames);
                self.collect_blobs(*session);
                self.sessions.refresh_ids(*session);
                self.confirm(now, *session);
                self.serve(now, *session);
                break;
            }
            if result == Err(Discard::EpochOrder) {
                self.close(now, *session, CloseReason::Violation, "epochs and packet numbers do not agree");
            }
        }
        result
    }

    fn handle_long(&mut self, now: Instant, path: Path, datagram: &[u8]) -> Result<(), Discard> {
        if self.is_closing {
            return Err(Discard::WrongState);
        }
        match self.admission.handle(now, path, datagram, &mut self.random)? {
            Outcome::Kept => {}
            Outcome::Answer(answer) => self.answers.push_back((path, answer)),
            Outcome::Finished(newcomer) => self.open_session(now, path, *newcomer),
        }
        Ok(())
    }

    fn open_session(&mut self, now: Instant, path: Path, newcomer: Newcomer) {
        let Newcomer { finished, init_arrived } = newcomer;
        if self.config.key_log {
            self.events.push_back(HubEvent::KeyLog(spec::key_log::lines(&finished.established)));
        }
        self.events.push_back(HubEvent::Opened { path });
        let random = Random::new(self.random.array());
        let established = &finished.established;
        let mut connection =
            Connection::new(now, Side::Hub, &established.root, path, random).with_policy(self.config.keys);
        if let Ok(frames) = Frames::parse(&finished.frames, Side::Client) {
            connection.apply_fin(&frames);
        }
        self.forget_unconfirmed(now, &finished.client_key);
        let (key, names) = (finished.client_key, (established.attempt, established.root.exporter()));
        let session = self.sessions.insert(Session::new(connection, key, names, init_arrived));
        self.stats.sessions += 1;
        if let Some(opened) = self.sessions.get_mut(session) {
            self.watch.begin(now, session.number(), &mut opened.connection);
        }
        if self.sessions.len() > self.config.sessions_max {
            self.close(now, session, CloseReason::Full, "this hub takes no more sessions");
        }
        self.serve(now, session);
    }

    /// One key needs no more than a few sessions at a time: the oldest that were never heard of make room.
    fn forget_unconfirmed(&mut self, now: Instant, key: &accounts::ClientKey) {
        let is_unconfirmed =
            |id: &SessionId| self.sessions.get(*id).is_some_and(|session| !session.is_confirmed);
        let unconfirmed: Vec<SessionId> =
            self.sessions.of_key(key).into_iter().filter(is_unconfirmed).collect();
        let surplus = (unconfirmed.len() + 1).saturating_sub(UNCONFIRMED_PER_KEY_MAX);
        for id in &unconfirmed[..surplus.min(unconfirmed.len())] {
            self.abandon(now, *id);
        }
    }

    fn abandon(&mut self, now: Instant, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.connection.abandon();
        }
        self.drop_if_over(now, id);
    }

    /// The first packet of a client shows that it holds the keys: only then its older sessions go.
    fn confirm(&mut self, now: Instant, id: SessionId) {
        //= spec/PROTOCOL.md#handshake-flow
        //# A session replaces an older one of the same client key only after a SHORT datagram of the client was
        //# opened in it, and only if its INIT arrived later.
        let Some(session) = self.sessions.get_mut(id) else { return };
        if core::mem::replace(&mut session.is_confirmed, true) {
            return;
        }
        let (key, arrived) = (session.client_key, session.init_arrived);
        for older in self.sessions.of_key(&key) {
            if older != id && self.sessions.get(older).is_some_and(|older| older.init_arrived < arrived) {
                self.close(now, older, CloseReason::Replaced, "joined again from elsewhere");
            }
        }
    }

    /// Reads what a session's streams hold and lets it answer.
    fn serve(&mut self, now: Instant, id: SessionId) {
        self.read_control(now, id);
        self.read_submissions(now, id);
        self.touch(id);
    }

    /// Something changed for a session: it may have something to send, and another deadline.
    fn touch(&mut self, id: SessionId) {
        self.sessions.mark_ready(id);
    }

    /// Ends a session for a reason the client is told.
    fn close(&mut self, now: Instant, id: SessionId, reason: CloseReason, text: &str) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.connection.close(now, reason, text);
        self.enrolments.end(id);
        let was = core::mem::replace(&mut session.stage, Stage::Leaving);
        if let Stage::Greeted(account) = was {
            self.leave(now, id, account, reason, text);
        }
        self.touch(id);
    }

    /// Acts on every deadline that has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.admission.handle_timeout(now, &mut self.random);
        let mut due = core::mem::take(&mut self.due);
        self.sessions.due(now, &mut due);
        // Who is woken first is first in every queue on the way: it is not always the same one.
        if due.len() > 1 {
            let turn = usize::try_from(self.random.number()).unwrap_or(0) % due.len();
            due.rotate_left(turn);
        }
        for id in due.drain(..) {
            let Some(session) = self.sessions.get_mut(id) else { continue };
            session.connection.handle_timeout(now);
            // A client that never was heard gave up long ago.
            if !session.is_confirmed && session.init_arrived + UNCONFIRMED_TIME <= now {
                session.connection.abandon();
            }
            // Ids that were kept for a while may be gone.
            self.sessions.refresh_ids(id);
            self.touch(id);
        }
        self.due = due;
        self.serve_enrolments(now);
        self.save_attempts(now, now);
        for account in self.presence.overdue(now) {
            self.announce_left(account, "did not come back");
        }
    }

    /// Has the shell keep what is to be kept by `until`.
    fn save_attempts(&mut self, now: Instant, until: Instant) {
        self.events.extend(self.attempts.save(now, until).map(HubEvent::Attempts));
    }

    /// Drops a session whose connection is over and has said its last word.
    fn drop_if_over(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get(id) else { return };
        let Some(end) = session.connection.end() else { return };
        let last_heard = session.connection.last_received();
        let Some(mut session) = self.sessions.remove(id) else { return };
        self.enrolments.end(id);
        self.watch.end(now, id.number(), &mut session.connection);
        for room in session.cursors.keys() {
            if let Some(room) = self.rooms.get_mut(room) {
                room.remove_reader(id);
            }
        }
        let name = match session.stage {
            Stage::Greeted(account) => {
                self.part(now, id, account, &end, last_heard);
                self.accounts.get(account).map(|account| account.name.clone())
            }
            _ => None,
        };
        self.events.push_back(HubEvent::Gone { name, why: why(&end) });
    }

    // what to do

    /// The next datagram to send, written over `out`.
    pub fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        out.clear();
        if let Some((path, answer)) = self.answers.pop_front() {
            out.extend_from_slice(&answer);
            return Some(Transmit::one(path, out.len()));
        }
        while let Some(id) = self.sessions.pop_ready() {
            let transmit = self.flush(now, id, out);
            self.sessions.refresh_deadline(id);
            self.drop_if_over(now, id);
            if transmit.is_some() {
                return transmit;
            }
        }
        None
    }

    /// The next thing the log is asked for.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The next thing the shell is told.
    pub fn poll_event(&mut self) -> Option<HubEvent> {
        self.events.pop_front()
    }

    /// The next step of those that are watched: of which session, and when it was.
    pub fn poll_step(&mut self) -> Option<(u64, Instant, Step)> {
        if self.watch.is_drained() {
            for id in self.sessions.ids() {
                let Some(session) = self.sessions.get_mut(id) else { continue };
                self.watch.collect(id.number(), &mut session.connection);
            }
        }
        self.watch.poll()
    }

    /// The next deadline and its reason.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Deadline> {
        earliest([
            self.sessions.deadline().map(|at| (at, Timer::Session)),
            self.admission.deadline().map(|at| (at, Timer::Admission)),
            self.presence.deadline().map(|at| (at, Timer::Presence)),
            self.enrolments.deadline().map(|at| (at, Timer::Enrolment)),
            self.attempts.deadline().map(|at| (at, Timer::Enrolment)),
        ])
    }

    // what every part needs

    fn append(&mut self, append: Append) {
        // A longer entry could be stored and never be delivered.
        assert!(append.body.len() <= BODY_BYTES_MAX, "whoever appends checks the length");
        self.pending.count(append.ticket, append.cost());
        self.effects.push_back(Effect::Append(append));
    }

    /// Appends an entry that the hub is the author of, or that it writes about `name`.
    fn append_as_hub(&mut self, room: RoomId, kind: EntryKind, name: &str, body: Vec<u8>) -> Ticket {
        let (ticket, id) = (self.pending.ticket(), self.random.message_id());
        let name = name.to_string();
        self.append(Append { ticket, room, author: HUB_ACCOUNT, id, kind, name, body, about: None });
        ticket
    }

    /// Appends an entry about `account` to a room, such as that it came.
    fn append_about(&mut self, room: RoomId, account: &Account, kind: EntryKind, body: &str) {
        let (ticket, id) = (self.pending.ticket(), self.random.message_id());
        let (author, name, body) = (account.id, account.name.clone(), body.as_bytes().to_vec());
        self.append(Append { ticket, room, author, id, kind, name, body, about: None });
    }
}

/// A submission that waits for the log.
#[derive(Clone, Copy, Debug)]
struct Submitted {
    session: SessionId,
    room: RoomId,
    id: MessageId,
}

fn why(end: &End) -> String {
    match end {
        End::ByPeer { reason: CloseReason::Quit, .. } => "left".to_string(),
        End::ByPeer { reason, text } => alloc::format!("left ({}: {text})", reason.name()),
        End::ByUs => "was sent away".to_string(),
        End::TimedOut => "fell silent".to_string(),
    }
}

/// Takes the answer of the log.
impl Hub {
    /// Takes an answer of the log; `time` is for whatever the hub has to date itself.
    pub fn handle_reply(&mut self, now: Instant, reply: Reply) {
        match reply {
            Reply::Committed(batch) => self.committed(now, &batch),
            Reply::Refused { ticket, reason } => self.refused(now, ticket, reason),
            Reply::Page { room, page } => self.paged(room, page),
            Reply::Found { ticket, entries } => self.looked_up(now, ticket, &entries),
        }
    }
}
