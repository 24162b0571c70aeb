//! What a person is told who types something wrong, or asks for help.

#[path = "e2e/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "these tests use a part of it")]
mod harness;

use harness::{Place, program, run};
use std::process::Command;

fn ask(name: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    run(Command::new(program(name)).args(arguments))
}

/// A command line that makes no sense ends with 2 and names what is wrong, without having touched anything.
#[test]
fn wrong_usage_is_exit_code_2() {
    for (name, arguments, hint) in [
        ("node", &[][..], "Usage"),
        ("node", &["frobnicate"], "unrecognized subcommand"),
        ("node", &["join"], "--hub"),
        ("node", &["join", "--hub", "localhost", "--tiemout", "3"], "--timeout"),
        ("node", &["join", "--hub", "localhost", "--timeout", "soon"], "soon"),
        ("node", &["hub", "--listen", "5555"], "--listen"),
        ("node", &["hub", "--log-level", "loud"], "possible values"),
        ("node", &["hub", "--grace=-1"], "--grace"),
        ("node", &["trust"], "Usage"),
        ("dissect", &[], "Usage"),
        ("dissect", &["a", "b"], "cannot be used with"),
        ("dissect", &["a", "-T", "xml"], "possible values"),
    ] {
        let (code, out, err) = ask(name, arguments);
        assert_eq!(code, Some(2), "{name} {arguments:?}: {err}");
        assert!(err.contains(hint) && out.is_empty(), "{name} {arguments:?}: {out}{err}");
    }
}

/// Help is on stdout, ends with 0, and says what the exit codes mean.
#[test]
fn help_explains_the_exit_codes() {
    for (name, arguments, parts) in [
        ("node", &["--help"][..], &["hub", "join", "demo", "trust", "130"][..]),
        ("node", &["hub", "--help"], &["--listen", "--capture", "--keylog", "--open", "Examples:"]),
        ("node", &["join", "--help"], &["--hub", "--follow", "--accept-new", "Examples:", "130"]),
        ("dissect", &["--help"], &["--canary", "--keylog", "--require", "INCONCLUSIVE"]),
    ] {
        let (code, out, err) = ask(name, arguments);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{name} {arguments:?}");
        for part in parts.iter().chain(&["Exit codes:"]) {
            assert!(out.contains(part), "{name} {arguments:?} lacks {part}");
        }
    }
}

/// `--version` names the program and its version.
#[test]
fn versions() {
    for name in ["node", "dissect"] {
        let (code, out, _) = ask(name, &["--version"]);
        assert!(code == Some(0) && out.starts_with(name) && out.contains("0.1.0"), "{out}");
    }
}

/// What the command line cannot know to be wrong is told with a cause and a way out.
#[test]
fn every_failure_has_a_cause_and_a_way_out() {
    let place = Place::new();
    let data = place.text("data");
    let file = place.text("file");
    std::fs::write(&file, "no folder").unwrap();
    let join = |hub| vec!["join", "--name", "ann", "--data", &data, "--hub", hub];
    let hub = || vec!["hub", "--listen", "127.0.0.1:0", "--data", data.as_str()];
    let cases: Vec<(Vec<&str>, i32, &str)> = vec![
        (join("no sense at all"), 2, "no usable host"),
        (join("sealgram://127.0.0.1:5555"), 2, "copy it whole"),
        (join("sealgram://127.0.0.1:5555/?k=AAAA"), 2, "copy it whole"),
        (join("sealgram://127.0.0.1:5555/?k=!!"), 2, "copy it whole"),
        (join("127.0.0.1:port"), 2, "port"),
        (join("127.0.0.1:70000"), 2, "port"),
        (join("127.0.0.1:5555"), 1, "--accept-new"),
        (vec!["join", "--hub", "x", "--data", &data, "--name", ""], 2, "another --name"),
        (vec!["join", "--hub", "x", "--data", &data, "--name", "#lobby"], 2, "another --name"),
        (vec!["join", "--hub", "x", "--data", &data, "--name", "hub"], 2, "another --name"),
        (vec!["join", "--hub", "x", "--name", "ann", "--data", &file], 1, &file),
        (vec!["hub", "--listen", "127.0.0.1:0", "--data", &file], 1, &file),
        (vec!["trust", "forget", "127.0.0.1:1", "--name", "ann", "--data", &data], 1, "node trust list"),
        (vec!["trust", "forget", "a b", "--name", "ann", "--data", &data], 2, "host"),
    ];
    for (arguments, expected, part) in cases {
        let (code, out, err) = ask("node", &arguments);
        assert_eq!(code, Some(expected), "{arguments:?}: {err}");
        assert!(
            err.starts_with("node: ") && err.contains(part) && out.is_empty(),
            "{arguments:?}: {out}{err}"
        );
    }
    let (code, _, err) = ask("node", &[hub(), vec!["--advertise", "a b"]].concat());
    assert!(code == Some(1) && err.contains("--advertise a b"), "{err}");
    let (code, _, err) = ask("node", &[hub(), vec!["--capture", "/nonexistent/a.pcapng"]].concat());
    assert!(code == Some(1) && err.contains("/nonexistent/a.pcapng"), "{err}");
    let (code, _, err) = ask("node", &[hub(), vec!["--keylog", "/nonexistent/a.keys"]].concat());
    assert!(code == Some(1) && err.contains("/nonexistent/a.keys"), "{err}");
    let folder = format!("{file}/qlog");
    let (code, _, err) = ask("node", &[hub(), vec!["--qlog", &folder]].concat());
    assert!(code == Some(1) && err.contains(&folder) && err.contains("try: --qlog"), "{err}");
    let (code, _, err) = ask("node", &["hub", "--listen", "192.0.2.1:5555", "--data", &data]);
    assert!(code == Some(1) && err.contains("192.0.2.1:5555"), "{err}");
    // The way out stands on a line of its own, unless the cause already says it.
    for arguments in [join("no sense at all"), join("127.0.0.1:port"), join("127.0.0.1:5555")] {
        let (_, _, err) = ask("node", &arguments);
        assert!(err.contains("\n  try: "), "{arguments:?}: {err}");
    }
}

/// A name or an address with control characters cannot paint on the terminal of whoever typed it.
#[test]
fn errors_command_no_terminal() {
    let place = Place::new();
    let data = place.text("data");
    for arguments in [
        ["join", "--data", &data, "--name", "ann", "--hub", "\x1b[31mred"],
        ["join", "--data", &data, "--hub", "x", "--name", "\x1b[31mred"],
    ] {
        let (code, _, err) = ask("node", &arguments);
        assert!(code == Some(2) && !err.contains('\x1b') && err.contains("[31mred"), "{err:?}");
    }
}

/// `dissect` says what it cannot read.
#[test]
fn what_dissect_cannot_read() {
    let place = Place::new();
    let file = place.text("notes.txt");
    std::fs::write(&file, "not a capture").unwrap();
    for (arguments, part) in
        [(["/nonexistent.pcap", "-q"], "cannot open /nonexistent.pcap"), ([&file, "-q"], "not a capture")]
    {
        let (code, out, err) = ask("dissect", &arguments);
        assert!(code == Some(2) && out.is_empty() && err.contains(part), "{err}");
    }
    let capture = place.text("empty.pcap");
    std::fs::write(&capture, [&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0][..], &[0; 12], &[1, 0, 0, 0]].concat())
        .unwrap();
    let (code, out, _) = ask("dissect", &[&capture]);
    assert!(code == Some(3) && out.contains("INCONCLUSIVE"), "{out}");
    let (code, _, err) = ask("dissect", &[&capture, "--keylog", &file]);
    assert!(code == Some(2) && err.contains("no key log"), "{err}");
    std::fs::write(&file, "SGM1_ROOT nonsense\n").unwrap();
    let (code, _, err) = ask("dissect", &[&capture, "--keylog", &file]);
    assert!(code == Some(2) && err.contains("no key log") && err.contains("line 1"), "{err}");
}
