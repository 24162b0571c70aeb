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

/// A classic capture of raw IPv4 in two packets that no protocol understands.
fn two_packets(first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut file: Vec<u8> = [0xa1b2_c3d4_u32, 0x0002_0004, 0, 0, 65_535, 101]
        .iter()
        .flat_map(|word| word.to_be_bytes())
        .collect();
    for packet in [first, second] {
        let len = u32::try_from(packet.len()).unwrap();
        file.extend([0, 0, len, len].iter().flat_map(|word: &u32| word.to_be_bytes()));
        file.extend(packet);
    }
    file
}

#[test]
fn a_scan_tells_what_it_found_and_proves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("two.pcap");
    std::fs::write(&capture, two_packets(b"nothing here", b"My SECRET and mine, secretly")).unwrap();
    let words = folder.path().join("words.txt");
    std::fs::write(&words, "absent\r\nhex:6d696e65\n").unwrap();
    let (capture, words) = (capture.to_str().unwrap(), words.to_str().unwrap());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();

    let found = dissect(&["scan", capture, "--canary", "secret", "--canaries", words], b"");
    assert_eq!(found.status.code(), Some(1), "{}", text(&found.stderr));
    let said = text(&found.stdout);
    assert!(
        said.contains("canary 1 (6 bytes): 2 times, at byte 71 (packet 2), byte 88 (packet 2)"),
        "{said}"
    );
    assert!(said.contains("canary 3 (4 bytes): 1 times") && !said.contains("canary 2"), "{said}");
    assert!(!said.to_lowercase().contains("secret"), "what was looked for is not told: {said}");

    let missing = dissect(&["scan", "-", "--canary", "absent"], &two_packets(b"a", b"b"));
    assert_eq!(missing.status.code(), Some(3));
    assert!(text(&missing.stdout).contains("no\n             verdict"), "{}", text(&missing.stdout));

    std::fs::write(words, "fine\nhex:xyz\n").unwrap();
    for (arguments, stdin, sentence) in [
        (&["scan", "-"][..], &b""[..], "give --canary TEXT"),
        (&["scan", "-", "--canary", "x"], b"\x1f\x8b\x08\x00", "gzip -dc FILE | dissect scan -"),
        (&["scan", "/nonexistent.pcap", "--canary", "x"], b"", "cannot open"),
        (&["scan", "-", "--canaries", words], b"", "line 2: behind `hex:`"),
        (&["scan", "-", "--canaries", "/dev/null"], b"", "/dev/null has no canary"),
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
