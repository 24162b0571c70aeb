//! The shipped hub and client as nodes. The log is in memory and commits at once, and blobs take neither memory nor
//! time: what is raced is the transport.

use super::net::{Address, Node, Packet};
use super::stream_app::Service;
use core::net::SocketAddr;
use node_proto::bulk::Hash;
use node_proto::client::{Client, ClientConfig, ClientEvent, Target};
use node_proto::connection::KeyPolicy;
use node_proto::hub::{Hub, HubConfig};
use node_proto::log::{Append, Effect, Engine, LOBBY, MemoryLog, Reply};
use node_proto::random::Random;
use node_proto::transmit::{Arrival, Path, Transmit};
use sim::blobs::Blobs;
use spec::handshake::KeyPair;
use spec::secret::Secret;
use spec::time::{Instant, UnixTime};
use spec::wire::entry::{Entry, EntryKind};
use std::collections::VecDeque;
use std::time::Duration;

/// Bytes of IPv4 and UDP headers.
const HEADER_BYTES: usize = 28;
/// The blob of a bulk transfer.
const BLOB: Hash = [9; 32];
/// Names the log of every run.
const GENERATION: [u8; 8] = *b"transprt";

/// The secrets of a world.
#[derive(Debug)]
pub(crate) struct Keys {
    random: Random,
    hub: KeyPair,
    access_secret: Secret<32>,
}

impl Keys {
    /// The keys that `seed` makes.
    #[must_use]
    pub(crate) fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let mut random = Random::new(bytes);
        Self { hub: KeyPair::new(random.secret()), access_secret: random.secret(), random }
    }
}

fn path(address: Address) -> Path {
    let host = u8::try_from(address + 1).expect("a net is small");
    Path::new(SocketAddr::from(([10, 0, 0, host], 5555)), 0)
}

/// The packets of one call, each with its recipient.
fn packets(transmit: &Transmit, out: &[u8]) -> Vec<(Address, Packet)> {
    let SocketAddr::V4(remote) = transmit.path.remote else { return Vec::new() };
    let to = usize::from(remote.ip().octets()[3]) - 1;
    let packet = |datagram: &[u8]| Packet { bytes: datagram.to_vec(), ecn: transmit.ecn };
    transmit.datagrams(out).map(|datagram| (to, packet(datagram))).collect()
}

/// A hub with its log.
#[derive(Debug)]
pub(crate) struct HubNode {
    hub: Hub,
    log: MemoryLog,
    blobs: Blobs,
    service: Service,
    lines: VecDeque<String>,
    outgoing: VecDeque<(Address, Packet)>,
}

impl HubNode {
    /// A hub; for [`Service::Bulk`] it keeps a blob of as many bytes.
    #[must_use]
    pub(crate) fn new(keys: &mut Keys, service: Service) -> Self {
        let mut log = MemoryLog::new(GENERATION);
        let (lines, outgoing, mut blobs) = (VecDeque::new(), VecDeque::new(), Blobs::default());
        if let Service::Bulk(bytes) = service {
            blobs.whole.insert(BLOB, bytes);
        }
        let hub = start(keys, &mut log);
        let mut node = Self { hub, log, blobs, service, lines, outgoing };
        node.work(Instant(0));
        node
    }

    /// Lets the log commit what the hub asked for, and gives it the pieces of blobs it asked for, until it asks for
    /// nothing; whether there were any.
    fn work(&mut self, now: Instant) -> bool {
        while let Some(effect) = self.hub.poll_effect() {
            let replies = match effect {
                Effect::Read { room, from } => Vec::from([self.log.read(room, from)]),
                Effect::Find(lookup) => Vec::from([self.log.find(&lookup)]),
                Effect::Append(append) => self.append(now, append),
                // A log in memory never fails.
                Effect::Heard => Vec::new(),
            };
            for reply in replies {
                self.hub.handle_reply(now, reply);
            }
        }
        while self.hub.poll_event().is_some() {}
        let mut was_asked = false;
        while let Some(request) = self.hub.poll_blob() {
            self.hub.handle_blob(now, self.blobs.answer(request));
            was_asked = true;
        }
        was_asked
    }

    fn append(&mut self, now: Instant, append: Append) -> Vec<Reply> {
        let is_line = self.service == Service::Lines && append.kind == EntryKind::Text;
        let line = is_line.then(|| String::from_utf8_lossy(&append.body).into_owned());
        let replies = self.log.commit(&[append], UnixTime(now.0 / 1000));
        // A line that was submitted again, in another session, is known to the log.
        if replies.iter().any(|reply| matches!(reply, Reply::Committed(_))) {
            self.lines.extend(line);
        }
        replies
    }
}

fn start(keys: &mut Keys, log: &mut MemoryLog) -> Hub {
    let config = HubConfig {
        identity: keys.hub.clone(),
        access_secrets: vec![keys.access_secret.clone()],
        is_open: false,
        grace: Duration::from_secs(60),
        sessions_max: 100,
        blob_bytes_max: u64::MAX,
        key_log: false,
        keys: KeyPolicy::default(),
        logins: node_proto::hub::LoginConfig { secret: Secret::new([5; 32]), attempts: Vec::new() },
    };
    let recovered = log.recover().expect("a log in memory always recovers");
    Hub::new(Instant(0), config, &recovered, keys.random.array())
}

impl Node for HubNode {
    fn handle_packet(&mut self, now: Instant, from: Address, mut packet: Packet) {
        let arrival = Arrival { path: path(from), ecn: packet.ecn };
        // What is dropped is counted by the hub.
        let _: Result<(), _> = self.hub.handle_datagram(now, arrival, &mut packet.bytes);
        self.work(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.hub.handle_timeout(now);
        self.work(now);
    }

    fn say(&mut self, now: Instant, line: &str) {
        self.hub.alert(line).expect("a line is short");
        self.work(now);
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<(Address, Packet)> {
        while self.outgoing.is_empty() {
            let mut out = Vec::new();
            let transmit = self.hub.poll_transmit(now, &mut out);
            // A piece of a blob that was asked for is at hand at once, and leaves in the next datagram.
            let was_asked = self.work(now);
            match transmit {
                Some(transmit) => self.outgoing.extend(packets(&transmit, &out)),
                None if was_asked => {}
                None => return None,
            }
        }
        self.outgoing.pop_front()
    }

    fn poll_timeout(&mut self, _now: Instant) -> Option<Instant> {
        self.hub.poll_timeout().map(|(at, _)| at)
    }

    fn poll_line(&mut self) -> Option<String> {
        self.lines.pop_front()
    }

    fn is_ready(&self) -> bool {
        true
    }

    fn bulk_received(&self) -> u64 {
        0
    }

    fn header_bytes(&self) -> usize {
        HEADER_BYTES
    }
}

/// A client and what it has read.
#[derive(Debug)]
pub(crate) struct ClientNode {
    client: Client,
    blobs: Blobs,
    lines: VecDeque<String>,
    outgoing: VecDeque<(Address, Packet)>,
}

impl ClientNode {
    /// A client that begins to join the hub at `hub`; for [`Service::Bulk`] one that fetches the
    /// blob.
    #[must_use]
    pub(crate) fn new(now: Instant, keys: &mut Keys, hub: Address, name: &str, service: Service) -> Self {
        let config = ClientConfig {
            identity: KeyPair::new(keys.random.secret()),
            hub_key: *keys.hub.public(),
            access_secret: keys.access_secret.clone(),
            token: Vec::new(),
            name: name.into(),
            key_log: false,
            keys: KeyPolicy::default(),
            resume: None,
        };
        let mut client = Client::new(now, config, path(hub), keys.random.array());
        if let Service::Bulk(_) = service {
            client.get(BLOB, 0).expect("it is the first transfer");
        }
        Self { client, blobs: Blobs::default(), lines: VecDeque::new(), outgoing: VecDeque::new() }
    }

    /// Reads what arrived, and writes the pieces of the blob.
    fn read(&mut self, now: Instant) {
        while let Some(event) = self.client.poll_event() {
            let ClientEvent::Entry { entry, .. } = event else { continue };
            let Ok(entry) = Entry::decode(&entry) else { continue };
            if matches!(entry.kind, EntryKind::Text | EntryKind::Alert) {
                self.lines.push_back(String::from_utf8_lossy(entry.body).into_owned());
            }
        }
        while let Some(request) = self.client.poll_blob() {
            self.client.handle_blob(now, self.blobs.answer(request));
        }
    }
}

impl Node for ClientNode {
    fn handle_packet(&mut self, now: Instant, from: Address, mut packet: Packet) {
        let arrival = Arrival { path: path(from), ecn: packet.ecn };
        let _: Result<(), _> = self.client.handle_datagram(now, arrival, &mut packet.bytes);
        self.read(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.client.handle_timeout(now);
        self.read(now);
    }

    fn say(&mut self, _now: Instant, line: &str) {
        // A line that finds the outbox full never arrives, and counts as such.
        let _: Result<_, _> = self.client.say(Target::Room(LOBBY), EntryKind::Text, line);
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<(Address, Packet)> {
        if self.outgoing.is_empty() {
            let mut out = Vec::new();
            let transmit = self.client.poll_transmit(now, &mut out)?;
            self.outgoing.extend(packets(&transmit, &out));
        }
        self.outgoing.pop_front()
    }

    fn poll_timeout(&mut self, _now: Instant) -> Option<Instant> {
        self.client.poll_timeout().map(|(at, _)| at)
    }

    fn poll_line(&mut self) -> Option<String> {
        self.lines.pop_front()
    }

    /// The hub's first answer to FIN has arrived.
    fn is_ready(&self) -> bool {
        self.client.connection().is_some()
    }

    fn bulk_received(&self) -> u64 {
        self.blobs.written_bytes(&BLOB)
    }

    fn header_bytes(&self) -> usize {
        HEADER_BYTES
    }
}
