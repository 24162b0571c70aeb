//! Captures of real handshakes and datagrams, compared from end to end: level E6.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(dead_code, reason = "these tests use a part of it")]
mod run;

use std::fs;
use std::process::{Command, Output};

use dissect::compare::{Answer, Observed, compare};
use dissect::source::Source;
use run::{Leak, Run};

fn observed(seed: u8, leak: Leak) -> Observed {
    Observed::read(&Source::memory(Run::new(seed, 60, leak).pcap())).unwrap()
}

#[test]
fn honest_sessions_look_alike_and_a_name_in_a_header_shows() {
    let honest = compare(&[observed(1, Leak::None)], &[observed(2, Leak::None)]);
    assert_eq!(honest.answer(), Answer::ContentIndependent, "{:?}", honest.compared.first());
    assert_eq!(honest.sessions, [1, 1]);
    let leaking = compare(&[observed(1, Leak::None)], &[observed(2, Leak::NameInHeader)]);
    assert_eq!(leaking.answer(), Answer::Differs);
}

#[test]
fn the_command_says_so_with_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let a = file("a.pcap", &Run::new(1, 60, Leak::None).pcap());
    let b = file("b.pcap", &Run::new(2, 60, Leak::None).pcap());
    let unsealed = file("unsealed.pcap", &Run::new(2, 60, Leak::Unsealed).pcap());
    let short = file("short.pcap", &Run::new(2, 2, Leak::None).pcap());
    let cases: [(&[&str], i32, &str); 6] = [
        (&[&a, &b], 0, "COMPARE content-independent at this sample size"),
        (&[&a, &unsealed], 1, "DIFFERS    byte "),
        (&["--a", &a, "--b", &unsealed, "--json"], 1, "\"answer\": \"differs\""),
        (&[&a, &short], 3, "INCONCLUSIVE"),
        (&[&a, "/nonexistent.pcap"], 2, "cannot open"),
        (&["--a", &a, &b, "--b", &b], 2, "as many of each"),
    ];
    for (arguments, code, sentence) in cases {
        let output = dissect(arguments);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(sentence), "{arguments:?}: {said}");
    }
}

#[test]
fn a_small_calibration_prints_its_tables() {
    let output = Command::new(env!("CARGO_BIN_EXE_dissect"))
        .args(["calibrate", "--captures", "40", "--trials", "10"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for part in ["2^-4", "2^-20", "among  1000 packets", "Russian in UTF-8", "every bound holds"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

fn dissect(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dissect")).arg("compare").args(arguments).output().unwrap()
}
