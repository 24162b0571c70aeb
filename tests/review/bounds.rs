//! What a peer can make the other hold, tried by a member that is no shipped client and a hub that is none.

use super::hub_by_hand::{GENERATION, Scene};
use super::requirements::mallory;
use super::*;
use sim::insider::{encoded, stream};
use spec::discard::Discard;
use spec::limits::{FIRST_WINDOW_PACKETS, PATH_RESPONSES_MAX, REASSEMBLY_GAPS_MAX, STREAMS_MAX};
use spec::wire::ack::Ack;
use spec::wire::frame::{Frame, Frames, Side};
use std::collections::BTreeSet;

const LOBBY: u64 = 1;
/// Packets a sender keeps account of: a peer that acknowledges none of them is given up.
const LEDGER_PACKETS_MAX: u64 = 2048;
/// Datagrams of a session that are looked at in one turn.
const DATAGRAMS_PER_TURN: usize = 64;

/// A member that asks for one acknowledgement after the other and gives none does not make the hub remember for
/// ever.
#[test]
fn a_peer_that_never_acknowledges_is_given_up() {
    let mut world = World::new(1, Link::GOOD);
    world.run(millis(50));
    let mut member = mallory(&mut world);
    let (mut last, mut rounds) = (0, 0);
    while world.hub().session_count() > 0 {
        member.send(&mut world, &encoded(&Frame::Ping));
        world.run(millis(1));
        last = member.heard(&world).last().map_or(last, |(number, _)| *number);
        rounds += 1;
        assert!(rounds < 2 * LEDGER_PACKETS_MAX, "{last} packets, and it goes on");
    }
    assert!((LEDGER_PACKETS_MAX / 2..=LEDGER_PACKETS_MAX + 64).contains(&last), "{last} packets");
}

/// An ACK of all that `arrived`, from someone who takes `window` packets more.
fn acknowledgement(arrived: &BTreeSet<u64>, window: u64) -> Vec<u8> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for number in arrived.iter().rev() {
        match ranges.last_mut() {
            Some((low, _)) if *low == number + 1 => *low = *number,
            _ => ranges.push((*number, *number)),
        }
    }
    encoded(&Frame::Ack(Ack::new(0, window, ranges.into_iter()).unwrap()))
}

/// Nothing that asks for an acknowledgement is numbered above what the member said it takes, whatever there is to
/// say and however well it arrives.
#[test]
fn a_sender_stays_within_the_window_it_was_given() {
    let mut world = World::new(2, Link::GOOD);
    let ann = world.join("ann");
    assert!(world.run_until(secs(5), everyone_is_in));
    let mut member = mallory(&mut world);
    let (mut arrived, mut highest) = (BTreeSet::new(), [0; 2]);
    for line in 0..300 {
        // In the second half the member takes more.
        let half = line / 150;
        world.say(ann, &format!("{line} {}", "x".repeat(1000)));
        world.run(millis(20));
        for (number, frames) in member.heard(&world) {
            arrived.insert(number);
            let frames = Frames::parse(&frames, Side::Hub).unwrap();
            if frames.iter().any(|frame| frame.is_ack_eliciting()) {
                highest[half] = number;
            }
        }
        let ack = acknowledgement(&arrived, [4, 1024][half]);
        member.send(&mut world, &ack);
    }
    assert!((20..=FIRST_WINDOW_PACKETS).contains(&highest[0]), "{highest:?}");
    assert!(highest[1] > 2 * FIRST_WINDOW_PACKETS, "{highest:?}");
}

/// One member's flood is dropped before anything is opened; in the next turn it is heard again.
#[test]
fn a_session_has_its_turn_and_no_more() {
    let mut world = World::new(3, Link::GOOD);
    world.run(millis(50));
    let mut member = mallory(&mut world);
    let (now, path) = (world.now + millis(1), Path::new(address(1), 0));
    for place in 0..DATAGRAMS_PER_TURN + 20 {
        let mut ping = member.seal(&encoded(&Frame::Ping));
        let expected = if place < DATAGRAMS_PER_TURN { Ok(()) } else { Err(Discard::RateLimited) };
        assert_eq!(world.hub().handle_datagram(now, path, &mut ping), expected, "datagram {place}");
    }
    let mut ping = member.seal(&encoded(&Frame::Ping));
    assert_eq!(world.hub().handle_datagram(now + millis(1), path, &mut ping), Ok(()));
}

/// Streams without a beginning and holes without an end: what does not fit is dropped unmarked, and what fits is
/// still taken.
#[test]
fn a_session_holds_so_many_streams_and_gaps() {
    let mut world = World::new(4, Link::GOOD);
    world.run(millis(50));
    let mut member = mallory(&mut world);
    let path = Path::new(address(1), 0);
    let mut give = |world: &mut World, frames: &[u8]| {
        world.run(millis(1));
        let now = world.now;
        world.hub().handle_datagram(now, path, &mut member.seal(frames))
    };
    for gap in 0..REASSEMBLY_GAPS_MAX as u64 {
        assert_eq!(give(&mut world, &stream(LOBBY, 10 + 2 * gap, b"x")), Ok(()), "gap {gap}");
    }
    assert_eq!(give(&mut world, &stream(LOBBY, 5000, b"x")), Err(Discard::NoRoom));
    // Streams 0 and 1 are in use; a submission that says it is long waits for its end.
    for other in 2..STREAMS_MAX as u64 {
        assert_eq!(give(&mut world, &stream(other, 0, &[0x40])), Ok(()), "stream {other}");
    }
    assert_eq!(give(&mut world, &stream(STREAMS_MAX as u64, 0, &[0x40])), Err(Discard::NoRoom));
    assert_eq!(give(&mut world, &encoded(&Frame::Ping)), Ok(()));
}

/// Of many questions about a path the last two are answered.
#[test]
fn a_client_keeps_two_answers_about_a_path() {
    let mut scene = Scene::with_keys(None, KeyPolicy::default());
    scene.welcome(GENERATION);
    for question in 1..=5 {
        scene.frame(&Frame::PathChallenge { data: [question; 8] });
    }
    assert_eq!(scene.path_responses(), [[4; 8], [5; 8]]);
    assert_eq!(PATH_RESPONSES_MAX, 2);
    assert!(scene.path_responses().is_empty(), "each once");
}
