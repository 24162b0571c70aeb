//! Noise.

use super::*;
use node_proto::random::Random;
use spec::VERSION;

/// Random datagrams from one pool of random bytes, about half of them with something plausible in front.
struct Noise {
    random: Random,
    pool: Vec<u8>,
    plausible: Vec<Vec<u8>>,
}

impl Noise {
    fn new(plausible: Vec<Vec<u8>>) -> Self {
        let mut random = Random::new([7; 32]);
        let pool = random.array::<65_536>().to_vec();
        Self { random, pool, plausible }
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.random.number() % bound as u64).expect("below a usize")
    }

    fn next(&mut self) -> Vec<u8> {
        let draw = self.below(64);
        let len = match draw {
            0..=2 => 1200,
            3..=5 => 128,
            6..=20 => [28, 29, 93, 157, 285, 541, 1053][self.below(7)],
            21..=50 => self.below(64),
            _ => self.below(1500),
        };
        let start = self.below(self.pool.len() - len);
        let mut datagram = self.pool[start..start + len].to_vec();
        if let Some(first) = datagram.first_mut() {
            *first ^= self.random.array::<1>()[0];
            if draw < 6 {
                *first |= 0xc0;
            } else if draw <= 20 {
                *first = *first & 0x3f | 0x40;
            }
        }
        // The version, an attempt id or a connection id that exist.
        if draw < 6 && !draw.is_multiple_of(3) {
            datagram[1..5].copy_from_slice(&VERSION);
        }
        let model = self.below(self.plausible.len());
        let model = &self.plausible[model];
        let head = if draw % 3 == 2 && draw < 21 { 13 } else { 0 };
        let head = head.min(datagram.len()).min(model.len());
        datagram[..head].copy_from_slice(&model[..head]);
        datagram
    }
}

/// A million random datagrams, many with a right length, version, attempt or connection id: no panic, no answer,
/// no entry, no session; and two people chat beside it as if nothing were.
#[test]
fn a_million_random_datagrams_change_nothing() {
    let (mut world, [ann, bob]) = conversation(5, Link::GOOD, 3);
    let mut noise = Noise::new(sent_to_hub(&world).into_iter().map(|(_, datagram)| datagram).collect());
    let before = state(&mut world);
    let sources = [world.nodes[0].address, world.nodes[1].address, elsewhere()];
    for round in 0..100usize {
        let snapshot_before = snapshot(world.hub());
        let discarded = world.hub().stats().discarded;
        for index in 0..10_000usize {
            let datagram = noise.next();
            //= spec/PROTOCOL.md#the-hub-silence
            //= type=test
            //# An endpoint MUST drop, without any answer, every datagram that this document does not tell it to
            //# answer.
            assert!(world.inject(sources[index % 3], &datagram).is_empty());
        }
        assert_eq!(world.hub().stats().discarded, discarded + 10_000);
        assert!(snapshot(world.hub()) == snapshot_before, "round {round}: something but counters changed");
        assert_works(&mut world, if round % 2 == 0 { ann } else { bob }, &format!("round {round}"));
    }
    assert_eq!(state(&mut world), before);
    assert!(world.nodes.iter().all(|node| node.texts().len() == 106));
}

/// The forms and the type that no version of this protocol has are dropped at both ends, whatever follows.
#[test]
fn forms_and_types_that_do_not_exist_are_dropped() {
    let (mut world, [ann, _]) = conversation(6, Link::GOOD, 1);
    let from = world.nodes[0].address;
    let path = node_proto::transmit::Path::new(hub_address(), 0);
    let capture: Vec<Vec<u8>> = world.wire.iter().map(|(_, _, datagram)| datagram.clone()).collect();
    for datagram in &capture {
        for first in (0x00..0x40).chain(0x80..0xc0).chain(0xf8..=0xff) {
            let mut other = datagram.clone();
            other[0] = first;
            //= spec/PROTOCOL.md#long-datagrams
            //= type=test
            //# A receiver MUST drop a datagram whose form is `00` or `10`, and a LONG datagram of type 7.
            assert!(world.inject(from, &other).is_empty());
            let now = world.now;
            assert!(world.client(ann).handle_datagram(now, path, &mut other).is_err());
        }
    }
    assert_works(&mut world, ann, "still here");
}
