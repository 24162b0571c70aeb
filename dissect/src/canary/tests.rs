//! Secrets in every disguise, and the chance of finding what is not there.

use super::*;
use crate::test_random::random_bytes;
use crate::{flow, packet};

/// A capture of UDP datagrams of one flow over raw IPv4.
fn capture(payloads: &[Vec<u8>]) -> Capture {
    let mut file: Vec<u8> = [0xa1b2_c3d4_u32, 0x0002_0004, 0, 0, 65_535, 101]
        .iter()
        .flat_map(|word| word.to_be_bytes())
        .collect();
    for payload in payloads {
        let len = u16::try_from(payload.len()).unwrap();
        for word in [0, 0, u32::from(len) + 28, u32::from(len) + 28] {
            file.extend(word.to_be_bytes());
        }
        file.extend([0x45, 0]);
        file.extend((len + 28).to_be_bytes());
        file.extend([0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 7, 0, 9]);
        file.extend((len + 8).to_be_bytes());
        file.extend([0, 0]);
        file.extend(payload);
    }
    Capture::read(file.as_slice()).unwrap()
}

fn find(text: &str, payloads: &[Vec<u8>]) -> CanaryReport {
    let capture = capture(payloads);
    let packets = packet::take_apart(&capture);
    search(&[Canary::text(1, text)], &capture, &packets, &flow::group(&packets))
}

fn noise(count: u64, len: usize) -> Vec<Vec<u8>> {
    (0..count).map(|seed| random_bytes(seed, len)).collect()
}

fn put(payload: &mut [u8], at: usize, bytes: &[u8]) {
    payload[at..at + bytes.len()].copy_from_slice(bytes);
}

const SECRET: &str = "Correct Horse 42";

#[test]
fn disguises_inside_one_packet() {
    let xor = |key: &[u8]| -> Vec<u8> {
        SECRET.bytes().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect()
    };
    let mut chained = vec![0x33];
    for byte in SECRET.bytes() {
        chained.push(byte ^ chained.last().unwrap());
    }
    let cases: [(&str, Vec<u8>); 12] = [
        ("literal", SECRET.into()),
        ("other case", SECRET.to_lowercase().into()),
        ("UTF-16", SECRET.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("base64", b"Q29ycmVjdCBIb3JzZSA0Mg==".to_vec()),
        ("base64 of more", b"eENvcnJlY3QgSG9yc2UgNDI=".to_vec()),
        ("hex", b"436F727265637420486F727365203432".to_vec()),
        ("reversed", SECRET.chars().rev().collect::<String>().into()),
        ("rot13", b"Pbeerpg Ubefr 42".to_vec()),
        ("inverted", SECRET.bytes().map(|byte| !byte).collect()),
        ("XOR with one byte", xor(&[0x5a])),
        ("XOR with five bytes", xor(b"\x01\x99\xfe\x20\x77")),
        ("XOR with the byte before", chained),
    ];
    for (what, bytes) in cases {
        let mut payloads = noise(6, 200);
        put(&mut payloads[3], 70, &bytes);
        let report = find(SECRET, &payloads);
        assert!(report.canaries[0].strong);
        assert_eq!(report.canaries[0].on_wire, 1, "{what}: {:?}", report.canaries[0].places);
        assert_eq!(report.canaries[0].places[0].packet, Some(4), "{what}");
    }
    let added: Vec<u8> = SECRET.bytes().map(|byte| byte.wrapping_add(100)).collect();
    let mut payloads = noise(6, 200);
    put(&mut payloads[2], 9, &added);
    assert!(find(SECRET, &payloads).canaries[0].on_wire >= 1, "addition");
}

#[test]
fn disguises_across_packets() {
    // In two pieces behind a header of five bytes.
    let mut payloads = noise(6, 60);
    put(&mut payloads[2], 52, &SECRET.as_bytes()[..8]);
    put(&mut payloads[3], 5, &SECRET.as_bytes()[8..]);
    let places = find(SECRET, &payloads).canaries[0].places.clone();
    assert_eq!(places[0].view, "stream without 5 header bytes");
    // One character a packet, at the same place.
    let mut payloads = noise(40, 60);
    for (payload, byte) in payloads.iter_mut().skip(7).zip(SECRET.bytes()) {
        payload[11] = byte;
    }
    let places = find(SECRET, &payloads).canaries[0].places.clone();
    assert_eq!((places[0].view.as_str(), places[0].packet), ("column 11", Some(8)));
}

#[test]
fn the_control_finds_everything_and_noise_has_nothing() {
    let report = find(SECRET, &noise(50, 700));
    assert_eq!(report.canaries[0].on_wire + report.canaries[0].in_file_meta, 0);
    assert!(report.control_passed(), "{} of {}", report.control_found, report.control_planted);
}

#[test]
fn the_control_works_without_a_single_packet() {
    let report = find(SECRET, &[]);
    assert!(report.control_passed(), "{} of {}", report.control_found, report.control_planted);
}

#[test]
fn short_or_repetitive_secrets_are_weak() {
    for text in ["ann", "12345", "aaaaaaaaaaaaaaaaaaaaaaaa"] {
        let report = find(text, &noise(10, 700));
        assert!(!report.canaries[0].strong, "{text}");
        assert!(report.canaries[0].expected_chance_hits > 1e-6);
    }
}

#[test]
fn long_secrets_are_searched_by_their_ends() {
    let secret: String = "the quick brown fox 0123456789 jumps over ".chars().cycle().take(300).collect();
    let mut payloads = noise(4, 500);
    put(&mut payloads[1], 100, &secret.as_bytes()[250..]);
    assert!(find(&secret, &payloads).canaries[0].on_wire >= 1);
}

#[test]
fn keys_are_found_as_bytes_and_as_text() {
    let key = random_bytes(99, 32);
    let hex: Vec<u8> = key.iter().flat_map(|byte| format!("{byte:02X}").into_bytes()).collect();
    for form in [key.clone(), hex] {
        let mut payloads = noise(4, 500);
        put(&mut payloads[1], 100, &form);
        let capture = capture(&payloads);
        let packets = packet::take_apart(&capture);
        let report = search(&[Canary::bytes("key", &key)], &capture, &packets, &flow::group(&packets));
        assert_eq!(report.canaries[0].on_wire, 1);
        assert!(report.control_passed());
    }
}
