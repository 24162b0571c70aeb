//! One handshake, from the first INIT to the hub's first packet.

use super::ClientConfig;
use super::ratchet::Ratchet;
use super::session::{Greeting, Session};
use crate::connection::Connection;
use crate::random::Random;
use crate::transmit::Path;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use spec::VERSION;
use spec::discard::Discard;
use spec::gate::Gate;
use spec::handshake::{Flight, Initiator, InitiatorKeys, Ready};
use spec::limits::{
    ATTEMPT_WITHOUT_ANSWER, ATTEMPT_WITHOUT_RESP, FLIGHT_REPEAT, PAYLOAD_THREE_BYTES, RESP_PER_SECOND,
};
use spec::time::Instant;
use spec::wire::frame::{Frame, Side, grease};
use spec::wire::long::{Long, LongKind};
use spec::wire::{Reader, short};

/// What a LONG datagram of the hub led to.
#[derive(Debug)]
pub(super) enum Progress {
    /// Nothing the client has to act on.
    None,
    /// RESP was right: FIN can be built.
    Resp(Box<Ready>),
    /// The hub speaks these versions.
    OtherVersions(Vec<[u8; 4]>),
}

#[derive(Debug)]
enum Step {
    /// INIT is on its way.
    Init { initiator: Box<Initiator>, flight: Flight, adopted: bool },
    /// FIN is on its way.
    Fin { fin: Vec<u8>, session: Box<Session> },
}

/// One attempt, with keys of its own.
#[derive(Debug)]
pub(super) struct Attempt {
    gate: Gate,
    reserved: u8,
    step: Step,
    until: Instant,
    next_flight: Instant,
    /// Datagrams of the flight that are to leave now.
    due: usize,
    resps: (Instant, u32),
}

impl Attempt {
    pub(super) fn start(now: Instant, config: &ClientConfig, random: &mut Random) -> Result<Self, Discard> {
        let keys = InitiatorKeys {
            own_static: config.identity.clone(),
            ephemeral: random.secret(),
            kem_seed: random.secret(),
            noise: random.number(),
        };
        let (initiator, flight) = Initiator::start(keys, config.hub_key, &config.access_secret)?;
        Ok(Self {
            gate: Gate::new(&config.hub_key, &config.access_secret),
            reserved: random.reserved(),
            step: Step::Init { initiator: Box::new(initiator), flight, adopted: false },
            until: now + ATTEMPT_WITHOUT_RESP,
            next_flight: now,
            due: 0,
            resps: (now, 0),
        })
    }

    /// Takes a LONG datagram of the hub.
    pub(super) fn handle_long(&mut self, now: Instant, datagram: &[u8]) -> Result<Progress, Discard> {
        let long = Long::parse(datagram)?;
        self.gate.check_mac1(&long)?;
        self.gate.check_idle_mac2(&long)?;
        let Step::Init { initiator, flight, adopted } = &mut self.step else {
            return Err(Discard::WrongState);
        };
        if long.attempt != initiator.attempt() {
            return Err(Discard::UnknownConnection);
        }
        match long.kind {
            LongKind::Resp => {
                take_turn(&mut self.resps, now)?;
                //= spec/PROTOCOL.md#handshake-flow
                //# The client MUST go on waiting for a valid RESP after an invalid one.
                initiator.read_resp(&long).map(|ready| Progress::Resp(Box::new(ready)))
            }
            LongKind::Retry if !*adopted => {
                let cookie = flight.mac1s().iter().find_map(|mac1| self.gate.open_retry(&long, mac1).ok());
                flight.adopt(&cookie.ok_or(Discard::Unauthentic)?);
                *adopted = true;
                self.next_flight = now;
                Ok(Progress::None)
            }
            LongKind::Version => match read_versions(long.body) {
                // A hub that speaks our version would have answered in it.
                versions if versions.contains(&VERSION) => Err(Discard::Negotiation),
                versions => Ok(Progress::OtherVersions(versions)),
            },
            _ => Err(Discard::WrongState),
        }
    }

    /// Builds FIN around what the client has to say first; returns the lines for a key log.
    pub(super) fn finish(
        &mut self,
        now: Instant,
        ready: Ready,
        path: Path,
        random: &mut Random,
        greeting: &Greeting<'_>,
    ) -> Result<String, Discard> {
        let mut first = greeting.first_words();
        let draw = random.number();
        let mut frames = Vec::new();
        Frame::Extension { kind: grease(draw & 0xf), data: &draw.to_be_bytes()[..2] }.encode(&mut frames);
        //= spec/PROTOCOL.md#payload-of-message-three
        //# The frames of a FIN take effect once; what they carry is never sent again in a SHORT datagram while
        //# the FIN may still arrive.
        first.streams.fill_fin(PAYLOAD_THREE_BYTES - frames.len(), &mut frames);
        let (fin, established) = ready.finish(&frames, &self.gate, self.reserved)?;
        let log = spec::key_log::lines(&established);
        let random = Random::new(random.array());
        let policy = greeting.config.keys;
        let connection = Connection::new(now, Side::Client, &established.root, path, random)
            .with_policy(policy)
            .with_streams(first.streams);
        let said = (first.submitted, first.subscribed);
        let names = (established.attempt, established.root.exporter());
        let session = Session::new(connection, Ratchet::new(now, policy), names, said);
        self.step = Step::Fin { fin, session: Box::new(session) };
        self.until = now + ATTEMPT_WITHOUT_ANSWER;
        self.next_flight = now;
        self.due = 0;
        Ok(log)
    }

    /// Whether a SHORT datagram belongs to the session this attempt is about to open.
    pub(super) fn owns(&self, datagram: &[u8]) -> bool {
        let Step::Fin { session, .. } = &self.step else { return false };
        let id = short::connection_id(datagram);
        id.is_some_and(|id| session.connection.accepted_ids().any(|accepted| accepted == id))
    }

    /// The session that FIN opens, to try the hub's first packet on.
    pub(super) fn session(&mut self) -> Option<&mut Session> {
        match &mut self.step {
            Step::Fin { session, .. } => Some(session),
            Step::Init { .. } => None,
        }
    }

    /// The session, once the hub's first packet was opened.
    pub(super) fn into_session(self) -> Option<Session> {
        match self.step {
            Step::Fin { session, .. } => Some(*session),
            Step::Init { .. } => None,
        }
    }

    /// Acts on the passing of time; whether the attempt is over.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        if self.next_flight <= now {
            self.next_flight = now + FLIGHT_REPEAT;
            self.due = self.flight().len();
        }
        now >= self.until
    }

    pub(super) fn deadline(&self) -> Instant {
        self.next_flight.min(self.until)
    }

    /// Handshake datagrams are built once and repeated byte for byte.
    fn flight(&self) -> &[Vec<u8>] {
        match &self.step {
            Step::Init { flight, .. } => flight.datagrams(),
            Step::Fin { fin, .. } => core::slice::from_ref(fin),
        }
    }

    /// Writes the next datagram of the flight into `out`; whether there is one.
    pub(super) fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        if self.next_flight <= now {
            self.handle_timeout(now);
        }
        let flight = self.flight();
        let Some(datagram) = flight.len().checked_sub(self.due).and_then(|at| flight.get(at)) else {
            return false;
        };
        out.extend_from_slice(datagram);
        self.due -= 1;
        true
    }
}

/// RESP datagrams cost a key exchange each: so many a second, and no more.
fn take_turn((since, used): &mut (Instant, u32), now: Instant) -> Result<(), Discard> {
    if now.since(*since) >= Duration::from_secs(1) {
        (*since, *used) = (now, 0);
    }
    *used += 1;
    //= spec/PROTOCOL.md#handshake-flow
    //# The client SHOULD work on at most 32 RESP datagrams a second.
    if *used > RESP_PER_SECOND { Err(Discard::RateLimited) } else { Ok(()) }
}

/// The versions in the body of VERSION: four at most, zeros stand for none.
fn read_versions(body: &[u8]) -> Vec<[u8; 4]> {
    let mut reader = Reader::new(body);
    let versions = core::iter::from_fn(|| reader.array("version").ok());
    versions.take(4).filter(|version| *version != [0; 4]).collect()
}
