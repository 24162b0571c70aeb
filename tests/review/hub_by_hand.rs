//! What a shipped client makes of a hub that says what no shipped hub says.

use super::*;
use node_proto::client::{Client, ClientConfig, ClientEvent, Resume};
use node_proto::log::{LOBBY, Seq};
use spec::close::CloseReason;
use spec::gate::Gate;
use spec::handshake::ReceivedInit;
use spec::key_schedule::{ConnectionIds, Root};
use spec::seal::{Opener, Sealer};
use spec::time::UnixTime;
use spec::wire::entry::{Entry, EntryKind, MessageId};
use spec::wire::frame::{Entries, Frame, Frames, Side};
use spec::wire::message::{Message, RoomKind};
use spec::wire::short::{self, ShortHeader};
use spec::wire::varint;
use std::collections::BTreeMap;

pub(crate) const GENERATION: [u8; 8] = [5; 8];

/// A client in a session with a hub that is made by hand.
pub(crate) struct Scene {
    client: Client,
    pub(crate) now: Instant,
    /// The root of the session's keys, and who the hub is.
    pub(crate) root: Root,
    pub(crate) identity: KeyPair,
    sealer: Sealer,
    opener: Opener,
    ids: ConnectionIds,
    next_number: u64,
    control: u64,
}

impl Scene {
    fn new(resume: Option<Resume>) -> Self {
        Self::with_keys(resume, KeyPolicy::default())
    }

    pub(crate) fn with_keys(resume: Option<Resume>, keys: KeyPolicy) -> Self {
        let (identity, access_secret) = (KeyPair::new(Secret::new(Lone::KEY)), Secret::new([2; 32]));
        let gate = Gate::new(identity.public(), &access_secret);
        let config = ClientConfig {
            identity: KeyPair::new(Secret::new([7; 32])),
            hub_key: *identity.public(),
            access_secret: access_secret.clone(),
            token: Vec::new(),
            name: "ann".to_owned(),
            key_log: false,
            resume,
            keys,
        };
        let now = Instant(0);
        let mut client = Client::new(now, config, to_hub(), [8; 32]);
        client.handle_timeout(now);
        let inits = said(&mut client, now);
        let message =
            inits.iter().flat_map(|init| Long::parse(init).unwrap().body).copied().collect::<Vec<_>>();
        let attempt = Long::parse(&inits[0]).unwrap().attempt;
        let init = ReceivedInit::read(&message, attempt, &identity, &access_secret).unwrap();
        let (responder, mut resp) =
            init.respond(Secret::new([3; 32]), &Secret::new([4; 32]), &gate, 0).unwrap();
        client.handle_datagram(now, to_hub(), &mut resp).unwrap();
        let fin = said(&mut client, now);
        let root = responder.read_fin(&Long::parse(&fin[0]).unwrap()).unwrap().established.root;
        let (own, clients) = (root.direction(Side::Hub), root.direction(Side::Client));
        let (sealer, opener) = (Sealer::new(&own), Opener::new(&clients));
        Self { client, now, root, identity, sealer, opener, ids: own.ids, next_number: 0, control: 0 }
    }

    /// The hub sends a packet with one frame; what the client was told then.
    pub(crate) fn frame(&mut self, frame: &Frame<'_>) -> Vec<ClientEvent> {
        let number = self.next_number;
        self.next_number += 1;
        let header = ShortHeader { epoch: 0, number_len: 4, reserved: 0, id: self.ids.id(0), number };
        let mut out = Vec::new();
        header.encode(&mut out);
        frame.encode(&mut out);
        self.sealer.seal(&header, &mut out, 0).unwrap();
        self.client.handle_datagram(self.now, to_hub(), &mut out).unwrap();
        std::iter::from_fn(|| self.client.poll_event()).collect()
    }

    fn control(&mut self, data: &[u8]) -> Vec<ClientEvent> {
        let offset = self.control;
        self.control += data.len() as u64;
        self.frame(&Frame::Stream { stream: 0, offset, data })
    }

    pub(crate) fn message(&mut self, message: &Message<'_>) -> Vec<ClientEvent> {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        self.control(&bytes)
    }

    pub(crate) fn welcome(&mut self, generation: [u8; 8]) -> Vec<ClientEvent> {
        self.message(&Message::Welcome { flags: 0, account: 1, name: "ann", generation })
    }

    fn lobby(&mut self, head: u64) -> Vec<ClientEvent> {
        let kind = Some(RoomKind::Open);
        self.message(&Message::Room { room: LOBBY.0, kind, name: "lobby", head })
    }

    fn entry(&mut self, sequence: u64, kind: EntryKind) -> Vec<ClientEvent> {
        let mut entry = Vec::new();
        let id = MessageId([u8::try_from(sequence).unwrap(); 16]);
        Entry { author: 9, id, time: UnixTime(0), kind, name: "bob", body: b"hello" }.encode(&mut entry);
        let mut bytes = Vec::new();
        varint::encode_bytes(&entry, &mut bytes);
        self.frame(&Frame::Entries(Entries { room: LOBBY.0, first: sequence, count: 1, bytes: &bytes }))
    }

    /// Time passes; the control messages that the client said meanwhile, each time it said them.
    pub(crate) fn said_after<T>(
        &mut self,
        time: Duration,
        read: impl Fn(&Message<'_>) -> Option<T>,
    ) -> Vec<T> {
        self.now = self.now + time;
        self.client.handle_timeout(self.now);
        let mut read_all = Vec::new();
        for mut bytes in said(&mut self.client, self.now).into_iter().filter(|bytes| short::is_short(bytes)) {
            // What is under the next generation is only PING.
            let Ok(opened) = self.opener.open(&mut bytes, None) else { continue };
            for frame in Frames::parse(&bytes[opened.frames], Side::Client).unwrap().iter() {
                if let Frame::Stream { stream: 0, data, .. } = frame
                    && let Ok(Some((message, _))) = Message::split(data)
                {
                    read_all.extend(read(&message));
                }
            }
        }
        read_all
    }

    /// What the client answers about paths now.
    pub(crate) fn path_responses(&mut self) -> Vec<[u8; 8]> {
        let mut answers = Vec::new();
        for mut bytes in said(&mut self.client, self.now) {
            let opened = self.opener.open(&mut bytes, None).unwrap();
            let frames = Frames::parse(&bytes[opened.frames], Side::Client).unwrap();
            answers.extend(frames.iter().filter_map(|frame| match frame {
                Frame::PathResponse { data } => Some(data),
                _ => None,
            }));
        }
        answers
    }

    /// The client's static key.
    pub(crate) fn client_key() -> [u8; 32] {
        *KeyPair::new(Secret::new([7; 32])).public()
    }

    /// The hub goes on under the keys of `root`.
    pub(crate) fn go_on_under(&mut self, root: &Root) {
        let (own, clients) = (root.direction(Side::Hub), root.direction(Side::Client));
        (self.sealer, self.opener, self.ids) = (Sealer::new(&own), Opener::new(&clients), own.ids);
    }

    /// Why the client closed the session, if it did.
    pub(crate) fn close_reason(&mut self) -> Option<CloseReason> {
        let mut largest = None;
        said(&mut self.client, self.now).into_iter().filter(|bytes| short::is_short(bytes)).find_map(
            |mut bytes| {
                let opened = self.opener.open(&mut bytes, largest).unwrap();
                largest = Some(opened.header.number);
                let frames = Frames::parse(&bytes[opened.frames], Side::Client).unwrap();
                frames.iter().find_map(|frame| {
                    if let Frame::Close { reason, .. } = frame { Some(reason) } else { None }
                })
            },
        )
    }
}

/// Everything the client has to send.
fn said(client: &mut Client, now: Instant) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    std::iter::from_fn(|| client.poll_transmit(now, &mut out).map(|_| out.clone())).collect()
}

/// The numbers and kinds of the entries a client was told of.
fn applied(events: &[ClientEvent]) -> Vec<(u64, EntryKind)> {
    let one = |event: &ClientEvent| match event {
        ClientEvent::Entry { sequence, entry, .. } => Some((sequence.0, Entry::decode(entry).unwrap().kind)),
        _ => None,
    };
    events.iter().filter_map(one).collect()
}

/// An entry that overtakes WELCOME waits for it; when WELCOME names another log, it was never meant.
#[test]
fn entries_wait_for_welcome() {
    for (generation, expected) in [(GENERATION, vec![(4, EntryKind::Text)]), ([6; 8], Vec::new())] {
        let rooms = BTreeMap::from([(LOBBY, Seq(3))]);
        let mut scene = Scene::new(Some(Resume { generation: GENERATION, rooms }));
        //= spec/PROTOCOL.md#application-messages
        //= type=test
        //# A client MUST NOT apply an entry before it has read WELCOME.
        assert_eq!(applied(&scene.entry(4, EntryKind::Text)), []);
        assert_eq!(applied(&scene.welcome(generation)), expected);
    }
}

/// An entry of a kind from the future takes its number and says nothing: what follows it comes as ever.
#[test]
fn an_entry_of_an_unknown_kind_takes_its_place() {
    let mut scene = Scene::new(None);
    scene.welcome(GENERATION);
    scene.lobby(10);
    let unknown = EntryKind::from_code(99);
    assert!(matches!(unknown, EntryKind::Other(99)) && !unknown.is_clients());
    let events = scene.entry(11, unknown);
    //= spec/PROTOCOL.md#application-messages
    //= type=test
    //# A client MUST show an entry whose kind it does not know as nothing, and count it as applied.
    assert_eq!(applied(&events), [(11, unknown)]);
    assert_eq!(scene.client.resume().unwrap().rooms[&LOBBY], Seq(11));
    assert_eq!(applied(&scene.entry(11, EntryKind::Text)), [], "the place is taken");
    assert_eq!(applied(&scene.entry(12, EntryKind::Text)), [(12, EntryKind::Text)]);
}

/// Entries are applied in the order of their numbers, each once, whatever the order they come in.
#[test]
fn entries_are_applied_in_order_and_once() {
    let mut scene = Scene::new(None);
    scene.welcome(GENERATION);
    scene.lobby(10);
    for (sequence, expected) in
        [(13, vec![]), (12, vec![]), (10, vec![]), (11, vec![11, 12, 13]), (12, vec![]), (14, vec![14])]
    {
        let events = scene.entry(sequence, EntryKind::Text);
        let numbers: Vec<u64> = applied(&events).into_iter().map(|(sequence, _)| sequence).collect();
        assert_eq!(numbers, expected, "entry {sequence}");
    }
}

/// A client closes a session in which the hub's control messages do not decode, and skips one it does not know.
#[test]
fn a_hub_that_breaks_the_protocol_is_told_so() {
    let too_long = {
        let mut bytes = Vec::new();
        varint::encode(65_537, &mut bytes);
        bytes
    };
    let cases = [
        ("a message of a type it does not know", vec![3, 0x3a, 1, 2], None),
        ("a message that is too long", too_long, Some(CloseReason::Violation)),
        ("a WELCOME that ends early", vec![3, 0x40, 0x41, 0], Some(CloseReason::Violation)),
    ];
    for (what, bytes, expected) in cases {
        let mut scene = Scene::new(None);
        scene.welcome(GENERATION);
        scene.control(&bytes);
        //= spec/PROTOCOL.md#application-messages
        //= type=test
        //# A receiver MUST close the session with VIOLATION when a control message or a submission is longer than
        //# it may be or does not decode.
        assert_eq!(scene.close_reason(), expected, "{what}");
    }
}
