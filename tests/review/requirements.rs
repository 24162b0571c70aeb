//! What remains of the document's MUSTs that a datagram can show, tried by a member that is no shipped client.

use super::*;
use sim::insider::{Member, encoded, hello, stream};
use spec::close::CloseReason;
use spec::discard::Discard;
use spec::limits::FIRST_WINDOW_PACKETS;
use spec::wire::entry::{Entry, EntryKind, MessageId, Submission};
use spec::wire::frame::{Frame, Frames, Side};
use spec::wire::message::Message;
use spec::wire::varint;

const LOBBY: u64 = 1;

/// Why the hub closed the session, if it did.
pub(crate) fn close_reason(packets: &[(u64, Vec<u8>)]) -> Option<CloseReason> {
    packets.iter().find_map(|(_, frames)| {
        Frames::parse(frames, Side::Hub).unwrap().iter().find_map(|frame| match frame {
            Frame::Close { reason, .. } => Some(reason),
            _ => None,
        })
    })
}

/// Bodies of the texts in the entries of `packets`.
fn texts(packets: &[(u64, Vec<u8>)]) -> Vec<String> {
    let mut texts = Vec::new();
    for (_, frames) in packets {
        for frame in Frames::parse(frames, Side::Hub).unwrap().iter() {
            let Frame::Entries(entries) = frame else { continue };
            let entries = entries.iter().map(|(_, entry)| Entry::decode(entry).unwrap());
            let said = entries.filter(|entry| entry.kind == EntryKind::Text);
            texts.extend(said.map(|entry| String::from_utf8(entry.body.to_vec()).unwrap()));
        }
    }
    texts
}

fn submission(id: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Submission { id: MessageId([id; 16]), kind: EntryKind::Text, body }.encode(&mut out);
    out
}

/// What mallory says first on the control stream.
pub(crate) fn first_words() -> Vec<u8> {
    let mut control = hello("mallory");
    Message::Subscribe { room: LOBBY, after: 0 }.encode(&mut control);
    control
}

/// A member called mallory who reads the lobby.
pub(crate) fn mallory(world: &mut World) -> Member {
    let control = first_words();
    let mut insider = Insider::new(world, address(1), 1);
    let mut member = insider.join(world, &stream(0, 0, &control));
    world.run(millis(50));
    assert_eq!(close_reason(&member.heard(world)), None);
    member
}

/// First words that are no HELLO end the session, and so does what does not decode or is longer than it may be, on
/// the control stream and on a room's.
#[test]
fn what_breaks_the_protocol_ends_the_session() {
    let mut who = Vec::new();
    Message::Who { room: LOBBY }.encode(&mut who);
    let long_control = {
        let mut bytes = Vec::new();
        varint::encode(65_537, &mut bytes);
        bytes
    };
    let hello_then = |bytes: &[u8]| [&hello("mallory")[..], bytes].concat();
    let cases = [
        ("WHO before HELLO", stream(0, 0, &who), true),
        ("a message of no known type before HELLO", stream(0, 0, &[2, 0x7f, 0x00]), true),
        ("HELLO", stream(0, 0, &hello("mallory")), false),
        ("a control message that is too long", stream(0, 0, &long_control), true),
        ("a HELLO that ends early", stream(0, 0, &[2, 0x01, 0x00]), true),
        ("a SUBSCRIBE without fields", stream(0, 0, &hello_then(&[1, 0x02])), true),
        ("an unknown message behind HELLO", stream(0, 0, &hello_then(&[2, 0x2a, 0x00])), false),
    ];
    for (what, frames, is_closed) in cases {
        let mut world = World::new(1, Link::GOOD);
        world.run(millis(50));
        let mut insider = Insider::new(&world, address(1), 1);
        let mut member = insider.join(&mut world, &frames);
        world.run(millis(100));
        //= spec/PROTOCOL.md#application-messages
        //= type=test
        //# The hub MUST close a session whose first control message is not HELLO.
        let expected = is_closed.then_some(CloseReason::Violation);
        assert_eq!(close_reason(&member.heard(&world)), expected, "{what}");
    }
    let long_submission = {
        let mut bytes = Vec::new();
        varint::encode(65_554, &mut bytes);
        bytes
    };
    for (what, bytes) in [("too long", long_submission), ("too short for its id", vec![5, 1, 2, 3, 4, 5])] {
        let mut world = World::new(1, Link::GOOD);
        world.run(millis(50));
        let mut member = mallory(&mut world);
        member.send(&mut world, &stream(LOBBY, 0, &bytes));
        //= spec/PROTOCOL.md#application-messages
        //= type=test
        //# A receiver MUST close the session with VIOLATION when a control message or a submission is longer than
        //# it may be or does not decode.
        assert_eq!(close_reason(&member.heard(&world)), Some(CloseReason::Violation), "a submission {what}");
    }
}

/// A submission that comes three times, in one session and in the next, is one entry.
#[test]
fn a_repeated_submission_is_one_entry() {
    let mut world = World::new(2, Link::GOOD);
    let bob = world.join("bob");
    assert!(world.run_until(secs(5), everyone_is_in));
    let mut insider = Insider::new(&world, address(1), 1);
    let one = submission(7, b"once");
    for session in 0..2 {
        let mut member = insider.join(&mut world, &stream(0, 0, &hello("mallory")));
        world.run(millis(50));
        let twice = [&one[..], &one].concat();
        member.send(&mut world, &stream(LOBBY, 0, &twice));
        world.run(millis(50));
        member.send(&mut world, &stream(LOBBY, twice.len() as u64, &one));
        world.run(millis(500));
        //= spec/PROTOCOL.md#application-messages
        //= type=test
        //# The hub MUST recognise a repeated submission by room, author and message id, and commit it once.
        assert_eq!(world.nodes[bob.0].texts(), ["once"], "session {session}");
    }
}

/// The log takes four milliseconds: until it has committed, nobody hears of an entry.
#[test]
fn an_entry_is_sent_after_its_commit() {
    let mut world = World::new(3, Link::GOOD);
    world.run(millis(50));
    let mut member = mallory(&mut world);
    member.send(&mut world, &stream(LOBBY, 0, &submission(7, b"patience")));
    // Nothing moves until the world looks at what the hub asks of its log.
    for _ in 0..3 {
        world.run(millis(1));
        //= spec/PROTOCOL.md#log-entries
        //= type=test
        //# The hub MUST NOT send an entry before it is committed.
        assert_eq!(texts(&member.heard(&world)), [""; 0]);
    }
    world.run(millis(2));
    assert_eq!(texts(&member.heard(&world)), ["patience"]);
}

/// A member that acknowledges nothing gets no more than the first window, however much there is to say.
#[test]
fn without_an_acknowledgement_the_first_window_is_all() {
    let mut world = World::new(4, Link::GOOD);
    let ann = world.join("ann");
    assert!(world.run_until(secs(5), everyone_is_in));
    let mut member = mallory(&mut world);
    for line in 0..100 {
        world.say(ann, &format!("{line} {}", "x".repeat(1000)));
        world.run(millis(20));
    }
    world.run(secs(10));
    let mut numbers = Vec::new();
    for (number, frames) in member.heard(&world) {
        let frames = Frames::parse(&frames, Side::Hub).unwrap();
        if frames.iter().any(|frame| frame.is_ack_eliciting()) {
            numbers.push(number);
        }
    }
    //= spec/PROTOCOL.md#acknowledgements
    //= type=test
    //# A sender MUST NOT send an ack-eliciting packet numbered above the highest `largest` + `window` it has seen;
    //# before the first ACK the limit is 64.
    assert!(
        numbers.len() > 10 && numbers.iter().all(|number| *number <= FIRST_WINDOW_PACKETS),
        "{numbers:?}"
    );
}

/// The hub leaves numbers out now and then: who says that one of them arrived is caught, and who tells the truth,
/// gap and all, is not.
#[test]
fn who_acknowledges_what_never_left_is_sent_away() {
    for is_honest in [true, false] {
        let mut world = World::new(7, Link::GOOD);
        let ann = world.join("ann");
        assert!(world.run_until(secs(5), everyone_is_in));
        let mut member = Insider::new(&world, address(1), 1).join(&mut world, &stream(0, 0, &first_words()));
        let (mut next, mut gap) = (0, None);
        while gap.is_none() {
            world.say(ann, "tick");
            world.run(millis(20));
            for (number, _) in member.heard(&world) {
                gap = gap.or((number > next).then_some(next));
                next = number + 1;
            }
            let ranges = match gap {
                Some(gap) if is_honest => vec![(gap + 1, next - 1), (0, gap - 1)],
                _ => vec![(0, next - 1)],
            };
            let ack = spec::wire::ack::Ack::new(0, 1024, ranges.into_iter()).unwrap();
            member.send(&mut world, &encoded(&Frame::Ack(ack)));
        }
        world.run(millis(50));
        //= spec/PROTOCOL.md#acknowledgements
        //= type=test
        //# An endpoint MUST close the session with VIOLATION when an ACK names a number that it left out beside an
        //# ack-eliciting packet in flight.
        let expected = (!is_honest).then_some(CloseReason::Violation);
        assert_eq!(close_reason(&member.heard(&world)), expected, "number {gap:?}");
    }
}

/// A packet is a repetition only when its tag is right, and what lies far below is dropped for its age.
#[test]
fn repetition_is_checked_behind_the_tag() {
    let mut world = World::new(5, Link::GOOD);
    world.run(millis(50));
    let mut insider = Insider::new(&world, address(1), 1);
    let mut member = insider.join(&mut world, &[]);
    let ping = encoded(&Frame::Ping);
    let [first, held, also_held] = [(); 3].map(|()| member.seal(&ping));
    member.skip_to(2049);
    let far = member.seal(&ping);
    let flip = |datagram: &[u8]| {
        let mut flipped = datagram.to_vec();
        *flipped.last_mut().unwrap() ^= 1;
        flipped
    };
    let cases = [
        ("number 0", &first, Ok(())),
        ("number 0 with a wrong tag", &flip(&first), Err(Discard::Unauthentic)),
        ("number 0 again", &first, Err(Discard::Replayed)),
        ("number 2049", &far, Ok(())),
        ("number 2, 2047 below", &also_held, Ok(())),
        ("number 1, 2048 below", &held, Err(Discard::TooOld)),
        ("number 1 with a wrong tag", &flip(&held), Err(Discard::Unauthentic)),
        ("number 2 again", &also_held, Err(Discard::Replayed)),
    ];
    let (now, path) = (world.now, Path::new(address(1), 0));
    for (what, datagram, expected) in cases {
        //= spec/PROTOCOL.md#short-datagrams
        //= type=test
        //# A receiver MUST check for repetition only after the tag was verified.
        assert_eq!(world.hub().handle_datagram(now, path, &mut datagram.clone()), expected, "{what}");
    }
}

/// A member may not send what only a hub sends, name numbers the hub never sent, or write beyond its limit: such a
/// packet is dropped whole, and the session lives on.
#[test]
fn packets_that_opened_and_break_the_document_are_dropped() {
    let mut world = World::new(6, Link::GOOD);
    world.run(millis(50));
    let mut member = mallory(&mut world);
    let ack = |largest| spec::wire::ack::Ack::new(0, 1024, [(largest, largest)].into_iter()).unwrap();
    let cases = [
        ("DONE", encoded(&Frame::Done)),
        ("an ACK of what was never sent", encoded(&Frame::Ack(ack(5000)))),
        ("a stream above its limit", stream(LOBBY, 131_072, b"x")),
        ("a frame of no known type below 0x40", vec![0x3f]),
        (
            "half a frame behind a whole one",
            [&stream(LOBBY, 0, b"x")[..], &[0x04, 0x01, 0x00, 0x44, 0x00]].concat(),
        ),
    ];
    for (what, frames) in cases {
        let datagram = member.seal(&frames);
        let (now, path) = (world.now, Path::new(address(1), 0));
        assert!(world.hub().handle_datagram(now, path, &mut datagram.clone()).is_err(), "{what}");
    }
    world.run(millis(50));
    assert_eq!(close_reason(&member.heard(&world)), None);
    member.send(&mut world, &stream(LOBBY, 0, &submission(7, b"still here")));
    world.run(millis(50));
    assert_eq!(texts(&member.heard(&world)), ["still here"]);
}
