//! What filters say of two packets, and what is said of broken filters.

use proptest::prelude::*;

use super::Filter;
use crate::link;
use crate::packet::Packet;
use crate::show::seen::{Context, Seen};

/// Raw IP (LINKTYPE_RAW), with the time 1.5 s after 1970-01-02.
fn packet(data: &[u8]) -> Packet {
    let dissection = link::dissect(101, 0, data);
    Packet {
        number: 7,
        time_ns: Some(86_401_500_000_000),
        original_len: data.len() as u64,
        info: dissection.describe(),
        dissection,
        ..Packet::default()
    }
}

/// From 10.0.0.1:40000 to 10.0.0.2:5555: "Hello mill".
fn udp() -> Vec<u8> {
    let mut data = vec![0x45, 0, 0, 38, 0x1c, 0x46, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    data.extend([0x9c, 0x40, 0x15, 0xb3, 0, 18, 0, 0]);
    data.extend(b"Hello mill");
    data
}

/// From [fe80::1]:443 to [fe80::2]:50000: a SYN.
fn tcp() -> Vec<u8> {
    let mut data = vec![0x60, 0, 0, 0, 0, 20, 6, 64];
    for last in [1, 2] {
        data.extend([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    data.extend([1, 0xbb, 0xc3, 0x50, 0, 0, 0, 9, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0]);
    data
}

fn holds(filter: &str, data: &[u8]) -> bool {
    let filter = Filter::parse(filter).unwrap_or_else(|error| panic!("{error}"));
    filter.holds(&Seen::new(&packet(data), data, Context::default()))
}

#[test]
fn what_holds_for_a_datagram() {
    for (filter, expected) in [
        ("udp", true),
        ("tcp", false),
        ("not tcp", true),
        ("!tcp && udp", true),
        ("udp.port == 5555", true),
        ("udp.port != 5555", false),
        ("udp.port !== 5555", true),
        ("udp.port === 5555", false),
        ("udp.srcport eq 0x9c40", true),
        ("udp.srcport > udp.dstport", true),
        ("udp.dstport in {1 2 5000..6000}", true),
        ("udp.dstport in {1, 2, 5556 .. 6000}", false),
        ("udp.dstport not in {53}", true),
        ("ip.src == 10.0.0.0/8", true),
        ("ip.src == 10.0.0.0/32", false),
        ("ip.addr == 10.0.0.2", true),
        ("ip.addr != 10.0.0.2", false),
        ("ip.src in {10.0.0.0..10.0.0.9}", true),
        ("ip.src < 10.0.0.2", true),
        ("ip.flags.df == 1 and ip.flags.mf == false", true),
        ("ip.src[3] == 01", true),
        ("frame[0:2] == 45:00", true),
        ("udp.payload[-4:] == 6d696c6c", true),
        ("udp.payload[0,6-9] == \"Hmill\"", true),
        ("udp.payload[9:2] == 6c", false),
        ("udp contains \"Hello\"", true),
        ("udp contains \"hello\"", false),
        ("udp contains 6d:69", true),
        ("udp matches \"^.{8}hello\\\\s\\x6dILL$\"", false),
        ("udp.payload matches \"^hello\\smill$\"", true),
        ("udp.payload ~ \"MILL\"", true),
        ("lower(udp.payload) == \"hello mill\"", true),
        ("len(udp.payload) == 10", true),
        ("count(ip.addr) == 2", true),
        ("frame.number == 7", true),
        ("frame.time == \"1970-01-02 00:00:01.5\"", true),
        ("frame.time_epoch >= 86401.5 && frame.time_epoch < 1970-01-02T00:00:02Z", true),
        ("frame.protocols == \"ip:udp\"", true),
        ("tcp.port == 1 or udp.port == 1 or (udp && frame.len > 30)", true),
        ("udp or tcp and tcp", true),
        ("ipv6.addr == fe80::/10", false),
        ("sealgram", false),
    ] {
        assert_eq!(holds(filter, &udp()), expected, "{filter}");
    }
}

#[test]
fn what_holds_for_a_segment() {
    for (filter, expected) in [
        ("tcp.flags.syn == 1 && tcp.flags.ack == 0", true),
        ("tcp.flags == 0x0002", true),
        ("ipv6.src == fe80::/10 and ipv6.dst == fe80::2", true),
        ("ipv6.dst == fe80::3", false),
        ("tcp.len == 0 && !tcp.payload", true),
        ("ip.addr == 10.0.0.1", false),
        ("ip.addr != 10.0.0.1", false),
    ] {
        assert_eq!(holds(filter, &tcp()), expected, "{filter}");
    }
}

#[test]
fn mistakes_have_a_place_and_a_way_out() {
    for (filter, column, text) in [
        ("", 1, "a field is missing"),
        ("ip.scr == 10.0.0.1", 1, "did you mean \"ip.src\"?"),
        ("udp and ip.src == ::1", 19, "\"::1\" is not an IPv4 address"),
        ("udp.port = 5", 10, "write =="),
        ("udp.port == 70000000000000000000", 13, "is not a number"),
        ("udp.port == \"x", 13, "a text that does not end"),
        ("udp.port contains \"x\"", 19, "compare it with =="),
        ("udp contains zz", 14, "a text in quotes"),
        ("udp matches \"(\"", 13, "not a regular expression"),
        ("(udp", 5, "put a ) here"),
        ("udp)", 4, "here the filter should end"),
        ("udp.port in 5", 13, "stands a set"),
        ("frame[1:0] == 00", 7, "a part is"),
        ("frame[0 == 00", 9, "put a ] here"),
        ("udp == \"\\q\"", 8, "is no escape"),
        ("ip.src == udp.port", 11, "udp.port is a number, not an IPv4 address"),
        ("sealgram.type == NIT", 18, "INIT"),
        ("udp § tcp", 5, "means nothing"),
    ] {
        let error = Filter::parse(filter).expect_err(filter);
        assert_eq!(error.column, column, "{filter}: {error}");
        assert!(error.text.contains(text), "{filter}: {error}");
    }
    let error = Filter::parse("udp and ip.scr == 1").unwrap_err();
    insta::assert_snapshot!(error.to_string(), @r#"
    column 9: there is no field "ip.scr"; did you mean "ip.src"?
      udp and ip.scr == 1
              ^
    "#);
}

#[test]
fn a_filter_is_only_so_long_and_so_deep() {
    for filter in ["(".repeat(1_000), "!".repeat(1_000), "udp or ".repeat(2_000), "len(".repeat(1_000)] {
        assert!(Filter::parse(&filter).is_err());
    }
    let long = format!("udp{}", " or udp".repeat(1_000));
    assert!(holds(&long, &udp()));
}

/// Words that filters are made of, in any order.
fn words() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("udp"),
        Just("ip.src"),
        Just("frame.time"),
        Just("frame"),
        Just("=="),
        Just("!="),
        Just("("),
        Just(")"),
        Just("and"),
        Just("or"),
        Just("not"),
        Just("in"),
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just("1..9"),
        Just("10.0.0.1/8"),
        Just("0-3"),
        Just("-1:"),
        Just("matches"),
        Just("\"a.b*\""),
        Just("contains"),
        Just("len("),
        Just("aa:bb"),
        Just("sealgram.type"),
        Just("INIT"),
        Just(".."),
    ];
    prop::collection::vec(word, 0..24).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
        drop(Filter::parse(&text));
    }

    #[test]
    fn every_filter_ends_on_every_packet(filter in words(), data in prop::collection::vec(any::<u8>(), 0..120)) {
        match Filter::parse(&filter) {
            Ok(filter) => {
                let _ = filter.holds(&Seen::new(&packet(&data), &data, Context::default()));
            }
            Err(error) => prop_assert!(error.column <= filter.chars().count() + 1 && !error.text.is_empty()),
        }
    }
}
