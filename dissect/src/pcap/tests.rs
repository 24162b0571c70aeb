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

fn read(bytes: &[u8]) -> Capture {
    Capture::read(bytes).unwrap()
}

#[test]
fn classic_in_every_dialect() {
    type Words = fn(&[u32]) -> Vec<u8>;
    let cases: [(u32, Words, i128, usize); 6] = [
        (0xa1b2_c3d4, le, 5_000, 0),
        (0xa1b2_c3d4, be, 5_000, 0),
        (0xa1b2_3c4d, le, 5, 0),
        (0xa1b2_3c4d, be, 5, 0),
        (0xa1b2_cd34, le, 5_000, 8),
        (0xa1b2_cd34, be, 5_000, 8),
    ];
    for (magic, order, nanoseconds, extra) in cases {
        let version = if order(&[1])[0] == 1 { 0x0004_0002 } else { 0x0002_0004 };
        let mut file = order(&[magic, version, 0, 0, 65_535, 101]);
        for _ in 0..2 {
            file.extend(order(&[u32::MAX, 5, 3, 9]));
            file.extend(vec![0; extra]);
            file.extend(b"abc");
        }
        let capture = read(&file);
        assert_eq!(capture.interfaces[0].link_type, 101);
        let data: Vec<&[u8]> = capture.records.iter().map(|record| capture.data(record)).collect();
        assert_eq!(data, [b"abc", b"abc"], "{magic:x}");
        assert_eq!(capture.records[0].time_ns, Some(4_294_967_295_000_000_000 + nanoseconds));
        assert_eq!(capture.records[0].original_len, 9);
        assert_eq!(capture.damage_count, 0);
    }
}

#[test]
fn reserved_bits_of_the_link_type_are_no_part_of_it() {
    let file = le(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 0x2400_0001]);
    let interface = &read(&file).interfaces[0];
    assert_eq!((interface.link_type, interface.fcs_len), (1, 4));
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
        let capture = read(&[file.clone(), rest].concat());
        assert_eq!((capture.records.len(), capture.damage[0].offset), (1, 44));
        assert!(capture.damage[0].what.contains(what), "{}", capture.damage[0].what);
    }
}

#[test]
fn pcapng_of_both_orders_in_one_file() {
    let mut file = Vec::new();
    for (order, is_big) in [(u32::to_le_bytes as fn(u32) -> [u8; 4], false), (u32::to_be_bytes, true)] {
        file.extend(section(order));
        // 2^-32 seconds a tick: a power of two, which pcap-parser does not know.
        file.extend(interface(order, is_big, 0, 9, &[0x80 | 32]));
        let head = words(order, &[0, 7, 1 << 31, 4, 6]);
        file.extend(block(order, 6, &[&head[..], b"wxyz"].concat()));
        // The obsolete block has a 16-bit interface number and a drop counter.
        file.extend(block(order, 2, &[&head[..], b"abcd"].concat()));
        file.extend(block(order, 4, b"names"));
    }
    let capture = read(&file);
    assert_eq!((capture.sections, capture.interfaces.len(), capture.damage_count), (2, 2, 0));
    let data: Vec<&[u8]> = capture.records.iter().map(|record| capture.data(record)).collect();
    assert_eq!(data, [b"wxyz", b"abcd", b"wxyz", b"abcd"]);
    assert!(capture.records.iter().all(|record| record.time_ns == Some(7_500_000_000)));
    assert_eq!(capture.records[3].interface, Some(1));
}

#[test]
fn a_time_offset_counts_in_either_order() {
    let big = u32::to_be_bytes;
    let head = words(big, &[0, 0, 0, 0, 0]);
    let offset = (-3_i64).to_be_bytes();
    let file = [section(big), interface(big, true, 0, 14, &offset), block(big, 6, &head)].concat();
    assert_eq!(read(&file).records[0].time_ns, Some(-3_000_000_000));
}

#[test]
fn a_simple_packet_is_clamped_to_the_snap_length() {
    let little = u32::to_le_bytes;
    let simple = block(little, 3, &[&words(little, &[10])[..], b"0123"].concat());
    let file = [section(little), interface(little, false, 4, 2, b"eth"), simple].concat();
    let capture = read(&file);
    assert_eq!(capture.data(&capture.records[0]), b"0123");
    assert_eq!((capture.records[0].original_len, capture.records[0].time_ns), (10, None));
    assert_eq!(capture.interfaces[0].name.as_deref(), Some("eth"));
}

#[test]
fn drops_and_secrets_are_seen() {
    let little = u32::to_le_bytes;
    let mut statistics = words(little, &[0, 0, 0]);
    statistics.extend([5, 0, 8, 0]);
    statistics.extend(77_u64.to_le_bytes());
    let file =
        [section(little), block(little, 5, &statistics), block(little, 10, b"TLSK\x04\0\0\0keys")].concat();
    let capture = read(&file);
    assert_eq!((capture.dropped, capture.secret_blocks), (77, 1));
}

#[test]
fn a_damaged_block_is_skipped_and_an_unbelievable_length_ends_the_file() {
    let little = u32::to_le_bytes;
    let good = block(little, 6, &[&words(little, &[0, 0, 0, 4, 4])[..], b"good"].concat());
    let too_long = block(little, 6, &words(little, &[0, 0, 0, 400, 400]));
    let start = [section(little), interface(little, false, 0, 2, b"x")].concat();
    let capture = read(&[start.clone(), too_long, good.clone()].concat());
    assert_eq!((capture.records.len(), capture.damage_count), (1, 1));
    for len in [0_u32, 13, 1 << 30] {
        let bad = [&little(6)[..], &little(len), &[0; 16]].concat();
        let capture = read(&[start.clone(), bad, good.clone()].concat());
        assert_eq!((capture.records.len(), capture.damage_count), (0, 1), "length {len}");
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
    for (what, block, dropped, damage) in [
        ("a packet", packet(&[]), 0, 0),
        ("a drop counter of a packet", packet(&dropped), 9, 0),
        ("link errors", packet(&[2, 0, 4, 0, 0, 0, 1, 0]), 0, 1),
        ("an obsolete drop counter", obsolete, 9, 0),
        ("a packet longer than it was", longer, 0, 1),
        ("a counter of four bytes", statistics(&[5, 0, 4, 0, 9, 0, 0, 0]), 0, 1),
        ("an option that is cut", statistics(&[1, 0, 60, 0, 9, 0, 0, 0]), 0, 1),
        ("a custom block", block(little, 0xbad, b"unknown"), 0, 1),
        ("a type that is not known", block(little, 0x106, &[0; 24]), 0, 1),
        ("a section of version 2", block(little, 0x0a0d_0d0a, &words(little, &[0x1a2b_3c4d, 2, 0, 0])), 0, 1),
    ] {
        let capture = read(&[section(little), interface(little, false, 0, 2, b"x"), block].concat());
        assert_eq!((capture.dropped, capture.damage_count), (dropped, damage), "{what}");
    }
    for (version, len, link_type, damage) in [
        (0x0004_0002, 4, 1, 0),
        (0x0063_0009, 4, 1, 1),
        (0x0004_0002, 3, 1, 1),
        (0x0004_0002, 4, 0x30_0001, 1),
    ] {
        let head = le(&[0xa1b2_c3d4, version, 0, 0, 65_535, link_type, 0, 0, 4, len]);
        assert_eq!(
            read(&[&head[..], b"abcd"].concat()).damage_count,
            damage,
            "{version:x} {len} {link_type:x}"
        );
    }
}

#[test]
fn what_is_no_capture_is_said_to_be_none() {
    for (bytes, part) in [
        (&b"GET / HTTP/1.1"[..], "not a capture"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"\x04\x22\x4d\x18", "lz4"),
    ] {
        let error = Capture::read(bytes).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

/// A source that gives one byte at a time, as a slow pipe may.
struct Drip<'a>(&'a [u8]);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = buffer.len().min(1).min(self.0.len());
        buffer[..len].copy_from_slice(&self.0[..len]);
        self.0 = &self.0[len..];
        Ok(len)
    }
}

#[test]
fn a_slow_pipe_is_read_to_its_end() {
    let little = u32::to_le_bytes;
    let good = block(little, 6, &[&words(little, &[0, 0, 0, 4, 4])[..], b"good"].concat());
    let file = [section(little), interface(little, false, 0, 2, b"x"), good].concat();
    assert_eq!(Capture::read(Drip(&file)).unwrap().records.len(), 1);
}
