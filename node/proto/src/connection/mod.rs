//! One peer: keys, packet numbers, acknowledgements, loss and streams. The same type in hub and client.
//!
//! Its owner decides *what* is said; the connection decides *when* and *how*:
//!
//! - **(A) getters**: [`path`](Connection::path), [`rtt`](Connection::rtt), [`end`](Connection::end), …
//! - **(B) what happened**: [`handle_datagram`](Connection::handle_datagram),
//!   [`handle_timeout`](Connection::handle_timeout);
//! - **(C) commands**: [`send`](Connection::send), [`consume`](Connection::consume),
//!   [`close`](Connection::close);
//! - **(D) what to do**: [`transmit`](Connection::transmit) fills datagrams,
//!   [`poll_lost`](Connection::poll_lost) what is to be said again, [`poll_timeout`](Connection::poll_timeout)
//!   the next deadline.
//!
//! A connection learns nothing of rooms: entries are frames it hands on and [`Content`] it keeps.

mod congestion;
mod ecn;
mod ending;
mod held;
mod incoming;
mod keys;
mod ledger;
mod loss;
#[cfg(test)]
mod model;
mod mtu;
mod numbers;
mod packer;
mod path;
mod received;
mod recovery;
mod rtt;
mod status;
mod stream;
mod trace;

pub use congestion::Algorithm;
pub use ending::End;
pub use held::Held;
pub use keys::KeyPolicy;
pub use packer::Packer;
pub use rtt::Rtt;
pub use status::{Stats, Status};
pub use stream::{QueueFull, SendStreams};
pub use trace::{Metrics, Step};

use crate::content::Content;
use crate::random::Random;
use crate::timer::{Deadline, Timer, earliest};
use crate::transmit::{Ecn, Path};
use alloc::collections::VecDeque;
use arrayvec::ArrayVec;
use ending::Ending;
use keys::Keys;
use numbers::Numbers;
use path::{Move, Paths};
use received::Received;
use recovery::{Recovery, Told};
use spec::close::CloseReason;
use spec::key_schedule::Root;
use spec::limits::{FIRST_WINDOW_PACKETS, FLIGHT_REPEAT, IDLE_TIMEOUT, KEEP_ALIVE, PATH_RESPONSES_MAX};
use spec::time::Instant;
use spec::wire::frame::{Frame, Frames, Side};
use spec::wire::short::{self, ConnectionId};
use stream::{Intake, RecvStreams};
use trace::Trace;

/// Probes without an answer after which the peer is looked for where it was before.
const PROBES_BEFORE_LOOKING_BACK: u32 = 2;

/// What is to be said when a packet may leave.
#[derive(Clone, Copy, Debug, Default)]
struct Due {
    done: bool,
    ping: bool,
    challenge: bool,
    mtu_probe: bool,
}

/// One end of a session.
#[derive(Debug)]
pub struct Connection {
    side: Side,
    paths: Paths,
    random: Random,
    keys: Keys,
    numbers: Numbers,
    /// The highest number the peer takes: its last largest and window.
    number_limit: u64,
    received: Received,
    recovery: Recovery,
    send: SendStreams,
    recv: RecvStreams,
    /// What is to be said again.
    lost: VecDeque<Content>,
    /// What is to be said again when there is nothing else to say.
    lost_bulk: VecDeque<Content>,
    due: Due,
    /// The mark of the datagrams that leave together.
    mark: Ecn,
    /// Answers to PATH_CHALLENGE.
    responses: ArrayVec<[u8; 8], PATH_RESPONSES_MAX>,
    ending: Ending,
    last_received: Instant,
    last_eliciting: Instant,
    /// Since when something unanswered is on its way.
    waiting_since: Option<Instant>,
    stats: Stats,
    trace: Trace,
}

impl Connection {
    /// A connection whose handshake is done.
    #[must_use]
    pub fn new(now: Instant, side: Side, root: &Root, path: Path, mut random: Random) -> Self {
        Self {
            side,
            paths: Paths::new(path),
            numbers: Numbers::new(&mut random),
            random,
            keys: Keys::new(side, root.clone(), KeyPolicy::default()),
            //= spec/PROTOCOL.md#acknowledgements
            //# A sender MUST NOT send an ack-eliciting packet numbered above the highest `largest` + `window` it
            //# has seen; before the first ACK the limit is 64.
            number_limit: FIRST_WINDOW_PACKETS,
            received: Received::default(),
            recovery: Recovery::new(now, Algorithm::default()),
            send: SendStreams::default(),
            recv: RecvStreams::default(),
            lost: VecDeque::new(),
            lost_bulk: VecDeque::new(),
            //= spec/PROTOCOL.md#handshake-flow
            //# The hub MUST NOT send a SHORT datagram before it opened FIN.
            due: Due { done: side == Side::Hub, ..Due::default() },
            mark: Ecn::default(),
            responses: ArrayVec::new(),
            ending: Ending::default(),
            last_received: now,
            last_eliciting: now,
            waiting_since: None,
            stats: Stats::default(),
            trace: Trace::default(),
        }
    }

    /// Goes on with streams whose first bytes a FIN carries.
    #[must_use]
    pub fn with_streams(mut self, streams: SendStreams) -> Self {
        self.send = streams;
        self
    }

    /// Changes keys as `policy` says; for a connection that has sent and opened nothing.
    #[must_use]
    pub fn with_policy(mut self, policy: KeyPolicy) -> Self {
        self.keys = Keys::new(self.side, self.keys.root().clone(), policy);
        self
    }

    // (A) getters

    /// The way to the peer.
    #[must_use]
    pub const fn path(&self) -> Path {
        self.paths.active()
    }

    /// The mark of the datagrams filled last.
    #[must_use]
    pub const fn mark(&self) -> Ecn {
        self.mark
    }

    /// Round-trip times.
    #[must_use]
    pub const fn rtt(&self) -> &Rtt {
        &self.recovery.rtt
    }

    /// Counters.
    #[must_use]
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Whether a packet of the peer was opened: what proves that it holds the keys.
    #[must_use]
    pub const fn is_confirmed(&self) -> bool {
        self.stats.received > 0
    }

    /// How it is doing.
    #[must_use]
    pub fn status(&self) -> Status {
        Status {
            path: self.paths.active(),
            is_validated: self.paths.is_valid(),
            metrics: self.recovery.metrics(),
            mtu_bytes: self.recovery.mtu.size(),
            black_holes: self.recovery.mtu.black_holes(),
            generation: self.keys.generation(),
            epoch: self.keys.epoch(),
            stats: self.stats,
        }
    }

    /// From now on its steps are kept for [`poll_step`](Self::poll_step).
    pub fn watch(&mut self) {
        self.trace.enable();
    }

    /// The next step of those that are watched, and when it was.
    pub fn poll_step(&mut self) -> Option<(Instant, Step)> {
        self.trace.poll()
    }

    /// The connection ids that are accepted at the moment.
    pub fn accepted_ids(&self) -> impl Iterator<Item = ConnectionId> + '_ {
        self.keys.accepted_ids()
    }

    /// The root of the generation we send under: a ratchet begins from it.
    #[must_use]
    pub const fn root(&self) -> &Root {
        self.keys.root()
    }

    /// The generation of keys we send under: so many ratchets were completed.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.keys.generation()
    }

    /// The epochs of that generation: the one we send under, and the one the peer does.
    #[must_use]
    pub fn epochs(&self) -> (u64, u64) {
        (self.keys.epoch(), self.keys.peer_epoch())
    }

    /// Whether the next generation is made and not yet in use.
    #[must_use]
    pub const fn is_ratcheting(&self) -> bool {
        self.keys.is_ratcheting()
    }

    /// Whether so many packets failed to open that a ratchet should begin at once.
    #[must_use]
    pub fn is_under_attack(&self) -> bool {
        self.keys.is_under_attack()
    }

    /// Why and how the connection is over, once it is; then it only waits to be dropped.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        self.ending.end()
    }

    /// Whether nothing but the end may still be said.
    #[must_use]
    pub const fn is_closing(&self) -> bool {
        self.ending.is_closing()
    }

    /// When the peer was last heard.
    #[must_use]
    pub const fn last_received(&self) -> Instant {
        self.last_received
    }

    /// Since when the peer owes an answer; `None` while it owes none.
    #[must_use]
    pub const fn waiting_since(&self) -> Option<Instant> {
        self.waiting_since
    }

    /// Whether all that was sent on streams is acknowledged.
    #[must_use]
    pub fn all_acknowledged(&self) -> bool {
        self.send.all_acknowledged()
    }

    /// Whether an acknowledgement is to be sent even if nothing else is.
    #[must_use]
    pub const fn owes_acknowledgement(&self) -> bool {
        self.received.is_due()
    }

    /// Bytes waiting in the send buffer of `stream`, sent or not, that are not acknowledged.
    #[must_use]
    pub fn unacknowledged(&self, stream: u64) -> usize {
        self.send.unacknowledged(stream)
    }

    // (B) what happened: `handle_datagram` is in incoming.rs

    /// Bulk waits behind everything else.
    pub(super) fn sort_lost(&mut self) {
        let is_bulk = |content: &Content| matches!(content, Content::Bulk { .. } | Content::MaxBulk { .. });
        if self.lost.iter().any(is_bulk) {
            self.lost_bulk.extend(self.lost.iter().filter(|content| is_bulk(content)));
            self.lost.retain(|content| !is_bulk(content));
        }
    }

    /// Acts on every deadline that has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.received.handle_timeout(now);
        self.keys.handle_timeout(now);
        let Self { recovery, lost, stats, trace, .. } = self;
        recovery.handle_timeout(now, &mut Told { lost, stats, trace });
        self.sort_lost();
        self.due.challenge |= self.paths.is_due(now);
        self.due.mtu_probe |= self.mtu_probe_at().is_some_and(|at| at <= now);
        if self.probe_at().is_some_and(|at| at <= now) {
            self.probe(now);
        }
        if self.keep_alive_at().is_some_and(|at| at <= now) {
            self.due.ping = true;
        }
        self.ending.handle_timeout(now);
        if now >= self.last_received + IDLE_TIMEOUT {
            self.ending.timed_out();
        }
    }

    /// A probe carries real content, the oldest first; a PING when there is none.
    fn probe(&mut self, now: Instant) {
        self.stats.probes += 1;
        if self.is_closing() {
            self.recovery.loss.probed(now);
            return self.ending.repeat();
        }
        self.recovery.probe(now, &mut self.lost);
        self.sort_lost();
        self.due.ping |= self.lost.is_empty() && self.lost_bulk.is_empty();
        if self.recovery.loss.probes() >= PROBES_BEFORE_LOOKING_BACK {
            self.paths.ask_before(now, &mut self.random);
            self.due.challenge |= self.paths.is_due(now);
        }
    }

    // (C) commands

    /// Queues `bytes` at the end of `stream`.
    ///
    /// # Errors
    /// [`QueueFull`]; nothing was queued.
    pub fn send(&mut self, stream: u64, bytes: &[u8]) -> Result<(), QueueFull> {
        self.send.push(stream, bytes)
    }

    /// The bytes of `stream` that arrived in order and were not consumed.
    #[must_use]
    pub fn readable(&self, stream: u64) -> &[u8] {
        self.recv.readable(stream)
    }

    /// The streams that have readable bytes, lowest first.
    pub fn readable_streams(&self) -> impl Iterator<Item = u64> + '_ {
        self.recv.readable_streams()
    }

    /// Takes `len` readable bytes from `stream`, which lets the peer send as many more.
    pub fn consume(&mut self, stream: u64, len: usize) {
        self.recv.consume(stream, len);
    }

    /// Applies the STREAM frames of a FIN: they came before any packet.
    pub fn apply_fin(&mut self, frames: &Frames<'_>) {
        for frame in frames.iter() {
            if let Frame::Stream { stream, offset, data } = frame
                && self.recv.check(&mut Intake::default(), stream, offset, data).is_ok()
            {
                self.recv.insert(stream, offset, data);
            }
        }
    }

    /// The hub has answered the FIN: what it carried has arrived.
    pub fn fin_answered(&mut self) {
        self.send.fin_answered();
    }

    /// Goes on to the generation of `root` as soon as the peer shows that it has it too.
    pub fn offer_generation(&mut self, now: Instant, root: Root) {
        self.keys.offer(now, root);
    }

    /// Our address is another one: the peer is shown at once, under an id that nobody has seen.
    pub fn moved(&mut self, now: Instant) {
        self.leave_path(now, Move::Address);
        self.due.ping = true;
    }

    /// Ends the session: from now on only CLOSE is said, until it is acknowledged or [`CLOSE_TIME`] passes.
    ///
    /// [`CLOSE_TIME`]: spec::limits::CLOSE_TIME
    pub fn close(&mut self, now: Instant, reason: CloseReason, text: &str) {
        self.ending.close(now, reason, text);
        self.trace.note(now, || Step::Closed { reason, by_peer: false });
        self.lost.clear();
    }

    /// Ends the session without a word: nobody is there to hear one.
    pub fn abandon(&mut self) {
        self.ending.timed_out();
    }

    // (D) what to do: `transmit` is in packer.rs

    /// Lost content that is the owner's to say again: entries and fragments.
    pub fn poll_lost(&mut self) -> Option<Content> {
        match self.lost.front()? {
            Content::Entries { .. } | Content::Fragment { .. } => self.lost.pop_front(),
            _ => None,
        }
    }

    /// Puts back what [`poll_lost`](Self::poll_lost) gave and did not fit.
    pub fn still_lost(&mut self, content: Content) {
        self.lost.push_front(content);
    }

    /// The next deadline.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Deadline> {
        if self.end().is_some() {
            return None;
        }
        // What may not leave wakes nobody: the next datagram of the peer makes room for it.
        let may_send = short::longest_within(self.paths.budget_bytes()).is_some();
        let is_asking = !self.due.challenge && !self.is_closing();
        earliest([
            self.received.deadline().filter(|_| may_send).map(|at| (at, Timer::Acknowledge)),
            self.recovery.loss.deadline().map(|at| (at, Timer::Loss)),
            self.recovery.paced_until().map(|at| (at, Timer::Pace)),
            self.paths.deadline().filter(|_| is_asking).map(|at| (at, Timer::Challenge)),
            self.mtu_probe_at().map(|at| (at, Timer::Mtu)),
            self.probe_at().filter(|_| may_send).map(|at| (at, Timer::Probe)),
            self.keep_alive_at().map(|at| (at, Timer::KeepAlive)),
            self.keys.deadline().map(|at| (at, Timer::Keys)),
            self.ending.deadline().map(|at| (at, Timer::Close)),
            Some((self.last_received + IDLE_TIMEOUT, Timer::Idle)),
        ])
    }

    fn probe_at(&self) -> Option<Instant> {
        let Recovery { ledger, loss, rtt, .. } = &self.recovery;
        let sent = ledger.last_eliciting_in_flight()?;
        if self.ending.is_closing() {
            // There is little time left to say it.
            return Some(self.last_eliciting + rtt.probe_timeout().min(FLIGHT_REPEAT));
        }
        Some(loss.probe_at(sent, rtt, self.waiting_since))
    }

    /// When longer datagrams are to be tried: on a path and with a peer that are known to be there.
    fn mtu_probe_at(&self) -> Option<Instant> {
        let is_possible = self.is_confirmed() && self.paths.is_valid() && !self.is_closing();
        self.recovery.mtu.deadline().filter(|_| is_possible && !self.due.mtu_probe)
    }

    fn keep_alive_at(&self) -> Option<Instant> {
        let quiet = self.side == Side::Hub || self.due.ping || self.ending.is_closing();
        (!quiet).then(|| self.last_eliciting + KEEP_ALIVE)
    }
}
