//! One bit of one datagram is wrong.

use super::*;
use node_proto::transmit::Path;
use spec::wire::short;

/// Flips each bit of `datagram` in turn and gives it to the hub from `from`: never an answer.
fn flip_at_hub(world: &mut World, from: SocketAddr, datagram: &[u8]) {
    for bit in 0..datagram.len() * 8 {
        let mut flipped = datagram.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let discarded = world.hub().stats().discarded;
        assert!(world.inject(from, &flipped).is_empty(), "bit {bit} of {:?} is answered", kind(datagram));
        assert_eq!(world.hub().stats().discarded, discarded + 1, "bit {bit} of {:?}", kind(datagram));
    }
}

/// Handshakes, and the first datagrams of each direction of sessions: what is flipped bit by bit.
fn exhibits(world: &World) -> Vec<(SocketAddr, Vec<u8>)> {
    let mut shorts = [0; 2];
    let mut is_exhibit = |from: SocketAddr, datagram: &[u8]| {
        if !short::is_short(datagram) {
            return true;
        }
        let seen = &mut shorts[usize::from(from == hub_address())];
        *seen += 1;
        *seen <= 20
    };
    let peer = |from: SocketAddr, to: SocketAddr| if from == hub_address() { to } else { from };
    let exhibits = world.wire.iter().filter(|(from, _, datagram)| is_exhibit(*from, datagram));
    exhibits.map(|(from, to, datagram)| (peer(*from, *to), datagram.clone())).collect()
}

/// Every bit of INIT, RESP, FIN and of SHORT datagrams of both directions, at a hub whose session lives, and
/// after it ended: silence, and nothing but counters moves.
#[test]
fn the_hub_is_silent_to_any_flipped_bit() {
    let (mut world, [ann, _]) = conversation(1, Link::GOOD, 10);
    let exhibits = exhibits(&world);
    let handshakes = exhibits.iter().filter(|(_, datagram)| !short::is_short(datagram)).count();
    assert_eq!((handshakes, exhibits.len()), (8, 48), "INIT, INIT, RESP, FIN of two clients, and SHORT");

    for is_alive in [true, false] {
        let before = (snapshot(world.hub()), state(&mut world));
        for (from, datagram) in &exhibits {
            flip_at_hub(&mut world, *from, datagram);
        }
        //= spec/PROTOCOL.md#the-hub-silence
        //= type=test
        //# An endpoint MUST NOT change any state but counters because of a datagram that fails its MAC or its
        //# tag.
        assert!(before == (snapshot(world.hub()), state(&mut world)), "something but counters changed");
        assert_works(&mut world, ann, if is_alive { "still here" } else { "here again" });
        if is_alive {
            for id in [ClientId(0), ClientId(1)] {
                let now = world.now;
                world.client(id).leave(now, "");
            }
            world.run(secs(40));
            assert_eq!(world.hub().session_count(), 0);
            for id in [ClientId(0), ClientId(1)] {
                world.start_client(id);
            }
            assert!(world.run_until(secs(10), everyone_is_in));
            settle(&mut world);
        }
    }
}

/// The same for every other datagram of a long run over a bad link, with a few bits of each, from the right and
/// from a wrong address.
#[test]
fn no_datagram_of_a_run_survives_a_flipped_bit() {
    let (mut world, [ann, _]) = conversation(2, Link::BAD, 40);
    let capture = world.wire.clone();
    let before = state(&mut world);
    for (index, (from, to, datagram)) in capture.iter().enumerate() {
        let peer = if *from == hub_address() { *to } else { *from };
        for salt in 0..8 {
            let bit = (index * 7919 + salt * 104_729) % (datagram.len() * 8);
            let mut flipped = datagram.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            for from in [peer, elsewhere()] {
                assert!(world.inject(from, &flipped).is_empty(), "bit {bit} of datagram {index}");
            }
        }
    }
    assert_eq!(state(&mut world), before);
    assert_works(&mut world, ann, "still here");
}

/// Flips each bit of `datagram` and gives it to a client: it drops every one.
fn flip_at_client(world: &mut World, id: ClientId, datagram: &[u8]) {
    let (now, path) = (world.now, Path::new(hub_address(), 0));
    let client = world.client(id);
    let before = snapshot(client);
    for bit in 0..datagram.len() * 8 {
        let mut flipped = datagram.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(
            client.handle_datagram(now, path, &mut flipped).is_err(),
            "bit {bit} of {:?}",
            kind(datagram)
        );
    }
    assert!(snapshot(client) == before, "something but counters changed in the client");
}

/// Every bit of a RESP while it is awaited, and of the hub's SHORT datagrams: the client drops them, and the
/// handshake and the session go on.
#[test]
fn a_client_drops_any_flipped_bit() {
    let mut world = World::new(3, Link::GOOD);
    let ann = world.join("ann");
    let from_hub = |world: &World| world.wire.iter().any(|(from, ..)| *from == hub_address());
    assert!(world.run_until(secs(1), from_hub));
    let resp = world.wire.last().unwrap().2.clone();
    assert_eq!(kind(&resp), Some(LongKind::Resp));
    flip_at_client(&mut world, ann, &resp);
    assert!(world.run_until(secs(1), everyone_is_in), "the handshake goes on");

    world.say(ann, "hello");
    world.run(secs(3));
    let down = |(from, _, datagram): &&(SocketAddr, SocketAddr, Vec<u8>)| {
        *from == hub_address() && short::is_short(datagram)
    };
    let shorts: Vec<Vec<u8>> =
        world.wire.iter().filter(down).map(|(_, _, datagram)| datagram.clone()).collect();
    for datagram in shorts.iter().take(12).chain([&resp]) {
        flip_at_client(&mut world, ann, datagram);
    }
    assert_works(&mut world, ann, "still here");
}
