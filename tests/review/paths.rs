//! F6, F19: a client that moves, by itself or because somebody makes it look so, and who sees what of it.

use super::*;
use node_proto::client::Client;
use sim::ClientId;
use spec::discard::Discard;
use spec::limits::KEEP_ALIVE;
use spec::wire::short;
use std::collections::{BTreeMap, BTreeSet};

/// Every length a SHORT datagram may have.
const LENGTHS_BYTES: [usize; 10] = [93, 157, 285, 541, 1053, 1200, 1232, 1372, 1432, 1452];

/// Two people who have just met.
fn ann_and_bob(seed: u64) -> (World, ClientId, ClientId) {
    let mut world = World::new(seed, Link::GOOD);
    let [ann, bob] = ["ann", "bob"].map(|name| world.join(name));
    assert!(world.run_until(secs(5), everyone_is_in));
    world.run(secs(1));
    (world, ann, bob)
}

fn has_read(world: &World, id: ClientId, text: &str) -> bool {
    world.nodes[id.0].texts().iter().any(|known| known == text)
}

/// Where the hub thinks its clients are.
fn places(world: &World) -> BTreeSet<SocketAddr> {
    world.hub.as_ref().unwrap().connections().map(|(_, connection)| connection.path().remote).collect()
}

/// The names of the hub's sessions.
fn sessions(world: &World) -> BTreeSet<u64> {
    world.hub.as_ref().unwrap().connections().map(|(number, _)| number).collect()
}

/// A client opens a socket at another address, and knows.
fn move_to(world: &mut World, id: ClientId, address: SocketAddr) {
    world.nodes[id.0].address = address;
    let now = world.now;
    world.client(id).rebind(now);
}

/// SHORT datagrams that a wiretap saw, with source and destination.
fn shorts(world: &World) -> impl Iterator<Item = (SocketAddr, SocketAddr, &[u8])> {
    let seen = world.wire.iter().filter(|(_, _, datagram)| short::is_short(datagram));
    seen.map(|(from, to, datagram)| (*from, *to, &datagram[..]))
}

fn bytes_to(world: &World, address: SocketAddr) -> usize {
    shorts(world).filter(|(_, to, _)| *to == address).map(|(_, _, datagram)| datagram.len()).sum()
}

/// The last SHORT datagram from `from`.
fn last_of(world: &World, from: SocketAddr) -> Vec<u8> {
    shorts(world).filter(|(source, _, _)| *source == from).last().unwrap().2.to_vec()
}

/// Gives the hub a datagram as if it came from `from`.
fn give(world: &mut World, from: SocketAddr, datagram: &[u8]) -> Result<(), Discard> {
    let now = world.now;
    world.hub().handle_datagram(now, Path::new(from, 0), &mut datagram.to_vec())
}

/// For `time`, somebody on the way gives the hub what `victim` sends before it arrives, from an address of their
/// own; returns how many bytes of SHORT datagrams the hub
/// opened of that. After `most` of those they stop.
fn forward(world: &mut World, victim: ClientId, thief: SocketAddr, time: Duration, most: usize) -> usize {
    let (until, mut opened, mut count) = (world.now + time, 0, 0);
    while world.now < until {
        let seen = world.wire.len();
        world.run(millis(1));
        let source = world.nodes[victim.0].address;
        let sent = world.wire[seen..].iter().filter(|(from, _, _)| *from == source);
        for datagram in sent.map(|(_, _, datagram)| datagram.clone()).collect::<Vec<_>>() {
            if count < most && give(world, thief, &datagram).is_ok() && short::is_short(&datagram) {
                opened += datagram.len();
                count += 1;
            }
        }
    }
    opened
}

/// Who watches two networks learns nothing from connection ids: none of either direction is seen on both.
#[test]
fn f6_no_connection_id_is_seen_on_two_paths() {
    let (mut world, ann, bob) = ann_and_bob(6);
    for round in 0..10 {
        move_to(&mut world, ann, SocketAddr::from(([203, 0, 113, 50 + round / 2], 9000 + u16::from(round))));
        for person in [ann, bob] {
            world.say(person, &format!("round {round}"));
        }
        world.run(millis(400));
    }
    let mut paths = BTreeMap::new();
    for (from, to, datagram) in shorts(&world) {
        let id = short::connection_id(datagram).unwrap();
        //= spec/PROTOCOL.md#paths
        //= type=test
        //# An endpoint MUST move to its next connection id before it sends to, or from, another address than before.
        assert_eq!(*paths.entry(id).or_insert((from, to)), (from, to), "{id:?}");
    }
    assert!(paths.len() >= 2 * 2 + 2 * 10, "{} ids", paths.len());
    assert_eq!(world.nodes[ann.0].texts().len(), 20);
    assert_eq!(sessions(&world).len(), 2);
}

/// Twenty moves while nothing arrives: the client stays within the ids that the hub is sure to accept, and the
/// session goes on where it is found again.
#[test]
fn f6_a_client_that_moves_unheard_is_found_again() {
    let (mut world, ann, bob) = ann_and_bob(20);
    let before = sessions(&world);
    world.nodes[ann.0].links = Some((Link::DEAD, Link::DEAD));
    let (seen, network) = (shorts(&world).count(), world.nodes[ann.0].address.ip());
    world.say(bob, "where is she");
    for _ in 0..20 {
        world.rebind(ann);
        world.run(millis(400));
    }
    let hers = shorts(&world).skip(seen).filter(|(from, _, _)| from.ip() == network);
    let used: BTreeSet<_> = hers.map(|(_, _, datagram)| short::connection_id(datagram)).collect();
    assert!((2..=5).contains(&used.len()), "{} ids", used.len());
    world.nodes[ann.0].links = None;
    world.say(ann, "here I am");
    assert!(world.run_until(secs(3), |world| {
        has_read(world, bob, "here I am") && has_read(world, ann, "where is she")
    }));
    assert_eq!(sessions(&world), before, "no session had to be made anew");
    assert!(places(&world).contains(&world.nodes[ann.0].address));
}

/// Somebody who forwards faster than the network holds the traffic for as long as they do, pays a third of it, and
/// no longer: the client's next datagram brings it back.
#[test]
fn f19_a_faster_path_of_somebody_else_is_left_when_they_stop() {
    let (mut world, ann, bob) = ann_and_bob(19);
    let (before, thief) = (sessions(&world), address(66));
    let opened = forward(&mut world, ann, thief, secs(10), usize::MAX);
    assert!(places(&world).contains(&thief), "the attack works");
    //= spec/PROTOCOL.md#paths
    //= type=test
    //# To an address that is not valid a hub MUST NOT send more than three times the bytes that came from it in
    //# packets that opened.
    let taken = bytes_to(&world, thief);
    assert!((1..=3 * opened).contains(&taken), "{taken} bytes for {opened}");
    world.say(bob, "are you there");
    assert!(world.run_until(KEEP_ALIVE + millis(100), |world| has_read(world, ann, "are you there")));
    assert!(!places(&world).contains(&thief));
    assert_eq!(sessions(&world), before);
}

/// One datagram from a spoofed address is worth three times its length to whoever lives there, whatever is being
/// said.
#[test]
fn f19_a_spoofed_address_gets_three_times_what_came_from_it() {
    let (mut world, ann, bob) = ann_and_bob(3);
    let victim = address(77);
    for line in 0..50 {
        world.say(bob, &format!("{line} {}", "x".repeat(900)));
    }
    let opened = forward(&mut world, ann, victim, secs(2), 1);
    world.run(secs(10));
    let taken = bytes_to(&world, victim);
    assert!(opened > 0 && taken <= 3 * opened, "{taken} bytes for {opened}");
    assert_eq!(world.nodes[ann.0].texts().len(), 50);
}

/// What does not open moves nobody, nor does what is old; what is new and opens does.
#[test]
fn f19_only_the_newest_packet_moves_a_client() {
    let (mut world, ann, _) = ann_and_bob(5);
    let (home, elsewhere) = (world.nodes[ann.0].address, address(88));
    world.nodes[ann.0].links = Some((Link::DEAD, Link::GOOD));
    let lost = |world: &mut World| {
        world.say(ann, "hello");
        world.run(millis(30));
        last_of(world, home)
    };
    let [old, new] = [lost(&mut world), lost(&mut world)];
    let mut forged = new.clone();
    *forged.last_mut().unwrap() ^= 1;
    //= spec/PROTOCOL.md#paths
    //= type=test
    //# A hub MUST take the source of a packet for the client's new address only when the packet opened and its
    //# number is the highest so far.
    assert_eq!(give(&mut world, elsewhere, &forged), Err(Discard::Unauthentic));
    assert!(!places(&world).contains(&elsewhere), "it did not open");
    assert_eq!(give(&mut world, home, &new), Ok(()));
    assert_eq!(give(&mut world, elsewhere, &old), Ok(()));
    assert!(!places(&world).contains(&elsewhere), "it is not the newest");
    let newer = lost(&mut world);
    assert_eq!(give(&mut world, elsewhere, &newer), Ok(()));
    assert!(places(&world).contains(&elsewhere));
}

/// A client knows where its hub is: the same datagram from elsewhere says nothing.
#[test]
fn f19_a_hub_does_not_move() {
    let (mut world, ann, bob) = ann_and_bob(8);
    world.nodes[ann.0].links = Some((Link::GOOD, Link::DEAD));
    world.say(bob, "hello");
    world.run(millis(100));
    let home = world.nodes[ann.0].address;
    let datagram = shorts(&world).filter(|(_, to, _)| *to == home).last().unwrap().2.to_vec();
    let now = world.now;
    let hear =
        |client: &mut Client, from| client.handle_datagram(now, Path::new(from, 0), &mut datagram.clone());
    //= spec/PROTOCOL.md#paths
    //= type=test
    //# A client MUST drop a SHORT datagram from another address than the hub's.
    for from in [address(9), SocketAddr::new(hub_address().ip(), hub_address().port() + 1)] {
        assert!(hear(world.client(ann), from).is_err(), "{from}");
    }
    assert_eq!(hear(world.client(ann), hub_address()), Ok(()));
}

/// Whatever is said, however far the path carries: a datagram has one of ten lengths, and a long one follows a
/// probe of its length.
#[test]
fn every_short_datagram_has_one_of_ten_lengths() {
    for (mtu_bytes, longest) in [(1200, 1200), (1300, 1232), (1400, 1372), (usize::MAX, 1452)] {
        let (mut world, ann, bob) = ann_and_bob(12);
        for direction in [&mut world.up, &mut world.down] {
            direction.mtu_bytes = mtu_bytes;
        }
        // Lengths that passed before are searched anew at another address.
        for (host, id) in [(1, ann), (2, bob)] {
            move_to(&mut world, id, SocketAddr::from(([192, 0, 2, 100 + host], 1)));
        }
        world.run(secs(5));
        let seen = shorts(&world).count();
        for line in 0..60 {
            world.say(ann, &"x".repeat(1 + line * 97));
            world.run(millis(100));
        }
        let lengths: BTreeSet<_> = shorts(&world).skip(seen).map(|(_, _, datagram)| datagram.len()).collect();
        assert!(lengths.iter().all(|length| LENGTHS_BYTES.contains(length)), "{lengths:?}");
        assert_eq!(lengths.last(), Some(&longest), "{lengths:?}");
        assert_eq!(world.nodes[bob.0].texts().len(), 60);
    }
}
