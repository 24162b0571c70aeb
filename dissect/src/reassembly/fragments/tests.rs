//! Fragments in every order, and those that no sound network sends.

use proptest::prelude::*;

use super::*;

fn key(id: u32) -> Key {
    Key { source: [10, 0, 0, 1].into(), destination: [10, 0, 0, 2].into(), id, protocol: Some(17) }
}

fn part(offset: usize, more: bool, bytes: &[u8]) -> Part<'_> {
    Part { offset, more, protocol: 17, bytes, cut: false, packet: 1 + offset / 8 }
}

/// Takes fragments of one packet, one a nanosecond; what the last came to.
fn last(parts: &[Part<'_>]) -> Outcome {
    let mut fragments = Fragments::default();
    let mut take = |(now, part)| fragments.take(key(1), part, Some(now));
    (0..).zip(parts).map(&mut take).last().unwrap()
}

#[test]
fn what_no_sound_network_sends_is_refused() {
    let cases: [(&str, &[Part<'_>], Fault); 9] = [
        ("other bytes twice", &[part(0, true, b"abcdefgh"), part(0, true, b"abcdefgX")], Fault::Overlap(1)),
        ("teardrop", &[part(0, true, &[0; 32]), part(24, false, &[0; 4])], Fault::Size),
        ("behind the end", &[part(8, false, b"i"), part(16, true, &[0; 8])], Fault::Size),
        ("two ends", &[part(8, false, b"i"), part(8, false, b"ij")], Fault::Size),
        ("before what was there", &[part(16, true, &[0; 8]), part(8, false, b"i")], Fault::Size),
        ("empty", &[part(8, true, b"")], Fault::Size),
        ("no multiple of eight", &[part(0, true, b"abc")], Fault::Size),
        ("ping of death", &[part(65_528, false, &[0; 9])], Fault::Size),
        ("cut", &[Part { cut: true, ..part(0, true, &[0; 8]) }], Fault::Cut),
    ];
    for (what, parts, fault) in cases {
        assert_eq!(last(parts), Outcome::Refused(fault), "{what}");
    }
    let after = [part(0, true, b"abcdefgh"), part(0, true, b"abcdefgX"), part(8, false, b"i")];
    assert_eq!(last(&after), Outcome::GivenUp);
}

#[test]
fn fragments_seen_twice_are_counted_and_an_id_is_used_again() {
    let mut fragments = Fragments::default();
    let mut take = |part| fragments.take(key(1), &part, None);
    assert_eq!(take(part(8, false, b"i")), Outcome::Waiting);
    assert_eq!(take(part(8, false, b"i")), Outcome::Waiting);
    let Outcome::Whole(whole) = take(part(0, true, b"abcdefgh")) else { panic!("both are there") };
    assert_eq!((whole.bytes.as_slice(), whole.packets.as_slice()), (&b"abcdefghi"[..], &[1, 2][..]));
    assert_eq!(take(part(0, true, b"abcdefgh")), Outcome::Repeated);
    assert_eq!(take(part(0, true, b"ABCDEFGH")), Outcome::Waiting);
    let tally = Tally {
        fragments: 5,
        whole: 1,
        repeated_bytes: 9,
        refused: 0,
        unfinished: 1,
        first_unfinished: Some(1),
    };
    assert_eq!(fragments.finish(), tally);
}

#[test]
fn a_whole_datagram_is_dissected() {
    let mut datagram = vec![0, 7, 0, 9, 0, 13, 0, 0];
    datagram.extend(b"hello");
    let (head, tail) = datagram.split_at(8);
    let Outcome::Whole(whole) = last(&[part(0, true, head), part(8, false, tail)]) else { panic!("whole") };
    let dissection = whole.dissect();
    assert_eq!(dissection.payload, Some(8..13));
    assert_eq!(dissection.ends.unwrap().1.to_string(), "10.0.0.2:9");
}

#[test]
fn time_and_memory_are_bounded() {
    let mut fragments = Fragments::default();
    let piece = vec![0; 1_480];
    for id in 0..20_000 {
        let outcome =
            fragments.take(key(id), &Part { packet: 1, ..part(0, true, &piece) }, Some(i128::from(id)));
        assert_eq!(outcome, Outcome::Waiting);
        assert!(fragments.memory_bytes <= MEMORY_BYTES);
    }
    assert!(fragments.tally.unfinished > 5_000);
    let _waiting = fragments.take(key(20_000), &part(0, true, &piece), Some(20_000 + WAIT_NS));
    assert_eq!(fragments.packets.len(), 1);
    assert_eq!(fragments.finish().unfinished, 20_001);
}

#[test]
fn too_many_pieces_are_refused() {
    let mut fragments = Fragments::default();
    let mut take = |index: usize| fragments.take(key(1), &part(index * 16, true, &[0; 8]), None);
    assert!((0..PIECES_MAX).all(|index| take(index) == Outcome::Waiting));
    assert_eq!(take(PIECES_MAX), Outcome::Refused(Fault::Pieces));
}

proptest! {
    #[test]
    fn any_order_with_repeats_makes_the_packet(
        data in proptest::collection::vec(any::<u8>(), 9..400),
        cuts in proptest::collection::vec((0..50usize, 1..8usize), 0..20),
        order in any::<u64>(),
    ) {
        // Pieces of eight bytes that cover everything, and others that overlap them.
        let units = data.len().div_ceil(8);
        let mut pieces: Vec<(usize, usize)> = (0..units).map(|unit| (unit, unit + 1)).collect();
        pieces.extend(cuts.iter().map(|(from, len)| (from % units, (from % units + len).min(units))));
        let mut shuffled: Vec<_> = pieces.into_iter().enumerate().collect();
        shuffled.sort_by_key(|(index, _)| (*index as u64).wrapping_mul(order | 1).rotate_left(17));
        let mut fragments = Fragments::default();
        let mut wholes = Vec::new();
        for (_, (from, to)) in shuffled {
            let bytes = &data[from * 8..(to * 8).min(data.len())];
            match fragments.take(key(1), &part(from * 8, to < units, bytes), None) {
                Outcome::Whole(whole) => wholes.push(whole.bytes),
                Outcome::Waiting | Outcome::Repeated => {}
                other => prop_assert!(false, "{other:?}"),
            }
        }
        prop_assert_eq!(wholes, [data]);
        prop_assert_eq!(fragments.finish().unfinished, 0);
    }
}
