//! Strangers: from a datagram that nobody's connection id claims to a finished handshake, or nothing.
//!
//! The order is the order of cost: length, mac1, mac2, fragment slot, one hash, one X25519, one AEAD; only then
//! the rest of the key exchange. Nothing is answered before the MACs, no key exchange is made before a cookie
//! when the hub is busy, and every table is bounded.

use super::HubConfig;
use super::answered::{Answered, Mark, mark};
use super::prefix::{Prefix, PrefixTable};
use crate::random::Random;
use crate::transmit::Path;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;
use spec::VERSION;
use spec::discard::Discard;
use spec::gate::{Cookie, Gate};
use spec::handshake::responder::Finished;
use spec::handshake::{KeyPair, ReceivedInit, Responder};
use spec::limits::{
    ANSWER_BODY_BYTES, COOKIE_SECRET_TIME, FRAGMENT_CANDIDATES, HALF_OPEN_MAX, HALF_OPEN_TIME, KEY_BYTES,
};
use spec::secret::Secret;
use spec::time::Instant;
use spec::wire::long::{AttemptId, Long, LongKind};

/// Handshakes answered in a second above which the hub asks for cookies.
pub const HANDSHAKES_PER_SECOND: u32 = 500;
/// RETRY datagrams in a second, and KEY and VERSION together.
pub const ANSWERS_PER_SECOND: u32 = 2000;

/// What became of a datagram.
#[derive(Debug)]
pub enum Outcome {
    /// It was kept; there is nothing to say.
    Kept,
    /// This is to be sent back.
    Answer(Vec<u8>),
    /// A handshake is done.
    Finished(Box<Newcomer>),
}

/// A client whose handshake is done.
#[derive(Debug)]
pub struct Newcomer {
    /// Its key, first frames and session keys.
    pub finished: Finished,
    /// When its message 1 was complete.
    pub init_arrived: Instant,
}

/// An attempt at an address.
type Key = (Path, AttemptId);

/// A fragment of message 1: mac1 tells candidates apart.
type Candidate = ([u8; 16], Vec<u8>);

/// Fragments of one message 1.
#[derive(Debug, Default)]
struct Slot {
    candidates: [Vec<Candidate>; 2],
}

/// A handshake that waits for FIN.
#[derive(Debug)]
struct HalfOpen {
    responder: Responder,
    resp: Vec<u8>,
    /// The two fragments that were answered.
    answered: [Mark; 2],
    /// Which of them came again since RESP was sent.
    again: [bool; 2],
    arrived: Instant,
}

/// A gate and the access secret behind it.
#[derive(Debug)]
struct Door {
    gate: Gate,
    access_secret: Secret<32>,
}

/// All that strangers can reach.
#[derive(Debug)]
pub struct Admission {
    identity: KeyPair,
    doors: Vec<Door>,
    strangers: Option<Gate>,
    slots: PrefixTable<Key, Slot>,
    half_open: PrefixTable<Key, HalfOpen>,
    /// Messages 1 that got a RESP, by attempt id.
    answered: Answered,
    /// KEYREQ, and INIT of other versions: strangers may not make us forget whom we answered.
    answered_small: Answered,
    cookie_secrets: [Secret<32>; 2],
    cookie_rotation: Instant,
    handshakes: Rate,
    answers: Rate,
    retries: Rate,
}

impl Admission {
    pub(super) fn new(now: Instant, config: &HubConfig, cookie_secret: Secret<32>) -> Self {
        let door = |access_secret: &Secret<32>| Door {
            gate: Gate::new(config.identity.public(), access_secret),
            access_secret: access_secret.clone(),
        };
        Self {
            identity: config.identity.clone(),
            doors: config.access_secrets.iter().map(door).collect(),
            strangers: config.is_open.then(Gate::for_strangers),
            slots: PrefixTable::new(HALF_OPEN_MAX),
            half_open: PrefixTable::new(HALF_OPEN_MAX),
            answered: Answered::default(),
            answered_small: Answered::default(),
            cookie_secrets: [cookie_secret.clone(), cookie_secret],
            cookie_rotation: now + COOKIE_SECRET_TIME,
            handshakes: Rate::new(HANDSHAKES_PER_SECOND),
            answers: Rate::new(ANSWERS_PER_SECOND),
            retries: Rate::new(ANSWERS_PER_SECOND),
        }
    }

    pub(super) fn half_open_count(&self) -> usize {
        self.slots.len() + self.half_open.len()
    }

    /// Takes a LONG datagram.
    pub(super) fn handle(
        &mut self,
        now: Instant,
        path: Path,
        datagram: &[u8],
        random: &mut Random,
    ) -> Result<Outcome, Discard> {
        self.rotate_cookie(now, random);
        let long = Long::parse(datagram)?;
        match long.kind {
            LongKind::KeyReq => self.handle_key_request(now, &long, random),
            LongKind::Init | LongKind::Fin => {
                //= spec/PROTOCOL.md#long-datagrams
                //# A receiver MUST check mac1 before it does anything else with a LONG datagram of the right
                //# length.
                let door = self.doors.iter().position(|door| door.gate.check_mac1(&long).is_ok());
                let door = door.ok_or(Discard::Mac1)?;
                if long.kind == LongKind::Fin {
                    self.handle_fin(path, &long, door)
                } else {
                    self.handle_init(now, path, &long, door, random)
                }
            }
            _ => Err(Discard::Kind),
        }
    }

    // open hubs

    fn handle_key_request(
        &mut self,
        now: Instant,
        long: &Long<'_>,
        random: &mut Random,
    ) -> Result<Outcome, Discard> {
        //= spec/PROTOCOL.md#open-hubs
        //# A hub that is not open MUST NOT answer KEYREQ.
        let gate = self.strangers.as_ref().ok_or(Discard::Kind)?;
        gate.check_mac1(long)?;
        gate.check_idle_mac2(long)?;
        if long.version != VERSION {
            return Err(Discard::Version);
        }
        //= spec/PROTOCOL.md#open-hubs
        //# The hub MUST answer the same KEYREQ at most once.
        self.answer_once(now, long)?;
        let gate = self.strangers.as_ref().ok_or(Discard::Kind)?;
        let mut body = Vec::from(*self.identity.public());
        body.extend_from_slice(&random.array::<{ ANSWER_BODY_BYTES - KEY_BYTES }>());
        Ok(Outcome::Answer(gate.build(LongKind::Key, 0, random.reserved(), VERSION, long.attempt, &body)))
    }

    // INIT

    fn handle_init(
        &mut self,
        now: Instant,
        path: Path,
        long: &Long<'_>,
        door: usize,
        random: &mut Random,
    ) -> Result<Outcome, Discard> {
        let has_cookie = self.has_cookie(path, long);
        //= spec/PROTOCOL.md#long-datagrams
        //# A receiver MUST check mac2 before it keeps anything of an INIT, RESP, FIN or KEYREQ.
        if !has_cookie {
            self.doors[door].gate.check_idle_mac2(long)?;
        }
        if long.version != VERSION {
            return self.answer_version(now, long, door, random);
        }
        let key = (path, long.attempt);
        if self.half_open.get_mut(&key).is_some() {
            return self.repeat_resp(&key, long);
        }
        // A repetition takes no slot, makes nobody busy and gets no cookie either.
        if self.answered.contains(&mark(&long.attempt.0)) {
            return Err(Discard::Replayed);
        }
        //= spec/PROTOCOL.md#cookie
        //# A busy hub MUST NOT keep a fragment whose mac2 was not made with a valid cookie.
        if !has_cookie && self.is_busy(now) {
            return self.answer_retry(now, path, long, door, random);
        }
        self.keep_fragment(now, key, long);
        self.complete(now, key, door, random)
    }

    fn has_cookie(&self, path: Path, long: &Long<'_>) -> bool {
        let Some(mac2) = long.mac2 else { return false };
        self.cookie_secrets.iter().any(|secret| {
            let right = Cookie::for_address(secret, path.remote).mac2(long.before_mac2);
            Secret::new(right) == Secret::new(mac2)
        })
    }

    fn is_busy(&self, now: Instant) -> bool {
        self.slots.len() > HALF_OPEN_MAX / 4
            || self.half_open.len() > HALF_OPEN_MAX / 4
            || self.handshakes.is_spent(now)
    }

    fn answer_retry(
        &mut self,
        now: Instant,
        path: Path,
        long: &Long<'_>,
        door: usize,
        random: &mut Random,
    ) -> Result<Outcome, Discard> {
        if long.fragment != 0 {
            return Err(Discard::Mac2);
        }
        self.retries.take(now)?;
        let cookie = Cookie::for_address(&self.cookie_secrets[0], path.remote);
        let gate = &self.doors[door].gate;
        let (salt, reserved) = (random.array(), random.reserved());
        Ok(Outcome::Answer(gate.build_retry(long.attempt, &long.mac1, &cookie, salt, reserved)))
    }

    /// A client of another version is told which ones are spoken here, once.
    fn answer_version(
        &mut self,
        now: Instant,
        long: &Long<'_>,
        door: usize,
        random: &mut Random,
    ) -> Result<Outcome, Discard> {
        self.answer_once(now, long)?;
        let mut body = [0; ANSWER_BODY_BYTES];
        body[..4].copy_from_slice(&VERSION);
        body[16..].copy_from_slice(&random.array::<{ ANSWER_BODY_BYTES - 16 }>());
        let gate = &self.doors[door].gate;
        Ok(Outcome::Answer(gate.build(LongKind::Version, 0, random.reserved(), VERSION, long.attempt, &body)))
    }

    /// Whether a datagram that is answered by itself may be: never twice, and so many a second.
    fn answer_once(&mut self, now: Instant, long: &Long<'_>) -> Result<(), Discard> {
        let mark = mark(&long.mac1);
        if self.answered_small.contains(&mark) {
            return Err(Discard::Replayed);
        }
        self.answers.take(now)?;
        self.answered_small.insert(mark);
        Ok(())
    }

    fn repeat_resp(&mut self, key: &Key, long: &Long<'_>) -> Result<Outcome, Discard> {
        let half_open = self.half_open.get_mut(key).ok_or(Discard::UnknownConnection)?;
        if half_open.answered[long.fragment] != mark(long.body) {
            return Err(Discard::WrongState);
        }
        half_open.again[long.fragment] = true;
        //= spec/PROTOCOL.md#handshake-flow
        //# The hub MUST NOT send RESP again before both fragments have arrived again.
        //= spec/PROTOCOL.md#handshake-flow
        //# To an address that has not completed a handshake the hub MUST NOT send more than half the bytes it
        //# received from it.
        if half_open.again != [true; 2] {
            return Ok(Outcome::Kept);
        }
        half_open.again = [false; 2];
        Ok(Outcome::Answer(half_open.resp.clone()))
    }

    fn keep_fragment(&mut self, now: Instant, key: Key, long: &Long<'_>) {
        //= spec/PROTOCOL.md#handshake-flow
        //# Fragments MUST be kept apart by source address, source port and attempt id.
        if self.slots.get_mut(&key).is_none() {
            let prefix = Prefix::of(key.0.remote.ip());
            self.slots.insert(key, prefix, now + HALF_OPEN_TIME, Slot::default());
        }
        let Some(slot) = self.slots.get_mut(&key) else { return };
        let candidates = &mut slot.candidates[long.fragment];
        let is_known = candidates.iter().any(|(mac1, _)| *mac1 == long.mac1);
        //= spec/PROTOCOL.md#handshake-flow
        //# The hub MUST keep at most two different candidates for a fragment index, and try every combination
        //# before it gives up on any.
        if !is_known && candidates.len() < FRAGMENT_CANDIDATES {
            candidates.push((long.mac1, long.body.to_vec()));
        }
    }

    /// Answers a message 1 whose fragments are all there.
    fn complete(
        &mut self,
        now: Instant,
        key: Key,
        door: usize,
        random: &mut Random,
    ) -> Result<Outcome, Discard> {
        let Some(slot) = self.slots.get_mut(&key) else { return Ok(Outcome::Kept) };
        let [first, second] = &slot.candidates;
        let pairs = first.iter().flat_map(|one| second.iter().map(move |two| (one, two)));
        let mut result = Ok(Outcome::Kept);
        let mut read = None;
        for ((_, one), (_, two)) in pairs {
            let message = [&one[..], two].concat();
            let door = &self.doors[door];
            match ReceivedInit::read(&message, key.1, &self.identity, &door.access_secret) {
                Ok(init) => {
                    read = Some((init, [mark(one), mark(two)]));
                    break;
                }
                Err(discard) => result = Err(discard),
            }
        }
        let Some((init, answered)) = read else { return result };
        self.handshakes.count(now);
        let gate = &self.doors[door].gate;
        let (ephemeral, kem_random) = (random.secret(), random.secret());
        let (responder, resp) = init.respond(ephemeral, &kem_random, gate, random.reserved())?;
        self.slots.remove(&key);
        self.answered.insert(mark(&key.1.0));
        let half_open = HalfOpen { responder, resp: resp.clone(), answered, again: [false; 2], arrived: now };
        let prefix = Prefix::of(key.0.remote.ip());
        self.half_open.insert(key, prefix, now + HALF_OPEN_TIME, half_open);
        Ok(Outcome::Answer(resp))
    }

    // FIN

    fn handle_fin(&mut self, path: Path, long: &Long<'_>, door: usize) -> Result<Outcome, Discard> {
        self.doors[door].gate.check_idle_mac2(long)?;
        if long.version != VERSION {
            return Err(Discard::Version);
        }
        //= spec/PROTOCOL.md#handshake-flow
        //# The hub MUST drop a FIN that comes from another address than its INIT.
        let key = (path, long.attempt);
        let half_open = self.half_open.get_mut(&key).ok_or(Discard::UnknownConnection)?;
        let finished = half_open.responder.read_fin(long)?;
        let init_arrived = half_open.arrived;
        self.half_open.remove(&key);
        Ok(Outcome::Finished(Box::new(Newcomer { finished, init_arrived })))
    }

    // time

    pub(super) fn deadline(&self) -> Option<Instant> {
        let tables = self.slots.deadline().into_iter().chain(self.half_open.deadline());
        tables.min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, random: &mut Random) {
        self.slots.expire(now);
        self.half_open.expire(now);
        self.rotate_cookie(now, random);
    }

    fn rotate_cookie(&mut self, now: Instant, random: &mut Random) {
        while self.cookie_rotation <= now {
            self.cookie_rotation = self.cookie_rotation + COOKIE_SECRET_TIME;
            self.cookie_secrets.swap(0, 1);
            self.cookie_secrets[0] = random.secret();
        }
    }
}

/// So many a second, and no more.
#[derive(Debug)]
struct Rate {
    limit: u32,
    since: Instant,
    used: u32,
}

impl Rate {
    const fn new(limit: u32) -> Self {
        Self { limit, since: Instant(0), used: 0 }
    }

    fn is_spent(&self, now: Instant) -> bool {
        self.used >= self.limit && now.since(self.since) < Duration::from_secs(1)
    }

    fn count(&mut self, now: Instant) {
        if now.since(self.since) >= Duration::from_secs(1) {
            (self.since, self.used) = (now, 0);
        }
        self.used = self.used.saturating_add(1);
    }

    fn take(&mut self, now: Instant) -> Result<(), Discard> {
        if self.is_spent(now) {
            return Err(Discard::RateLimited);
        }
        self.count(now);
        Ok(())
    }
}

#[cfg(test)]
#[path = "admission_tests.rs"]
mod tests;
