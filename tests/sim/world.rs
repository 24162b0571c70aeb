//! A hub, its clients and the links between them, in virtual time.

use crate::network::Link;
use crate::transcript::{Line, line};
use core::net::SocketAddr;
use core::time::Duration;
use node_proto::client::{Client, ClientConfig, ClientEvent, Resume, Target};
use node_proto::hub::{Hub, HubConfig, HubEvent};
use node_proto::log::{Append, Effect, Engine, LOBBY, MemoryLog, Reply};
use node_proto::random::Random;
use node_proto::transmit::Path;
use spec::handshake::KeyPair;
use spec::secret::Secret;
use spec::time::{Instant, UnixTime};
use spec::wire::entry::{EntryKind, MessageId};
use std::collections::BTreeMap;

/// How long the log takes to commit.
const COMMIT_TIME: Duration = Duration::from_millis(4);

/// Names a client of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientId(pub usize);

#[derive(Clone, Debug)]
enum Event {
    ToHub {
        from: SocketAddr,
        datagram: Vec<u8>,
    },
    ToClient {
        to: ClientId,
        datagram: Vec<u8>,
    },
    /// The log gets to work on what the hub of this incarnation asked.
    Log {
        incarnation: u64,
    },
}

/// A client and what its person has seen.
#[derive(Debug)]
pub struct Node {
    /// The endpoint; `None` while the program is not running.
    pub client: Option<Client>,
    /// Where it is.
    pub address: SocketAddr,
    /// Everything it was told, in order.
    pub events: Vec<ClientEvent>,
    /// Ids of its lines that the hub stored.
    pub stored: Vec<MessageId>,
    identity: KeyPair,
    name: String,
    resume: Option<Resume>,
}

impl Node {
    /// Its key.
    #[must_use]
    pub const fn identity(&self) -> &KeyPair {
        &self.identity
    }

    /// The lines on its screen.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.events.iter().filter_map(line).collect()
    }

    /// The texts people said in the lobby, as on its screen.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let said = |line: &Line| line.room == LOBBY && line.kind == EntryKind::Text;
        self.lines().into_iter().filter(said).map(|line| line.text).collect()
    }
}

/// The whole world.
#[derive(Debug)]
pub struct World {
    /// The time.
    pub now: Instant,
    /// The hub; `None` while it is not running.
    pub hub: Option<Hub>,
    /// What the hub told its operator.
    pub hub_events: Vec<HubEvent>,
    /// The clients.
    pub nodes: Vec<Node>,
    /// From clients to the hub.
    pub up: Link,
    /// From the hub to clients.
    pub down: Link,
    /// Every datagram that left an endpoint, with its source and destination: what a wiretap sees.
    pub wire: Vec<(SocketAddr, SocketAddr, Vec<u8>)>,
    /// Time a member may be away before it is announced.
    pub grace: Duration,
    /// Whether the hub is open to strangers.
    pub is_open: bool,
    /// Whether clients give out their secrets as [`ClientEvent::KeyLog`]; for those that start from now on.
    pub key_log: bool,
    /// What befalls a datagram besides what its link does, by its index in [`wire`](Self::wire): it takes so much
    /// longer, or, with `None`, never arrives.
    pub fates: BTreeMap<usize, Option<Duration>>,
    random: Random,
    events: BTreeMap<(Instant, u64), Event>,
    next_event: u64,
    log: MemoryLog,
    asked: Vec<Effect>,
    log_is_busy: bool,
    incarnation: u64,
    identity: KeyPair,
    access_secret: Secret<32>,
}

/// Where the hub is.
pub const HUB_ADDRESS: &str = "192.0.2.1:5555";

fn hub_address() -> SocketAddr {
    HUB_ADDRESS.parse().expect("a literal address")
}

impl World {
    /// A world with a running hub and nobody else; `seed` decides everything.
    #[must_use]
    pub fn new(seed: u64, link: Link) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let mut random = Random::new(bytes);
        let mut world = Self {
            now: Instant(0),
            hub: None,
            hub_events: Vec::new(),
            nodes: Vec::new(),
            up: link,
            down: link,
            wire: Vec::new(),
            grace: Duration::from_secs(60),
            is_open: false,
            key_log: false,
            fates: BTreeMap::new(),
            identity: KeyPair::new(random.secret()),
            access_secret: random.secret(),
            log: MemoryLog::new(random.array()),
            random,
            events: BTreeMap::new(),
            next_event: 0,
            asked: Vec::new(),
            log_is_busy: false,
            incarnation: 0,
        };
        world.start_hub();
        world
    }

    /// The hub's identity, and the secret of its invites.
    #[must_use]
    pub fn keys(&self) -> (&KeyPair, &Secret<32>) {
        (&self.identity, &self.access_secret)
    }

    /// Starts the hub over what the log has committed.
    ///
    /// # Panics
    /// When it runs.
    pub fn start_hub(&mut self) {
        assert!(self.hub.is_none(), "the hub runs already");
        self.incarnation += 1;
        self.log_is_busy = false;
        let config = HubConfig {
            identity: self.identity.clone(),
            access_secrets: vec![self.access_secret.clone()],
            is_open: self.is_open,
            grace: self.grace,
            sessions_max: 1000,
            key_log: false,
        };
        let recovered = self.log.recover().expect("a log in memory always recovers");
        self.hub = Some(Hub::new(self.now, config, &recovered, self.random.array()));
    }

    /// The hub's process is killed: what was not committed is gone.
    pub fn kill_hub(&mut self) {
        self.hub = None;
        self.asked.clear();
    }

    /// The hub's data is gone, and the next hub begins a new log.
    ///
    /// # Panics
    /// When the hub runs.
    pub fn lose_log(&mut self) {
        assert!(self.hub.is_none(), "the log is in use");
        self.log = MemoryLog::new(self.random.array());
    }

    /// A new program with a key of its own begins to join.
    pub fn join(&mut self, name: &str) -> ClientId {
        let id = ClientId(self.nodes.len());
        let host = u8::try_from(id.0 % 250 + 1).unwrap_or(1);
        let address = SocketAddr::from(([198, 51, 100, host], 40_000));
        let node = Node {
            client: None,
            address,
            events: Vec::new(),
            stored: Vec::new(),
            identity: KeyPair::new(self.random.secret()),
            name: name.to_owned(),
            resume: None,
        };
        self.nodes.push(node);
        self.start_client(id);
        id
    }

    /// Starts the program of a client that was joined before, with the key it had, from another port.
    pub fn start_client(&mut self, id: ClientId) {
        let node = &mut self.nodes[id.0];
        node.address.set_port(node.address.port() + 1);
        let config = ClientConfig {
            identity: node.identity.clone(),
            hub_key: *self.identity.public(),
            access_secret: self.access_secret.clone(),
            token: Vec::new(),
            name: node.name.clone(),
            key_log: self.key_log,
            resume: node.resume.clone(),
        };
        let path = Path::new(hub_address(), 0);
        node.client = Some(Client::new(self.now, config, path, self.random.array()));
    }

    /// The program of a client is killed; what it has shown it need not show again.
    pub fn kill_client(&mut self, id: ClientId) {
        let node = &mut self.nodes[id.0];
        node.resume = node.client.take().and_then(|client| client.resume());
    }

    /// A client's program finds itself behind another address, and opens a socket there.
    ///
    /// # Panics
    /// When the client does not run.
    pub fn rebind(&mut self, id: ClientId) {
        let now = self.now;
        let node = &mut self.nodes[id.0];
        node.address.set_port(node.address.port() + 1);
        node.client.as_mut().expect("the client runs").rebind(now);
    }

    /// A person says something in the lobby.
    ///
    /// # Panics
    /// When the client does not run or its outbox is full.
    pub fn say(&mut self, id: ClientId, text: &str) -> MessageId {
        self.say_to(id, Target::Room(LOBBY), text)
    }

    /// A person says something somewhere.
    ///
    /// # Panics
    /// When the client does not run or its outbox is full.
    pub fn say_to(&mut self, id: ClientId, target: Target, text: &str) -> MessageId {
        let client = self.nodes[id.0].client.as_mut().expect("the client runs");
        client.say(target, EntryKind::Text, text).expect("the outbox has room")
    }

    /// A client that runs.
    ///
    /// # Panics
    /// When it does not.
    pub fn client(&mut self, id: ClientId) -> &mut Client {
        self.nodes[id.0].client.as_mut().expect("the client runs")
    }

    /// The hub that runs.
    ///
    /// # Panics
    /// When it does not.
    pub fn hub(&mut self) -> &mut Hub {
        self.hub.as_mut().expect("the hub runs")
    }

    /// Gives a datagram to the hub as if it came from `from`, and returns what the hub says to anyone.
    pub fn inject(&mut self, from: SocketAddr, datagram: &[u8]) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut answers = Vec::new();
        let mut copy = datagram.to_vec();
        let (now, path) = (self.now, Path::new(from, 0));
        let hub = self.hub();
        // Silence is the usual answer to a stranger, and the reason stays inside.
        let _: Result<(), _> = hub.handle_datagram(now, path, &mut copy);
        let mut out = Vec::new();
        while let Some(transmit) = hub.poll_transmit(now, &mut out) {
            let to = transmit.path.remote;
            answers.extend(transmit.datagrams(&out).map(|datagram| (to, datagram.to_vec())));
        }
        answers
    }

    /// Whether every client that runs is connected.
    #[must_use]
    pub fn everyone_is_in(&self) -> bool {
        self.nodes.iter().filter_map(|node| node.client.as_ref()).all(Client::is_connected)
    }

    /// Runs for `time`.
    pub fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while self.step(until) {}
        self.now = until;
    }

    /// Runs until `is_done`, for at most `most`; whether it became so.
    pub fn run_until(&mut self, most: Duration, is_done: impl Fn(&Self) -> bool) -> bool {
        let until = self.now + most;
        while !is_done(self) {
            if !self.step(until) {
                self.now = until;
                return is_done(self);
            }
        }
        true
    }

    /// Lets the next thing happen, unless it lies beyond `until`.
    fn step(&mut self, until: Instant) -> bool {
        self.drain();
        let event_at = self.events.first_key_value().map(|((at, _), _)| *at);
        let timer_at = self.next_timer();
        let Some(at) = event_at.into_iter().chain(timer_at).min() else { return false };
        if at > until {
            return false;
        }
        self.now = self.now.max(at);
        match self.events.first_entry().filter(|entry| entry.key().0 <= self.now) {
            Some(entry) => {
                let event = entry.remove();
                self.happen(event);
            }
            None => self.timers(),
        }
        true
    }

    fn next_timer(&self) -> Option<Instant> {
        let clients = self.nodes.iter().filter_map(|node| node.client.as_ref()?.poll_timeout());
        let hub = self.hub.as_ref().and_then(Hub::poll_timeout);
        clients.chain(hub).map(|(at, _)| at).min()
    }

    fn timers(&mut self) {
        let now = self.now;
        if let Some(hub) = &mut self.hub {
            hub.handle_timeout(now);
        }
        for node in &mut self.nodes {
            if let Some(client) = &mut node.client {
                client.handle_timeout(now);
            }
        }
    }

    fn happen(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::ToHub { from, mut datagram } => {
                if let Some(hub) = &mut self.hub {
                    let path = Path::new(from, 0);
                    let _: Result<(), _> = hub.handle_datagram(now, path, &mut datagram);
                }
            }
            Event::ToClient { to, mut datagram } => {
                if let Some(client) = &mut self.nodes[to.0].client {
                    let path = Path::new(hub_address(), 0);
                    let _: Result<(), _> = client.handle_datagram(now, path, &mut datagram);
                }
            }
            Event::Log { incarnation } if incarnation == self.incarnation => self.log_works(),
            Event::Log { .. } => {}
        }
    }

    /// The log commits what gathered since it last did.
    fn log_works(&mut self) {
        self.log_is_busy = false;
        let mut appends: Vec<Append> = Vec::new();
        let mut replies: Vec<Reply> = Vec::new();
        for effect in std::mem::take(&mut self.asked) {
            match effect {
                Effect::Append(append) => appends.push(append),
                Effect::Read { room, from } => replies.push(self.log.read(room, from)),
            }
        }
        let time = UnixTime(self.now.0 / 1000);
        replies.extend(self.log.commit(&appends, time));
        if let Some(hub) = &mut self.hub {
            for reply in replies {
                hub.handle_reply(self.now, reply);
            }
        }
    }

    /// Everyone says what they have to say.
    fn drain(&mut self) {
        self.drain_hub();
        for index in 0..self.nodes.len() {
            self.drain_client(ClientId(index));
        }
    }

    fn drain_hub(&mut self) {
        let Some(mut hub) = self.hub.take() else { return };
        let mut out = Vec::new();
        while let Some(transmit) = hub.poll_transmit(self.now, &mut out) {
            let to = transmit.path.remote;
            transmit.datagrams(&out).for_each(|datagram| self.send_down(to, datagram));
        }
        while let Some(effect) = hub.poll_effect() {
            self.asked.push(effect);
        }
        while let Some(event) = hub.poll_event() {
            self.hub_events.push(event);
        }
        self.hub = Some(hub);
        if !self.asked.is_empty() && !std::mem::replace(&mut self.log_is_busy, true) {
            let incarnation = self.incarnation;
            self.schedule(COMMIT_TIME, Event::Log { incarnation });
        }
    }

    fn drain_client(&mut self, id: ClientId) {
        let Some(mut client) = self.nodes[id.0].client.take() else { return };
        let from = self.nodes[id.0].address;
        let mut out = Vec::new();
        while let Some(transmit) = client.poll_transmit(self.now, &mut out) {
            transmit.datagrams(&out).for_each(|datagram| self.send_up(from, datagram));
        }
        while let Some(event) = client.poll_event() {
            if let ClientEvent::Stored { id: line, .. } = &event {
                self.nodes[id.0].stored.push(*line);
            }
            self.nodes[id.0].events.push(event);
        }
        self.nodes[id.0].client = Some(client);
    }

    fn send_down(&mut self, to: SocketAddr, datagram: &[u8]) {
        self.wire.push((hub_address(), to, datagram.to_vec()));
        let node = self.nodes.iter().position(|node| node.address == to);
        let fate = self.fate();
        for (after, datagram) in self.down.carry(datagram, &mut self.random) {
            if let (Some(node), Some(later)) = (node, fate) {
                self.schedule(after + later, Event::ToClient { to: ClientId(node), datagram });
            }
        }
    }

    fn send_up(&mut self, from: SocketAddr, datagram: &[u8]) {
        self.wire.push((from, hub_address(), datagram.to_vec()));
        let fate = self.fate();
        for (after, datagram) in self.up.carry(datagram, &mut self.random) {
            if let Some(later) = fate {
                self.schedule(after + later, Event::ToHub { from, datagram });
            }
        }
    }

    /// What befalls the datagram that was sent last.
    fn fate(&self) -> Option<Duration> {
        let index = self.wire.len().saturating_sub(1);
        self.fates.get(&index).copied().unwrap_or(Some(Duration::ZERO))
    }

    fn schedule(&mut self, after: Duration, event: Event) {
        self.next_event += 1;
        self.events.insert((self.now + after, self.next_event), event);
    }
}
