//! What reports look like, and what they may not contain.

use super::*;
use crate::{Options, Report, analyse};

/// An Ethernet capture of one ARP packet and one that names a terminal escape.
fn report() -> Report {
    let mut file: Vec<u8> =
        [0xa1b2_3c4d_u32, 0x0002_0004, 0, 0, 65_535, 1].iter().flat_map(|word| word.to_be_bytes()).collect();
    file.extend([0, 0, 0, 10, 0, 0, 0, 7, 0, 0, 0, 16, 0, 0, 0, 16]);
    file.extend([2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 8, 6, 0, 1]);
    analyse(
        file.as_slice(),
        &Options { canaries: vec!["the \x1b[31msecret text".into()], ..Options::default() },
    )
    .unwrap()
}

#[test]
fn text_states_the_verdict_its_level_and_never_the_secret() {
    let mut out = Vec::new();
    text(&report(), Style { colour: false, packets: true }, &mut out).unwrap();
    let shown = String::from_utf8(out).unwrap();
    assert!(shown.contains("VERDICT INCONCLUSIVE: reached no level, required E2 (opacity)"), "{shown}");
    assert!(shown.contains("16 bytes captured = l2 14 + foreign 2"), "{shown}");
    assert!(!shown.contains("secret text") && !shown.contains('\x1b'));
}

#[test]
fn json_is_one_ascii_document_without_repeated_keys() {
    let mut out = Vec::new();
    let mut report = report();
    report.packets[0].info = "ünïcode \u{9b} \u{1f600}".into();
    json(&report, true, &mut out).unwrap();
    assert!(out.is_ascii());
    let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(value["schema"], 1);
    assert_eq!(value["exit_code"], 3);
    assert_eq!(value["packets"][0]["time"], "10.000000007");
    assert_eq!(value["packets"][0]["info"], "ünïcode \u{9b} \u{1f600}");
    assert_eq!(value["ledger"]["classes"]["l2"], 14);
}

#[test]
fn seconds_before_1970_too() {
    assert_eq!(seconds(1_500_000_000), "1.500000000");
    assert_eq!(seconds(-1), "-0.000000001");
}
