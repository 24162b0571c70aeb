//! The program as people start it: exit codes, pipes, help.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{Read as _, Write as _};
use std::process::{Command, Output, Stdio};

fn dissect(arguments: &[&str], stdin: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dissect"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may end without reading.
    child.stdin.take().unwrap().write_all(stdin).ok();
    child.wait_with_output().unwrap()
}

/// A classic capture without a packet.
const EMPTY: [u8; 24] =
    [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0];

#[test]
fn exit_codes() {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let empty = dissect(&["-"], &EMPTY);
    assert_eq!(empty.status.code(), Some(3));
    assert_eq!(dissect(&["-"], b"").status.code(), Some(3), "nothing was captured");
    assert!(text(&empty.stdout).contains("VERDICT INCONCLUSIVE: reached no level"));
    for (arguments, stdin, sentence) in [
        (&["-"][..], &b"no capture"[..], "not a capture"),
        (&["-"], b"\x1f\x8b\x08\x00", "nothing of the gzip file can be decompressed"),
        (&["/nonexistent.pcap"], b"", "cannot open"),
        (&["-", "--keylog", "/nonexistent.keys"], &EMPTY, "cannot read"),
        (&["-", "--keylog", "/dev/null"], &EMPTY, "no line that begins with SGM1_"),
        (&["/nonexistent\x1b[31m.pcap"], b"", "/nonexistent\\u{1b}[31m.pcap"),
        (&["-", "--require", "E9"], &EMPTY, "invalid value"),
        (&["-", "--canary", ""], &EMPTY, "empty canary"),
    ] {
        let output = dissect(arguments, stdin);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(sentence), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn json_and_quiet() {
    let output = dissect(&["-", "-T", "json", "-q"], &EMPTY);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["verdict"]["outcome"], "INCONCLUSIVE");
    assert!(value.get("packets").is_none());
}

#[test]
fn help_has_examples_and_exit_codes() {
    let help = String::from_utf8(dissect(&["--help"], b"").stdout).unwrap();
    for part in ["Exit codes:", "Examples:", "INCONCLUSIVE", "--canary", "--keylog"] {
        assert!(help.contains(part), "{part}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dissect"))
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    child.stdin.take().unwrap().write_all(&EMPTY).unwrap();
    let mut complaint = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    assert_eq!((child.wait().unwrap().code(), complaint.as_str()), (Some(3), ""));
}
