//! The client's endpoint: an outbox of lines, a timeline a room, and a hub that may come and go.
//!
//! | module | what it knows |
//! |---|---|
//! | [`account`] | what is asked of the account: devices and passwords |
//! | [`login`] | how that is asked in one session |
//! | [`event`] | what the shell is told |
//! | [`attempt`] | one handshake, from the first INIT to the hub's first packet |
//! | [`speaking`] | what a person says and asks |
//! | [`asks`] | requests that the hub has not answered |
//! | [`outbox`] | lines that the hub has not stored |
//! | [`timeline`] | the entries of a room, in order |
//! | [`session`] | what is said and heard on a connection |
//! | [`ratchet`] | when a session's keys are made anew |
//! | [`key_request`] | asking an open hub for its key, before there is a client |
//!
//! A session promises nothing beyond its own life: after a new handshake the client asks for every room from its
//! last entry on and submits its unanswered lines again, under the same ids.

pub mod account;
mod asks;
mod attempt;
mod event;
pub mod key_request;
mod login;
mod outbox;
mod ratchet;
mod session;
mod speaking;
mod timeline;
mod transfers;

pub use asks::{AskId, NotAsked};
pub use event::{ClientEvent, RoomInfo, RoomState};
pub use outbox::{OutboxFull, Target};
pub use transfers::TransfersFull;

use crate::bulk::Bulk;
use crate::connection::{Connection, End, KeyPolicy, Step};
use crate::log::{RoomId, Seq};
use crate::random::Random;
use crate::timer::{Deadline, Timer, earliest};
use crate::transmit::{Arrival, Path, Transmit};
use crate::watch::Watch;
use account::Wishes;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use asks::Asks;
use attempt::{Attempt, Progress};
use core::time::Duration;
use outbox::Outbox;
use spec::close::CloseReason;
use spec::discard::Discard;
use spec::handshake::KeyPair;
use spec::limits::KEY_BYTES;
use spec::secret::Secret;
use spec::time::Instant;
use spec::wire::{long, short};
use timeline::Timeline;
use transfers::Transfers;

/// Silence after which the person is told and another handshake begun; a person shall hear within 3 seconds.
///
/// It counts from a PING that may leave up to [`KEEP_ALIVE`](spec::limits::KEEP_ALIVE) after the hub went.
pub const SILENCE: Duration = Duration::from_millis(1900);
/// How much of the silence a suspicion stands for.
const SUSPECTED_BEFORE: Duration = Duration::from_millis(1400);
/// First pause between attempts; doubled each time.
const PAUSE_FIRST: Duration = Duration::from_millis(250);
/// Longest pause between attempts.
const PAUSE_MAX: Duration = Duration::from_secs(4);

/// Who joins which hub.
#[derive(Debug)]
pub struct ClientConfig {
    /// The client's identity.
    pub identity: KeyPair,
    /// The hub's key, known before the first datagram.
    pub hub_key: [u8; KEY_BYTES],
    /// The access secret of the invite.
    pub access_secret: Secret<32>,
    /// The invite's token, or nothing.
    pub token: Vec<u8>,
    /// The name wanted.
    pub name: String,
    /// Whether secrets are given out as [`ClientEvent::KeyLog`].
    pub key_log: bool,
    /// What was read before: the log's generation, and the last entry of each room.
    pub resume: Option<Resume>,
    /// When keys are changed.
    pub keys: KeyPolicy,
}

/// Where reading goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resume {
    /// Names the log.
    pub generation: [u8; 8],
    /// The last entry applied of each room.
    pub rooms: BTreeMap<RoomId, Seq>,
}

#[derive(Debug)]
enum State {
    /// Working at it.
    Active,
    /// Saying goodbye.
    Leaving,
    /// Over.
    Done,
}

/// One client of one hub.
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    path: Path,
    random: Random,
    state: State,
    session: Option<session::Session>,
    attempt: Option<Attempt>,
    /// When the next attempt begins, while there is none.
    next_attempt: Option<Instant>,
    pause: Duration,
    /// Since when the hub is not heard; `None` while it is.
    silent_since: Option<Instant>,
    silence_told: bool,
    was_connected: bool,
    generation: Option<[u8; 8]>,
    timelines: BTreeMap<RoomId, Timeline>,
    outbox: Outbox,
    transfers: Transfers,
    asks: Asks,
    wishes: Wishes,
    /// Rooms whose members were asked for, and not told.
    members_wanted: VecDeque<RoomId>,
    events: VecDeque<ClientEvent>,
    watch: Watch,
    /// Sessions so far.
    sessions: u64,
}

impl Client {
    /// A client that begins its first attempt at `now`; `seed` is 32 random bytes.
    #[must_use]
    pub fn new(now: Instant, config: ClientConfig, path: Path, seed: [u8; 32]) -> Self {
        let resume = config.resume.clone();
        let timelines = resume.iter().flat_map(|resume| &resume.rooms);
        Self {
            timelines: timelines.map(|(room, last)| (*room, Timeline::new(last.next()))).collect(),
            generation: resume.as_ref().map(|resume| resume.generation),
            config,
            path,
            random: Random::new(seed),
            state: State::Active,
            session: None,
            attempt: None,
            next_attempt: Some(now),
            pause: PAUSE_FIRST,
            silent_since: Some(now),
            silence_told: false,
            was_connected: false,
            outbox: Outbox::default(),
            transfers: Transfers::default(),
            asks: Asks::default(),
            wishes: Wishes::default(),
            members_wanted: VecDeque::new(),
            events: VecDeque::new(),
            watch: Watch::default(),
            sessions: 0,
        }
    }

    // getters

    /// Lines that the hub has not stored.
    #[must_use]
    pub fn unstored(&self) -> usize {
        self.outbox.len()
    }

    /// Bytes of entries that came before their turn, in the room that holds most.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.timelines.values().map(Timeline::held).max().unwrap_or(0)
    }

    /// Whether the hub has greeted us and is heard.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.session.as_ref().is_some_and(session::Session::is_greeted) && self.silent_since.is_none()
    }

    /// Whether there is nothing more to do.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Where reading would go on after a restart of the program.
    #[must_use]
    pub fn resume(&self) -> Option<Resume> {
        let rooms = self.timelines.iter().map(|(room, timeline)| (*room, timeline.last())).collect();
        self.generation.map(|generation| Resume { generation, rooms })
    }

    /// The connection of the present session.
    #[must_use]
    pub fn connection(&self) -> Option<&Connection> {
        self.session.as_ref().map(|session| &session.connection)
    }

    // commands

    /// From now on the steps of new sessions are kept for [`poll_step`](Self::poll_step).
    pub fn watch(&mut self) {
        self.watch.enable();
    }

    /// Says goodbye; [`is_done`](Self::is_done) once the hub has heard it, or would have.
    pub fn leave(&mut self, now: Instant, text: &str) {
        self.attempt = None;
        self.next_attempt = None;
        match &mut self.session {
            Some(session) => {
                session.connection.close(now, CloseReason::Quit, text);
                self.state = State::Leaving;
            }
            None => self.state = State::Done,
        }
    }

    /// The shell has another socket: the session goes on from there, under an id that nobody has seen. What is on
    /// its way in a handshake would be answered to the old address, and is begun again.
    pub fn rebind(&mut self, now: Instant) {
        if !matches!(self.state, State::Active) {
            return;
        }
        if let Some(session) = &mut self.session {
            session.connection.moved(now);
        }
        if self.attempt.is_some() || self.session.is_none() {
            self.begin_attempt(now);
        }
    }

    /// The shell has other news of the hub, such as that its port is closed: look at once.
    pub fn suspect(&mut self, now: Instant) {
        if self.is_connected() && self.attempt.is_none() {
            // News that anyone could forge: it shortens the wait, and decides nothing.
            self.silent_since = Some(now - SUSPECTED_BEFORE);
            self.begin_attempt(now);
        }
    }

    fn submit(&mut self) {
        let Some(session) = &mut self.session else { return };
        session.submit(&self.outbox, &self.timelines);
        session.announce(&self.transfers);
        session.ask(&self.asks);
        session.ask_members(&self.members_wanted);
        self.events.extend(
            session.ask_account(&self.config, &self.wishes, &mut self.random).map(ClientEvent::Account),
        );
    }

    // what happened

    /// Takes a datagram from the network.
    ///
    /// # Errors
    /// [`Discard`]; nothing but counters changed.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        from: impl Into<Arrival>,
        datagram: &mut [u8],
    ) -> Result<(), Discard> {
        let from = from.into();
        if from.path.remote != self.path.remote || self.is_done() {
            return Err(Discard::UnknownConnection);
        }
        if long::is_long(datagram) {
            return self.handle_long(now, datagram);
        }
        if !short::is_short(datagram) {
            return Err(Discard::Length);
        }
        if let Some(attempt) = &mut self.attempt
            && attempt.owns(datagram)
        {
            self.handle_answer(now, from, datagram)
        } else {
            self.handle_short(now, from, datagram)
        }
    }

    fn handle_long(&mut self, now: Instant, datagram: &[u8]) -> Result<(), Discard> {
        let Some(attempt) = &mut self.attempt else { return Err(Discard::WrongState) };
        match attempt.handle_long(now, datagram)? {
            Progress::None => {}
            Progress::Resp(ready) => {
                let Self { config, outbox, timelines, random, path, wishes, .. } = self;
                let is_enrolling = wishes.device.is_some();
                let greeting = session::Greeting { config, outbox, timelines, is_enrolling };
                let log = attempt.finish(now, *ready, *path, random, &greeting)?;
                if self.config.key_log {
                    self.events.push_back(ClientEvent::KeyLog(log));
                }
            }
            //= spec/PROTOCOL.md#other-versions
            //# The client tells the person; it MUST NOT try a lower version because of VERSION.
            Progress::OtherVersions(versions) => {
                self.events.push_back(ClientEvent::OtherVersions(versions));
                self.attempt = None;
                self.state = State::Done;
            }
        }
        Ok(())
    }

    /// The hub's first packet of a new session: from here on it is the session.
    fn handle_answer(&mut self, now: Instant, from: Arrival, datagram: &mut [u8]) -> Result<(), Discard> {
        let session = self.attempt.as_mut().and_then(Attempt::session).ok_or(Discard::WrongState)?;
        session.handle_datagram(now, from, datagram, &mut self.timelines, &mut self.events)?;
        session.connection.fin_answered();
        self.end_session(now);
        self.session = self.attempt.take().and_then(Attempt::into_session);
        if let Some(session) = &mut self.session {
            self.sessions += 1;
            session.bulk = Bulk::new(self.sessions);
            self.watch.begin(now, self.sessions, &mut session.connection);
        }
        self.after_datagram(now);
        Ok(())
    }

    fn handle_short(&mut self, now: Instant, from: Arrival, datagram: &mut [u8]) -> Result<(), Discard> {
        let Some(session) = &mut self.session else { return Err(Discard::UnknownConnection) };
        session.handle_datagram(now, from, datagram, &mut self.timelines, &mut self.events)?;
        // An old session that answers after all is as good as a new one.
        self.attempt = None;
        self.after_datagram(now);
        Ok(())
    }

    fn after_datagram(&mut self, now: Instant) {
        self.silent_since = None;
        if core::mem::take(&mut self.silence_told) {
            self.events.push_back(ClientEvent::Heard);
        }
        let waiting = self.outbox.len();
        self.read_control(now);
        self.read_timelines();
        // A hub that only ever sends us away, or never stores what we say, is not a hub to hurry back to.
        let has_stored = self.outbox.len() < waiting || self.outbox.len() == 0;
        if has_stored && self.session.as_ref().is_some_and(session::Session::is_greeted) {
            self.pause = PAUSE_FIRST;
        }
        self.submit();
        self.after_end(now);
    }

    fn read_control(&mut self, now: Instant) {
        let Self { config, session, timelines, outbox, transfers, asks, events, .. } = self;
        let Self { generation, was_connected, members_wanted, wishes, random, .. } = self;
        let Some(session) = session else { return };
        let heard = session::Heard {
            config,
            timelines,
            outbox,
            transfers,
            asks,
            events,
            generation,
            was_connected,
            members_wanted,
            wishes,
            random,
        };
        if session.read_control(now, heard).is_err() {
            session.connection.close(now, CloseReason::Violation, "the hub broke the protocol");
        }
    }

    fn read_timelines(&mut self) {
        //= spec/PROTOCOL.md#application-messages
        //# A client MUST NOT apply an entry before it has read WELCOME.
        if !self.session.as_ref().is_some_and(session::Session::is_greeted) {
            return;
        }
        for (room, timeline) in &mut self.timelines {
            while let Some((sequence, entry)) = timeline.pop() {
                //= spec/PROTOCOL.md#application-messages
                //# A client MUST show an entry whose kind it does not know as nothing, and count it as applied.
                if let Ok(decoded) = spec::wire::entry::Entry::decode(&entry)
                    && self.outbox.remove(&decoded.id)
                {
                    let id = decoded.id;
                    self.events.push_back(ClientEvent::Stored { id, room: *room, sequence });
                }
                self.events.push_back(ClientEvent::Entry { room: *room, sequence, entry });
            }
        }
    }

    /// What follows from the end of a session.
    fn after_end(&mut self, now: Instant) {
        let Some(end) = self.session.as_ref().and_then(|session| session.connection.end()) else { return };
        // The last word is an acknowledgement of CLOSE, and it has to leave first.
        if matches!(end, End::ByPeer { .. }) && self.session.as_ref().is_some_and(session::Session::owes_ack)
        {
            return;
        }
        self.end_session(now);
        if matches!(self.state, State::Leaving) {
            self.state = State::Done;
            return;
        }
        match end {
            End::ByPeer { reason, text } => {
                let retrying = is_worth_retrying(reason);
                self.events.push_back(ClientEvent::Closed { reason, text, retrying });
                if !retrying {
                    self.state = State::Done;
                    return;
                }
                // The person knows; that it does not answer meanwhile is no news.
                self.silence_told = true;
            }
            End::ByUs | End::TimedOut => {}
        }
        self.silent_since = self.silent_since.or(Some(now));
        if self.attempt.is_none() {
            self.pause_attempts(now);
        }
    }

    fn end_session(&mut self, now: Instant) {
        if let Some(mut session) = self.session.take() {
            self.watch.end(now, self.sessions, &mut session.connection);
        }
    }

    /// Acts on every deadline that has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some(session) = &mut self.session {
            session.handle_timeout(now, &mut self.random);
        }
        self.after_end(now);
        if let Some(attempt) = &mut self.attempt
            && attempt.handle_timeout(now)
        {
            self.attempt = None;
            self.pause_attempts(now);
        }
        if self.next_attempt.is_some_and(|at| at <= now) {
            self.begin_attempt(now);
        }
        self.notice_silence(now);
    }

    fn notice_silence(&mut self, now: Instant) {
        if self.silence_at().is_none_or(|at| at > now) {
            return;
        }
        self.silence_told = true;
        self.silent_since = self.silent_since.or(Some(now));
        self.events.push_back(ClientEvent::Silent);
        if self.attempt.is_none() && self.next_attempt.is_none() {
            self.begin_attempt(now);
        }
    }

    fn silence_at(&self) -> Option<Instant> {
        if self.silence_told || !matches!(self.state, State::Active) {
            return None;
        }
        let waiting = self.session.as_ref().and_then(|session| session.connection.waiting_since());
        self.silent_since.or(waiting).map(|since| since + SILENCE)
    }

    fn begin_attempt(&mut self, now: Instant) {
        self.next_attempt = None;
        if !matches!(self.state, State::Active) {
            return;
        }
        match Attempt::start(now, &self.config, &mut self.random) {
            Ok(attempt) => self.attempt = Some(attempt),
            // A key that is no point cannot become one.
            Err(_) => self.state = State::Done,
        }
    }

    fn pause_attempts(&mut self, now: Instant) {
        self.next_attempt = Some(now + self.pause);
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }

    // what to do

    /// The next datagram to send, written over `out`.
    pub fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        out.clear();
        let path = self.path;
        //= spec/PROTOCOL.md#handshake-flow
        //# The client MUST NOT send a SHORT datagram before it opened one of the hub.
        if self.attempt.as_mut().is_some_and(|attempt| attempt.poll_transmit(now, out)) {
            return Some(Transmit::one(path, out.len()));
        }
        let transmit = self.session.as_mut().and_then(|session| session.poll_transmit(now, out));
        if transmit.is_none() {
            self.after_end(now);
        }
        transmit.map(|transmit| Transmit { path, ..transmit })
    }

    /// The next thing the shell is told.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    /// The next step of those that are watched: of which session, and when it was.
    pub fn poll_step(&mut self) -> Option<(u64, Instant, Step)> {
        if let Some(session) = &mut self.session {
            self.watch.collect(self.sessions, &mut session.connection);
        }
        self.watch.poll()
    }

    /// The next deadline and its reason.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Deadline> {
        earliest([
            self.session.as_ref().and_then(session::Session::poll_timeout),
            self.attempt.as_ref().map(|attempt| (attempt.deadline(), Timer::Handshake)),
            self.next_attempt.map(|at| (at, Timer::Handshake)),
            self.silence_at().map(|at| (at, Timer::Silence)),
        ])
    }
}

/// Whether the hub may want us again after it closed for `reason`.
const fn is_worth_retrying(reason: CloseReason) -> bool {
    matches!(
        reason,
        CloseReason::Shutdown
            | CloseReason::Violation
            | CloseReason::Slow
            | CloseReason::KeyLimit
            | CloseReason::Full
            | CloseReason::Failed
            | CloseReason::Other(_)
    )
}
