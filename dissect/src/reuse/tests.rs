//! Each kind of reuse, planted among random bytes.

use super::*;
use crate::dissection::Dissection;
use crate::test_random::random_bytes;
use crate::tree::{Class, Tree};

/// The bodies as samples of packets 1, 2, 3 and so on.
fn detect(bodies: &[Vec<u8>]) -> ReuseReport {
    let mut detector = Detector::new();
    for (packet, bytes) in (1..).zip(bodies) {
        detector.take(&Sample { packet, kind: "datagram", bytes });
    }
    detector.finish()
}

fn noise(seeds: std::ops::Range<u64>, len: usize) -> Vec<Vec<u8>> {
    seeds.map(|seed| random_bytes(seed, len)).collect()
}

#[test]
fn random_bytes_have_no_reuse() {
    let report = detect(&noise(0..500, 200));
    assert_eq!((report.repeated_windows, report.shared_keystream), (vec![], vec![]));
    assert_eq!((report.window_sampling_bits, report.windows), (0, 500 * 185));
}

#[test]
fn sixteen_equal_bytes_are_found_at_any_offset() {
    let mut bodies = noise(0..50, 200);
    let window = bodies[3][17..33].to_vec();
    bodies[40][101..117].copy_from_slice(&window);
    assert_eq!(detect(&bodies).repeated_windows, [Pair { first: 4, second: 41 }]);
}

#[test]
fn equal_blocks_of_one_sample_are_found() {
    let mut body = random_bytes(1, 200);
    body.copy_within(16..32, 64);
    assert_eq!(detect(&[body]).repeated_windows, [Pair { first: 1, second: 1 }]);
}

#[test]
fn two_texts_under_one_keystream_are_found() {
    const FIRST: &[u8] = b"we meet at the old mill when the moon is up, come alone and bring the map. ";
    const SECOND: &[u8] = b"nothing of this was ever said by anyone, and nobody will be able to tell it. ";
    let keystream = random_bytes(1, 120);
    let seal = |text: &[u8], skipped: usize| -> Vec<u8> {
        let text = text.repeat(2);
        let sealed = keystream.iter().zip(&text).map(|(k, t)| k ^ t);
        // What stands in front of a text may be anything, a message id for example.
        random_bytes(skipped as u64 + 7, skipped).into_iter().chain(sealed.skip(skipped)).collect()
    };
    for skipped in [0, 30] {
        let mut bodies = noise(10..200, 120);
        bodies[20] = seal(FIRST, skipped);
        bodies[90] = seal(SECOND, skipped);
        assert_eq!(detect(&bodies).shared_keystream, [Pair { first: 21, second: 91 }], "{skipped}");
    }
}

#[test]
fn a_retransmission_is_not_reuse() {
    let body = random_bytes(1, 200);
    assert_eq!(detect(&[body.clone(), body]).repeated_windows, []);
}

/// An INIT of an attempt with an X25519 key.
fn init(attempt: u8, key: &[u8]) -> Vec<u8> {
    let mut datagram = [&[0xc0][..], b"SGM1", &[attempt; 8], key].concat();
    datagram.resize(1200, attempt);
    datagram
}

#[test]
fn whole_datagrams_and_their_keys() {
    let mut tree = Tree::default();
    tree.push("header", Class::Header, 13);
    tree.push("ephemeral-key", Class::KeyShare, 32);
    let mut detector = Detector::new();
    let key = random_bytes(1, 32);
    for (number, datagram) in (1..).zip([init(1, &key), init(1, &key), init(2, &key), init(3, &[0; 32])]) {
        let dissection = Dissection { tree: tree.clone(), payload: Some(0..1200), ..Dissection::default() };
        detector.take_datagram(&Packet { number, dissection, ..Packet::default() }, &datagram);
    }
    let report = detector.finish();
    assert_eq!(report.identical_datagrams, 1);
    assert_eq!(report.reused_keys, [Pair { first: 1, second: 3 }]);
    assert_eq!(report.low_order_keys, [4]);
}
