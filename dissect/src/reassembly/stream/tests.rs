//! Streams by hand, and in any order.

use proptest::prelude::*;

use super::*;

fn ends() -> Ends {
    let end = |port| Endpoint { ip: [10, 0, 0, 1].into(), port: Some(port) };
    (end(1), end(2))
}

fn segment(sequence: u32, flags: u16) -> Segment {
    Segment { sequence, acknowledgment: 0, flags, window: 0 }
}

/// An event in short, as the tests below write it.
fn short(event: Event<'_>) -> String {
    match event {
        Event::Start { whole } => format!("start {whole}"),
        Event::Bytes { bytes, packet } => format!("{packet} {}", String::from_utf8_lossy(bytes)),
        Event::Gap { bytes } => format!("gap {bytes}"),
        Event::Conflict { bytes, packet } => format!("{packet} differs in {bytes}"),
        Event::End { reset } => format!("end {reset}"),
    }
}

/// What becomes known of segments numbered from 1, each a sequence number, flags and bytes; and what they came to.
fn told(segments: &[(u32, u16, &str)]) -> (Vec<String>, Tally) {
    let mut streams = Streams::default();
    let mut events = Vec::new();
    let mut tell = |_: &Ends, event: Event<'_>| events.push(short(event));
    for (packet, (sequence, flags, bytes)) in (1..).zip(segments) {
        streams.take(ends(), segment(*sequence, *flags), bytes.as_bytes(), packet, &mut tell);
    }
    let tally = streams.finish(&mut tell);
    (events, tally)
}

const NONE: u16 = Segment::ACK;
const SYN: u16 = Segment::SYN;
const FIN: u16 = Segment::FIN | Segment::ACK;
const RST: u16 = Segment::RST;

#[test]
fn streams_by_hand() {
    type Case<'a> = (&'a str, &'a [(u32, u16, &'a str)], &'a [&'a str]);
    let cases: [Case<'_>; 16] = [
        (
            "in order",
            &[(9, SYN, ""), (10, NONE, "ab"), (12, FIN, "c")],
            &["start true", "2 ab", "3 c", "end false"],
        ),
        ("data on the SYN", &[(9, SYN, "a"), (11, NONE, "b")], &["start true", "1 a", "2 b"]),
        ("only acknowledgments", &[(10, NONE, "")], &[]),
        ("mid-stream", &[(10, NONE, "ab"), (12, NONE, "c")], &["start false", "1 ab", "2 c"]),
        ("out of order", &[(9, SYN, ""), (12, NONE, "c"), (10, NONE, "ab")], &["start true", "3 ab", "2 c"]),
        ("wrap", &[(u32::MAX, NONE, "ab"), (1, NONE, "c")], &["start false", "1 ab", "2 c"]),
        (
            "repeated",
            &[(10, NONE, "ab"), (10, NONE, "ab"), (10, NONE, "abc")],
            &["start false", "1 ab", "3 c"],
        ),
        (
            "told otherwise",
            &[(10, NONE, "abc"), (11, NONE, "bX")],
            &["start false", "1 abc", "2 differs in 1"],
        ),
        (
            "otherwise while it waits",
            &[(9, SYN, ""), (12, NONE, "cd"), (11, NONE, "bXd"), (10, NONE, "a")],
            &["start true", "3 differs in 1", "4 a", "3 b", "2 cd"],
        ),
        ("a gap at the end", &[(10, NONE, "a"), (14, NONE, "e")], &["start false", "1 a", "gap 3", "2 e"]),
        (
            "a gap before FIN",
            &[(10, NONE, "a"), (14, FIN, "")],
            &["start false", "1 a", "gap 3", "end false"],
        ),
        (
            "reset",
            &[(10, NONE, "a"), (13, NONE, "d"), (11, RST, "")],
            &["start false", "1 a", "gap 2", "2 d", "end true"],
        ),
        (
            "an old reset",
            &[(10, NONE, "abc"), (11, RST, ""), (13, NONE, "d")],
            &["start false", "1 abc", "3 d"],
        ),
        (
            "a probe",
            &[(10, NONE, "abc"), (12, NONE, "\0"), (13, NONE, "d")],
            &["start false", "1 abc", "3 d"],
        ),
        (
            "the same ports again",
            &[(9, SYN, ""), (10, NONE, "a"), (90_000, SYN, ""), (90_000, SYN, ""), (90_001, NONE, "b")],
            &["start true", "2 a", "start true", "5 b"],
        ),
        ("after the end", &[(10, FIN, "a"), (12, NONE, "c")], &["start false", "1 a", "end false", "2 c"]),
    ];
    for (what, segments, events) in cases {
        assert_eq!(told(segments).0, events, "{what}");
    }
}

#[test]
fn numbers_that_jump_are_followed_once_confirmed() {
    const FAR: u32 = 1 << 28;
    let (events, tally) = told(&[(10, NONE, "a"), (FAR, NONE, "xx"), (11, NONE, "b"), (12, NONE, "c")]);
    assert_eq!(events, ["start false", "1 a", "3 b", "4 c"]);
    assert_eq!(tally.stray_segments, 1);
    let (events, _) = told(&[(10, NONE, "a"), (FAR, NONE, "xx"), (FAR + 2, NONE, "y")]);
    assert_eq!(events, ["start false", "1 a", &format!("gap {}", FAR + 2 - 11), "3 y"]);
    let (events, _) = told(&[(FAR, NONE, "a"), (10, NONE, "xx"), (12, NONE, "y")]);
    assert_eq!(events, ["start false", "1 a", "start false", "3 y"]);
}

#[test]
fn what_cannot_be_compared_is_counted() {
    let (_, tally) = told(&[(10, NONE, "ab"), (5, NONE, "vwxyzab"), (11, NONE, "b?")]);
    assert_eq!((tally.unknown_bytes, tally.repeated_bytes), (5, 3));
}

#[test]
fn a_gap_is_told_when_too_much_waits() {
    let mut streams = Streams::default();
    let (mut gaps, mut bytes) = (0, 0);
    let mut tell = |_: &Ends, event: Event<'_>| match event {
        Event::Gap { bytes } => gaps += bytes,
        Event::Bytes { bytes: more, .. } => bytes += more.len(),
        _ => {}
    };
    streams.take(ends(), segment(0, SYN), b"", 1, &mut tell);
    let piece = vec![b'a'; 1_000];
    for index in 1..1_000 {
        streams.take(ends(), segment(1 + index * 1_000, NONE), &piece, 2, &mut tell);
        assert!(streams.held_bytes <= WAITING_BYTES * 2 + KEPT_BYTES * 2);
    }
    let tally = streams.finish(&mut tell);
    assert_eq!((gaps, bytes, tally.missing_bytes), (1_000, 999_000, 1_000));
}

#[test]
fn memory_for_all_streams_is_bounded() {
    let mut streams = Streams::default();
    let mut told = 0;
    let mut tell = |_: &Ends, event: Event<'_>| told += usize::from(matches!(event, Event::Bytes { .. }));
    let piece = vec![b'a'; 60_000];
    for port in 0..20_000u16 {
        let (mut source, destination) = ends();
        source.port = Some(port);
        streams.take((source, destination), segment(0, SYN), b"", 1, &mut tell);
        streams.take((source, destination), segment(9, NONE), &piece, 1, &mut tell);
        assert!(streams.held_bytes <= MEMORY_BYTES && streams.halves.len() <= DIRECTIONS_MAX);
    }
    let tally = streams.finish(&mut tell);
    assert_eq!((told, tally.missing_bytes), (20_000, 20_000 * 8));
}

proptest! {
    #[test]
    fn any_order_with_repeats_gives_the_stream(
        data in proptest::collection::vec(any::<u8>(), 1..2_000),
        first in any::<u32>(),
        pieces in proptest::collection::vec((0..2_000usize, 1..300usize, any::<u32>()), 0..40),
    ) {
        // Segments that cover everything, others that overlap them, in the order of a random number.
        let mut segments: Vec<(u32, usize, usize)> = Vec::new();
        for (index, start) in (0..data.len()).step_by(97).enumerate() {
            let mixed = u32::try_from(index).unwrap().wrapping_mul(first | 1).rotate_left(11);
            segments.push((mixed, start, (start + 97).min(data.len())));
        }
        for (start, len, mixed) in pieces {
            let start = start % data.len();
            segments.push((mixed, start, (start + len).min(data.len())));
        }
        segments.sort_unstable();
        let mut streams = Streams::default();
        let (mut read, mut others) = (Vec::new(), Vec::new());
        let mut tell = |_: &Ends, event: Event<'_>| match event {
            Event::Bytes { bytes, .. } => read.extend_from_slice(bytes),
            other => others.push(short(other)),
        };
        streams.take(ends(), segment(first, SYN), b"", 0, &mut tell);
        for (packet, (_, start, end)) in segments.iter().enumerate() {
            let sequence = first.wrapping_add(1).wrapping_add(u32::try_from(*start).unwrap());
            streams.take(ends(), segment(sequence, NONE), &data[*start..*end], packet, &mut tell);
        }
        let tally = streams.finish(&mut tell);
        prop_assert_eq!(read, data);
        prop_assert_eq!(others, ["start true"]);
        prop_assert_eq!((tally.unknown_bytes, tally.different_bytes), (0, 0));
    }

    #[test]
    fn nothing_that_arrives_makes_it_panic_or_hold_too_much(
        segments in proptest::collection::vec((any::<u32>(), 0..4u32, 0..32u16, 0..40usize), 0..200),
    ) {
        let mut streams = Streams::default();
        let mut tell = |_: &Ends, _: Event<'_>| ();
        for (packet, (number, shift, flags, len)) in segments.iter().enumerate() {
            // Often near each other, sometimes anywhere.
            let number = number >> (shift * 8);
            streams.take(ends(), segment(number, *flags), &vec![b'x'; *len], packet, &mut tell);
        }
        let _tally = streams.finish(&mut tell);
    }
}
