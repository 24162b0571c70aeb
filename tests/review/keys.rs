//! F14, F17, F18: what a key log shows, and that nothing is ever sealed twice under one nonce, with keys that rest
//! and with keys in motion.

use super::*;
use node_proto::client::ClientEvent;
use sim::quick_keys;
use spec::crypto::{expand_label, extract};
use spec::gate::{Gate, psk0};
use spec::key_log::{self, LoggedSession};
use spec::seal::Opener;
use spec::wire::frame::Side;
use spec::wire::long::AttemptId;
use spec::wire::short::{self, ConnectionId};
use std::collections::{BTreeMap, BTreeSet};

/// Everything the clients of a world wrote into their key logs.
fn key_log(world: &World) -> String {
    let events = world.nodes.iter().flat_map(|node| &node.events);
    events
        .filter_map(|event| if let ClientEvent::KeyLog(lines) = event { Some(lines.as_str()) } else { None })
        .collect()
}

/// Two people who talk, leave and come back, through two restarts of the hub, all with key logs; keys change as
/// `keys` says.
fn busy_world(keys: KeyPolicy) -> World {
    let mut world = World::with_keys(17, Link::BAD, keys);
    world.key_log = true;
    let ids = ["ann", "bob"].map(|name| world.join(name));
    for round in 0..6 {
        assert!(world.run_until(secs(60), everyone_is_in));
        for id in ids {
            world.say(id, &format!("round {round}"));
        }
        world.run(secs(1));
        match round {
            1 | 3 => {
                world.kill_hub();
                world.run(secs(1));
                world.start_hub();
                // They notice within three seconds.
                world.run(secs(4));
            }
            _ => {
                world.kill_client(ids[round % 2]);
                world.start_client(ids[round % 2]);
            }
        }
    }
    assert!(world.run_until(secs(60), everyone_is_in));
    world.run(secs(2));
    world
}

/// One side of a session, as far as one generation goes.
struct Sender {
    attempt: AttemptId,
    side: Side,
    generation: u64,
    opener: Opener,
}

/// Everyone who sent a SHORT datagram, found by its connection id.
struct Senders {
    all: Vec<Sender>,
    by_id: BTreeMap<ConnectionId, usize>,
    /// The last number of each side of a session, through all generations.
    last: BTreeMap<(AttemptId, Side), u64>,
}

impl Senders {
    fn new(log: &BTreeMap<AttemptId, LoggedSession>) -> Self {
        let mut senders = Self { all: Vec::new(), by_id: BTreeMap::new(), last: BTreeMap::new() };
        for (attempt, session) in log {
            let first = session.root().unwrap();
            for root in std::iter::once(first.clone()).chain(session.later_roots(&first)) {
                for side in [Side::Client, Side::Hub] {
                    let keys = root.direction(side);
                    let place = senders.all.len();
                    senders.by_id.extend((0..5).map(|index| (keys.ids.id(index), place)));
                    let (attempt, generation, opener) = (*attempt, root.generation(), Opener::new(&keys));
                    senders.all.push(Sender { attempt, side, generation, opener });
                }
            }
        }
        senders
    }

    /// Opens the next datagram on the wire: who sent it, in which generation, its number and its epoch bits. A
    /// number is used once, through all epochs and generations, and the next is higher.
    fn open(&mut self, datagram: &[u8]) -> (AttemptId, Side, u64, u64, u8) {
        let id = short::connection_id(datagram).unwrap();
        let place = *self.by_id.get(&id).expect("a logged session");
        let Sender { attempt, side, generation, opener } = &mut self.all[place];
        let last = self.last.get(&(*attempt, *side)).copied();
        let header = opener.open(&mut datagram.to_vec(), last).expect("every tag verifies").header;
        //= spec/PROTOCOL.md#short-datagrams
        //= type=test
        //# A sender MUST NOT use a packet number twice, and MUST NOT go back.
        assert!(last < Some(header.number), "a nonce is used twice, or a sender went back");
        self.last.insert((*attempt, *side), header.number);
        (*attempt, *side, *generation, header.number, header.epoch)
    }
}

/// Through restarts of hub and clients, no key seals two datagrams under one number, and no connection id and no
/// attempt id comes back. The lines of a key log open every datagram, whatever generation and epoch it is of.
#[test]
fn f18_restarts_repeat_no_nonce_and_no_id() {
    for (keys, is_quick) in [(KeyPolicy::default(), false), (quick_keys(), true)] {
        let world = busy_world(keys);
        let mut senders = Senders::new(&key_log::parse(&key_log(&world)).unwrap());
        let mut ids = BTreeMap::new();
        let (mut generations, mut epochs) = (BTreeSet::new(), BTreeSet::new());
        for (from, _, datagram) in world.wire.iter().filter(|(_, _, datagram)| short::is_short(datagram)) {
            let (attempt, side, generation, _, epoch) = senders.open(datagram);
            assert_eq!(side == Side::Hub, *from == hub_address());
            let id = short::connection_id(datagram).unwrap();
            let by = (attempt, side, generation);
            assert_eq!(*ids.entry(id).or_insert(by), by, "an id came back");
            generations.insert(generation);
            epochs.insert(epoch);
        }
        assert!(ids.len() >= 2 * 8, "{} ids", ids.len());
        let expected = if is_quick { (true, 4) } else { (false, 1) };
        assert_eq!((generations.contains(&3), epochs.len()), expected, "{generations:?} {epochs:?}");
        assert_handshakes_are_built_once(&world);
    }
}

/// Who repeats a handshake datagram repeats it byte for byte.
fn assert_handshakes_are_built_once(world: &World) {
    let mut longs: BTreeMap<_, BTreeSet<&[u8]>> = BTreeMap::new();
    for (from, _, datagram) in &world.wire {
        let Ok(long) = Long::parse(datagram) else { continue };
        let side = if *from == hub_address() { Side::Hub } else { Side::Client };
        let key = (side, long.kind, long.fragment, long.attempt.0);
        longs.entry(key).or_default().insert(datagram);
    }
    assert!(longs.values().all(|different| different.len() == 1), "a handshake datagram was built twice");
}

/// The key log of every session holds nothing that outlives one: no static key, no access secret, no psk0, no gate
/// and none of its keys; and nothing in it passes the gate.
#[test]
fn f17_a_key_log_holds_no_long_term_secret() {
    for keys in [KeyPolicy::default(), quick_keys()] {
        let world = busy_world(keys);
        let text = key_log(&world);
        let log = key_log::parse(&text).unwrap();
        assert!(log.len() >= 8, "{} sessions", log.len());
        assert_no_long_term_secret(&world, &text, &log);
    }
}

fn assert_no_long_term_secret(world: &World, text: &str, log: &BTreeMap<AttemptId, LoggedSession>) {
    let (hub, access_secret) = world.keys();
    let gate = extract(hub.public(), access_secret.expose());
    let part = |label| -> Secret<32> { expand_label(&gate, label, b"") };
    let clients = world.nodes.iter().flat_map(|node| {
        let config = node.identity();
        [("client key", *config.private().expose()), ("client key", *config.public())]
    });
    let mut long_term = vec![
        ("hub key", *hub.private().expose()),
        ("hub key", *hub.public()),
        ("access secret", *access_secret.expose()),
        ("psk0", *psk0(access_secret).expose()),
        ("gate", *gate.expose()),
        ("gate mac", *part("gate mac").expose()),
        ("gate idle", *part("gate idle").expose()),
        ("cookie seal", *part("cookie seal").expose()),
    ];
    long_term.extend(clients);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for (what, bytes) in long_term {
        //= spec/PROTOCOL.md#key-log
        //= type=test
        //# A key log MUST NOT contain a static key, an access secret, psk0, a gate or a token.
        for piece in [&bytes[..], &bytes[..16], &bytes[16..]] {
            assert!(!text.contains(&hex(piece)), "{what}");
        }
    }
    let init = &world.wire[0].2;
    for (_, secret) in log.values().flat_map(LoggedSession::all) {
        let as_access_secret = Gate::new(hub.public(), secret);
        assert!(as_access_secret.check_mac1(&Long::parse(init).unwrap()).is_err());
    }
}

/// A SHORT datagram that is cut anywhere is dropped; one of less than 29 bytes is not even looked up.
#[test]
fn f14_short_packets_of_every_length_are_dropped() {
    let mut world = World::new(14, Link::GOOD);
    let mut insider = Insider::new(&world, address(1), 1);
    let mut member = insider.join(&mut world, &[]);
    let datagram = member.seal(&[0x01]);
    let path = Path::new(address(1), 0);
    for length in 0..datagram.len() {
        // Each has a turn of its own: more than 64 in one are not looked at.
        world.run(millis(1));
        let now = world.now;
        let result = world.hub().handle_datagram(now, path, &mut datagram[..length].to_vec());
        let expected =
            if length < 29 { spec::discard::Discard::Length } else { spec::discard::Discard::Unauthentic };
        //= spec/PROTOCOL.md#short-datagrams
        //= type=test
        //# A receiver MUST drop a SHORT datagram of less than 29 bytes before it looks up its connection id.
        assert_eq!(result, Err(expected), "{length} bytes");
    }
    let now = world.now;
    assert_eq!(world.hub().handle_datagram(now, path, &mut datagram.clone()), Ok(()));
}
