//! A wiretap sends what it saw once more.

use super::*;
use std::collections::BTreeSet;

/// Gives the hub a whole capture again, from where it came or from `from`, and returns what it answered.
fn replay(world: &mut World, capture: &[(SocketAddr, Vec<u8>)], from: Option<SocketAddr>) -> Vec<Vec<u8>> {
    let mut answers = Vec::new();
    for (source, datagram) in capture {
        answers.extend(world.inject(from.unwrap_or(*source), datagram));
    }
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// While the hub remembers, a replayed capture is met with silence: at once, after 6 s, after the sessions ended;
/// from the same addresses and from another. No line comes twice, and no session.
#[test]
fn a_replayed_capture_does_nothing() {
    for (seed, link) in [(1, Link::GOOD), (2, Link::BAD)] {
        let (mut world, [ann, bob]) = conversation(seed, link, 10);
        let capture = sent_to_hub(&world);
        let texts = world.nodes[0].texts();
        if link == Link::BAD {
            // What was lost is no repetition when it comes for the first time: it arrives late, and all is quiet
            // again when its half-open handshakes are over. On a good link nobody joins again meanwhile.
            (world.up, world.down) = (Link::GOOD, Link::GOOD);
            world.run(secs(6));
            replay(&mut world, &capture, None);
            world.run(secs(6));
            settle(&mut world);
        }
        let opened = state(&mut world).2;
        for pause in [0, 6] {
            world.run(secs(pause));
            settle(&mut world);
            for from in [None, Some(elsewhere())] {
                let before = state(&mut world);
                //= spec/PROTOCOL.md#handshake-flow
                //= type=test
                //# The hub MUST remember at least the last 65,536 messages 1 it answered, and answer a repetition
                //# only from the same address while its half-open handshake lives.
                assert!(replay(&mut world, &capture, from).is_empty(), "{pause} s later, from {from:?}");
                let after = state(&mut world);
                assert_eq!((after.0, after.2), (before.0, before.2), "no session");
            }
        }
        world.run(secs(6));
        assert_eq!(state(&mut world).1, 0, "and of its fragments nothing is kept");
        assert_eq!(state(&mut world).2, opened, "no session");
        assert!(world.nodes.iter().all(|node| node.texts() == texts), "no line twice");
        assert_works(&mut world, ann, "still here");
        for id in [ann, bob] {
            let now = world.now;
            world.client(id).leave(now, "");
        }
        world.run(secs(40));
        assert_eq!(world.hub().session_count(), 0);
        assert!(replay(&mut world, &capture, None).is_empty());
        world.run(secs(6));
        assert_eq!((world.hub().session_count(), world.hub().half_open_count()), (0, 0));
    }
}

/// A hub that was started again has forgotten what it answered: it answers each INIT of the capture at most once
/// more, with a RESP that nobody can use, and neither a session nor a line comes of it.
#[test]
fn after_a_restart_an_old_init_gets_one_answer_and_nothing_else() {
    let (mut world, [ann, _]) = conversation(3, Link::BAD, 10);
    world.run(secs(6));
    let capture = sent_to_hub(&world);
    let attempts: BTreeSet<[u8; 8]> = capture
        .iter()
        .filter_map(|(_, datagram)| Long::parse(datagram).ok().map(|long| long.attempt.0))
        .collect();
    let texts = world.nodes[0].texts();
    world.kill_hub();
    world.start_hub();
    // One datagram each: the link may have made the client repeat its flight.
    let mut seen = BTreeSet::new();
    let once: Vec<_> = capture.into_iter().filter(|(_, datagram)| seen.insert(datagram.clone())).collect();

    let answers = replay(&mut world, &once, None);
    assert!(!answers.is_empty() && answers.len() <= attempts.len(), "{} answers", answers.len());
    assert!(answers.iter().all(|answer| kind(answer) == Some(LongKind::Resp)));
    assert_eq!(state(&mut world).2, 0, "no session");
    for from in [Some(elsewhere()), None] {
        world.run(secs(6));
        let sessions = state(&mut world).2;
        let longs: Vec<_> = once.iter().filter(|(_, datagram)| kind(datagram).is_some()).cloned().collect();
        assert!(replay(&mut world, &longs, from).is_empty(), "never again");
        assert_eq!(state(&mut world).2, sessions, "no session");
    }
    assert!(world.run_until(secs(30), everyone_is_in));
    assert_works(&mut world, ann, "here again");
    let shown = &world.nodes[1].texts();
    assert_eq!(shown[..texts.len()], texts, "no line twice");
    assert_eq!(shown.len(), texts.len() + 1, "no line twice");
}

/// A client that sees the hub's datagrams twice shows every line once.
#[test]
fn what_the_hub_said_counts_once_at_the_client() {
    let (mut world, [ann, _]) = conversation(4, Link::GOOD, 10);
    let to = world.nodes[0].address;
    let texts = world.nodes[0].texts();
    let (now, path) = (world.now, node_proto::transmit::Path::new(hub_address(), 0));
    let capture = world.wire.clone();
    for (_, _, datagram) in capture.iter().filter(|(_, receiver, _)| *receiver == to) {
        assert!(world.client(ann).handle_datagram(now, path, &mut datagram.clone()).is_err());
    }
    world.run(secs(3));
    assert_eq!(world.nodes[0].texts(), texts);
    assert_works(&mut world, ann, "still here");
}

/// An outsider with one captured INIT sends it from everywhere: nothing is kept of what was answered before, so the
/// hub does not become busy by it, and there is no RETRY to be had for a repetition.
#[test]
fn a_replayed_init_takes_no_slot_and_gets_no_retry() {
    let (mut world, _) = conversation(5, Link::GOOD, 1);
    world.run(secs(6));
    let capture = sent_to_hub(&world);
    let inits = capture.iter().filter(|(_, datagram)| kind(datagram) == Some(LongKind::Init)).take(2);
    for (_, init) in inits {
        for prefix in 0..1100u16 {
            let [high, low] = prefix.to_be_bytes();
            let from = SocketAddr::from(([10, high, low, 1], 1000));
            //= spec/PROTOCOL.md#handshake-flow
            //= type=test
            //# The hub MUST remember at least the last 65,536 messages 1 it answered, and answer a repetition only
            //# from the same address while its half-open handshake lives.
            assert_eq!(world.inject(from, init).len(), 0, "prefix {prefix} gets a {:?}", kind(init));
        }
    }
    assert_eq!(world.hub().half_open_count(), 0);
}

/// A newcomer whose first session died unheard after the hub committed its line sees that line all the same.
#[test]
fn a_newcomers_first_line_is_on_its_own_screen() {
    let mut world = World::new(6, Link::GOOD);
    world.join("bob");
    assert!(world.run_until(secs(5), everyone_is_in));
    let ann = world.join("ann");
    world.say(ann, "hello");
    let has_fin = |world: &World| kind(&world.wire.last().unwrap().2) == Some(LongKind::Fin);
    assert!(world.run_until(secs(5), has_fin));
    world.down = Link::DEAD;
    world.run(Duration::from_millis(30));
    world.kill_hub();
    world.run(secs(1));
    world.down = Link::GOOD;
    world.start_hub();
    world.run(secs(20));
    assert!(everyone_is_in(&world));
    assert_eq!(world.nodes[ann.0].texts(), ["hello"]);
}
