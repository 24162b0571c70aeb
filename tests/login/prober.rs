//! A hub alone with some accounts, and somebody who tries passwords on it by hand: no network, and nothing but the
//! hub's own work to be measured.

use core::net::SocketAddr;
use core::time::Duration;
use node_proto::connection::KeyPolicy;
use node_proto::hub::{Hub, HubConfig, LoginConfig};
use node_proto::log::{Append, Engine, HUB_ACCOUNT, HUB_ROOM, LOBBY, MemoryLog, Ticket};
use node_proto::opaque::{Keeper, Password, Registration};
use node_proto::random::Random;
use node_proto::transmit::Path;
use sim::insider::{Insider, encoded, stream};
use spec::handshake::KeyPair;
use spec::key_schedule::{ConnectionIds, Exporter};
use spec::name::fold;
use spec::seal::{Opener, Sealer};
use spec::secret::Secret;
use spec::time::{Instant, UnixTime};
use spec::wire::entry::{EntryKind, MessageId};
use spec::wire::frame::{Frame, Frames, Side};
use spec::wire::login::{FLAG_ENROL, LoginMessage, PasswordEntry, Stretch};
use spec::wire::long::Long;
use spec::wire::message::Message;
use spec::wire::short::{self, ShortHeader};
use std::collections::BTreeMap;

/// The password of every account that has one.
pub(crate) const PASSWORD: &str = "correct horse";

const ACCESS_SECRET: [u8; 32] = [2; 32];
/// No two of the names that are tried share a counter under it, as one pair in 65,536 does.
const LOGIN_SECRET: [u8; 32] = [14; 32];

/// What a hub says to somebody who tries: the lengths of its datagrams, and its messages in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) lengths: Vec<usize>,
    pub(crate) messages: Vec<String>,
}

/// The least that a client can spend.
pub(crate) const STRETCH: Stretch = Stretch { memory_kib: 19_456, passes: 2, lanes: 1 };

/// A hub with accounts.
pub(crate) struct Prey {
    hub: Hub,
    pub(crate) now: Instant,
    log: MemoryLog,
    /// Those who try, by their seeds: a message that was answered is not answered again.
    insiders: BTreeMap<u8, Insider>,
}

fn identity() -> KeyPair {
    KeyPair::new(Secret::new([1; 32]))
}

/// The hub's key.
pub(crate) fn hub_key() -> [u8; 32] {
    *identity().public()
}

/// What is kept of [`PASSWORD`] under `name`.
fn record(random: &mut Random, name: &str) -> [u8; 192] {
    let keeper = Keeper::new(&Secret::new(LOGIN_SECRET), hub_key());
    let password = Password::new(PASSWORD);
    let (registration, request) = Registration::start(random, &password).unwrap();
    let response = keeper.register(&fold(name), &request).unwrap();
    registration.finish(random, &password, &response, (STRETCH, &hub_key())).unwrap()
}

impl Prey {
    /// Accounts with a password, and accounts without; for those `stretch` is what their records say.
    pub(crate) fn new(with: &[String], without: &[String], stretch: Stretch) -> Self {
        let mut random = Random::new([4; 32]);
        let mut log = MemoryLog::new([5; 8]);
        let append = |log: &mut MemoryLog, random: &mut Random, kind, name: &str, body: Vec<u8>| {
            let (room, author, id) = (HUB_ROOM, HUB_ACCOUNT, MessageId(random.array()));
            let append =
                Append { ticket: Ticket(1), room, author, id, kind, name: name.into(), body, about: None };
            log.commit(&[append], UnixTime(0));
        };
        append(&mut log, &mut random, EntryKind::Room, "lobby", vec![1]);
        assert_eq!(LOBBY.0, 1);
        // What proves nothing need not be made anew for each: a record is as long and as odd as another.
        let mut same = None;
        for (number, name) in (2u64..).zip(with.iter().chain(without)) {
            let key = random.array::<32>().to_vec();
            append(&mut log, &mut random, EntryKind::Account, name, key);
            assert_eq!(log.recover().unwrap().hub_log.len() as u64, number);
        }
        for (number, name) in (2u64..).zip(with) {
            let record = *same.get_or_insert_with(|| record(&mut random, name));
            let body = PasswordEntry { account: number, stretch, record }.body();
            append(&mut log, &mut random, EntryKind::Password, name, body);
        }
        let config = HubConfig {
            identity: identity(),
            access_secrets: vec![Secret::new(ACCESS_SECRET)],
            is_open: false,
            grace: Duration::from_secs(60),
            sessions_max: 1000,
            blob_bytes_max: 0,
            key_log: false,
            keys: KeyPolicy::default(),
            logins: LoginConfig { secret: Secret::new(LOGIN_SECRET), attempts: Vec::new() },
        };
        let hub = Hub::new(Instant(0), config, &log.recover().unwrap(), [6; 32]);
        Self { hub, now: Instant(0), log, insiders: BTreeMap::new() }
    }

    /// Gives the hub a datagram; what it sends then, the log's part in it included.
    fn give(&mut self, from: SocketAddr, datagram: &[u8]) -> Vec<Vec<u8>> {
        let mut datagram = datagram.to_vec();
        let _: Result<(), _> = self.hub.handle_datagram(self.now, Path::new(from, 0), &mut datagram);
        while let Some(effect) = self.hub.poll_effect() {
            if let node_proto::log::Effect::Append(append) = effect {
                let replies = self.log.commit(&[append], UnixTime(0));
                replies.into_iter().for_each(|reply| self.hub.handle_reply(self.now, reply));
            }
        }
        let (mut sent, mut out) = (Vec::new(), Vec::new());
        while let Some(transmit) = self.hub.poll_transmit(self.now, &mut out) {
            let is_for_it = transmit.path.remote == from;
            sent.extend(transmit.datagrams(&out).filter(|_| is_for_it).map(<[u8]>::to_vec));
        }
        sent
    }

    /// Time passes: sessions end, and what was counted is forgotten.
    pub(crate) fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some((at, _)) = self.hub.poll_timeout().filter(|(at, _)| *at <= until) {
            self.now = self.now.max(at);
            self.hub.handle_timeout(self.now);
            let mut out = Vec::new();
            while self.hub.poll_transmit(self.now, &mut out).is_some() {}
            while self.hub.poll_event().is_some() {}
        }
        self.now = until;
    }
}

/// A session of somebody who says that `name` is theirs.
pub(crate) struct Prober {
    address: SocketAddr,
    pub(crate) exporter: Exporter,
    ids: ConnectionIds,
    sealer: Sealer,
    opener: Opener,
    largest: Option<u64>,
    next_number: u64,
    offset: u64,
}

impl Prober {
    /// Shakes hands from the network `network` with a key that `seed` determines.
    pub(crate) fn new(prey: &mut Prey, network: u16, seed: u8, name: &str) -> Self {
        let [high, low] = network.to_be_bytes();
        let address = SocketAddr::from(([10, high, low, 1], 4000));
        let new = || Insider::of(hub_key(), &Secret::new(ACCESS_SECRET), address, seed);
        let insider = prey.insiders.entry(seed).or_insert_with(new);
        let ((initiator, flight), gate) = (insider.begin(), insider.gate.clone());
        let answers: Vec<Vec<u8>> =
            flight.datagrams().iter().flat_map(|datagram| prey.give(address, datagram)).collect();
        let ready = initiator.read_resp(&Long::parse(answers.last().unwrap()).unwrap()).unwrap();
        let mut hello = Vec::new();
        Message::Hello { flags: FLAG_ENROL, name, token: &[] }.encode(&mut hello);
        let (fin, established) = ready.finish(&stream(0, 0, &hello), &gate, 0).unwrap();
        let root = &established.root;
        let (own, hubs) = (root.direction(Side::Client), root.direction(Side::Hub));
        let (sealer, opener) = (Sealer::new(&own), Opener::new(&hubs));
        let exporter = root.exporter();
        let offset = hello.len() as u64;
        let (largest, next_number) = (None, 0);
        let mut prober =
            Self { address, exporter, ids: own.ids, sealer, opener, largest, next_number, offset };
        let sent = prey.give(address, &fin);
        prober.open(sent);
        // What is acknowledged is not said again in between.
        let ping = prober.seal(&encoded(&Frame::Ping));
        let sent = prey.give(address, &ping);
        prober.open(sent);
        prober
    }

    fn seal(&mut self, frames: &[u8]) -> Vec<u8> {
        let number = self.next_number;
        self.next_number += 1;
        let header = ShortHeader { epoch: 0, number_len: 4, reserved: 0, id: self.ids.id(0), number };
        let mut out = Vec::new();
        header.encode(&mut out);
        out.extend_from_slice(frames);
        self.sealer.seal(&header, &mut out, 0).unwrap();
        out
    }

    /// The control bytes in what the hub sent, and the lengths of its datagrams.
    fn open(&mut self, sent: Vec<Vec<u8>>) -> (Vec<u8>, Vec<usize>) {
        let (mut control, mut lengths) = (Vec::new(), Vec::new());
        for mut datagram in sent.into_iter().filter(|bytes| short::is_short(bytes)) {
            lengths.push(datagram.len());
            let opened = self.opener.open(&mut datagram, self.largest).unwrap();
            self.largest = self.largest.max(Some(opened.header.number));
            for frame in Frames::parse(&datagram[opened.frames], Side::Hub).unwrap().iter() {
                if let Frame::Stream { stream: 0, data, .. } = frame {
                    control.extend_from_slice(data);
                }
            }
        }
        (control, lengths)
    }

    /// Says a message; the hub's control bytes, the lengths of its datagrams, and how long it worked.
    pub(crate) fn say(
        &mut self,
        prey: &mut Prey,
        message: LoginMessage<'_>,
        clock: impl Fn() -> Duration,
    ) -> (Vec<u8>, Vec<usize>, Duration) {
        let mut bytes = Vec::new();
        Message::Login(message).encode(&mut bytes);
        let frame = stream(0, self.offset, &bytes);
        self.offset += bytes.len() as u64;
        let datagram = self.seal(&frame);
        let before = clock();
        let sent = prey.give(self.address, &datagram);
        let took = clock() - before;
        let (control, lengths) = self.open(sent);
        (control, lengths, took)
    }
}

/// The messages in control bytes, without what is random in them.
pub(crate) fn in_words(mut control: &[u8]) -> Vec<String> {
    let mut words = Vec::new();
    while let Ok(Some((message, used))) = Message::split(control) {
        words.push(match message {
            Message::Login(LoginMessage::LoginAnswer { stretch, ke2 }) => {
                format!("an answer of {} bytes: {stretch:?}", ke2.len())
            }
            message => format!("{message:?}"),
        });
        control = &control[used..];
    }
    assert!(control.is_empty(), "whole messages");
    words
}
