//! F4, F5, F9, F15, F16, F20: what a hub says to whom, and how it looks on the wire.

use super::*;
use node_proto::client::key_request::KeyRequest;
use node_proto::client::{Client, ClientConfig, ClientEvent};
use node_proto::random::Random;
use spec::gate::{Gate, OPEN_ACCESS_SECRET};
use spec::handshake::ReceivedInit;
use spec::limits::BUCKETS_BYTES;
use spec::wire::long::field;
use spec::wire::short;
use std::collections::BTreeMap;

const SECRET: [u8; 32] = [2; 32];

/// Every bit of both INIT datagrams counts, mac2 included: not one may be flipped, before or after the right pair.
#[test]
fn f4_every_bit_of_an_init_is_authenticated() {
    let mut insider = Lone::insider(SECRET, address(1), 1);
    let (_, flight) = insider.begin();
    let mut lone = Lone::new(&[SECRET], false);
    for is_answered in [false, true] {
        for datagram in flight.datagrams() {
            for bit in 0..datagram.len() * 8 {
                let mut flipped = datagram.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(lone.give(address(1), &flipped).is_empty(), "bit {bit}");
                assert_eq!(lone.hub.half_open_count(), usize::from(is_answered), "bit {bit}");
            }
        }
        let answers: Vec<_> =
            flight.datagrams().iter().flat_map(|datagram| lone.give(address(1), datagram)).collect();
        assert_eq!(answers.len(), 1);
    }
}

/// A captured INIT pair is answered once; a second later from elsewhere, 6 s later, and 6 s after a hub that was
/// started again answered it, there is silence.
#[test]
fn f4_a_replayed_init_is_met_with_silence() {
    let mut insider = Lone::insider(SECRET, address(1), 1);
    let (_, flight) = insider.begin();
    let give = |lone: &mut Lone, from| -> usize {
        flight.datagrams().iter().map(|datagram| lone.give(from, datagram).len()).sum()
    };
    for restart in 0..2 {
        let mut lone = Lone::new(&[SECRET], false);
        assert_eq!(give(&mut lone, address(1)), 1, "restart {restart}");
        lone.wait(secs(1));
        assert_eq!(give(&mut lone, address(2)), 0, "from elsewhere");
        lone.wait(secs(5));
        assert_eq!(give(&mut lone, address(1)), 0, "after 6 s");
        assert_eq!(give(&mut lone, address(2)), 0, "from elsewhere after 6 s");
        lone.wait(secs(3600));
        assert_eq!(give(&mut lone, address(1)), 0, "after an hour");
        assert_eq!(lone.hub.session_count(), 0);
    }
}

/// Whatever an address that never completed a handshake sends, and in whatever order, it gets at most half the
/// bytes back.
#[test]
fn f5_bytes_out_are_at_most_half_the_bytes_in() {
    let mut random = Random::new([5; 32]);
    let mut insider = Lone::insider(SECRET, address(1), 1);
    let flights: Vec<_> = (0..8).map(|_| insider.begin().1).collect();
    let stranger = |random: &mut Random| {
        let mut request = KeyRequest::new(Instant(0), random.array());
        request.poll_transmit(Instant(0)).unwrap()
    };
    for seed in 0..60u64 {
        let mut lone = Lone::new(&[SECRET], true);
        if seed % 3 == 0 {
            lone.make_busy(&mut insider);
        }
        let mut flights = flights.clone();
        let mut bytes = BTreeMap::from([(address(1), (0, 0)), (address(2), (0, 0))]);
        for step in 0..150 {
            let draw = random.number();
            let from = address(1 + u8::try_from(draw >> 8 & 1).unwrap());
            let which = usize::try_from(draw >> 16 & 7).unwrap();
            let fragment = usize::try_from(draw >> 24 & 1).unwrap();
            let datagram = match draw % 16 {
                0 => stranger(&mut random),
                1 => insider.forge(
                    LongKind::Fin,
                    0,
                    Long::parse(&flights[which].datagrams()[0]).unwrap().attempt,
                ),
                2 => insider.gate.build(
                    LongKind::Init,
                    0,
                    0,
                    *b"SGM9",
                    insider_attempt(&flights[which]),
                    &[0; 1155],
                ),
                3 => insider.fragment(fragment),
                4 => random.array::<600>().to_vec(),
                5 => {
                    lone.wait(millis(draw >> 32 & 0xfff));
                    continue;
                }
                _ => flights[which].datagrams()[fragment].clone(),
            };
            let answers = lone.give(from, &datagram);
            let (sent, got) = bytes.get_mut(&from).unwrap();
            *sent += datagram.len();
            *got += answers.iter().map(Vec::len).sum::<usize>();
            //= spec/PROTOCOL.md#handshake-flow
            //= type=test
            //# To an address that has not completed a handshake the hub MUST NOT send more than half the bytes it
            //# received from it.
            assert!(*got * 2 <= *sent, "seed {seed}, step {step}: {got} bytes for {sent}");
            for answer in answers.iter().filter(|answer| kind(answer) == Some(LongKind::Retry)) {
                let retry = Long::parse(answer).unwrap();
                if let Ok(cookie) = insider.gate.open_retry(&retry, &flights[which].mac1s()[0]) {
                    flights[which].adopt(&cookie);
                }
            }
        }
    }
}

fn insider_attempt(flight: &spec::handshake::Flight) -> spec::wire::long::AttemptId {
    Long::parse(&flight.datagrams()[0]).unwrap().attempt
}

/// A client that falls silent after INIT gets one RESP: the hub has no timer that would send another.
#[test]
fn f5_a_silent_client_gets_no_second_resp() {
    let mut world = World::new(5, Link::GOOD);
    world.down = Link::DEAD;
    let ann = world.join("ann");
    world.run(millis(100));
    world.kill_client(ann);
    world.run(secs(20));
    let from_hub: Vec<_> = world.wire.iter().filter(|(from, ..)| *from == hub_address()).collect();
    assert_eq!(
        from_hub.iter().map(|(_, _, datagram)| kind(datagram)).collect::<Vec<_>>(),
        [Some(LongKind::Resp)]
    );
}

/// Of a client that sends nothing but INIT the hub never makes a SHORT datagram, and of a hub that never answers
/// FIN no client does.
#[test]
fn f5_nothing_is_sealed_before_fin_was_opened_and_answered() {
    let mut world = World::new(6, Link::GOOD);
    let ann = world.join("ann");
    let id = world.say(ann, "hello");
    // INIT, INIT, RESP arrive; whatever follows in one direction does not.
    let has_resp =
        |world: &World| world.wire.iter().any(|(_, _, datagram)| kind(datagram) == Some(LongKind::Resp));
    assert!(world.run_until(secs(1), has_resp));
    world.up = Link::DEAD;
    world.run(secs(4));
    //= spec/PROTOCOL.md#handshake-flow
    //= type=test
    //# The hub MUST NOT send a SHORT datagram before it opened FIN.
    assert!(world.wire.iter().all(|(_, _, datagram)| !short::is_short(datagram)));

    world.up = Link::GOOD;
    let has_fin = |world: &World| {
        world.wire.iter().rev().take(1).any(|(_, _, datagram)| kind(datagram) == Some(LongKind::Fin))
    };
    assert!(world.run_until(secs(9), has_fin));
    world.down = Link::DEAD;
    world.run(secs(4));
    let is_clients = |(from, _, datagram): &&(SocketAddr, SocketAddr, Vec<u8>)| {
        *from != hub_address() && short::is_short(datagram)
    };
    assert!(world.wire.iter().any(|(_, _, datagram)| short::is_short(datagram)), "the hub has opened FIN");
    //= spec/PROTOCOL.md#handshake-flow
    //= type=test
    //# The client MUST NOT send a SHORT datagram before it opened one of the hub.
    assert_eq!(world.wire.iter().filter(is_clients).count(), 0);
    world.down = Link::GOOD;
    assert!(world.run_until(secs(20), everyone_is_in));
    assert!(world.run_until(secs(5), |world| world.nodes[0].stored == [id]));
}

/// An access secret that the hub no longer accepts opens nothing: silence, and no state.
#[test]
fn f9_an_old_access_secret_is_refused_after_its_overlap() {
    let (new, old) = ([2; 32], [3; 32]);
    let mut insider = Lone::insider(old, address(1), 1);
    let (_, flight) = insider.begin();
    for (accepted, answers_expected) in [(&[new, old][..], 1), (&[new], 0)] {
        let mut lone = Lone::new(accepted, false);
        let answers = flight.datagrams().iter().map(|datagram| lone.give(address(1), datagram).len());
        assert_eq!(answers.sum::<usize>(), answers_expected);
        assert_eq!(lone.hub.half_open_count(), answers_expected);
        if answers_expected == 0 {
            assert_eq!(lone.hub.stats().discarded, 2);
        }
    }
}

/// A client that holds an access secret does not join the same hub when that is open to everyone: not one of its
/// datagrams passes the open gate, however long it tries.
#[test]
fn f9_a_client_with_a_secret_does_not_fall_back_to_the_open_gate() {
    let mut lone = Lone::new(&[OPEN_ACCESS_SECRET], true);
    let config = ClientConfig {
        identity: KeyPair::new(Secret::new([7; 32])),
        hub_key: Lone::hub_key(),
        access_secret: Secret::new(SECRET),
        token: Vec::new(),
        name: "ann".to_owned(),
        key_log: false,
        resume: None,
        keys: KeyPolicy::default(),
    };
    let mut client = Client::new(lone.now, config, to_hub(), [8; 32]);
    let (mut sent, mut out) = (0, Vec::new());
    for _ in 0..120 {
        while client.poll_transmit(lone.now, &mut out).is_some() {
            sent += 1;
            //= spec/PROTOCOL.md#open-hubs
            //= type=test
            //# A client that holds an access secret MUST NOT join the same hub without it.
            assert!(lone.give(address(1), &out).is_empty());
            assert_eq!(kind(&out), Some(LongKind::Init));
        }
        lone.wait(millis(250));
        client.handle_timeout(lone.now);
    }
    assert!(sent > 50 && lone.hub.stats().discarded == sent);
    assert_eq!(lone.hub.half_open_count(), 0);
}

/// A client that is told of other versions says so and stops: it does not try another version.
#[test]
fn f9_version_never_leads_to_a_lower_one() {
    let mut world = World::new(9, Link::GOOD);
    let insider = Insider::new(&world, hub_address(), 1);
    let ann = world.join("ann");
    world.run(millis(1));
    let attempt = Long::parse(&world.wire[0].2).unwrap().attempt;
    let mut body = [0; 99];
    body[..4].copy_from_slice(b"SGM0");
    let mut version = insider.gate.build(LongKind::Version, 0, 0, *b"SGM0", attempt, &body);
    let now = world.now;
    world.client(ann).handle_datagram(now, to_hub(), &mut version).unwrap();
    let sent = world.wire.len();
    world.run(secs(10));
    //= spec/PROTOCOL.md#other-versions
    //= type=test
    //# The client tells the person; it MUST NOT try a lower version because of VERSION.
    assert!(world.nodes[0].events.contains(&ClientEvent::OtherVersions(vec![*b"SGM0"])));
    assert!(world.wire[sent..].iter().all(|(from, ..)| *from == hub_address()), "the client has stopped");
    assert!(world.wire.iter().all(|(_, _, datagram)| datagram[field::VERSION] == spec::VERSION));
}

/// SHORT datagrams have one of six lengths, whatever was said; LONG ones those of their types.
#[test]
fn f15_datagrams_have_few_lengths() {
    let mut world = World::new(15, Link::BAD);
    let ids = ["ann", "bob"].map(|name| world.join(name));
    assert!(world.run_until(secs(30), everyone_is_in));
    for length in [0, 1, 50, 51, 52, 114, 115, 243, 500, 1010, 1157, 1158, 1159, 3000, 65_536] {
        for id in ids {
            world.say(id, &"x".repeat(length));
        }
        world.run(millis(200));
    }
    world.run(secs(5));
    let lengths: std::collections::BTreeSet<usize> = world
        .wire
        .iter()
        .filter(|(_, _, datagram)| short::is_short(datagram))
        .map(|(_, _, datagram)| datagram.len())
        .collect();
    //= spec/PROTOCOL.md#short-datagrams
    //= type=test
    //# SHORT datagrams therefore have 93, 157, 285, 541, 1053, 1200, 1232, 1372, 1432 or 1452 bytes.
    let allowed = BUCKETS_BYTES.map(|bucket| 1 + 8 + bucket + 16);
    assert!(lengths.len() > 5 && lengths.iter().all(|len| allowed.contains(len)), "{lengths:?}");
    let longs = world.wire.iter().filter_map(|(_, _, datagram)| Some((kind(datagram)?, datagram.len())));
    for (kind, length) in longs {
        assert_eq!(length, kind.datagram_bytes());
    }
}

/// Key shares are no uniform bytes, and the document says so: the top bit of an X25519 key is 0, and of the 1024
/// values of each 10-bit field of an ML-KEM ciphertext 257 are a third more frequent.
#[test]
fn f16_key_shares_are_told_from_uniform_bytes() {
    const RESPS: usize = 2000;
    // Compression to 10 bits maps 3 or 4 of the 3329 values to each (FIPS 203 section 4.2.1).
    let mut preimages = [0u32; 1024];
    (0..3329usize).for_each(|x| preimages[(x * 1024 + 1664) / 3329 % 1024] += 1);
    assert_eq!(preimages.iter().filter(|count| **count == 4).count(), 257);

    let mut random = Random::new([6; 32]);
    let mut insider = Lone::insider(SECRET, address(1), 1);
    let (_, flight) = insider.begin();
    let parsed = flight.datagrams().each_ref().map(|datagram| Long::parse(datagram).unwrap());
    let (message, attempt) = (parsed.map(|long| long.body).concat(), parsed[0].attempt);
    let (identity, access_secret) = (KeyPair::new(Secret::new(Lone::KEY)), Secret::new(SECRET));
    let (mut frequent, mut all) = (0u32, 0u32);
    for _ in 0..RESPS {
        let init = ReceivedInit::read(&message, attempt, &identity, &access_secret).unwrap();
        let gate = Gate::new(identity.public(), &access_secret);
        let (_, resp) = init.respond(random.secret(), &random.secret(), &gate, 0).unwrap();
        let body = Long::parse(&resp).unwrap().body;
        assert_eq!(body[1088 + 31] & 0x80, 0, "an X25519 key is below 2^255");
        // 768 fields of 10 bits, low bits first.
        for five in body[..960].chunks_exact(5) {
            let word = five.iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
            for field in 0..4 {
                let value = usize::try_from(word >> (10 * field) & 0x3ff).unwrap();
                frequent += u32::from(preimages[value] == 4);
                all += 1;
            }
        }
    }
    assert_eq!(message[31] & 0x80, 0, "an X25519 key is below 2^255");
    let share = f64::from(frequent) / f64::from(all);
    // 1028 of 3329 is 0.3088, in uniform bytes it would be 0.2510; the deviation of the mean is 0.0004.
    assert!((share - 1028.0 / 3329.0).abs() < 0.003, "{share}");
    let document = include_str!("../../spec/PROTOCOL.md");
    assert!(document.contains("they are key shares, and are judged by their own law"));
}

/// KEYREQ is answered by an open hub, once; by a hub that is not open never.
#[test]
fn f20_keyreq_is_answered_once_and_only_by_an_open_hub() {
    let mut request = KeyRequest::new(Instant(0), [1; 32]);
    let first = request.poll_transmit(Instant(0)).unwrap();
    let second = request.poll_transmit(Instant(10_000_000)).unwrap();
    assert_ne!(first, second, "a client asks anew, never with the same bytes");
    let mut closed = Lone::new(&[SECRET], false);
    let mut open = Lone::new(&[OPEN_ACCESS_SECRET], true);
    for datagram in [&first, &second] {
        //= spec/PROTOCOL.md#open-hubs
        //= type=test
        //# A hub that is not open MUST NOT answer KEYREQ.
        assert!(closed.give(address(1), datagram).is_empty());
        let answers = open.give(address(1), datagram);
        assert_eq!(answers.len(), 1);
        assert_eq!(request.handle_datagram(&answers[0]), Ok(Lone::hub_key()));
        //= spec/PROTOCOL.md#open-hubs
        //= type=test
        //# The hub MUST answer the same KEYREQ at most once.
        assert!(open.give(address(1), datagram).is_empty());
        assert!(open.give(address(2), datagram).is_empty());
    }
}

/// Someone answers KEY with a key of their own, unasked, to a client that has a key: nothing changes, and it joins
/// the hub it knows. The client has no way to take a key from a datagram.
#[test]
fn f20_key_never_replaces_a_pinned_key() {
    let mut world = World::new(20, Link::GOOD);
    let insider = Insider::new(&world, hub_address(), 1);
    let ann = world.join("ann");
    world.run(millis(1));
    let attempt = Long::parse(&world.wire[0].2).unwrap().attempt;
    for gate in [&Gate::for_strangers(), &insider.gate] {
        let mut key = gate.build(LongKind::Key, 0, 0, spec::VERSION, attempt, &[0x42; 99]);
        let now = world.now;
        let before = format!("{:?}", world.client(ann));
        assert!(world.client(ann).handle_datagram(now, to_hub(), &mut key).is_err());
        //= spec/PROTOCOL.md#open-hubs
        //= type=test
        //# A client that has pinned a hub key MUST NOT replace it because of KEY.
        assert_eq!(format!("{:?}", world.client(ann)), before);
    }
    assert!(world.run_until(secs(1), everyone_is_in));
    // A KEY under the right gate that answers nothing we asked is no answer either.
    let request = KeyRequest::new(Instant(0), [1; 32]);
    let unasked = Gate::for_strangers().build(LongKind::Key, 0, 0, spec::VERSION, attempt, &[0x42; 99]);
    assert!(request.handle_datagram(&unasked).is_err());
}
