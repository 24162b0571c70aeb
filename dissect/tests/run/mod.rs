//! A session made with the protocol's own code, and what a broken build of it would send.

use spec::crypto;
use spec::gate::Gate;
use spec::handshake::{Initiator, InitiatorKeys, KeyPair, ReceivedInit};
use spec::key_schedule::Root;
use spec::seal::Sealer;
use spec::secret::Secret;
use spec::wire::entry::{Entry, EntryKind, MessageId, Submission};
use spec::wire::frame::{Entries, Frame, Side};
use spec::wire::long::Long;
use spec::wire::short::{NUMBER_START, ShortHeader, bucket};
use spec::wire::varint;

/// The client's nickname.
pub(crate) const NAME: &str = "annabelle-lee";
/// Address and port of the client.
pub(crate) const CLIENT: End = ([10, 0, 0, 1], 40_000);
/// Another program on the client's host.
pub(crate) const NEIGHBOUR: End = ([10, 0, 0, 1], 40_001);
/// Address and port of the hub.
pub(crate) const HUB: End = ([10, 0, 0, 2], 5_555);
/// Where a relay sends from.
pub(crate) const RELAY: End = ([10, 0, 0, 9], 41_000);
/// Somebody else.
pub(crate) const RESOLVER: End = ([10, 0, 0, 53], 53);

/// An address and a port.
pub(crate) type End = ([u8; 4], u16);

/// What is wrong with the program that made the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leak {
    /// Nothing.
    None,
    /// The frames are not sealed.
    Unsealed,
    /// Every packet has the nonce of the first.
    FixedNonce,
    /// The nickname stands in front of every datagram's sealed bytes, behind the header.
    NameInHeader,
}

/// A UDP datagram.
#[derive(Clone, Debug)]
pub(crate) struct Datagram {
    /// Sender.
    pub(crate) from: End,
    /// Receiver.
    pub(crate) to: End,
    /// What it carries.
    pub(crate) payload: Vec<u8>,
}

/// A run of one client and a hub.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// In the order of the wire.
    pub(crate) datagrams: Vec<Datagram>,
    /// Enough to open everything.
    pub(crate) key_log: String,
    /// What the client said.
    pub(crate) texts: Vec<String>,
}

impl Run {
    /// Shakes hands and says `count` lines; the hub sends each one back as an entry.
    pub(crate) fn new(seed: u8, count: usize, leak: Leak) -> Self {
        let mut run = Self { datagrams: Vec::new(), key_log: String::new(), texts: Vec::new() };
        let root = run.handshake(seed);
        let mut client = Sender::new(Side::Client, &root, leak);
        let mut hub = Sender::new(Side::Hub, &root, leak);
        run.send(HUB, CLIENT, hub.datagram(&[Frame::Done]));
        let mut offset = 0;
        for number in 0..count {
            let text = format!("{number}: meet me behind the old mill at nine");
            let id = MessageId([u8::try_from(number % 251).unwrap(); 16]);
            let mut stream = Vec::new();
            Submission { id, kind: EntryKind::Text, body: text.as_bytes() }.encode(&mut stream);
            run.send(CLIENT, HUB, client.datagram(&[Frame::Stream { stream: 1, offset, data: &stream }]));
            offset += stream.len() as u64;
            let mut entry = Vec::new();
            let time = spec::time::UnixTime(1_790_000_000_000);
            Entry { author: 1, id, time, kind: EntryKind::Text, name: NAME, body: text.as_bytes() }
                .encode(&mut entry);
            let mut bytes = Vec::new();
            varint::encode_bytes(&entry, &mut bytes);
            let first = number as u64 + 1;
            let entries = Frame::Entries(Entries { room: 1, first, count: 1, bytes: &bytes });
            run.send(HUB, CLIENT, hub.datagram(&[entries]));
            run.texts.push(text);
        }
        run
    }

    /// Adds a datagram.
    pub(crate) fn send(&mut self, from: End, to: End, payload: Vec<u8>) {
        self.datagrams.push(Datagram { from, to, payload });
    }

    fn handshake(&mut self, seed: u8) -> Root {
        let secret = |label: u8| Secret::new(crypto::sha256(&[&[seed, label]]));
        let hub = KeyPair::new(secret(1));
        let access = secret(2);
        let gate = Gate::new(hub.public(), &access);
        let kem_seed = [*secret(3).expose(), *secret(4).expose()].concat();
        let keys = InitiatorKeys {
            own_static: KeyPair::new(secret(5)),
            ephemeral: secret(6),
            kem_seed: Secret::new(kem_seed.try_into().unwrap()),
            noise: u64::from(seed),
        };
        let (initiator, flight) = Initiator::start(keys, *hub.public(), &access).unwrap();
        let inits = flight.datagrams();
        for init in inits {
            self.send(CLIENT, HUB, init.clone());
        }
        let message: Vec<u8> =
            inits.iter().flat_map(|init| Long::parse(init).unwrap().body).copied().collect();
        let received = ReceivedInit::read(&message, initiator.attempt(), &hub, &access).unwrap();
        let (_, resp) = received.respond(secret(7), &secret(8), &gate, 0).unwrap();
        let ready = initiator.read_resp(&Long::parse(&resp).unwrap()).unwrap();
        self.send(HUB, CLIENT, resp);
        let (fin, established) = ready.finish(&[], &gate, 0).unwrap();
        self.send(CLIENT, HUB, fin);
        self.key_log = spec::key_log::lines(&established);
        established.root
    }

    /// The run as a classic capture of raw IPv4.
    pub(crate) fn pcap(&self) -> Vec<u8> {
        let mut file: Vec<u8> = [0xa1b2_c3d4_u32, 0x0002_0004, 0, 0, 65_535, 101]
            .iter()
            .flat_map(|word| word.to_be_bytes())
            .collect();
        for (second, datagram) in (1_790_000_000_u32..).zip(&self.datagrams) {
            let udp_len = u16::try_from(datagram.payload.len() + 8).unwrap();
            let ip_len = udp_len + 20;
            for word in [second, 0, u32::from(ip_len), u32::from(ip_len)] {
                file.extend(word.to_be_bytes());
            }
            file.extend([0x45, 0]);
            file.extend(ip_len.to_be_bytes());
            file.extend([0, 0, 0, 0, 64, 17, 0, 0]);
            file.extend(datagram.from.0);
            file.extend(datagram.to.0);
            for field in [datagram.from.1, datagram.to.1, udp_len, 0] {
                file.extend(field.to_be_bytes());
            }
            file.extend(&datagram.payload);
        }
        file
    }
}

/// One side's SHORT datagrams, sound or leaking.
struct Sender {
    keys: spec::key_schedule::DirectionKeys,
    sealer: Sealer,
    number: u64,
    leak: Leak,
}

impl Sender {
    fn new(side: Side, root: &Root, leak: Leak) -> Self {
        let keys = root.direction(side);
        Self { sealer: Sealer::new(&keys), keys, number: 0, leak }
    }

    fn datagram(&mut self, frames: &[Frame<'_>]) -> Vec<u8> {
        let header = ShortHeader {
            epoch: 0,
            number_len: 2,
            reserved: 0,
            id: self.keys.ids.id(0),
            number: self.number,
        };
        let mut out = Vec::new();
        header.encode(&mut out);
        if self.leak == Leak::NameInHeader {
            // The first half of the name takes the place of the id, the rest stands behind it.
            out[1..9].copy_from_slice(&NAME.as_bytes()[..8]);
        }
        for frame in frames {
            frame.encode(&mut out);
        }
        self.number += 1;
        match self.leak {
            Leak::None => self.sealer.seal(&header, &mut out, 0).unwrap(),
            Leak::NameInHeader => {
                let tail = &NAME.as_bytes()[8..];
                out.splice(9..9, tail.iter().copied());
                self.seal_by_hand(&mut out, 9 + tail.len(), self.number);
            }
            Leak::FixedNonce => self.seal_by_hand(&mut out, header.len(), 0),
            Leak::Unsealed => {
                pad(&mut out);
                out.extend([0xa5; 16]);
            }
        }
        out
    }

    fn seal_by_hand(&self, out: &mut Vec<u8>, header_len: usize, number: u64) {
        pad(out);
        let key = self.keys.traffic.packet_key();
        let (aad, plain) = out.split_at_mut(header_len);
        let tag = crypto::seal(&key.key, &key.nonce(number), aad, plain);
        out.extend(tag);
    }
}

fn pad(out: &mut Vec<u8>) {
    let bucket = bucket(out.len() - NUMBER_START).unwrap();
    out.resize(NUMBER_START + bucket, 0);
}
