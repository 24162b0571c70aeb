//! A holder of an invite that is no shipped client: it says what it likes, under right MACs and right keys.

use crate::world::World;
use core::net::SocketAddr;
use node_proto::random::Random;
use spec::VERSION;
use spec::gate::Gate;
use spec::handshake::{Flight, Initiator, InitiatorKeys, KeyPair};
use spec::key_schedule::{ConnectionIds, Root};
use spec::limits::LONG_BODY_BYTES;
use spec::seal::{Opener, Sealer};
use spec::secret::Secret;
use spec::wire::frame::{Frame, Side};
use spec::wire::long::{AttemptId, Long, LongKind};
use spec::wire::message::Message;
use spec::wire::short::{self, ShortHeader};

/// Someone who holds the gate of a hub.
#[derive(Debug)]
pub struct Insider {
    /// Where it sends from.
    pub address: SocketAddr,
    /// The gate.
    pub gate: Gate,
    identity: KeyPair,
    hub_key: [u8; 32],
    access_secret: Secret<32>,
    random: Random,
}

impl Insider {
    /// An insider of the world's hub with an identity that `seed` determines.
    #[must_use]
    pub fn new(world: &World, address: SocketAddr, seed: u8) -> Self {
        let (hub, access_secret) = world.keys();
        Self::of(*hub.public(), access_secret, address, seed)
    }

    /// An insider of the hub with `hub_key` and `access_secret`.
    #[must_use]
    pub fn of(hub_key: [u8; 32], access_secret: &Secret<32>, address: SocketAddr, seed: u8) -> Self {
        let mut random = Random::new([seed; 32]);
        Self {
            address,
            gate: Gate::new(&hub_key, access_secret),
            identity: KeyPair::new(random.secret()),
            hub_key,
            access_secret: access_secret.clone(),
            random,
        }
    }

    /// A fresh attempt and its two INIT datagrams.
    ///
    /// # Panics
    /// When the hub key is no point.
    pub fn begin(&mut self) -> (Initiator, Flight) {
        let keys = InitiatorKeys {
            own_static: self.identity.clone(),
            ephemeral: self.random.secret(),
            kem_seed: self.random.secret(),
            noise: self.random.number(),
        };
        Initiator::start(keys, self.hub_key, &self.access_secret).expect("the hub key is a point")
    }

    /// A datagram of `kind` and `attempt` with right MACs and random content.
    pub fn forge(&mut self, kind: LongKind, fragment: usize, attempt: AttemptId) -> Vec<u8> {
        let body = self.random.array::<LONG_BODY_BYTES>();
        let reserved = self.random.reserved();
        self.gate.build(kind, fragment, reserved, VERSION, attempt, &body[..kind.body_bytes()])
    }

    /// An INIT fragment of an attempt that nobody else has, with right MACs and random content.
    pub fn fragment(&mut self, index: usize) -> Vec<u8> {
        let attempt = AttemptId(self.random.array());
        self.forge(LongKind::Init, index, attempt)
    }

    /// Shakes hands with the world's hub; FIN carries `frames`.
    ///
    /// # Panics
    /// When the hub does not answer.
    pub fn join(&mut self, world: &mut World, frames: &[u8]) -> Member {
        let (initiator, flight) = self.begin();
        let mut answers = Vec::new();
        for datagram in flight.datagrams() {
            answers.extend(world.inject(self.address, datagram));
        }
        let (_, resp) = answers.iter().find(|(to, _)| *to == self.address).expect("the hub answers");
        let resp = Long::parse(resp).expect("RESP is LONG");
        let ready = initiator.read_resp(&resp).expect("RESP is right");
        let (fin, established) = ready.finish(frames, &self.gate, 0).expect("FIN has room");
        let mut member = Member::new(self.address, &established.root);
        member.deliver(world, &fin);
        member
    }
}

/// An insider with a session.
#[derive(Debug)]
pub struct Member {
    address: SocketAddr,
    ids: ConnectionIds,
    sealer: Sealer,
    opener: Opener,
    next_number: u64,
    largest: Option<u64>,
    /// What the hub sent us and we did not open yet.
    inbox: Vec<Vec<u8>>,
    /// How much of [`World::wire`] we have looked through.
    seen: usize,
}

impl Member {
    fn new(address: SocketAddr, root: &Root) -> Self {
        let (own, hub) = (root.direction(Side::Client), root.direction(Side::Hub));
        Self {
            address,
            sealer: Sealer::new(&own),
            opener: Opener::new(&hub),
            ids: own.ids,
            next_number: 0,
            largest: None,
            inbox: Vec::new(),
            seen: 0,
        }
    }

    /// Seals `frames` under the next number and connection id `index`.
    ///
    /// # Panics
    /// When they do not fit a datagram.
    pub fn seal_under(&mut self, index: u64, frames: &[u8]) -> Vec<u8> {
        let number = self.next_number;
        self.next_number += 1;
        // Four bytes are always enough, however late the datagram is given to the hub.
        let header = ShortHeader { epoch: 0, number_len: 4, reserved: 0, id: self.ids.id(index), number };
        let mut out = Vec::new();
        header.encode(&mut out);
        out.extend_from_slice(frames);
        self.sealer.seal(&header, &mut out, 0).expect("the frames fit");
        out
    }

    /// Seals `frames` under the next number.
    pub fn seal(&mut self, frames: &[u8]) -> Vec<u8> {
        self.seal_under(0, frames)
    }

    /// Leaves numbers out, as if packets were lost.
    pub const fn skip_to(&mut self, number: u64) {
        self.next_number = number;
    }

    /// Gives a datagram of ours to the hub.
    pub fn deliver(&mut self, world: &mut World, datagram: &[u8]) {
        let answers = world.inject(self.address, datagram);
        self.inbox.extend(answers.into_iter().filter(|(to, _)| *to == self.address).map(|(_, bytes)| bytes));
    }

    /// Seals `frames` and gives them to the hub.
    pub fn send(&mut self, world: &mut World, frames: &[u8]) {
        let datagram = self.seal(frames);
        self.deliver(world, &datagram);
    }

    /// Number and frames of every packet the hub sent us since we last looked.
    ///
    /// # Panics
    /// When one does not open.
    pub fn heard(&mut self, world: &World) -> Vec<(u64, Vec<u8>)> {
        let address = self.address;
        let new =
            world.wire[self.seen..].iter().filter(|(_, to, bytes)| *to == address && short::is_short(bytes));
        self.inbox.extend(new.map(|(_, _, bytes)| bytes.clone()));
        self.seen = world.wire.len();
        let mut packets = Vec::new();
        for mut datagram in std::mem::take(&mut self.inbox).into_iter().filter(|bytes| short::is_short(bytes))
        {
            let opened = self.opener.open(&mut datagram, self.largest).expect("the hub's packets open");
            self.largest = self.largest.max(Some(opened.header.number));
            packets.push((opened.header.number, datagram[opened.frames].to_vec()));
        }
        packets
    }
}

/// A STREAM frame at `offset` of `stream`.
#[must_use]
pub fn stream(stream: u64, offset: u64, data: &[u8]) -> Vec<u8> {
    encoded(&Frame::Stream { stream, offset, data })
}

/// A frame as bytes.
#[must_use]
pub fn encoded(frame: &Frame<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    frame.encode(&mut out);
    out
}

/// A HELLO as bytes of the control stream.
#[must_use]
pub fn hello(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    Message::Hello { flags: 0, name, token: &[] }.encode(&mut out);
    out
}
