//! F1: who may begin a ratchet, when, and what becomes of one that is not right.

use super::hub_by_hand::{GENERATION, Scene};
use super::requirements::{close_reason, first_words, mallory};
use super::*;
use node_proto::client::ClientEvent;
use sim::insider::stream;
use sim::quick_keys;
use spec::close::CloseReason;
use spec::ratchet::{AnswerKeys, Request, respond};
use spec::wire::frame::{Frame, Frames, Side};
use spec::wire::message::Message;

/// What mallory says of a ratchet, as bytes of the control stream.
fn request(ephemeral: [u8; 32], kem: Option<&[u8; 1184]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    Message::RatchetReq { ephemeral, kem }.encode(&mut bytes);
    bytes
}

/// The hub answers one request; a second before the ratchet has ended closes the session, and so do keys that are
/// none.
#[test]
fn f1_the_hub_closes_on_a_ratchet_that_is_none() {
    let point = *KeyPair::new(Secret::new([5; 32])).public();
    let seed = Secret::new([6; 64]);
    let good = Request::new(Secret::new([5; 32]), Some(&seed));
    let mut with_kem = Vec::new();
    good.message().encode(&mut with_kem);
    for (what, bytes, is_closed) in [
        ("one", request(point, None), false),
        ("one with ML-KEM", with_kem, false),
        ("two", [request(point, None), request(point, None)].concat(), true),
        ("a low-order point", request([0; 32], None), true),
        ("a key that is none", request(point, Some(&[0xff; 1184])), true),
    ] {
        let mut world = World::new(1, Link::GOOD);
        world.run(millis(50));
        let mut member = mallory(&mut world);
        let mut offset = first_words().len() as u64;
        for piece in bytes.chunks(900) {
            member.send(&mut world, &stream(0, offset, piece));
            offset += piece.len() as u64;
        }
        let heard = member.heard(&world);
        //= spec/PROTOCOL.md#ratchet
        //= type=test
        //# The hub MUST close the session with VIOLATION on a RATCHET_REQ before the last ratchet has ended, or less
        //# than 60 seconds after it answered one.
        assert_eq!(close_reason(&heard), is_closed.then_some(CloseReason::Violation), "{what}");
        let is_answered = heard.iter().any(|(_, frames)| {
            Frames::parse(frames, Side::Hub).unwrap().iter().any(|frame| {
                matches!(frame, Frame::Stream { stream: 0, data, .. }
                    if matches!(Message::split(data), Ok(Some((Message::RatchetRsp { .. }, _))) | Ok(None)))
            })
        });
        assert!(is_answered || is_closed, "{what}");
    }
}

/// A client that ratchets every 300 milliseconds is too quick for a hub that answers once in 60 seconds.
#[test]
fn f1_the_hub_answers_one_ratchet_in_sixty_seconds() {
    let mut world = World::new(2, Link::GOOD);
    world.keys = quick_keys();
    let ann = world.join("ann");
    world.run(secs(3));
    let violation =
        |event: &ClientEvent| matches!(event, ClientEvent::Closed { reason: CloseReason::Violation, .. });
    assert!(world.nodes[0].events.iter().any(violation));
    world.keys = KeyPolicy { ratchet_every: secs(70), ..KeyPolicy::default() };
    world.kill_client(ann);
    world.start_client(ann);
    world.nodes[0].events.clear();
    world.run(secs(700));
    assert!(!world.nodes[0].events.iter().any(violation), "a client that keeps to the rule is served");
    assert_eq!(world.client(ann).connection().unwrap().generation(), 6, "after 70 seconds, then every 120");
}

/// The client asks once it was greeted, once for each ratchet, and not sooner than it may.
#[test]
fn f1_a_client_asks_when_it_may() {
    let keys = KeyPolicy { ratchet_every: Duration::ZERO, ratchet_answer: secs(1), ..KeyPolicy::default() };
    let mut scene = Scene::with_keys(None, keys);
    let ephemeral = |message: &Message<'_>| match message {
        Message::RatchetReq { ephemeral, .. } => Some(*ephemeral),
        _ => None,
    };
    scene.frame(&Frame::Ping);
    assert!(scene.said_after(millis(200), ephemeral).is_empty(), "before WELCOME");
    scene.welcome(GENERATION);
    let asked = scene.said_after(Duration::ZERO, ephemeral);
    assert_eq!(asked.len(), 1);
    let again = scene.said_after(millis(900), ephemeral);
    assert!(again.iter().all(|same| *same == asked[0]), "one at a time");

    let answer_keys = AnswerKeys { ephemeral: Secret::new([8; 32]), kem_random: Secret::new([9; 32]) };
    let (answer, next) =
        respond(&scene.root, &scene.identity, &Scene::client_key(), (&asked[0], None), &answer_keys).unwrap();
    scene.message(&answer.message());
    assert!(scene.said_after(Duration::ZERO, ephemeral).iter().all(|same| *same == asked[0]));
    scene.go_on_under(&next);
    scene.frame(&Frame::Ping);
    //= spec/PROTOCOL.md#ratchet
    //= type=test
    //# The client MUST NOT send RATCHET_REQ before it has read WELCOME, before the last ratchet has ended, or less
    //# than 120 seconds after the last RATCHET_RSP.
    let mut new =
        |after| scene.said_after(after, ephemeral).into_iter().filter(|key| *key != asked[0]).count();
    assert_eq!((new(millis(1_000)), new(millis(999)), new(millis(1))), (0, 0, 1));
}

/// An answer that nobody asked for, or with a point that is none, ends the session.
#[test]
fn f1_the_client_closes_on_an_answer_that_is_none() {
    let mut unasked = Scene::with_keys(None, KeyPolicy::default());
    unasked.welcome(GENERATION);
    unasked.message(&Message::RatchetRsp { ephemeral: [9; 32], kem: None });
    assert_eq!(unasked.close_reason(), Some(CloseReason::Violation));
    for answer in [
        Message::RatchetRsp { ephemeral: [0; 32], kem: None },
        Message::RatchetRsp { ephemeral: [9; 32], kem: Some(&[1; 1088]) },
    ] {
        let keys = KeyPolicy { ratchet_every: Duration::ZERO, ..KeyPolicy::default() };
        let mut scene = Scene::with_keys(None, keys);
        scene.welcome(GENERATION);
        scene.said_after(Duration::ZERO, |_| None::<()>);
        scene.message(&answer);
        assert_eq!(scene.close_reason(), Some(CloseReason::Violation));
    }
}
