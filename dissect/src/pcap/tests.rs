//! Captures written byte by byte, in every dialect.

use super::*;

fn le(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn be(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// A block of either byte order: type, length, body padded to four bytes, length.
fn block(order: fn(u32) -> [u8; 4], kind: u32, body: &[u8]) -> Vec<u8> {
    let mut padded = body.to_vec();
    padded.resize(body.len().next_multiple_of(4), 0);
    let len = u32::try_from(padded.len() + 12).unwrap();
    [&order(kind)[..], &order(len), &padded, &order(len)].concat()
}

fn words(order: fn(u32) -> [u8; 4], words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| order(*word)).collect()
}

fn section(order: fn(u32) -> [u8; 4]) -> Vec<u8> {
    // Major version 1, minor version 0, of 16 bits each.
    let version = if order(1) == [1, 0, 0, 0] { 1 } else { 0x0001_0000 };
    block(order, 0x0a0d_0d0a, &words(order, &[0x1a2b_3c4d, version, u32::MAX, u32::MAX]))
}

/// An interface description with one option.
fn interface(order: fn(u32) -> [u8; 4], is_big: bool, snap_len: u32, code: u16, value: &[u8]) -> Vec<u8> {
    let half = |number: u16| if is_big { number.to_be_bytes() } else { number.to_le_bytes() };
    let mut body = [&half(1)[..], &half(0), &order(snap_len)].concat();
    body.extend(half(code));
    body.extend(half(u16::try_from(value.len()).unwrap()));
    body.extend(value);
    body.resize(body.len().next_multiple_of(4), 0);
    body.extend([0; 4]);
    block(order, 1, &body)
}

/// A packet of a capture that was read.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    data: Vec<u8>,
    time_ns: Option<i128>,
    interface: Option<usize>,
    original_len: u64,
    fcs_len: usize,
}

/// Everything that is read of a capture.
fn read(bytes: &[u8]) -> (Vec<Seen>, Summary) {
    let source = Source::memory(bytes.to_vec());
    let mut reader = Reader::new(&source).unwrap();
    let mut seen = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        let start = usize::try_from(record.offset).unwrap();
        assert_eq!(bytes[start..start + record.data.len()], *record.data, "it says where it stands");
        seen.push(Seen {
            data: record.data.to_vec(),
            time_ns: record.time_ns,
            interface: record.interface,
            original_len: record.original_len,
            fcs_len: record.fcs_len,
        });
    }
    let summary = reader.into_summary();
    assert_eq!(summary.packets, seen.len());
    (seen, summary)
}

fn data(seen: &[Seen]) -> Vec<&[u8]> {
    seen.iter().map(|seen| seen.data.as_slice()).collect()
}

#[test]
fn classic_in_every_dialect() {
    type Words = fn(&[u32]) -> Vec<u8>;
    let dialects = [
        (0xa1b2_c3d4, 5_000, 0, 0),
        (0xa1b2_3c4d, 5, 0, 0),
        (0xa1b2_cd34, 5_000, 0, 8),
        (0x1c00_01ab, 5_000, 4, 0),
        (0x1c00_01ac, 5, 4, 0),
    ];
    for (magic, nanoseconds, of_file, of_record) in dialects {
        for (order, version) in [(le as Words, 0x0004_0002), (be, 0x0002_0004)] {
            let mut file = order(&[magic, version, 0, 0, 65_535, 101]);
            file.extend(vec![7; of_file]);
            for _ in 0..2 {
                file.extend(order(&[u32::MAX, 5, 3, 9]));
                file.extend(vec![0; of_record]);
                file.extend(b"abc");
            }
            let (seen, summary) = read(&file);
            assert_eq!(summary.interfaces[0].link_type, 101);
            assert_eq!(data(&seen), [b"abc", b"abc"], "{magic:x}");
            assert_eq!(seen[0].time_ns, Some(4_294_967_295_000_000_000 + nanoseconds));
            assert_eq!((seen[0].original_len, summary.damage_count), (9, 0));
        }
    }
}

/// libpcap: before version 2.3 the length on the wire stands first; in 2.3 it depends on who wrote it.
#[test]
fn old_versions_have_their_lengths_the_other_way_round() {
    for (minor, first, second) in [(4, 3, 9), (3, 3, 9), (3, 9, 3), (2, 9, 3)] {
        let mut file = le(&[0xa1b2_c3d4, minor << 16 | 2, 0, 0, 65_535, 1, 0, 0, first, second]);
        file.extend(b"abc");
        let (seen, summary) = read(&file);
        assert_eq!((data(&seen), seen[0].original_len), (vec![&b"abc"[..]], 9), "2.{minor}");
        assert_eq!(summary.damage_count, 0);
    }
}

/// A packet that was cut has no check sequence any more, or a part of it.
#[test]
fn the_bits_above_the_link_type_tell_the_check_sequence() {
    for (network, original_len, fcs_len, damage) in [
        (0x2400_0001, 6, 4, 0),
        (0x2400_0001, 7, 3, 0),
        (0x2400_0001, 99, 0, 0),
        (0x2000_0001, 6, 0, 0),
        (0x0030_0001, 6, 0, 1),
    ] {
        let mut file = le(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, network, 0, 0, 6, original_len]);
        file.extend(b"abcdef");
        let (seen, summary) = read(&file);
        assert_eq!((summary.interfaces[0].link_type, seen[0].fcs_len), (1, fcs_len), "{network:x}");
        assert_eq!(summary.damage_count, damage, "{network:x}");
    }
}

#[test]
fn damage_in_a_classic_file_ends_it() {
    let mut file = le(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1]);
    file.extend(le(&[0, 0, 4, 4]));
    file.extend(b"abcd");
    for (rest, what) in [
        (le(&[0, 0, 300_000, 300_000]), "262,144"),
        (le(&[0, 0, 4, 4]), "inside a packet"),
        (le(&[0]), "record header"),
    ] {
        let (seen, summary) = read(&[file.clone(), rest].concat());
        assert_eq!((seen.len(), summary.damage[0].offset), (1, 44));
        assert!(summary.damage[0].what.contains(what), "{}", summary.damage[0].what);
    }
}

#[test]
fn pcapng_of_both_orders_in_one_file() {
    let mut file = Vec::new();
    for (order, is_big) in [(u32::to_le_bytes as fn(u32) -> [u8; 4], false), (u32::to_be_bytes, true)] {
        file.extend(section(order));
        // 2^-32 seconds a tick.
        file.extend(interface(order, is_big, 0, 9, &[0x80 | 32]));
        let head = words(order, &[0, 7, 1 << 31, 4, 6]);
        file.extend(block(order, 6, &[&head[..], b"wxyz"].concat()));
        // The obsolete block has a 16-bit interface number and a drop counter.
        file.extend(block(order, 2, &[&head[..], b"abcd"].concat()));
        file.extend(block(order, 4, b"names"));
    }
    let (seen, summary) = read(&file);
    assert_eq!((summary.sections, summary.interface_count, summary.damage_count), (2, 2, 0));
    assert_eq!(data(&seen), [b"wxyz", b"abcd", b"wxyz", b"abcd"]);
    assert!(seen.iter().all(|seen| seen.time_ns == Some(7_500_000_000)));
    assert_eq!(seen[3].interface, Some(1));
}

/// Powers of ten and two, finer and coarser than a nanosecond, and an offset before 1970, in either order.
#[test]
fn clocks() {
    let offset = (-3_i64).to_be_bytes();
    for (code, value, ticks, time_ns, damage) in [
        (9, &[0][..], 7_u64, 7_000_000_000, 0),
        (9, &[3], 7, 7_000_000, 0),
        (9, &[6], 7, 7_000, 0),
        (9, &[9], 7, 7, 0),
        (9, &[12], 7_999, 7, 0),
        (9, &[0x80], 7, 7_000_000_000, 0),
        (9, &[0x8a], 512, 500_000_000, 0),
        (9, &[0xc0], 1 << 63, 500_000_000, 0),
        (9, &[0xff], u64::MAX, 0, 0),
        (14, &offset, 0, -3_000_000_000, 0),
        (9, &[100], 0, 0, 2),
    ] {
        let big = u32::to_be_bytes;
        let [high, low] = [ticks >> 32, ticks & u64::from(u32::MAX)].map(|half| u32::try_from(half).unwrap());
        let packet = block(big, 6, &words(big, &[0, high, low, 0, 0]));
        let (seen, summary) = read(&[section(big), interface(big, true, 0, code, value), packet].concat());
        assert_eq!(summary.damage_count, damage, "{value:?}");
        assert_eq!(seen[0].time_ns, (damage == 0).then_some(time_ns), "{value:?}");
    }
}

#[test]
fn a_simple_packet_is_clamped_to_the_snap_length() {
    let little = u32::to_le_bytes;
    for (snap_len, captured) in [(4, &b"0123"[..]), (0, b"01234567"), (65_535, b"01234567")] {
        let simple = block(little, 3, &[&words(little, &[10])[..], b"01234567"].concat());
        let file = [section(little), interface(little, false, snap_len, 2, b"eth"), simple].concat();
        let (seen, summary) = read(&file);
        assert_eq!(data(&seen), [captured]);
        assert_eq!((seen[0].original_len, seen[0].time_ns), (10, None));
        assert_eq!(summary.interfaces[0].name.as_deref(), Some("eth"));
    }
}

/// Statistics are written again and again, and each counts from the beginning.
#[test]
fn drops_are_counted_once() {
    let little = u32::to_le_bytes;
    let statistics = |dropped: u64| {
        let options = [&[5, 0, 8, 0][..], &dropped.to_le_bytes()].concat();
        block(little, 5, &[&words(little, &[0, 0, 0]), &options[..]].concat())
    };
    let start = [section(little), interface(little, false, 0, 2, b"x")].concat();
    let (_, summary) = read(&[start, statistics(70), statistics(77)].concat());
    assert_eq!(summary.dropped, 77);
}

/// Lines of ours are taken out of whatever block they stand in; other secrets are none of ours.
#[test]
fn secrets_in_the_file_are_seen() {
    let little = u32::to_le_bytes;
    let ours = format!("SGM1_ROOT {} {}", "01".repeat(8), "02".repeat(32));
    let text = format!("CLIENT_RANDOM 12 34\r\n{ours}\n");
    let head = words(little, &[0x544c_534b, u32::try_from(text.len()).unwrap()]);
    let secrets = block(little, 10, &[&head[..], text.as_bytes()].concat());
    let (_, summary) = read(&[section(little), secrets.clone(), secrets].concat());
    assert_eq!((summary.secret_blocks, summary.damage_count), (2, 0));
    assert_eq!(summary.key_log, format!("{ours}\n{ours}\n"));
}

#[test]
fn a_damaged_block_is_skipped_and_an_unbelievable_length_ends_the_file() {
    let little = u32::to_le_bytes;
    let good = block(little, 6, &[&words(little, &[0, 0, 0, 4, 4])[..], b"good"].concat());
    let too_long = block(little, 6, &words(little, &[0, 0, 0, 400, 400]));
    let start = [section(little), interface(little, false, 0, 2, b"x")].concat();
    let mut two_lengths = good.clone();
    *two_lengths.last_mut().unwrap() = 1;
    for bad in [&too_long, &two_lengths] {
        let (seen, summary) = read(&[&start[..], bad, &good].concat());
        assert_eq!((seen.len(), summary.damage_count), (1, 1));
        assert_eq!(summary.damage[0].offset, start.len() as u64);
    }
    for len in [0_u32, 13, 1 << 30] {
        let bad = [&little(6)[..], &little(len), &[0; 16]].concat();
        let (seen, summary) = read(&[start.clone(), bad, good.clone()].concat());
        assert_eq!((seen.len(), summary.damage_count), (0, 1), "length {len}");
    }
}

/// Each of these was lost, broken or not read, which a verdict must not pass over.
#[test]
fn what_the_file_says_was_lost_is_counted() {
    let little = u32::to_le_bytes;
    let packet = |options: &[u8]| {
        block(little, 6, &[&words(little, &[0, 0, 0, 4, 4]), &b"good"[..], options].concat())
    };
    let dropped = [&[4, 0, 8, 0][..], &9_u64.to_le_bytes()].concat();
    let obsolete = block(little, 2, &[&words(little, &[9 << 16, 0, 0, 4, 4])[..], b"good"].concat());
    let longer = block(little, 6, &[&words(little, &[0, 0, 0, 4, 3])[..], b"good"].concat());
    let statistics = |options: &[u8]| block(little, 5, &[&[0; 12], options].concat());
    let undescribed = block(little, 6, &[&words(little, &[1, 0, 0, 4, 4])[..], b"good"].concat());
    for (what, block, dropped, damage, unknown) in [
        ("a packet", packet(&[]), 0, 0, 0),
        ("a drop counter of a packet", packet(&dropped), 9, 0, 0),
        ("link errors", packet(&[2, 0, 4, 0, 0, 0, 1, 0]), 0, 1, 0),
        ("an obsolete drop counter", obsolete, 9, 0, 0),
        ("a packet longer than it was", longer, 0, 1, 0),
        ("an interface that is not there", undescribed, 0, 1, 0),
        ("a counter of four bytes", statistics(&[5, 0, 4, 0, 9, 0, 0, 0]), 0, 1, 0),
        ("an option that is cut", statistics(&[1, 0, 60, 0, 9, 0, 0, 0]), 0, 1, 0),
        ("a custom block", block(little, 0xbad, b"unknown"), 0, 0, 1),
        ("a type that is not known", block(little, 0x106, &[0; 24]), 0, 0, 1),
        (
            "a section of version 2",
            block(little, 0x0a0d_0d0a, &words(little, &[0x1a2b_3c4d, 2, 0, 0])),
            0,
            1,
            0,
        ),
    ] {
        let (_, summary) = read(&[section(little), interface(little, false, 0, 2, b"x"), block].concat());
        let found = (summary.dropped, summary.damage_count, summary.unknown_blocks);
        assert_eq!(found, (dropped, damage, unknown), "{what}");
    }
    for (version, len, damage) in [(0x0004_0002, 4, 0), (0x0063_0009, 4, 1), (0x0004_0002, 3, 1)] {
        let head = le(&[0xa1b2_c3d4, version, 0, 0, 65_535, 1, 0, 0, 4, len]);
        assert_eq!(read(&[&head[..], b"abcd"].concat()).1.damage_count, damage, "{version:x} {len}");
    }
}

/// The length of the check sequence that a packet states counts before that of its interface.
#[test]
fn the_flags_of_a_packet_tell_its_check_sequence() {
    let little = u32::to_le_bytes;
    for (flags, fcs_len) in [(0_u32, 4), (2 << 5, 2)] {
        let head = words(little, &[0, 0, 0, 8, 8]);
        let options = [&[2, 0, 4, 0][..], &flags.to_le_bytes()].concat();
        let packet = block(little, 6, &[&head[..], b"good+fcs", &options].concat());
        let (seen, _) = read(&[section(little), interface(little, false, 0, 13, &[4]), packet].concat());
        assert_eq!(seen[0].fcs_len, fcs_len);
    }
}

#[test]
fn what_is_no_capture_is_said_to_be_none() {
    for bytes in [&b"GET / HTTP/1.1"[..], b"x"] {
        let source = Source::memory(bytes.to_vec());
        let error = Reader::new(&source).unwrap_err().to_string();
        assert!(error.contains("not a capture"), "{error}");
    }
}
