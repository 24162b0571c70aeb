//! A hub, its clients and the links between them, in virtual time.

mod agenda;
mod fate;
mod node;
mod run;
mod traffic;

pub use node::Node;

use crate::blobs::Blobs;
use crate::checks::Checks;
use crate::network::Link;
use crate::pipe::Pipe;
use crate::plant::Plant;
use crate::store::Store;
use agenda::Agenda;
use core::net::SocketAddr;
use core::time::Duration;
use node::Machine;
use node_proto::client::{Client, ClientConfig, Target};
use node_proto::connection::KeyPolicy;
use node_proto::hub::{Hub, HubConfig, HubEvent, LoginConfig};
use node_proto::log::{Engine, LOBBY};
use node_proto::random::Random;
use node_proto::transmit::Path;
use run::Guard;
use spec::handshake::KeyPair;
use spec::secret::Secret;
use spec::time::Instant;
use spec::wire::entry::{EntryKind, MessageId};
use std::collections::BTreeMap;

/// Names a client of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientId(pub usize);

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
    /// From clients to the hub, for those that have no links of their own.
    pub up: Link,
    /// From the hub to clients, for those that have no links of their own.
    pub down: Link,
    /// Every datagram that left an endpoint, with its source and destination: what a wiretap sees.
    pub wire: Vec<(SocketAddr, SocketAddr, Vec<u8>)>,
    /// Whether [`wire`](Self::wire) is written.
    pub records: bool,
    /// Time a member may be away before it is announced.
    pub grace: Duration,
    /// Whether the hub is open to strangers.
    pub is_open: bool,
    /// Whether clients give out their secrets as [`ClientEvent::KeyLog`]; for those that start from now on.
    ///
    /// [`ClientEvent::KeyLog`]: node_proto::client::ClientEvent::KeyLog
    pub key_log: bool,
    /// When keys are changed; for hubs and clients that start from now on.
    pub keys: KeyPolicy,
    /// Length of the largest blob that a hub keeps; for those that start from now on.
    pub blob_bytes_max: u64,
    /// The hub's blobs.
    pub blobs: Blobs,
    /// What befalls a datagram besides what its link does, by its place among all that were sent: it takes so much
    /// longer, or, with `None`, never arrives.
    pub fates: BTreeMap<usize, Option<Duration>>,
    /// Datagrams that arrive once more, so much later, by their place among all that were sent.
    pub repeats: BTreeMap<usize, Duration>,
    /// Datagrams that have one bit flipped, by their place among all that were sent.
    pub flips: BTreeMap<usize, usize>,
    /// Whether it is printed what happens.
    pub tells: bool,
    /// What watches over everything that happens.
    pub checks: Option<Checks>,
    /// A defect that a test has put into the program.
    pub plant: Option<Box<dyn Plant>>,
    seed: u64,
    random: Random,
    agenda: Agenda,
    guard: Guard,
    store: Store,
    hub_machine: Machine,
    /// Datagrams sent by anybody.
    sent: usize,
    incarnation: u64,
    identity: KeyPair,
    access_secret: Secret<32>,
}

/// Where the hub is.
pub const HUB_ADDRESS: &str = "192.0.2.1:5555";

/// Keys that change every few packets, and a ratchet every few round trips.
#[must_use]
pub fn quick_keys() -> KeyPolicy {
    KeyPolicy {
        update_packets: 4,
        ratchet_every: Duration::from_millis(300),
        kem_every: Duration::from_secs(2),
        ratchet_answer: Duration::ZERO,
        ..KeyPolicy::default()
    }
}

fn hub_address() -> SocketAddr {
    HUB_ADDRESS.parse().expect("a literal address")
}

impl World {
    /// A world with a running hub and nobody else; `seed` decides everything.
    #[must_use]
    pub fn new(seed: u64, link: Link) -> Self {
        Self::with_keys(seed, link, KeyPolicy::default())
    }

    /// The same, and keys are changed as `keys` says.
    #[must_use]
    pub fn with_keys(seed: u64, link: Link, keys: KeyPolicy) -> Self {
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
            records: true,
            grace: Duration::from_secs(60),
            is_open: false,
            key_log: false,
            keys,
            blob_bytes_max: 1 << 40,
            blobs: Blobs::default(),
            fates: BTreeMap::new(),
            repeats: BTreeMap::new(),
            flips: BTreeMap::new(),
            tells: false,
            checks: None,
            plant: None,
            identity: KeyPair::new(random.secret()),
            access_secret: random.secret(),
            store: Store::new(random.array()),
            seed,
            random,
            agenda: Agenda::default(),
            guard: Guard::default(),
            hub_machine: Machine::default(),
            sent: 0,
            incarnation: 0,
        };
        world.start_hub();
        world
    }

    /// The same, watched over by all [`Checks`], and without a record of the wire.
    #[must_use]
    pub fn watched(seed: u64, link: Link) -> Self {
        Self::new(seed, link).watch()
    }

    /// Watched over by all [`Checks`] from now on, and without a record of the wire.
    #[must_use]
    pub fn watch(self) -> Self {
        Self { checks: Some(Checks::default()), records: false, ..self }
    }

    /// The hub's identity, and the secret of its invites.
    #[must_use]
    pub fn keys(&self) -> (&KeyPair, &Secret<32>) {
        (&self.identity, &self.access_secret)
    }

    /// What the log has committed.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Every pipe, up and down.
    pub fn pipes(&self) -> impl Iterator<Item = &Pipe> {
        self.nodes.iter().flat_map(|node| [&node.up, &node.down])
    }

    // the hub

    /// Starts the hub over what the log has committed.
    ///
    /// # Panics
    /// When it runs.
    pub fn start_hub(&mut self) {
        assert!(self.hub.is_none(), "the hub runs already");
        self.incarnation += 1;
        let config = HubConfig {
            identity: self.identity.clone(),
            access_secrets: vec![self.access_secret.clone()],
            is_open: self.is_open,
            grace: self.grace,
            sessions_max: 1000,
            blob_bytes_max: self.blob_bytes_max,
            key_log: false,
            keys: self.keys,
            logins: LoginConfig { secret: Secret::new([5; 32]), attempts: self.attempts() },
        };
        let recovered = self.store.recover();
        let now = self.hub_machine.clock(self.now);
        self.hub = Some(Hub::new(now, config, &recovered, self.random.array()));
        self.hub_machine.is_touched = true;
    }

    /// What the hub had kept of the attempts it counted.
    fn attempts(&self) -> Vec<u8> {
        let kept = |event: &HubEvent| match event {
            HubEvent::Attempts(kept) => Some(kept.clone()),
            _ => None,
        };
        self.hub_events.iter().rev().find_map(kept).unwrap_or_default()
    }

    /// The hub's process is killed: what was not committed is gone.
    pub fn kill_hub(&mut self) {
        self.hub = None;
        self.hub_machine.alarm = None;
        self.store.crash();
    }

    /// The hub's data is gone, and the next hub begins a new log.
    ///
    /// # Panics
    /// When the hub runs.
    pub fn lose_log(&mut self) {
        let generation = self.random.array();
        self.replace_log(Store::new(generation));
    }

    /// The next hub begins a new log over `engine`.
    ///
    /// # Panics
    /// When the hub runs.
    pub fn keep_log_in(&mut self, engine: Box<dyn Engine>) {
        self.replace_log(Store::over(engine));
    }

    fn replace_log(&mut self, store: Store) {
        assert!(self.hub.is_none(), "the log is in use");
        self.store = store;
        if let Some(checks) = &mut self.checks {
            checks.begin_log();
        }
    }

    /// The hub that runs.
    ///
    /// # Panics
    /// When it does not.
    pub fn hub(&mut self) -> &mut Hub {
        self.hub_machine.is_touched = true;
        self.hub.as_mut().expect("the hub runs")
    }

    // clients and their people

    /// A new program with a key of its own begins to join.
    pub fn join(&mut self, name: &str) -> ClientId {
        let id = self.enrol(name);
        self.start_client(id);
        id
    }

    /// Someone has a machine and a name, and has not started the program yet.
    pub fn enrol(&mut self, name: &str) -> ClientId {
        let id = ClientId(self.nodes.len());
        let node = Node::new(id, name, self.up, &mut self.random);
        self.nodes.push(node);
        if let Some(checks) = &mut self.checks {
            checks.joined(id, name);
        }
        id
    }

    /// Starts the program of a client that was joined before, with the key it had, from another port.
    pub fn start_client(&mut self, id: ClientId) {
        let node = &mut self.nodes[id.0];
        node.move_port();
        node.starts += 1;
        node.machine.is_touched = true;
        let config = ClientConfig {
            identity: node.identity.clone(),
            hub_key: *self.identity.public(),
            access_secret: self.access_secret.clone(),
            token: Vec::new(),
            name: node.name.clone(),
            key_log: self.key_log,
            resume: node.resume.clone(),
            keys: self.keys,
        };
        let (now, path) = (node.machine.clock(self.now), Path::new(hub_address(), 0));
        node.client = Some(Client::new(now, config, path, self.random.array()));
    }

    /// The program of a client is killed; what it has shown it need not show again.
    pub fn kill_client(&mut self, id: ClientId) {
        let node = &mut self.nodes[id.0];
        node.machine.alarm = None;
        node.resume = node.client.take().and_then(|client| client.resume());
    }

    /// A client's program finds itself behind another address, and opens a socket there.
    ///
    /// # Panics
    /// When the client does not run.
    pub fn rebind(&mut self, id: ClientId) {
        let now = self.nodes[id.0].machine.clock(self.now);
        self.nodes[id.0].move_port();
        self.client(id).rebind(now);
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
        let line = self.client(id).say(target, EntryKind::Text, text).expect("the outbox has room");
        let starts = self.nodes[id.0].starts;
        if let Some(checks) = &mut self.checks {
            checks.said(line, id, starts, text);
        }
        line
    }

    /// A client that runs.
    ///
    /// # Panics
    /// When it does not.
    pub fn client(&mut self, id: ClientId) -> &mut Client {
        let node = &mut self.nodes[id.0];
        node.machine.is_touched = true;
        node.client.as_mut().expect("the client runs")
    }

    /// Whether every client that runs is connected.
    #[must_use]
    pub fn everyone_is_in(&self) -> bool {
        self.nodes.iter().filter_map(|node| node.client.as_ref()).all(Client::is_connected)
    }
}
