//! Lines: long ones, private ones, piped ones.

use crate::harness::{Hub, Place, Process, program, run};
use std::io::Write;
use std::process::{Command, Stdio};

fn two(place: &Place) -> (Hub, Process, Process) {
    let hub = place.hub(&[]);
    let (ann, bob) = (place.stay(&hub, "ann").connected(), place.stay(&hub, "bob").connected());
    (hub, ann, bob)
}

/// A line of exactly 64 KiB arrives whole; one byte more is refused with a sentence and exit code 1, and the
/// lines around it are delivered.
#[test]
fn a_line_of_64_kib_is_whole_and_one_byte_more_is_refused() {
    let place = Place::new();
    let (_hub, mut ann, mut bob) = two(&place);
    let longest: String = (0..65_536).map(|at| char::from(b'a' + u8::try_from(at % 23).unwrap())).collect();
    ann.say(&longest);
    bob.wait_for("the long line", |line| line.says(&longest));
    ann.say(&format!("{longest}x"));
    ann.say("after");
    bob.wait_for("the line after", |line| line.says("after"));
    assert_eq!(bob.conversation().len(), 2);
    let refusal = ann.wait_for("a sentence", |line| line.is("error"));
    assert!(refusal["text"].as_str().unwrap().contains("64 KiB"), "{refusal:?}");
    ann.say("/quit");
    assert_eq!(ann.ended().code, Some(1));
}

/// `/msg` is seen by the one it is for and by its author, also when the one was away, and by nobody else.
#[test]
fn a_private_line_reaches_its_addressee_only() {
    let place = Place::new();
    let (hub, mut ann, mut bob) = two(&place);
    let mut cy = place.stay(&hub, "cy").connected();
    ann.say_and_store("/msg bob between you and me");
    let heard = bob.wait_for("the private line", |line| line.says("between you and me"));
    assert!(heard["private"] == true && heard["from"] == "ann", "{heard:?}");
    bob.say("/quit");
    assert_eq!(bob.ended().code, Some(0));
    ann.say_and_store("/msg bob for later");
    let mut bob = place.stay(&hub, "bob").connected();
    let heard = bob.wait_for("the line for later", |line| line.says("for later"));
    assert_eq!(heard["private"], true);
    ann.say_and_store("to all");
    for client in [&mut bob, &mut cy] {
        client.wait_for("the line to all", |line| line.says("to all"));
    }
    assert_eq!(bob.count(|line| line.is("message") && line["private"] == true), 1, "nothing twice");
    assert!(!cy.lines().iter().any(|line| line.holds("for later") || line.holds("between you")));
    ann.say("/msg nobody hello");
    let refused = ann.wait_for("a refusal", |line| line.is("refused"));
    assert!(refused["text"].as_str().unwrap().contains("nobody"), "{refused:?}");
}

/// `echo … | node join …` delivers every line, prints no event, and ends with 0 once the hub has them all.
#[test]
fn lines_in_a_pipe() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let mut bob = place.stay(&hub, "bob").connected();
    let mut command = place.join_command(&hub.invite(), "robot");
    let mut robot =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    robot.stdin.take().unwrap().write_all("one\ntwo, 世界 🎉\n/me waves\n//slash\nlast".as_bytes()).unwrap();
    let output = robot.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    bob.wait_for("the last line", |line| line.says("last"));
    let heard: Vec<String> = bob.conversation().into_iter().map(|(_, text)| text).collect();
    assert_eq!(heard, ["one", "two, 世界 🎉", "waves", "/slash", "last"]);
    assert_eq!(bob.count(|line| line.says("waves") && line["kind"] == "action"), 1);
    assert!(String::from_utf8_lossy(&output.stdout).contains("<robot> one"));
}

/// `/help` and `/list` are answered; an unknown command is a failure with a hint, and is never said aloud.
#[test]
fn commands_of_a_member() {
    let place = Place::new();
    let (_hub, mut ann, mut bob) = two(&place);
    ann.say("/help");
    let help = ann.wait_for("help", |line| line.is("answer"));
    for command in ["/help", "/list", "/status", "/msg", "/me", "/quit"] {
        assert!(help.holds(command), "{command}");
    }
    ann.say("/list");
    let list = ann.wait_for("the list", |line| line.is("members"));
    assert!(list.holds("ann") && list.holds("bob"), "{list:?}");
    ann.say("/status");
    let status = ann.wait_for("the status", |line| line.is("status"));
    assert!(status["sent"].as_u64() > Some(0) && status["local"].is_string(), "{status:?}");
    ann.say("/frobnicate now");
    ann.say("after");
    assert!(ann.wait_for("a hint", |line| line.is("error")).holds("/help"));
    bob.wait_for("the line after", |line| line.says("after"));
    assert_eq!(bob.conversation().len(), 1);
    ann.say("/quit");
    assert_eq!(ann.ended().code, Some(1));
}

/// What others write cannot move the cursor of whoever reads it.
#[test]
fn no_line_commands_a_terminal() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let mut bob = Process::start(place.join_command(&hub.invite(), "bob").arg("--follow"));
    bob.wait_for("bob is in", |line| line.holds("bob joined"));
    let mut ann = place.stay(&hub, "ann").connected();
    bob.wait_for("ann is announced", |line| line.holds("ann joined"));
    ann.say_and_store("red \x1b[31m and \u{202e}turned");
    let shown = bob.wait_for("the line", |line| line.holds("turned"));
    assert!(!shown.holds("\\u001b") && !shown.holds("\u{202e}") && shown.holds("\u{fffd}[31m"), "{shown:?}");
}

/// Two programs of one member cannot share a folder, and the second says so.
#[test]
fn one_folder_one_client() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let _ann = place.stay(&hub, "ann").connected();
    let (code, _, stderr) = run(&mut place.join_command(&hub.invite(), "ann"));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("already uses") && stderr.contains("try:"), "{stderr}");
}

/// Whoever closes our output does not stop what was said from being stored.
#[test]
fn nobody_reads_our_output() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let mut bob = place.stay(&hub, "bob").connected();
    let invite = hub.invite();
    let mut command = Command::new(program("node"));
    command.args(["join", "--hub", &invite, "--name", "robot", "--data"]).arg(place.path("robot"));
    let mut robot =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(robot.stdout.take());
    robot.stdin.take().unwrap().write_all(b"heard all the same\n").unwrap();
    assert_eq!(robot.wait().unwrap().code(), Some(0));
    bob.wait_for("the line", |line| line.says("heard all the same"));
}
