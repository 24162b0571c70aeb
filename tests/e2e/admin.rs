//! The admin console, and how a hub starts and ends.

use crate::harness::{Hub, Place, run};

/// `/list`, `/alert`, `/msg` and `/help` do what they say, and a misspelt name is answered with the nearest.
#[test]
fn the_console() {
    let place = Place::new();
    let mut hub = place.hub(&[]);
    let mut ann = place.stay(&hub, "ann").connected();
    let mut bob = place.stay(&hub, "bob").connected();
    hub.process.say("/list");
    let list = hub.process.wait_for("the list", |line| line.is("list"));
    let names: Vec<_> = list["clients"].as_array().unwrap().iter().map(|client| &client["name"]).collect();
    assert!(names.len() == 2 && list.holds("ann") && list.holds("bob"), "{list:?}");
    assert!(list["clients"][0]["address"].as_str().unwrap().starts_with("127.0.0.1:"), "{list:?}");
    hub.process.say("/alert tea is ready");
    for client in [&mut ann, &mut bob] {
        let alert = client.wait_for("the alert", |line| line.says("tea is ready"));
        assert!(alert["kind"] == "alert" && alert["from"] == "hub", "{alert:?}");
    }
    hub.process.say("/msg bob come to the office");
    let whisper = bob.wait_for("the private line", |line| line.says("come to the office"));
    assert!(whisper["private"] == true && whisper["from"] == "hub", "{whisper:?}");
    hub.process.say("/help");
    let help = hub.process.wait_for("help", |line| line.is("answer"));
    for command in ["/list", "/kick", "/alert", "/msg", "/help", "/quit"] {
        assert!(help.holds(command), "{command}");
    }
    hub.process.say("/kick bbo");
    hub.process.wait_for("a hint", |line| line.holds("did you mean bob"));
    hub.process.say("/dance");
    hub.process.wait_for("a hint", |line| line.holds("unknown command /dance"));
    ann.say_and_store("fence");
    assert!(!ann.lines().iter().any(|line| line.holds("office")), "nobody else hears what is private");
}

/// A private line of the operator reaches somebody who was away.
#[test]
fn the_operator_writes_to_somebody_who_is_away() {
    let place = Place::new();
    let mut hub = place.hub(&[]);
    let mut bob = place.stay(&hub, "bob").connected();
    bob.say("/quit");
    bob.ended();
    hub.process.say("/msg bob look at this");
    let mut bob = place.stay(&hub, "bob").connected();
    bob.wait_for("the private line", |line| line.says("look at this"));
}

/// Whoever is kicked ends with 3 and is told why; the others see that they left, once.
#[test]
fn kick() {
    let place = Place::new();
    let mut hub = place.hub(&[]);
    let mut ann = place.stay(&hub, "ann").connected();
    let mut bob = place.stay(&hub, "bob").connected();
    hub.process.say("/kick bob enough is enough");
    let ended = bob.ended();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("enough is enough"), "{}", ended.stderr);
    let closed = bob.wait_for("it is told", |line| line.is("closed"));
    assert!(closed["reason"] == "removed" && closed["text"] == "enough is enough", "{closed:?}");
    let left = ann.wait_for("it is announced", |line| line.is_notice("left", "bob"));
    assert!(left.holds("enough is enough"), "{left:?}");
    ann.say_and_store("fence");
    assert_eq!(ann.count(|line| line.is_notice("left", "bob")), 1);
}

/// `/quit`, SIGTERM and SIGINT all end a hub with 0 after its clients were told why. A client that follows tries
/// to come back, and is back when the hub is.
#[test]
fn every_way_to_stop() {
    for how in ["/quit", "TERM", "INT"] {
        let place = Place::new();
        let mut hub = place.hub(&[]);
        let mut ann = place.stay(&hub, "ann").connected();
        match how {
            "/quit" => hub.process.say("/quit"),
            signal => hub.process.signal(signal),
        }
        let closed = ann.wait_for("it is told", |line| line.is("closed"));
        assert!(closed["reason"] == "shutdown" && closed["retrying"] == true, "{how}: {closed:?}");
        assert!(closed.holds("going down"), "{how}: {closed:?}");
        let ended = hub.process.ended();
        assert_eq!(ended.code, Some(0), "{how}: {}", ended.stderr);
        assert_eq!(hub.process.count(|line| line.is("closed")), 1, "{how}");
        if how == "TERM" {
            let _again: Hub = place.hub_at(&hub.address.to_string(), "hub", &[]);
            ann.wait_for("it is back", |line| line.is("connected") && line["again"] == true);
        }
    }
}

/// A hub without anybody at its stdin goes on.
#[test]
fn the_end_of_stdin_stops_nothing() {
    let place = Place::new();
    let mut hub = place.hub(&[]);
    hub.process.say("/list");
    hub.process.end_input();
    hub.process.wait_for("the list", |line| line.is("list"));
    let mut ann = place.stay(&hub, "ann").connected();
    ann.say_and_store("still there");
    hub.process.signal("TERM");
    assert_eq!(hub.process.ended().code, Some(0));
}

/// A second hub on the same folder, or on the same port, is refused with a sentence that names it.
#[test]
fn a_second_hub_is_refused() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let (code, _, stderr) = run(&mut place.hub_command("127.0.0.1:0", "hub"));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("another hub already uses") && stderr.contains("--data"), "{stderr}");
    let (code, _, stderr) = run(&mut place.hub_command(&hub.address.to_string(), "other"));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains(&hub.address.to_string()) && stderr.contains("try:"), "{stderr}");
}

/// The same folder makes the same hub: key, invite and everything that was said.
#[test]
fn a_hub_that_is_started_again_is_the_same() {
    let place = Place::new();
    let mut first = place.hub(&[]);
    let mut ann = place.stay(&first, "ann").connected();
    ann.say_and_store("remember this");
    ann.kill();
    first.process.kill();
    let again = place.hub_at(&first.address.to_string(), "hub", &[]);
    assert_eq!((again.invite(), &again.fingerprint), (first.invite(), &first.fingerprint));
    let mut ann = place.stay(&again, "ann").connected();
    ann.say_and_store("second");
    let second = ann.wait_for("the second line", |line| line.says("second"));
    assert!(second["seq"].as_u64() > Some(2), "{second:?}");
}

/// `--advertise` is what the invite says.
#[test]
fn what_is_advertised_is_in_the_invite() {
    let place = Place::new();
    let hub = place.hub(&["--advertise", "chat.example.org:4444"]);
    assert_eq!(hub.invite.address.to_string(), "chat.example.org:4444");
    let other = place.hub_at("127.0.0.1:0", "other", &["--advertise", "chat.example.org"]);
    assert_eq!(other.invite.address.to_string(), format!("chat.example.org:{}", other.address.port()));
}
