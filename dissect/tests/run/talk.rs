//! A session as it goes on: lines, moves, key updates and ratchets.

use spec::crypto;
use spec::gate::Gate;
use spec::handshake::{Established, Initiator, InitiatorKeys, KeyPair, ReceivedInit};
use spec::key_schedule::Root;
use spec::ratchet::{self, AnswerKeys, Request};
use spec::secret::Secret;
use spec::wire::entry::{Entry, EntryKind, MessageId, Submission};
use spec::wire::frame::{Entries, Frame, Side};
use spec::wire::long::{AttemptId, Long};
use spec::wire::message::Message;
use spec::wire::varint;

use super::sender::{Leak, Sender};
use super::{CLIENT, End, HUB, NAME, Run};

/// A session, and what was captured of it so far.
pub(crate) struct Talk {
    /// The capture.
    pub(crate) run: Run,
    /// What the client sends with.
    pub(crate) client: Sender,
    /// What the hub sends with.
    pub(crate) hub: Sender,
    /// Where the client is.
    end: End,
    /// The root of the present generation.
    pub(crate) root: Root,
    attempt: AttemptId,
    /// The static keys of client and hub.
    statics: [KeyPair; 2],
    /// How much was said on the streams: submissions, and control messages of client and hub.
    offset: u64,
    control: [u64; 2],
}

impl Talk {
    /// Shakes hands; the hub confirms it.
    pub(crate) fn new(seed: u8, leak: Leak) -> Self {
        let mut run = Run { pace_seconds: 1, ..Run::default() };
        let Established { root, attempt, .. } = handshake(&mut run, seed);
        let [client, hub] = [Side::Client, Side::Hub].map(|side| Sender::new(side, &root, leak));
        let statics = [5, 1].map(|label| KeyPair::new(secret(seed, label)));
        let mut talk =
            Self { run, client, hub, end: CLIENT, root, attempt, statics, offset: 0, control: [0; 2] };
        talk.down(&[Frame::Done]);
        talk
    }

    /// The client says `count` lines; the hub sends each one back as an entry.
    pub(crate) fn say(&mut self, count: usize) {
        for _ in 0..count {
            let number = self.run.texts.len();
            let text = format!("{number}: meet me behind the old mill at nine");
            let id = MessageId([u8::try_from(number % 251).unwrap(); 16]);
            let mut data = Vec::new();
            Submission { id, kind: EntryKind::Text, body: text.as_bytes() }.encode(&mut data);
            self.up(&[Frame::Stream { stream: 1, offset: self.offset, data: &data }]);
            self.offset += data.len() as u64;
            let mut entry = Vec::new();
            let time = spec::time::UnixTime(1_790_000_000_000);
            Entry { author: 1, id, time, kind: EntryKind::Text, name: NAME, body: text.as_bytes() }
                .encode(&mut entry);
            let mut bytes = Vec::new();
            varint::encode_bytes(&entry, &mut bytes);
            let first = number as u64 + 1;
            self.down(&[Frame::Entries(Entries { room: 1, first, count: 1, bytes: &bytes })]);
            self.run.texts.push(text);
        }
    }

    /// The client sends one packet.
    pub(crate) fn up(&mut self, frames: &[Frame<'_>]) {
        let datagram = self.client.datagram(frames);
        self.run.send(self.end, HUB, datagram);
    }

    /// The hub sends one packet.
    pub(crate) fn down(&mut self, frames: &[Frame<'_>]) {
        let datagram = self.hub.datagram(frames);
        self.run.send(HUB, self.end, datagram);
    }

    /// The client goes to another address and knows it: PROTOCOL.md, Paths.
    pub(crate) fn move_to(&mut self, end: End) {
        self.client.next_id();
        self.rebind(end);
    }

    /// The client is given another address and does not know it, so that its id stays.
    pub(crate) fn rebind(&mut self, end: End) {
        let before = std::mem::replace(&mut self.end, end);
        self.up(&[Frame::Ping]);
        let late = self.hub.datagram(&[Frame::PathChallenge { data: [1; 8] }]);
        self.run.send(HUB, before, late);
        self.hub.next_id();
        self.down(&[Frame::PathChallenge { data: [2; 8] }]);
        self.up(&[Frame::PathResponse { data: [2; 8] }]);
    }

    /// PROTOCOL.md, Ratchet, with ML-KEM: both messages, a PING of the client under the next generation while its
    /// data goes on under the present one, and then both sides under the next.
    pub(crate) fn ratchet(&mut self) {
        let request = Request::new(secret(77, 1), Some(&kem_seed(77)));
        self.control(Side::Client, &request.message());
        let Message::RatchetReq { ephemeral, kem } = request.message() else { unreachable!() };
        let keys = AnswerKeys { ephemeral: secret(77, 2), kem_random: secret(77, 5) };
        let (client_key, [_, hub]) = (*self.statics[0].public(), &self.statics);
        let (answer, next) =
            ratchet::respond(&self.root, hub, &client_key, (&ephemeral, kem), &keys).unwrap();
        self.control(Side::Hub, &answer.message());
        let Message::RatchetRsp { ephemeral, kem } = answer.message() else { unreachable!() };
        let [client, hub] = &self.statics;
        let same = request.finish(&self.root, client, hub.public(), (&ephemeral, kem)).unwrap();
        assert_eq!(same.secret(), next.secret());
        self.run.key_log.push_str(&spec::key_log::ratchet_line(self.attempt, &next));
        self.root = next;

        let mut client = self.client.under(&self.root);
        std::mem::swap(&mut self.client, &mut client);
        self.up(&[Frame::Ping]);
        std::mem::swap(&mut self.client, &mut client);
        self.client.number += 1;
        self.up(&[Frame::Ping]);
        self.hub = self.hub.under(&self.root);
        self.down(&[Frame::Ping]);
        self.client = self.client.under(&self.root);
        self.up(&[Frame::Ping]);
    }

    /// One side sends a control message.
    fn control(&mut self, side: Side, message: &Message<'_>) {
        let mut data = Vec::new();
        message.encode(&mut data);
        let offset = &mut self.control[usize::from(side == Side::Hub)];
        let frame = Frame::Stream { stream: 0, offset: *offset, data: &data };
        *offset += data.len() as u64;
        match side {
            Side::Client => self.up(&[frame]),
            Side::Hub => self.down(&[frame]),
        }
    }
}

fn secret(seed: u8, label: u8) -> Secret<32> {
    Secret::new(crypto::sha256(&[&[seed, label]]))
}

fn kem_seed(seed: u8) -> Secret<64> {
    Secret::new([*secret(seed, 3).expose(), *secret(seed, 4).expose()].concat().try_into().unwrap())
}

/// Adds a handshake, and its secrets to the key log.
fn handshake(run: &mut Run, seed: u8) -> Established {
    let secret = |label: u8| secret(seed, label);
    let hub = KeyPair::new(secret(1));
    let access = secret(2);
    let gate = Gate::new(hub.public(), &access);
    let keys = InitiatorKeys {
        own_static: KeyPair::new(secret(5)),
        ephemeral: secret(6),
        kem_seed: kem_seed(seed),
        noise: u64::from(seed),
    };
    let (initiator, flight) = Initiator::start(keys, *hub.public(), &access).unwrap();
    let inits = flight.datagrams();
    for init in inits {
        run.send(CLIENT, HUB, init.clone());
    }
    let message: Vec<u8> = inits.iter().flat_map(|init| Long::parse(init).unwrap().body).copied().collect();
    let received = ReceivedInit::read(&message, initiator.attempt(), &hub, &access).unwrap();
    let (_, resp) = received.respond(secret(7), &secret(8), &gate, 0).unwrap();
    let ready = initiator.read_resp(&Long::parse(&resp).unwrap()).unwrap();
    run.send(HUB, CLIENT, resp);
    let (fin, established) = ready.finish(&[], &gate, 0).unwrap();
    run.send(CLIENT, HUB, fin);
    run.key_log = spec::key_log::lines(&established);
    established
}
