//! Secrets in every disguise, and the chance of finding what is not there.

use proptest::prelude::*;

use super::*;
use crate::bytes::count;
use crate::dissection::{Endpoint, Protocol};
use crate::source::Source;
use crate::test_random::random_bytes;
use crate::{Options, examine};

/// A capture of UDP datagrams of one flow over raw IPv4.
fn capture(payloads: &[Vec<u8>]) -> Source {
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
    Source::memory(file)
}

fn search(canary: Canary, payloads: &[Vec<u8>]) -> CanaryReport {
    let options = Options { canaries: vec![canary], ..Options::default() };
    examine(&capture(payloads), &options, &(), &mut |_| {}).unwrap().canary
}

fn find(text: &str, payloads: &[Vec<u8>]) -> CanaryReport {
    search(Canary::from(text), payloads)
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
        assert!(report.canaries[0].strength.strong);
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
        assert!(!report.canaries[0].strength.strong, "{text}");
        assert!(report.canaries[0].strength.expected_chance_hits > 1e-6);
    }
}

#[test]
fn a_part_of_a_secret_is_enough() {
    let words = "seventeen green bottles stand upon a wall; nobody knows who drank from them before noon";
    // Half of a short secret, 24 bytes of a long one, whole or in an encoding.
    for (secret, part) in [(&words[..24], 5..17), (words, 31..55), (words, 0..24), (words, 60..86)] {
        for form in [secret[part.clone()].as_bytes().to_vec(), hex(&secret.as_bytes()[part.clone()])] {
            let mut payloads = noise(4, 300);
            put(&mut payloads[1], 100, &form);
            let report = find(secret, &payloads);
            assert_eq!(report.canaries[0].on_wire, 1, "{part:?} of {secret}");
            assert!(report.control_passed());
        }
    }
    let mut payloads = noise(4, 300);
    put(&mut payloads[1], 100, &words.as_bytes()[31..50]);
    assert_eq!(find(words, &payloads).canaries[0].on_wire, 0, "a few words are not the secret");
}

#[test]
fn a_character_a_packet() {
    // As telnet sends a password, with acknowledgements that carry nothing between.
    let payloads: Vec<Vec<u8>> = SECRET.bytes().flat_map(|byte| [vec![byte], vec![]]).collect();
    let result = &find(SECRET, &payloads).canaries[0];
    assert_eq!((result.on_wire, result.places[0].packet), (1, Some(1)));
}

#[test]
fn compressed_bodies_in_a_packet_and_in_a_stream() {
    let page = format!("<p>{}</p><p>{SECRET}</p>", "lorem ipsum dolor sit amet, ".repeat(3));
    let noisy: Vec<u8> = [page.into_bytes(), random_bytes(8, 900)].concat();
    for codec in unpack::Codec::ALL {
        let packed = unpack::pack(codec, &noisy);
        let whole = [b"HTTP/1.1 200 OK\r\n\r\n", &packed[..]].concat();
        let result = find(SECRET, &[random_bytes(1, 90), whole.clone()]).canaries.remove(0);
        let unpacked = result.places.iter().find(|place| place.view.starts_with("unpacked"));
        assert_eq!(unpacked.and_then(|place| place.packet), Some(2), "{codec}");
        let pieces: Vec<Vec<u8>> = whole.chunks(100).map(<[u8]>::to_vec).collect();
        let result = find(SECRET, &pieces).canaries.remove(0);
        assert!(result.on_wire >= 1, "{codec} in pieces");
    }
}

#[test]
fn what_was_put_together_from_fragments_is_searched_within() {
    let mut payload = random_bytes(3, 2_000);
    put(&mut payload, 1_000, SECRET.as_bytes());
    let mut search = Search::new(&[Canary::from(SECRET)], Size { file_bytes: 5_000 });
    let end = |port| Endpoint { ip: [192, 0, 2, 1].into(), port: Some(port) };
    search.payload((Protocol::Udp, end(1), end(2)), 7, None, &payload);
    let result = search.finish().canaries.remove(0);
    assert_eq!((result.places[0].packet, result.places[0].file_offset), (Some(7), None));
}

#[test]
fn more_directions_than_there_is_room_for_are_told() {
    let mut search = Search::new(&[Canary::from(SECRET)], Size { file_bytes: 1 << 20 });
    for number in 0..66_000_u32 {
        let end = |ip: u32| Endpoint { ip: std::net::Ipv4Addr::from(ip).into(), port: None };
        search.payload((Protocol::Udp, end(number), end(0)), 1, Some(0), b"x");
    }
    assert_eq!(search.finish().forgotten_directions, 66_000 - 65_536);
}

#[test]
fn what_others_decoded_is_searched() {
    let mut search = Search::new(&[Canary::from(SECRET)], Size { file_bytes: 5_000 });
    search.decoded(3, format!("x{SECRET}x").as_bytes());
    let result = search.finish().canaries.remove(0);
    assert_eq!((result.places[0].view.as_str(), result.places[0].packet), ("decoded", Some(3)));
}

#[test]
fn weak_forms_of_a_strong_secret_are_named_and_searched() {
    // Long enough as text; of its whole groups of four bytes in Ascii85 there may be only one.
    let secret = "xK9#vQ2!w";
    let mut payloads = noise(4, 300);
    put(&mut payloads[1], 100, &encoding::ascii85(secret.as_bytes(), 3));
    let report = find(secret, &payloads);
    let result = &report.canaries[0];
    assert!(result.strength.strong && result.strength.weak_forms == ["ascii85"], "{:?}", result.strength);
    assert_eq!((result.on_wire, result.weak_hits > 0), (0, true));
    assert!(report.control_passed());
    let longer = &find(SECRET, &noise(4, 300)).canaries[0].strength;
    assert!(
        longer.weak_forms.is_empty() && longer.xor_key_bytes > result.strength.xor_key_bytes,
        "{longer:?}"
    );
}

#[test]
fn encodings_of_others() {
    use data_encoding::{BASE32, BASE64, BASE64URL, HEXLOWER, HEXUPPER};
    let secret = "Pick up: the \u{fc}ber key!?";
    for ahead in 0..5 {
        let text = [&b"abcde"[..ahead], secret.as_bytes(), b"tail"].concat();
        for (what, encoding) in [
            ("base64", BASE64),
            ("base64url", BASE64URL),
            ("base32", BASE32),
            ("hex", HEXLOWER),
            ("HEX", HEXUPPER),
        ] {
            let mut payloads = noise(3, 300);
            put(&mut payloads[1], 40, encoding.encode(&text).as_bytes());
            assert_eq!(find(secret, &payloads).canaries[0].on_wire, 1, "{what} behind {ahead} bytes");
        }
    }
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    data_encoding::HEXUPPER.encode(bytes).into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn chunks_of_the_file_change_nothing(
        seed in 0_u64..1_000,
        places in prop::collection::vec(0_usize..2_900, 0..4),
        cuts in prop::collection::vec(1_usize..900, 1..12),
    ) {
        let mut file = random_bytes(seed, 3_000);
        for (place, form) in places.iter().zip([SECRET.into(), hex(SECRET.as_bytes()), SECRET.to_lowercase().into()]) {
            let end = (*place + form.len()).min(file.len());
            let form: &[u8] = &form;
            file[*place..end].copy_from_slice(&form[..end - place]);
        }
        let sightings = |lens: &mut dyn Iterator<Item = usize>| {
            let mut search = Search::new(&[Canary::from(SECRET)], Size { file_bytes: 3_000 });
            let mut at = 0;
            while at < file.len() {
                let end = file.len().min(at + lens.next().unwrap());
                search.file_chunk(count(at), &file[at..end]);
                at = end;
            }
            search.packet(1, &(500..900));
            let result = search.finish().canaries.remove(0);
            (result.on_wire, result.in_file_meta, result.places)
        };
        let whole = sightings(&mut [3_000].into_iter().cycle());
        prop_assert_eq!(sightings(&mut cuts.into_iter().cycle()), whole);
    }

    #[test]
    fn noise_holds_nothing(seed in 1_000_u64..1_000_000, len in 1_usize..400) {
        let payloads: Vec<Vec<u8>> = (0..12).map(|turn| random_bytes(seed + turn, len)).collect();
        let result = find(SECRET, &payloads).canaries.remove(0);
        prop_assert_eq!(result.on_wire + result.in_file_meta + result.unplaced, 0);
    }
}

#[test]
fn keys_are_found_as_bytes_and_as_text() {
    let key = random_bytes(99, 32);
    let hex: Vec<u8> = key.iter().flat_map(|byte| format!("{byte:02X}").into_bytes()).collect();
    for form in [key.clone(), hex] {
        let mut payloads = noise(4, 500);
        put(&mut payloads[1], 100, &form);
        let report = search(Canary::key("key", &key), &payloads);
        assert_eq!(report.canaries[0].on_wire, 1);
        assert!(report.control_passed());
    }
}
