//! `dissect` on what a broken build would have sent: a run of real processes, opened with its key log and sealed
//! again the right way and in wrong ways.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "e2e/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "these tests use a part of it")]
mod harness;
#[path = "evidence/leak.rs"]
mod leak;
#[path = "evidence/sessions.rs"]
mod sessions;
#[path = "evidence/tape.rs"]
mod tape;

use harness::{Line, Place, Process, dissect, judge};
use leak::{Leak, NICKNAME, SECRET};
use serde_json::Value;
use sessions::Sessions;
use std::path::{Path, PathBuf};
use tape::Tape;

/// Lines that are said.
const LINES: usize = 60;

/// A real run: its files, and what was said.
struct Run {
    place: Place,
    tape: Tape,
    sessions: Sessions,
    keys: String,
    /// What each client printed.
    transcripts: Vec<String>,
}

impl Run {
    /// Three processes on loopback: a hub that captures and logs its keys, and two clients that talk.
    fn new() -> Self {
        let place = Place::new();
        let (capture, keys) = (place.text("hub.pcapng"), place.text("hub.keys"));
        let mut hub = place.hub(&["--capture", &capture, "--keylog", &keys]);
        let mut clients = [NICKNAME, "Bartholomew"].map(|name| place.stay(&hub, name).connected());
        for number in 0..LINES {
            clients[number % 2].say_and_store(&format!("{number}: {SECRET}"));
        }
        for client in &mut clients {
            client.wait_for("the last line", |line| line.says(&format!("{}: {SECRET}", LINES - 1)));
            client.say("/quit");
            assert_eq!(client.ended().code, Some(0));
        }
        hub.process.say("/quit");
        assert_eq!(hub.process.ended().code, Some(0));
        let transcripts =
            clients.iter_mut().enumerate().map(|(index, client)| transcript(&place, index, client)).collect();
        let tape = Tape::read(&std::fs::read(&capture).unwrap());
        let sessions = Sessions::open(&tape, &std::fs::read_to_string(&keys).unwrap());
        assert!(sessions.opened.len() > 100, "it is a run: {} SHORT datagrams", sessions.opened.len());
        Self { place, tape, sessions, keys, transcripts }
    }

    /// The capture with every SHORT datagram sealed again, as `leak` does it.
    fn resealed(&self, leak: Leak) -> PathBuf {
        let tape = leak.apply(&self.tape, &self.sessions);
        if leak == Leak::None {
            assert_eq!(tape.pcap(), self.tape.pcap(), "sealing again gives the same bytes");
        }
        let path = self.place.path(&format!("{leak:?}.pcap"));
        std::fs::write(&path, tape.pcap()).unwrap();
        path
    }
}

/// What a client printed, in a file.
fn transcript(place: &Place, index: usize, client: &mut Process) -> String {
    let event = |line: &Line| if let Line::Out(value) = line { Some(format!("{value}\n")) } else { None };
    let path = place.text(&format!("client-{index}.ndjson"));
    std::fs::write(&path, client.lines().iter().filter_map(event).collect::<String>()).unwrap();
    path
}

/// The rules of the findings that refute.
fn violations(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.filter(|f| f["severity"] == "violation").filter_map(|f| f["rule"].as_str()).collect()
}

/// The capture is refuted, by this rule among others.
fn assert_refuted(capture: &Path, arguments: &[&str], rule: &str) {
    let report = judge(capture, arguments, 1);
    let (name, violations) = (capture.display(), violations(&report));
    assert!(violations.contains(&rule), "{name} {arguments:?}: {violations:?}");
}

/// The control: sealed again the right way, byte for byte what it was, it is proved without keys, with them, and to
/// the last word with what the clients printed. So what refutes the leaks is the leak.
fn prove(control: &Path, run: &Run) {
    let blind = judge(control, &["--canary", SECRET, "--require", "E3"], 0);
    assert_eq!(violations(&blind), [""; 0]);
    judge(control, &["--keylog", &run.keys], 0);
    let [one, other] = [&run.transcripts[0], &run.transcripts[1]];
    let keys = ["--keylog", &run.keys, "--canary", SECRET, "--transcript", one];
    let report = judge(control, &[&keys[..], &["--transcript", other]].concat(), 0);
    assert_eq!(report["verdict"]["reached"], "E5");
    let complete = &report["complete"];
    assert_eq!((&complete["sent_found"], &complete["extra"]), (&Value::from(LINES), &Value::from(0)));
    // With one of the transcripts alone, what the other client said is nobody's.
    let half = judge(control, &keys, 3);
    assert_eq!(half["complete"]["extra"], LINES / 2);
}

/// Each leak is refuted without keys, by what shows by itself or by a canary; and with the key log too.
#[test]
fn a_run_that_is_sealed_again_is_proved_and_every_leak_is_refuted() {
    let run = Run::new();
    prove(&run.resealed(Leak::None), &run);
    let canary = ["--canary", SECRET];
    for (leak, arguments, without_keys, with_keys) in [
        (Leak::Unsealed, &[][..], "opacity.structure", "sealed.tag"),
        (Leak::FixedNonce, &[], "reuse.keystream", "sealed.tag"),
        (Leak::NonceTwice, &[], "reuse.window", "sealed.tag"),
        (Leak::NicknameInHeader, &[], "session.connection-id-shared", "sealed.connection-id"),
        (Leak::RoomInConnectionId, &[], "session.connection-id-shared", "sealed.connection-id"),
        (Leak::CharacterInPadding, &[], "opacity.structure", "sealed.tag"),
        (Leak::CharacterInPadding, &canary, "canary.found", "sealed.tag"),
        (Leak::Base64InPadding, &[], "opacity.structure", "sealed.tag"),
        (Leak::Base64InPadding, &canary, "canary.found", "sealed.tag"),
        (Leak::ZeroKey, &[], "opacity.known-key", "sealed.connection-id"),
        (Leak::SharedEphemeral, &[], "reuse.ephemeral-key", "reuse.ephemeral-key"),
        (Leak::LengthOracle, &[], "session.format", "session.format"),
    ] {
        let capture = run.resealed(leak);
        assert_refuted(&capture, arguments, without_keys);
        assert_refuted(&capture, &[arguments, &["--keylog", &run.keys]].concat(), with_keys);
    }
    // One client's name in its own ids looks like any constant id: this one takes the key log. Eight letters are
    // too few to be searched for with certainty, but they are seen, and that is said.
    let one = run.resealed(Leak::NicknameOfOne);
    assert_refuted(&one, &["--keylog", &run.keys], "sealed.connection-id");
    let (_, report) = dissect(&one, &["-q", "--canary", NICKNAME]);
    let canary = &report["canary"]["canaries"][0];
    assert!(canary["strong"] == false && canary["on_wire"].as_u64() > Some(10), "{canary}");
}
