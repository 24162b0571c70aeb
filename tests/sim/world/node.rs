//! A client, the machine it runs on, and the person in front of it.

use crate::ClientId;
use crate::blobs::Blobs;
use crate::network::Link;
use crate::pipe::Pipe;
use crate::transcript::{Line, line};
use core::net::SocketAddr;
use core::time::Duration;
use node_proto::client::{Client, ClientEvent, Resume};
use node_proto::log::LOBBY;
use node_proto::random::Random;
use spec::handshake::KeyPair;
use spec::time::Instant;
use spec::wire::entry::{EntryKind, MessageId};

/// A machine: its clock may be ahead of the world's, and it may sleep.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Machine {
    /// How far its clock is ahead. A clock never goes back.
    pub(super) ahead: Duration,
    /// Until then nothing happens on it.
    pub(super) wakes: Instant,
    /// When it wants to be woken, by the world's clock.
    pub(super) alarm: Option<Instant>,
    /// Whether something happened to it since it last said what it has to say.
    pub(super) is_touched: bool,
}

impl Machine {
    /// What its clock shows.
    pub(super) fn clock(&self, now: Instant) -> Instant {
        now + self.ahead
    }

    pub(super) fn is_asleep(&self, now: Instant) -> bool {
        now < self.wakes
    }

    /// Sets the alarm for `deadline` of its own clock.
    pub(super) fn set_alarm(&mut self, deadline: Option<Instant>) {
        self.alarm = deadline.map(|at| at - self.ahead);
    }

    /// When its alarm goes off: while it sleeps, when it wakes.
    pub(super) fn rings_at(&self) -> Option<Instant> {
        self.alarm.map(|at| at.max(self.wakes))
    }
}

/// A client and what its person has seen.
#[derive(Debug)]
pub struct Node {
    /// The endpoint; `None` while the program is not running.
    pub client: Option<Client>,
    /// Where the hub sees it: behind a NAT, the address of the NAT.
    pub address: SocketAddr,
    /// Everything it was told, in order.
    pub events: Vec<ClientEvent>,
    /// Ids of its lines that the hub stored.
    pub stored: Vec<MessageId>,
    /// What its shell keeps of blobs.
    pub blobs: Blobs,
    /// Its own links, up and down, where they are not the world's.
    pub links: Option<(Link, Link)>,
    pub(super) identity: KeyPair,
    pub(super) name: String,
    pub(super) resume: Option<Resume>,
    pub(super) machine: Machine,
    pub(super) up: Pipe,
    pub(super) down: Pipe,
    /// How often its program was started.
    pub(super) starts: u32,
    pub(super) remaps: u8,
}

impl Node {
    pub(super) fn new(id: ClientId, name: &str, link: Link, random: &mut Random) -> Self {
        let host = u8::try_from(id.0 % 250 + 1).unwrap_or(1);
        Self {
            client: None,
            address: SocketAddr::from(([198, 51, 100, host], 40_000)),
            events: Vec::new(),
            stored: Vec::new(),
            blobs: Blobs::default(),
            links: None,
            identity: KeyPair::new(random.secret()),
            name: name.to_owned(),
            resume: None,
            machine: Machine::default(),
            up: Pipe::new(link, random.array()),
            down: Pipe::new(link, random.array()),
            starts: 0,
            remaps: 0,
        }
    }

    /// Its key.
    #[must_use]
    pub const fn identity(&self) -> &KeyPair {
        &self.identity
    }

    /// The name it joined under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How often its program was started.
    #[must_use]
    pub const fn starts(&self) -> u32 {
        self.starts
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

    /// Another port, as a NAT gives that forgot, or as a program has that opens another socket.
    pub(super) const fn move_port(&mut self) {
        self.address.set_port(self.address.port().wrapping_add(1));
    }

    /// The NAT in front of it forgets: first it gives another port, then another address, and so on.
    pub(super) fn remap(&mut self) {
        self.remaps = self.remaps.wrapping_add(1);
        if self.remaps % 2 == 1 {
            self.move_port();
        } else if let SocketAddr::V4(address) = &mut self.address {
            let [a, b, _, host] = address.ip().octets();
            address.set_ip([a, b, 100 + self.remaps / 2 % 100, host].into());
        }
    }
}
