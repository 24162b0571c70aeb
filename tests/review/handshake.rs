//! F6, F7, F8, F10, F11, F21: handshakes that are mixed, forged, delayed and lost.

use super::*;
use node_proto::client::ClientEvent;
use sim::insider::encoded;
use spec::close::CloseReason;
use spec::discard::Discard;
use spec::gate::Cookie;
use spec::handshake::Flight;
use spec::limits::RESP_PER_SECOND;
use spec::wire::entry::EntryKind;
use spec::wire::frame::Frame;
use spec::wire::short;
use std::collections::{BTreeMap, BTreeSet};

const SECRET: [u8; 32] = [2; 32];

/// A receiver takes five ids from the highest it has opened on, those below for a while, and no other.
#[test]
fn f6_five_connection_ids_are_accepted() {
    let mut world = World::new(6, Link::GOOD);
    let mut insider = Insider::new(&world, address(1), 1);
    let mut member = insider.join(&mut world, &[]);
    let ping = encoded(&Frame::Ping);
    let at_once =
        [(0, true), (4, true), (3, true), (9, false), (8, true), (17, false), (2, true), (12, true)];
    let later = [(11, false), (8, false), (17, false), (12, true), (16, true)];
    for (wait, cases) in [(Duration::ZERO, &at_once[..]), (secs(5), &later)] {
        world.run(wait);
        for (index, is_accepted) in cases {
            let datagram = member.seal_under(*index, &ping);
            let now = world.now;
            let mut give = |from| world.hub().handle_datagram(now, Path::new(from, 0), &mut datagram.clone());
            assert_eq!(give(address(1)).is_ok(), *is_accepted, "id {index}");
        }
    }
}

/// No connection id is seen between two pairs of addresses, in either direction.
#[test]
fn f6_no_connection_id_is_seen_at_two_addresses() {
    let mut world = World::new(7, Link::BAD);
    let ids = ["ann", "bob"].map(|name| world.join(name));
    for round in 0..6 {
        assert!(world.run_until(secs(30), everyone_is_in));
        for id in ids {
            world.say(id, "hello");
        }
        world.run(secs(2));
        // From here on it is somewhere else.
        world.kill_client(ids[round % 2]);
        world.start_client(ids[round % 2]);
    }
    assert!(world.run_until(secs(30), everyone_is_in));
    world.run(secs(1));
    let mut pairs: BTreeMap<[u8; 8], BTreeSet<(SocketAddr, SocketAddr)>> = BTreeMap::new();
    for (from, to, datagram) in world.wire.iter().filter(|(_, _, datagram)| short::is_short(datagram)) {
        let id = short::connection_id(datagram).unwrap().0;
        pairs.entry(id).or_default().insert((*from, *to));
    }
    assert!(pairs.values().all(|pairs| pairs.len() == 1), "{pairs:?}");
    assert_eq!(pairs.len(), 2 * 8, "eight sessions, two directions");
}

fn orders(items: &[usize]) -> Vec<Vec<usize>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (at, first) in items.iter().enumerate() {
        let rest: Vec<usize> =
            items.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, item)| *item).collect();
        all.extend(orders(&rest).into_iter().map(|rest| [&[*first], &rest[..]].concat()));
    }
    all
}

/// The fragments of three attempts from one address, in all 720 orders, some doubled: each attempt is answered,
/// once, and so that its client can read it.
#[test]
fn f7_fragments_of_several_attempts_in_every_order() {
    let mut insider = Lone::insider(SECRET, address(1), 1);
    let attempts: Vec<_> = (0..3).map(|_| insider.begin()).collect();
    let fragments: Vec<&Vec<u8>> = attempts.iter().flat_map(|(_, flight)| flight.datagrams()).collect();
    for (count, order) in orders(&[0, 1, 2, 3, 4, 5]).into_iter().enumerate() {
        let mut lone = Lone::new(&[SECRET], false);
        let mut answers = Vec::new();
        for (place, index) in order.iter().enumerate() {
            answers.extend(lone.give(address(1), fragments[*index]));
            if (count + place) % 4 == 0 {
                answers.extend(lone.give(address(1), fragments[*index]));
            }
        }
        assert_eq!(answers.len(), 3, "{order:?}");
        for (initiator, _) in &attempts {
            let read = answers.iter().filter(|resp| initiator.read_resp(&Long::parse(resp).unwrap()).is_ok());
            assert_eq!(read.count(), 1, "{order:?}");
        }
    }
}

/// An insider who sees the attempt id of a client's INIT on its way sends fragments of its own under it, before,
/// between and after: the client gets in with the attempt it began.
#[test]
fn f7_forged_fragments_do_not_cost_the_attempt() {
    for places in [vec![0], vec![1], vec![2], vec![0, 1, 2]] {
        for fragment in [0, 1] {
            let mut world = World::new(7, Link::GOOD);
            let ann = world.join("ann");
            world.run(millis(1));
            let from = world.nodes[ann.0].address;
            let mut insider = Insider::new(&world, from, 1);
            let inits: Vec<Vec<u8>> = world.wire.iter().map(|(_, _, datagram)| datagram.clone()).collect();
            let attempt = Long::parse(&inits[0]).unwrap().attempt;
            let forged = insider.forge(LongKind::Init, fragment, attempt);
            let mut resps = Vec::new();
            for place in 0..3 {
                if places.contains(&place) {
                    assert!(world.inject(from, &forged).is_empty());
                }
                if let Some(init) = inits.get(place) {
                    resps.extend(world.inject(from, init));
                }
            }
            let [(_, resp)] = &mut resps[..] else { panic!("{} answers", resps.len()) };
            let now = world.now;
            world.client(ann).handle_datagram(now, to_hub(), resp).unwrap();
            assert!(world.run_until(secs(1), everyone_is_in));
        }
    }
}

/// A RESP with right MACs and a wrong tag, as every insider can make it, before the real one: the client drops it
/// unchanged and goes on waiting (the class of RUSTSEC-2024-0011). So it does for one whose X25519 key is zero.
#[test]
fn f7_a_forged_resp_does_not_cost_the_attempt() {
    let mut world = World::new(8, Link::GOOD);
    let ann = world.join("ann");
    let mut insider = Insider::new(&world, hub_address(), 1);
    world.run(millis(1));
    let attempt = Long::parse(&world.wire[0].2).unwrap().attempt;
    let mut low_order = [7; 1155];
    low_order[1088..1120].fill(0);
    let low_order = insider.gate.build(LongKind::Resp, 0, 0, spec::VERSION, attempt, &low_order);
    let now = world.now;
    for _ in 0..RESP_PER_SECOND - 2 {
        let mut forged = insider.forge(LongKind::Resp, 0, attempt);
        let result = world.client(ann).handle_datagram(now, to_hub(), &mut forged);
        assert_eq!(result, Err(Discard::Unauthentic));
    }
    // F21: an all-zero result is refused at this end, too.
    let result = world.client(ann).handle_datagram(now, to_hub(), &mut low_order.clone());
    assert_eq!(result, Err(Discard::LowOrder));
    //= spec/PROTOCOL.md#handshake-flow
    //= type=test
    //# The client MUST go on waiting for a valid RESP after an invalid one.
    assert!(world.run_until(secs(1), everyone_is_in));
    let inits = world.wire.iter().filter(|(_, _, datagram)| kind(datagram) == Some(LongKind::Init)).count();
    assert_eq!(inits, 2, "with the attempt it began");
}

/// RESP costs the client a key exchange: a flood of forged ones is cut off, and a second later the real one counts.
#[test]
fn f7_a_flood_of_forged_resps_costs_so_many_key_exchanges_a_second() {
    let mut world = World::new(9, Link::GOOD);
    let ann = world.join("ann");
    let mut insider = Insider::new(&world, hub_address(), 1);
    world.run(millis(1));
    let attempt = Long::parse(&world.wire[0].2).unwrap().attempt;
    let now = world.now;
    for count in 1..=10 * RESP_PER_SECOND {
        let mut forged = insider.forge(LongKind::Resp, 0, attempt);
        let result = world.client(ann).handle_datagram(now, to_hub(), &mut forged);
        let expected = if count <= RESP_PER_SECOND { Discard::Unauthentic } else { Discard::RateLimited };
        //= spec/PROTOCOL.md#handshake-flow
        //= type=test
        //# The client SHOULD work on at most 32 RESP datagrams a second.
        assert_eq!(result, Err(expected), "RESP {count}");
    }
    assert!(world.run_until(secs(3), everyone_is_in));
}

/// FIN of an earlier attempt is held back until a later attempt of the same client is in: the session that is in
/// use stays, and nobody hears of anything.
#[test]
fn f8_a_delayed_fin_replaces_nothing() {
    let mut world = World::new(8, Link::GOOD);
    world.grace = secs(5);
    let bob = world.join("bob");
    assert!(world.run_until(secs(5), everyone_is_in));
    let ann = world.join("ann");
    let is_fin = |world: &World| {
        let (from, _, datagram) = world.wire.last().unwrap();
        *from == world.nodes[1].address && kind(datagram) == Some(LongKind::Fin)
    };
    // The next datagram of ann behind RESP is FIN A; it takes four seconds.
    let has_resp = |world: &World| {
        let (_, to, datagram) = world.wire.last().unwrap();
        *to == world.nodes[1].address && kind(datagram) == Some(LongKind::Resp)
    };
    assert!(world.run_until(secs(1), has_resp));
    world.fates.extend((world.wire.len()..world.wire.len() + 3).map(|index| (index, Some(secs(4)))));
    assert!(world.run_until(secs(1), is_fin));
    let sent = world.wire.len();
    world.fates.retain(|index, _| *index < sent);
    world.kill_client(ann);
    world.start_client(ann);
    assert!(world.run_until(secs(2), everyone_is_in), "attempt B is in");
    assert_eq!(world.hub().session_count(), 2);
    let opened = world.hub().stats().sessions;
    world.run(secs(5));
    assert_eq!(world.hub().stats().sessions, opened + 1, "FIN A arrived, and was right");
    //= spec/PROTOCOL.md#handshake-flow
    //= type=test
    //# A session replaces an older one of the same client key only after a SHORT datagram of the client was opened
    //# in it, and only if its INIT arrived later.
    world.say(ann, "from B");
    world.say(bob, "to B");
    world.run(secs(60));
    assert!(everyone_is_in(&world));
    for node in &world.nodes {
        assert_eq!(node.texts().len(), 2);
        assert!(
            !node
                .events
                .iter()
                .any(|event| matches!(event, ClientEvent::Closed { .. } | ClientEvent::Silent))
        );
        assert!(node.lines().iter().all(|line| line.kind != EntryKind::Left), "nobody left");
    }
    assert_eq!(world.hub().session_count(), 2, "and session A is forgotten");
}

/// Before the hub is busy, `flight` is answered with RETRY; returns it.
fn retry(lone: &mut Lone, from: SocketAddr, flight: &Flight) -> Vec<u8> {
    let answers = lone.give(from, &flight.datagrams()[0]);
    assert_eq!(answers.iter().map(|answer| kind(answer)).collect::<Vec<_>>(), [Some(LongKind::Retry)]);
    answers[0].clone()
}

/// A cookie counts for the address and port it was made for, under the present secret and the one before it.
#[test]
fn f10_a_cookie_is_for_one_port_and_for_two_secrets() {
    let (from, other_port) = (address(1), SocketAddr::from(([203, 0, 113, 1], 7001)));
    for (waited, shown_from, is_accepted) in [
        (0, from, true),
        (0, other_port, false),
        (0, address(2), false),
        (130, from, true),
        (260, from, false),
    ] {
        let mut lone = Lone::new(&[SECRET], false);
        let mut insider = Lone::insider(SECRET, from, 1);
        lone.make_busy(&mut insider);
        let (_, mut flight) = insider.begin();
        let answer = retry(&mut lone, from, &flight);
        let cookie = insider.gate.open_retry(&Long::parse(&answer).unwrap(), &flight.mac1s()[0]).unwrap();
        flight.adopt(&cookie);
        if waited > 0 {
            lone.wait(secs(waited));
            lone.make_busy(&mut insider);
        }
        let answers: Vec<_> =
            flight.datagrams().iter().flat_map(|datagram| lone.give(shown_from, datagram)).collect();
        let is_resp = answers.len() == 1 && kind(&answers[0]) == Some(LongKind::Resp);
        assert_eq!(is_resp, is_accepted, "{waited} s, {shown_from}");
    }
}

/// The client opens a RETRY for an INIT of its present attempt only, and adopts one cookie.
#[test]
fn f10_a_retry_for_another_init_is_ignored() {
    let mut world = World::new(10, Link::GOOD);
    let insider = Insider::new(&world, hub_address(), 1);
    let ann = world.join("ann");
    world.run(millis(1));
    let init = world.wire[0].2.clone();
    let init = Long::parse(&init).unwrap();
    let cookie = Cookie::for_address(&Secret::new([1; 32]), address(9));
    let mut give = |mac1, attempt| {
        let mut retry = insider.gate.build_retry(attempt, mac1, &cookie, [3; 32], 0);
        let now = world.now;
        world.client(ann).handle_datagram(now, to_hub(), &mut retry)
    };
    //= spec/PROTOCOL.md#cookie
    //= type=test
    //# The client MUST ignore a RETRY that does not open with the mac1 of an INIT of its present attempt.
    assert_eq!(give(&[0; 16], init.attempt), Err(Discard::Unauthentic));
    let other = spec::wire::long::AttemptId([0; 8]);
    assert_eq!(give(&init.mac1, other), Err(Discard::UnknownConnection));
    assert_eq!(give(&init.mac1, init.attempt), Ok(()));
    assert_eq!(give(&init.mac1, init.attempt), Err(Discard::WrongState), "one cookie a flight");
    assert!(world.run_until(secs(6), everyone_is_in), "a wrong cookie costs an attempt at most");
}

/// FIN and the five datagrams behind it, each on time, late or lost, in all 729 ways: the client gets in, and the
/// line that FIN carries is said once. FIN is always the same bytes.
#[test]
fn f11_fin_and_what_follows_in_any_order_and_loss() {
    let fates = [Some(Duration::ZERO), Some(millis(300)), None];
    for case in 0..3usize.pow(6) {
        let mut world = World::new(11, Link::GOOD);
        let ann = world.join("ann");
        let id = world.say(ann, "first");
        // INIT, INIT and RESP are the first three.
        world.fates = (0..6u8)
            .map(|place| (3 + usize::from(place), fates[case / 3usize.pow(place.into()) % 3]))
            .collect();
        let is_stored =
            |world: &World| !world.nodes[0].stored.is_empty() && !world.nodes[0].texts().is_empty();
        assert!(world.run_until(secs(15), is_stored), "case {case}");
        world.run(secs(1));
        assert_eq!((world.nodes[0].texts(), &world.nodes[0].stored), (vec!["first".to_owned()], &vec![id]));

        let mut fins: BTreeMap<[u8; 8], BTreeSet<&Vec<u8>>> = BTreeMap::new();
        for (_, _, datagram) in
            world.wire.iter().filter(|(_, _, datagram)| kind(datagram) == Some(LongKind::Fin))
        {
            let attempt = Long::parse(datagram).unwrap().attempt.0;
            fins.entry(attempt).or_default().insert(datagram);
        }
        //= spec/PROTOCOL.md#long-datagrams
        //= type=test
        //# Handshake datagrams are built once: a sender that repeats one MUST repeat it byte for byte, except that
        //# an INIT may gain a mac2 made from a cookie.
        assert!(fins.values().all(|different| different.len() == 1), "case {case}");
    }
}

/// Whoever may not come in, or has to go, is told inside a session, and not by a silence that differs.
#[test]
fn f21_a_refusal_is_said_inside_the_session() {
    let mut world = World::new(21, Link::GOOD);
    let ann = world.join("ann");
    assert!(world.run_until(secs(5), everyone_is_in));
    let other = world.join("ann");
    world.run(secs(2));
    let now = world.now;
    world.hub().kick(now, "ann", "spam").unwrap();
    world.run(secs(2));
    let reasons = |id: usize| {
        let closed = |event: &ClientEvent| match event {
            ClientEvent::Closed { reason, retrying, .. } => Some((*reason, *retrying)),
            _ => None,
        };
        world.nodes[id].events.iter().filter_map(closed).collect::<Vec<_>>()
    };
    assert_eq!(reasons(other.0), [(CloseReason::NameTaken, false)]);
    assert_eq!(reasons(ann.0), [(CloseReason::Removed, false)]);
    let longs =
        world.wire.iter().filter(|(from, ..)| *from == hub_address()).filter_map(|(_, _, bytes)| kind(bytes));
    assert_eq!(longs.collect::<Vec<_>>(), [LongKind::Resp; 2], "both handshakes look alike");
}
