//! A bad link between real processes: a UDP relay that loses, doubles, disorders and damages, as its seed
//! decides, and a NAT that forgets who had which address.

use crate::clock::Clock;
use crate::failure::{Context, Failure};
use node_proto::random::Random;
use spec::time::Instant;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

/// What the link does, each of so many in a thousand datagrams.
#[derive(Clone, Copy, Debug)]
pub struct Badness {
    /// Lost.
    pub loss_per_mille: u64,
    /// Doubled.
    pub duplicate_per_mille: u64,
    /// Overtaken by later ones.
    pub reorder_per_mille: u64,
    /// Damaged: one bit is another.
    pub damage_per_mille: u64,
}

impl Badness {
    /// The link everything has to live with.
    pub const BAD: Self =
        Self { loss_per_mille: 300, duplicate_per_mille: 100, reorder_per_mille: 250, damage_per_mille: 0 };
}

/// How long a datagram takes at least.
const DELAY: Duration = Duration::from_millis(2);
/// How much longer one takes that is overtaken.
const OVERTAKEN_BY: Duration = Duration::from_millis(8);
/// How long the relay waits for a datagram before it looks at what is due.
const TICK: Duration = Duration::from_millis(1);

/// A running relay; it stops when dropped.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    carried: Arc<AtomicU64>,
    lost: Arc<AtomicU64>,
    sources: Sender<IpAddr>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Starts a relay on loopback in front of `hub`. Every client gets a socket of its own towards the hub.
    ///
    /// # Errors
    /// When there is no socket or thread to be had.
    pub fn start(hub: SocketAddr, badness: Badness, seed: u64) -> Result<Self, Failure> {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), hub, badness, seed)
    }

    /// Starts a relay that clients reach at `front`, in the network of the calling thread.
    ///
    /// # Errors
    /// When there is no socket or thread to be had.
    pub fn start_at(
        front: SocketAddr,
        hub: SocketAddr,
        badness: Badness,
        seed: u64,
    ) -> Result<Self, Failure> {
        let socket = UdpSocket::bind(front).context("cannot open the relay's socket")?;
        socket.set_read_timeout(Some(TICK)).context("cannot use the relay's socket")?;
        let address = socket.local_addr().context("the relay's socket has no address")?;
        let (stop, carried, lost) = (Arc::default(), Arc::default(), Arc::default());
        let mut seed_bytes = [0; 32];
        seed_bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let (sources, new_source) = mpsc::channel();
        let mut worker = Worker {
            hub,
            source: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            new_source,
            badness,
            front: socket,
            backs: BTreeMap::new(),
            random: Random::new(seed_bytes),
            clock: Clock::start(),
            due: BTreeMap::new(),
            next: 0,
            stop: Arc::clone(&stop),
            carried: Arc::clone(&carried),
            lost: Arc::clone(&lost),
        };
        let thread = std::thread::Builder::new().name("relay".into()).spawn(move || worker.run());
        let thread = Some(thread.context("cannot start the relay's thread")?);
        Ok(Self { address, stop, carried, lost, sources, thread })
    }

    /// Where clients are to send.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on the hub sees every client at another port of the relay's address `source`.
    pub fn rebind(&self, source: IpAddr) {
        // A relay that has stopped has no addresses to change.
        let _: Result<(), _> = self.sources.send(source);
    }

    /// Datagrams carried and datagrams lost, so that a test can see that the link was bad.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.carried.load(Ordering::Relaxed), self.lost.load(Ordering::Relaxed))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Where a datagram goes on.
#[derive(Clone, Copy, Debug)]
enum Onward {
    ToHub { client: SocketAddr },
    ToClient { client: SocketAddr },
}

struct Worker {
    hub: SocketAddr,
    /// The address that the hub sees.
    source: IpAddr,
    new_source: Receiver<IpAddr>,
    badness: Badness,
    front: UdpSocket,
    backs: BTreeMap<SocketAddr, UdpSocket>,
    random: Random,
    clock: Clock,
    due: BTreeMap<(Instant, u64), (Onward, Vec<u8>)>,
    next: u64,
    stop: Arc<AtomicBool>,
    carried: Arc<AtomicU64>,
    lost: Arc<AtomicU64>,
}

impl Worker {
    fn run(&mut self) {
        let mut buffer = vec![0; 2048];
        while !self.stop.load(Ordering::Relaxed) {
            match self.front.recv_from(&mut buffer) {
                Ok((len, client)) => self.schedule(Onward::ToHub { client }, &buffer[..len]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                // News of a client that is gone.
                Err(_) => {}
            }
            if let Ok(source) = self.new_source.try_recv() {
                self.source = source;
                self.backs.clear();
            }
            self.read_backs(&mut buffer);
            self.deliver();
        }
    }

    fn read_backs(&mut self, buffer: &mut [u8]) {
        let clients: Vec<SocketAddr> = self.backs.keys().copied().collect();
        for client in clients {
            while let Some(len) = self.backs.get(&client).and_then(|back| back.recv(buffer).ok()) {
                self.schedule(Onward::ToClient { client }, &buffer[..len]);
            }
        }
    }

    fn schedule(&mut self, onward: Onward, datagram: &[u8]) {
        let copies = if self.happens(self.badness.duplicate_per_mille) { 2 } else { 1 };
        for _ in 0..copies {
            if self.happens(self.badness.loss_per_mille) {
                self.lost.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let overtaken = self.happens(self.badness.reorder_per_mille);
            let after = if overtaken { DELAY + OVERTAKEN_BY } else { DELAY };
            self.next += 1;
            let mut datagram = datagram.to_vec();
            if self.happens(self.badness.damage_per_mille) {
                self.damage(&mut datagram);
            }
            self.due.insert((self.clock.now() + after, self.next), (onward, datagram));
        }
    }

    fn damage(&mut self, datagram: &mut [u8]) {
        let bits = datagram.len() as u64 * 8;
        let bit = self.random.number() % bits.max(1);
        let byte = usize::try_from(bit / 8).unwrap_or_default();
        if let Some(byte) = datagram.get_mut(byte) {
            *byte ^= 1 << (bit % 8);
        }
    }

    fn happens(&mut self, per_mille: u64) -> bool {
        self.random.number() % 1000 < per_mille
    }

    fn deliver(&mut self) {
        while let Some(entry) = self.due.first_entry() {
            if entry.key().0 > self.clock.now() {
                return;
            }
            let (onward, datagram) = entry.remove();
            self.carried.fetch_add(1, Ordering::Relaxed);
            // What a closed port does not take is lost like anything else.
            let sent = match onward {
                Onward::ToHub { client } => self.back(client).and_then(|back| back.send(&datagram)),
                Onward::ToClient { client } => self.front.send_to(&datagram, client),
            };
            drop(sent);
        }
    }

    fn back(&mut self, client: SocketAddr) -> std::io::Result<&UdpSocket> {
        if !self.backs.contains_key(&client) {
            let socket = UdpSocket::bind((self.source, 0))?;
            socket.connect(self.hub)?;
            socket.set_nonblocking(true)?;
            self.backs.insert(client, socket);
        }
        self.backs.get(&client).ok_or_else(|| ErrorKind::NotFound.into())
    }
}
