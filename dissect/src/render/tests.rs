//! What reports look like, and what they may not contain.

use std::io::{self, Write};

use super::*;
use crate::packet::Packet;
use crate::row::Row;
use crate::source::Source;
use crate::{Options, examine};

/// An Ethernet capture of one ARP packet.
fn capture() -> Source {
    let mut file: Vec<u8> =
        [0xa1b2_3c4d_u32, 0x0002_0004, 0, 0, 65_535, 1].iter().flat_map(|word| word.to_be_bytes()).collect();
    file.extend([0, 0, 0, 10, 0, 0, 0, 7, 0, 0, 0, 16, 0, 0, 0, 16]);
    file.extend([2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 8, 6, 0, 1]);
    Source::memory(file)
}

/// A secret that would drive a terminal.
fn options() -> Options {
    Options { canaries: vec!["the \x1b[31msecret text".into()], ..Options::default() }
}

#[test]
fn text_states_the_verdict_its_level_and_never_the_secret() {
    let mut out = Vec::new();
    let mut text = Text::new(Style { colour: false, packets: true }, &mut out);
    let report = examine(&capture(), &options(), &(), &mut |row| text.row(row)).unwrap();
    text.finish(&report).unwrap();
    let shown = String::from_utf8(out).unwrap();
    assert!(shown.contains("VERDICT INCONCLUSIVE: reached no level, required E2 (opacity)"), "{shown}");
    assert!(shown.contains("16 bytes captured = l2 14 + foreign 2"), "{shown}");
    assert!(shown.contains("     1     0.000000000  -"), "{shown}");
    assert!(!shown.contains("secret text") && !shown.contains('\x1b'));
}

#[test]
fn json_is_one_ascii_document_without_repeated_keys() {
    for with_packets in [true, false] {
        let mut out = Vec::new();
        let mut json = Json::new(&mut out);
        let mut row = |row: &Row<'_>| {
            let packet = Packet { info: "ünïcode \u{9b} \u{1f600}".into(), ..row.packet.clone() };
            if with_packets {
                json.row(&Row { packet: &packet, ..*row });
            }
        };
        let report = examine(&capture(), &options(), &(), &mut row).unwrap();
        json.finish(&report, 3).unwrap();
        assert!(out.is_ascii());
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&value["schema"], &value["exit_code"]), (&2.into(), &3.into()));
        assert_eq!(value["ledger"]["classes"]["l2"], 14);
        assert_eq!(value.get("packets").is_some(), with_packets);
        if with_packets {
            assert_eq!(value["packets"][0]["time"], "10.000000007");
            assert_eq!(value["packets"][0]["info"], "ünïcode \u{9b} \u{1f600}");
        }
    }
}

/// Writes nothing.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_went_away_is_told_at_the_end() {
    let mut json = Json::new(Closed);
    let report = examine(&capture(), &options(), &(), &mut |row| json.row(row)).unwrap();
    assert_eq!(json.finish(&report, 3).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn seconds_before_1970_too() {
    assert_eq!(seconds(1_500_000_000), "1.500000000");
    assert_eq!(seconds(-1), "-0.000000001");
}
