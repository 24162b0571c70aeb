//! Members of a hub: the shipped client on real sockets, a thread each, that say lines as often as they are told to.

use super::pass;
use node::clock::Clock;
use node::net::{Wires, connect};
use node_proto::Client;
use node_proto::client::{ClientConfig, ClientEvent, Target};
use node_proto::connection::KeyPolicy;
use node_proto::log::LOBBY;
use node_proto::transmit::Path;
use spec::discard::Discard;
use spec::handshake::KeyPair;
use spec::invite::Invite;
use spec::time::Instant;
use spec::wire::entry::{Entry, EntryKind};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How many there are.
const MEMBERS: u64 = 4;
/// A line, in bytes; it begins with the time it was said.
const LINE_BYTES: usize = 100;
/// A member looks so often at what it is told.
const GLANCE: Duration = Duration::from_millis(20);
/// How long anything may take that is not measured.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the members are told, and what they did.
#[derive(Debug)]
struct Shared {
    clock: Clock,
    is_over: AtomicBool,
    /// Lines a second, of all together.
    rate: AtomicU64,
    connected: AtomicU64,
    said: AtomicU64,
    /// Lines that were shown, on all screens together.
    shown: AtomicU64,
    /// How long each took, in microseconds.
    delays_us: Mutex<Vec<u64>>,
}

/// What became of what was said in a while.
#[derive(Debug)]
pub(crate) struct Talk {
    /// Lines a second on each screen.
    pub(crate) delivered_per_second: u64,
    median: Duration,
    p99: Duration,
}

impl fmt::Display for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { delivered_per_second, median, p99 } = self;
        write!(f, "{delivered_per_second} delivered a second, median {median:.1?}, p99 {p99:.1?}")
    }
}

/// Clients of one hub.
#[derive(Debug)]
pub(crate) struct Members {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Members {
    /// All of them join and are greeted.
    pub(crate) fn join(invite: &Invite) -> Self {
        let shared = Arc::new(Shared {
            clock: Clock::start(),
            is_over: AtomicBool::new(false),
            rate: AtomicU64::new(0),
            connected: AtomicU64::new(0),
            said: AtomicU64::new(0),
            shown: AtomicU64::new(0),
            delays_us: Mutex::default(),
        });
        let start = |number| {
            let mut member = Member::new(invite, number, Arc::clone(&shared));
            std::thread::spawn(move || member.run())
        };
        let threads = (0..MEMBERS).map(start).collect();
        let members = Self { shared, threads };
        members.wait_until("all are greeted", |shared| shared.connected.load(Ordering::Relaxed) == MEMBERS);
        members
    }

    /// Together they say `rate` lines a second for a while, which is measured but for its beginning.
    pub(crate) fn talk(&self, rate: u64, window: Duration) -> Talk {
        self.shared.rate.store(rate, Ordering::Relaxed);
        pass(window / 4);
        self.shared.delays_us.lock().unwrap().clear();
        let shown = || self.shared.shown.load(Ordering::Relaxed);
        let (before, start) = (shown(), self.shared.clock.now());
        pass(window);
        let (after, time) = (shown(), self.shared.clock.now().since(start));
        let mut delays = std::mem::take(&mut *self.shared.delays_us.lock().unwrap());
        delays.sort_unstable();
        let quantile = |part| delays.get(delays.len() * part / 100).copied().unwrap_or_default();
        let time_us = u64::try_from(time.as_micros()).unwrap();
        Talk {
            delivered_per_second: (after - before) * 1_000_000 / MEMBERS / time_us,
            median: Duration::from_micros(quantile(50)),
            p99: Duration::from_micros(quantile(99)),
        }
    }

    /// Nobody speaks, and everything that was said is shown to everyone: exactly so often.
    pub(crate) fn fall_silent(&self) {
        self.shared.rate.store(0, Ordering::Relaxed);
        pass(GLANCE * 4);
        self.wait_until("everything is shown", |shared| {
            shared.shown.load(Ordering::Relaxed) == shared.said.load(Ordering::Relaxed) * MEMBERS
        });
    }

    fn wait_until(&self, what: &str, enough: impl Fn(&Shared) -> bool) {
        let deadline = self.shared.clock.now() + PATIENCE;
        while !enough(&self.shared) {
            assert!(self.shared.clock.now() < deadline, "{what}: {:?}", self.shared);
            pass(GLANCE);
        }
    }
}

impl Drop for Members {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // Its panic was printed, and what it did not do was missed.
            drop(thread.join());
        }
    }
}

struct Member {
    client: Client,
    wires: Wires,
    shared: Arc<Shared>,
    /// When it says its next line.
    next: Instant,
    rate: u64,
    out: Vec<u8>,
}

impl Member {
    fn new(invite: &Invite, number: u64, shared: Arc<Shared>) -> Self {
        let remote = format!("{}:{}", invite.address.host, invite.address.port).parse().unwrap();
        let config = ClientConfig {
            identity: KeyPair::new(node::entropy::secret().unwrap()),
            hub_key: invite.hub_key,
            access_secret: invite.access_secret.clone(),
            token: Vec::new(),
            name: format!("member {number}"),
            key_log: false,
            resume: None,
            keys: KeyPolicy::default(),
        };
        let now = shared.clock.now();
        let client = Client::new(now, config, Path::new(remote, 0), node::entropy::bytes().unwrap());
        let wires = Wires::new(vec![connect(remote).unwrap()], None).unwrap();
        Self { client, wires, shared, next: now, rate: 0, out: Vec::new() }
    }

    fn run(&mut self) {
        while !self.shared.is_over.load(Ordering::Relaxed) {
            let now = self.shared.clock.now();
            self.speak(now);
            self.drain(now);
            let speaks = (self.rate > 0).then_some(self.next);
            let deadline = self.client.poll_timeout().map(|(at, _)| at);
            let at = deadline.into_iter().chain(speaks).min().unwrap_or(now + GLANCE).min(now + GLANCE);
            self.wires.wait(Some(self.shared.clock.until(at))).unwrap();
            let now = self.shared.clock.now();
            let Self { wires, client, .. } = self;
            wires.receive(|arrival, datagram| {
                let _: Result<(), Discard> = client.handle_datagram(now, arrival, datagram);
            });
            client.handle_timeout(now);
        }
    }

    /// Says what is due. What it cannot keep is not said, as a person who must wait would not.
    fn speak(&mut self, now: Instant) {
        let rate = self.shared.rate.load(Ordering::Relaxed);
        if rate != self.rate {
            (self.rate, self.next) = (rate, now);
        }
        while self.rate > 0 && self.next <= now {
            self.next = self.next + Duration::from_micros(1_000_000 * MEMBERS / self.rate);
            if !self.client.has_room() {
                continue;
            }
            let line = format!("{:<LINE_BYTES$}", now.0);
            if self.client.say(Target::Room(LOBBY), EntryKind::Text, &line).is_ok() {
                self.shared.said.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn drain(&mut self, now: Instant) {
        while self.wires.has_room()
            && let Some(transmit) = self.client.poll_transmit(now, &mut self.out)
        {
            self.wires.send(&transmit, &self.out);
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                ClientEvent::Connected { is_again: false, .. } => {
                    self.shared.connected.fetch_add(1, Ordering::Relaxed);
                }
                ClientEvent::Entry { entry, .. } => self.shown(now, &entry),
                _ => {}
            }
        }
    }

    fn shown(&self, now: Instant, entry: &[u8]) {
        let Ok(Entry { kind: EntryKind::Text, body, .. }) = Entry::decode(entry) else { return };
        let said = std::str::from_utf8(body).unwrap().trim_end().parse().unwrap();
        self.shared.shown.fetch_add(1, Ordering::Relaxed);
        let delay = now.since(Instant(said));
        self.shared.delays_us.lock().unwrap().push(u64::try_from(delay.as_micros()).unwrap());
    }
}
