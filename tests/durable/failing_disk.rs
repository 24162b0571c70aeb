//! A disk that fails: `fsync` of the hub returns EIO, as strace has it.

use crate::harness::{Line, Place, Process};
use crate::kept::Kept;
use crate::speaker::{Speaker, talk};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long a fault lasts.
const FAULT_TIME: Duration = Duration::from_secs(3);
const SENTENCE: &str = "the hub's disk fails: it stores nothing until it can again";

/// A fault while it lasts.
struct Fault {
    strace: Process,
    calls: PathBuf,
}

impl Fault {
    /// Those calls of `fsync` and `fdatasync` fail in the process `hub` that `when` names in strace's words.
    fn begin(place: &Place, hub: u32, when: &str) -> Self {
        let calls = place.path(&format!("calls {when}"));
        let mut command = Command::new("strace");
        command.args(["-f", "-e", "trace=fsync,fdatasync", "-e"]);
        command.arg(format!("inject=fsync,fdatasync:error=EIO:when={when}"));
        command.args(["-p", &hub.to_string(), "-o"]).arg(&calls);
        let mut strace = Process::start(&mut command);
        strace.wait_for(
            "strace is attached",
            |line| matches!(line, Line::Err(text) if text.contains("attached")),
        );
        Self { strace, calls }
    }

    /// How many calls failed.
    fn end(mut self) -> usize {
        self.strace.signal("INT");
        self.strace.ended();
        let calls = std::fs::read_to_string(&self.calls).unwrap();
        calls.lines().filter(|line| line.contains("EIO") && line.contains("INJECTED")).count()
    }
}

/// Whether strace is there and may look at a process of ours.
fn may_trace() -> bool {
    let mut command = Command::new("strace");
    command.args(["-o", "/dev/null", "true"]).stderr(Stdio::null());
    let may = command.status().is_ok_and(|status| status.success());
    if !may {
        println!("skipped: strace");
    }
    may
}

/// While every synchronisation fails, hub and authors are told so and nothing is said to be stored; while every third
/// fails, in commits and checkpoints alike, what is said to be stored is. Then the hub is killed in the midst of it,
/// and at the end everything that was said is there.
#[test]
fn a_failing_disk_is_not_believed() {
    if !may_trace() {
        return;
    }
    let place = Place::new();
    let mut hub = place.hub(&[]);
    let address = hub.address.to_string();
    let mut cy = place.stay(&hub, "cy").connected();
    let mut speakers = [Speaker::join(&place, &hub, "ann"), Speaker::join(&place, &hub, "bob")];
    cy.kill();
    talk(&mut speakers, Duration::from_millis(200));
    speakers.iter_mut().for_each(Speaker::wait_until_stored);
    let stored: usize = speakers.iter().map(|speaker| speaker.told.len()).sum();

    let fault = Fault::begin(&place, hub.process.id(), "1+");
    talk(&mut speakers, FAULT_TIME);
    hub.process.wait_for("the operator is told", |line| line.is("error") && line["text"] == SENTENCE);
    hub.process.wait_for("SQLite said it", |line| line.holds("disk I/O error"));
    for speaker in &mut speakers {
        speaker.process.wait_for("the author is told", |line| line.is("closed") && line["text"] == SENTENCE);
    }
    let mut cy = place.stay(&hub, "cy").connected();
    cy.wait_until("what is stored is read", |lines| {
        lines.iter().filter(|line| line.is("message")).count() >= stored
    });
    assert_eq!(speakers.iter_mut().map(|speaker| speaker.said - speaker.unstored()).sum::<usize>(), stored);
    let all = fault.end();
    hub.process.wait_for("it stores again", |line| line.is_notice_of("log-works"));

    let fault = Fault::begin(&place, hub.process.id(), "3+3");
    talk(&mut speakers, FAULT_TIME);
    hub.process.kill();
    let some = fault.end();
    hub = place.hub_at(&address, "hub", &[]);
    speakers.iter_mut().for_each(Speaker::wait_until_stored);
    hub.process.kill();
    let kept = Kept::read(&place.path("hub"));
    speakers.iter().for_each(|speaker| kept.assert_holds(speaker));
    assert!(all >= 3 && some >= 3, "the faults did not happen: {all} and {some} calls failed");
    let lines = kept.conversation().len();
    println!("{all} of {all} and then {some} synchronisations failed; {lines} lines, none lost");
}
