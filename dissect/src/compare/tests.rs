//! Groups of captures that differ, and groups that do not.

use super::*;
use crate::session::Kind;

const CLIENT: Stream = Stream { kind: Kind::Short, from_client: true };
const HUB: Stream = Stream { kind: Kind::Short, from_client: false };

/// Changes a datagram by its number.
type Leak = fn(u32, &mut Vec<u8>);

/// What makes the datagrams of a made-up capture.
#[derive(Clone, Copy)]
struct Script {
    seed: u64,
    count: u32,
    leak: Leak,
}

const HONEST: Leak = |_, _| ();

fn observed(script: Script) -> Observed {
    let mut noise = Noise::new(script.seed, 0);
    let mut observed = Observed::default();
    observed.established = 1;
    let ids = [CLIENT, HUB].map(|_| noise.bytes(8));
    for number in 0..script.count {
        for (stream, id) in [CLIENT, HUB].into_iter().zip(&ids) {
            let len = if noise.below(3) == 0 { 157 } else { 93 };
            let mut datagram = noise.bytes(len);
            datagram[0] = 0x40 | datagram[0] & 0x3f;
            datagram[1..9].copy_from_slice(id);
            if stream == CLIENT {
                (script.leak)(number, &mut datagram);
            }
            observed.take(stream, Some(i128::from(number) * 1_000_000), &datagram);
        }
    }
    observed
}

fn compare_two(a: Script, b: Script) -> Comparison {
    compare(&[observed(a)], &[observed(b)])
}

#[test]
fn equal_scripts_look_alike() {
    for seed in 0..5 {
        let script = |seed| Script { seed, count: 120, leak: HONEST };
        let comparison = compare_two(script(2 * seed), script(2 * seed + 1));
        assert_eq!(comparison.answer(), Answer::ContentIndependent, "{:?}", comparison.compared.first());
        assert!(comparison.compared.len() > 200);
        assert!(comparison.undecided[0].contains("captures of each content are needed"));
    }
}

#[test]
fn content_that_shows_is_found_and_named() {
    let honest = Script { seed: 1, count: 120, leak: HONEST };
    let cases: [(&str, Leak); 4] = [
        ("length of SHORT of the client", |_, datagram| datagram.resize(datagram.len() + 64, 7)),
        ("byte 40 of SHORT of the client", |number, datagram| datagram[40] = b"secret"[number as usize % 6]),
        ("byte 0 of SHORT of the client", |_, datagram| datagram[0] &= !2),
        ("byte 1 from the end of SHORT of the client", |_, datagram| {
            if let Some(last) = datagram.last_mut() {
                *last = 0;
            }
        }),
    ];
    for (expected, leak) in cases {
        let comparison = compare_two(honest, Script { seed: 2, leak, ..honest });
        assert_eq!(comparison.answer(), Answer::Differs, "{expected}: {:?}", comparison.compared.first());
        let named: Vec<&str> = comparison
            .compared
            .iter()
            .filter(|compared| compared.differs)
            .map(|compared| compared.observable.as_str())
            .collect();
        assert!(named.contains(&expected), "{expected}: {named:?}");
    }
}

#[test]
fn numbers_of_datagrams_take_many_captures() {
    let group = |seeds: std::ops::Range<u64>, count| -> Vec<Observed> {
        seeds.map(|seed| observed(Script { seed, count: count + (seed % 3) as u32, leak: HONEST })).collect()
    };
    let few = compare(&group(0..2, 20), &group(10..12, 40));
    assert_eq!(few.answer(), Answer::ContentIndependent, "two captures each do not decide");
    let many = compare(&group(0..10, 20), &group(10..20, 40));
    assert_eq!(many.answer(), Answer::Differs);
    assert!(many.compared[0].observable.contains("of SHORT of the"), "{:?}", many.compared[0]);
}

#[test]
fn too_little_is_inconclusive() {
    assert_eq!(compare(&[], &[]).answer(), Answer::Inconclusive);
    let script = Script { seed: 1, count: 10, leak: HONEST };
    assert_eq!(compare_two(script, Script { seed: 2, ..script }).answer(), Answer::Inconclusive);
}
