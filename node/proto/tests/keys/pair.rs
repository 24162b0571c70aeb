//! Two connections and the wire between them: what each datagram meets is decided beforehand.

use core::time::Duration;
use node_proto::connection::{Connection, KeyPolicy};
use node_proto::random::Random;
use node_proto::transmit::Path;
use spec::handshake::KeyPair;
use spec::key_schedule::Root;
use spec::ratchet::{AnswerKeys, Request, respond};
use spec::seal::Opener;
use spec::secret::Secret;
use spec::time::Instant;
use spec::wire::frame::{Frame, Frames, Side};
use spec::wire::message::Message;
use spec::wire::short;
use std::collections::BTreeMap;

const CONTROL: u64 = 0;
const TALK: u64 = 7;
/// Time a datagram takes.
const DELAY: Duration = Duration::from_millis(20);
/// Time a late one takes: several others overtake it.
const LATE: Duration = Duration::from_millis(90);

/// What befalls a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Lost,
    Late,
}

struct End {
    connection: Connection,
    keys: KeyPair,
    request: Option<Request>,
    said: Vec<u8>,
    heard: Vec<u8>,
}

/// Client and hub.
pub(crate) struct Pair {
    now: Instant,
    client: End,
    hub: End,
    wire: BTreeMap<(Instant, u64), (Side, Vec<u8>)>,
    fates: BTreeMap<u64, Fate>,
    /// Decides the fate of every datagram, when the link is bad.
    luck: Option<Random>,
    /// Whose datagrams do not arrive at all.
    mute: Option<Side>,
    sent: u64,
    random: Random,
    talk: (Instant, Duration, u32),
    ratchet: Option<(Instant, bool)>,
    /// The root the client has made last: opens what it sends under the next generation.
    next: Option<Root>,
    early_pings: usize,
}

fn path() -> Path {
    Path::new("192.0.2.1:5555".parse().unwrap(), 0)
}

impl End {
    fn new(side: Side, root: &Root, policy: KeyPolicy, seed: u8) -> Self {
        let connection = Connection::new(Instant(0), side, root, path(), Random::new([seed; 32]));
        Self {
            connection: connection.with_policy(policy),
            keys: KeyPair::new(Secret::new([seed; 32])),
            request: None,
            said: Vec::new(),
            heard: Vec::new(),
        }
    }

    fn say(&mut self, message: &Message<'_>) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        self.connection.send(CONTROL, &bytes).unwrap();
    }
}

impl Pair {
    /// Two ends after their handshake; the n-th datagram either sends meets what `fates` says of it.
    pub(crate) fn new(policy: KeyPolicy, fates: &[(usize, Fate)]) -> Self {
        let root = Root::from_key_log(Secret::new([1; 32]));
        Self {
            now: Instant(0),
            client: End::new(Side::Client, &root, policy, 2),
            hub: End::new(Side::Hub, &root, policy, 3),
            wire: BTreeMap::new(),
            fates: fates.iter().map(|(index, fate)| (*index as u64, *fate)).collect(),
            luck: None,
            mute: None,
            sent: 0,
            random: Random::new([4; 32]),
            talk: (Instant(0), Duration::ZERO, 0),
            ratchet: None,
            next: None,
            early_pings: 0,
        }
    }

    /// A third of all datagrams is lost or late.
    pub(crate) fn bad_link(&mut self, seed: u8) {
        self.luck = Some(Random::new([seed; 32]));
    }

    /// Nothing that `side` sends arrives any more.
    pub(crate) fn cut(&mut self, side: Side) {
        self.mute = Some(side);
    }

    /// Both ends say something `times` times.
    pub(crate) fn talk_every(&mut self, every: Duration, times: u32) {
        self.talk = (self.now + every, every, times);
    }

    /// The client begins a ratchet after `time`.
    pub(crate) fn ratchet_at(&mut self, time: Duration, with_kem: bool) {
        let at = Instant(0) + time;
        self.ratchet = Some((at.max(self.now), with_kem));
    }

    /// What a thief in the middle of a ratchet leaves behind.
    pub(crate) fn offer_different_roots(&mut self) {
        let next = |byte| self.client.connection.root().next_from_key_log(Secret::new([byte; 32]));
        let (clients, hubs) = (next(8), next(9));
        self.next = Some(clients.clone());
        self.client.connection.offer_generation(self.now, clients);
        self.hub.connection.offer_generation(self.now, hubs);
    }

    /// The client receives `count` datagrams that do not open under an id it accepts.
    pub(crate) fn forge(&mut self, count: usize) {
        for _ in 0..count {
            let id = self.client.connection.accepted_ids().last().unwrap();
            let mut datagram = [0x40; 93];
            datagram[short::CONNECTION_ID].copy_from_slice(&id.0);
            assert!(
                self.client
                    .connection
                    .handle_datagram(self.now, path().into(), &mut datagram, |_| true)
                    .is_err()
            );
        }
    }

    pub(crate) const fn connection(&self, side: Side) -> &Connection {
        match side {
            Side::Client => &self.client.connection,
            Side::Hub => &self.hub.connection,
        }
    }

    /// The generations that both ends send under, once neither has another at hand.
    pub(crate) fn generations(&self) -> [u64; 2] {
        [Side::Client, Side::Hub].map(|side| self.connection(side).generation())
    }

    /// Packets that the client sent under the next generation before the hub did.
    pub(crate) const fn early_pings(&self) -> usize {
        self.early_pings
    }

    /// All that either has said was heard by the other, and nobody has hung up.
    pub(crate) fn assert_all_heard(&self) {
        assert_eq!(self.client.said, self.hub.heard);
        assert_eq!(self.hub.said, self.client.heard);
        assert!(!self.client.connection.is_closing() && !self.hub.connection.is_closing());
    }

    /// Of earlier generations nothing is left: no id is accepted, and the root is the last.
    pub(crate) fn assert_only_generation(&self, generation: u64) {
        for side in [Side::Client, Side::Hub] {
            let connection = self.connection(side);
            assert_eq!(connection.root().generation(), generation);
            assert_eq!(connection.accepted_ids().count(), 5, "{side:?}");
            assert!(!connection.is_ratcheting());
        }
    }

    pub(crate) fn run(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    /// Runs until `is_done`, for at most `most`; whether it became so.
    pub(crate) fn run_until(&mut self, most: Duration, is_done: impl Fn(&Self) -> bool) -> bool {
        let until = self.now + most;
        for _ in 0..200_000 {
            self.flush();
            if is_done(self) {
                return true;
            }
            let Some(at) = self.next_event().filter(|at| *at <= until) else {
                self.now = until;
                return false;
            };
            self.now = self.now.max(at);
            self.step();
        }
        panic!("a timer that never ends");
    }

    fn next_event(&self) -> Option<Instant> {
        let timers = [&self.client, &self.hub].map(|end| end.connection.poll_timeout().map(|(at, _)| at));
        let arrival = self.wire.first_key_value().map(|((at, _), _)| *at);
        let talk = (self.talk.2 > 0).then_some(self.talk.0);
        let ratchet = self.ratchet.map(|(at, _)| at);
        timers.into_iter().chain([arrival, talk, ratchet]).flatten().min()
    }

    fn step(&mut self) {
        let now = self.now;
        if let Some(entry) = self.wire.first_entry().filter(|entry| entry.key().0 <= now) {
            let (to, mut datagram) = entry.remove();
            let end = if to == Side::Client { &mut self.client } else { &mut self.hub };
            end.connection.handle_datagram(now, path().into(), &mut datagram, |_| true).ok();
            self.read(to);
        }
        self.client.connection.handle_timeout(now);
        self.hub.connection.handle_timeout(now);
        if let (at, every, left @ 1..) = self.talk
            && at <= now
        {
            self.talk = (at + every, every, left - 1);
            for (end, word) in [(&mut self.client, "client"), (&mut self.hub, "hub")] {
                let text = format!("{word} {left} ");
                end.connection.send(TALK, text.as_bytes()).unwrap();
                end.said.extend_from_slice(text.as_bytes());
            }
        }
        if let Some((_, with_kem)) = self.ratchet.take_if(|(at, _)| *at <= now) {
            let seed = with_kem.then(|| self.random.secret());
            let request = Request::new(self.random.secret(), seed.as_ref());
            self.client.say(&request.message());
            self.client.request = Some(request);
        }
    }

    /// Reads what has arrived in order, and acts on the halves of a ratchet.
    fn read(&mut self, side: Side) {
        let end = if side == Side::Client { &mut self.client } else { &mut self.hub };
        let talk = end.connection.readable(TALK).to_vec();
        end.connection.consume(TALK, talk.len());
        end.heard.extend(talk);
        let bytes = end.connection.readable(CONTROL).to_vec();
        let Some((message, used)) = Message::split(&bytes).unwrap() else { return };
        end.connection.consume(CONTROL, used);
        match message {
            Message::RatchetReq { ephemeral, kem } => {
                let keys = AnswerKeys { ephemeral: self.random.secret(), kem_random: self.random.secret() };
                let (root, client) = (self.hub.connection.root(), self.client.keys.public());
                let (answer, next) = respond(root, &self.hub.keys, client, (&ephemeral, kem), &keys).unwrap();
                self.hub.connection.offer_generation(self.now, next);
                self.hub.say(&answer.message());
            }
            Message::RatchetRsp { ephemeral, kem } => {
                let (own, root) = (&self.client.keys, self.client.connection.root());
                let request = self.client.request.take().unwrap();
                let next = request.finish(root, own, self.hub.keys.public(), (&ephemeral, kem)).unwrap();
                self.next = Some(next.clone());
                self.client.connection.offer_generation(self.now, next);
            }
            other => panic!("{other:?}"),
        }
    }

    fn flush(&mut self) {
        for side in [Side::Client, Side::Hub] {
            let mut out = Vec::new();
            loop {
                out.clear();
                let end = if side == Side::Client { &mut self.client } else { &mut self.hub };
                let Some(transmit) = end.connection.transmit(self.now, &mut out, |_| {}) else { break };
                for datagram in out.chunks(transmit.segment_bytes) {
                    self.watch(side, datagram);
                    self.carry(side, datagram.to_vec());
                }
            }
        }
    }

    /// Before it has heard the hub under the next generation, the client says PING under it and nothing else.
    fn watch(&mut self, side: Side, datagram: &[u8]) {
        let Some(next) = &self.next else { return };
        let keys = next.direction(Side::Client);
        let is_next = short::connection_id(datagram) == Some(keys.ids.id(0));
        if side == Side::Hub || self.client.connection.generation() == next.generation() || !is_next {
            return;
        }
        let (mut copy, largest) = (datagram.to_vec(), self.client.connection.stats().sent);
        let opened = Opener::new(&keys).open(&mut copy, Some(largest)).unwrap();
        let frames = Frames::parse(&copy[opened.frames], Side::Client).unwrap();
        assert!(frames.iter().all(|frame| matches!(frame, Frame::Ping | Frame::Padding { .. })));
        self.early_pings += 1;
    }

    fn carry(&mut self, from: Side, datagram: Vec<u8>) {
        let mut fate = self.fates.get(&self.sent).copied();
        if let Some(luck) = &mut self.luck {
            fate = [Some(Fate::Lost), Some(Fate::Late)]
                .get(luck.array::<1>()[0] as usize % 6)
                .copied()
                .flatten();
        }
        self.sent += 1;
        let after = match fate {
            Some(Fate::Lost) => return,
            _ if self.mute == Some(from) => return,
            Some(Fate::Late) => LATE,
            None => DELAY,
        };
        let to = if from == Side::Client { Side::Hub } else { Side::Client };
        self.wire.insert((self.now + after, self.sent), (to, datagram));
    }
}
