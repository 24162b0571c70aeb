//! Whoever holds an invite passes the MACs; what it can use up then is bounded.

use super::*;
use sim::insider::Insider;
use spec::limits::{HALF_OPEN_MAX, LONG_ANSWER_BYTES, PREFIX_SHARE};
use spec::wire::long::field;

/// What one prefix may take of fragments and half-open handshakes together.
const SHARE: usize = 2 * HALF_OPEN_MAX / PREFIX_SHARE;

fn address(prefix: usize, host: usize) -> SocketAddr {
    let byte = |n: usize| u8::try_from(n % 256).expect("below 256");
    let port = u16::try_from(1024 + host / 250).expect("few hosts");
    SocketAddr::from(([10, byte(prefix / 256), byte(prefix), byte(host % 250 + 1)], port))
}

fn joins(world: &mut World, name: &str) -> ClientId {
    let id = world.join(name);
    assert!(world.run_until(secs(10), everyone_is_in), "{name} gets in");
    id
}

/// 10,000 fragments from one /24, with every MAC right: its share is full, and somebody else joins at once.
#[test]
fn one_prefix_cannot_keep_another_out() {
    let mut world = World::new(1, Link::GOOD);
    let mut insider = Insider::new(&world, address(0, 0), 1);
    for host in 0..10_000 {
        let fragment = insider.fragment(host % 2);
        assert!(world.inject(address(0, host), &fragment).is_empty());
        assert!(world.hub().half_open_count() <= SHARE);
    }
    let started = world.now;
    joins(&mut world, "ann");
    assert!(world.now.since(started) < secs(1));
    world.run(secs(6));
    assert_eq!(world.hub().half_open_count(), 0, "after five seconds all of it is gone");
}

/// Whole handshakes without end from one /24, until the hub asks for cookies: the tables stay within the share of
/// a prefix, and somebody else joins, with a cookie.
#[test]
fn half_open_handshakes_of_one_prefix_are_bounded() {
    let mut world = World::new(2, Link::GOOD);
    let mut insider = Insider::new(&world, address(0, 0), 2);
    for host in 0..1500 {
        let (_, flight) = insider.begin();
        for datagram in flight.datagrams() {
            world.inject(address(0, host), datagram);
        }
        assert!(world.hub().half_open_count() <= SHARE);
        if host % 400 == 399 {
            world.run(secs(1));
        }
    }
    assert_eq!(world.hub().half_open_count(), HALF_OPEN_MAX / PREFIX_SHARE);
    joins(&mut world, "ann");
}

/// INIT of 10,000 addresses in as many prefixes: the hub keeps a quarter of its table and asks for cookies; a
/// client shows one and gets in. What it repeats then differs in mac2 alone.
#[test]
fn a_busy_hub_asks_for_a_cookie_and_a_client_gets_in_with_it() {
    let mut world = World::new(3, Link::GOOD);
    let mut insider = Insider::new(&world, address(0, 0), 3);
    let mut asked = 0;
    for prefix in 0..10_000 {
        let index = prefix % 2;
        let fragment = insider.fragment(index);
        let answers = world.inject(address(prefix, 0), &fragment);
        //= spec/PROTOCOL.md#cookie
        //= type=test
        //# A busy hub MUST NOT keep a fragment whose mac2 was not made with a valid cookie.
        assert!(world.hub().half_open_count() <= HALF_OPEN_MAX / 4 + 1);
        for (to, answer) in answers {
            assert_eq!((to, kind(&answer)), (address(prefix, 0), Some(LongKind::Retry)));
            assert_eq!((answer.len(), index), (LONG_ANSWER_BYTES, 0));
            asked += 1;
        }
    }
    assert_eq!(asked, 2000, "and it answers so many a second");
    world.run(secs(1));
    let ann = joins(&mut world, "ann");
    let own = world.nodes[ann.0].address;
    let to_ann = world.wire.iter().filter(|(_, to, _)| *to == own);
    assert!(to_ann.filter_map(|(_, _, datagram)| kind(datagram)).any(|kind| kind == LongKind::Retry));

    let inits: Vec<&Vec<u8>> = world
        .wire
        .iter()
        .filter(|(from, _, datagram)| *from == own && kind(datagram) == Some(LongKind::Init))
        .map(|(_, _, datagram)| datagram)
        .collect();
    let [first, .., last] = &inits[..] else { panic!("{} INIT datagrams", inits.len()) };
    assert_ne!(first[field::MAC2], last[field::MAC2]);
    let repeats = |datagram: &&Vec<u8>| inits[..2].iter().any(|init| init[..1184] == datagram[..1184]);
    //= spec/PROTOCOL.md#long-datagrams
    //= type=test
    //# Handshake datagrams are built once: a sender that repeats one MUST repeat it byte for byte, except that an
    //# INIT may gain a mac2 made from a cookie.
    assert!(inits.iter().all(repeats));
}

/// Even insiders who show a cookie each fill their tables and no more: the oldest of the largest prefix goes.
#[test]
fn insiders_with_cookies_fill_bounded_tables() {
    let mut world = World::new(4, Link::GOOD);
    let mut insider = Insider::new(&world, address(0, 0), 4);
    let mut most = 0;
    for host in 0..10_000 {
        let from = address(host % 40, host / 40);
        let mut fragment = insider.fragment(0);
        let answers = world.inject(from, &fragment);
        for (_, answer) in answers {
            let (retry, init) = (Long::parse(&answer).unwrap(), Long::parse(&fragment).unwrap());
            let cookie = insider.gate.open_retry(&retry, &init.mac1).unwrap();
            let mac2 = cookie.mac2(&fragment[..field::MAC2.start]);
            fragment[field::MAC2].copy_from_slice(&mac2);
            assert!(world.inject(from, &fragment).is_empty());
        }
        most = most.max(world.hub().half_open_count());
        if host % 1900 == 1899 {
            world.run(secs(1));
        }
    }
    assert_eq!(most, HALF_OPEN_MAX);
    joins(&mut world, "ann");
}

/// One insider with one key and a thousand handshakes that it never goes on with takes a handful of sessions.
#[test]
fn one_key_does_not_take_every_session() {
    let mut world = World::new(5, Link::GOOD);
    let mut insider = Insider::new(&world, address(0, 0), 5);
    for handshake in 0..1001 {
        if handshake % 400 == 399 {
            world.run(secs(1));
        }
        insider.join(&mut world, &[]);
        assert!(world.hub().session_count() <= 4);
    }
    joins(&mut world, "ann");
}
