//! Who is away: departures, crashes, quick returns, and what was said in between.

use crate::harness::{Place, Process};

/// A client that is killed and comes back sees what was said meanwhile, once, and nothing again.
#[test]
fn what_was_said_meanwhile_arrives_once() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let mut bob = place.stay(&hub, "bob").connected();
    let mut ann = place.stay(&hub, "ann").connected();
    bob.say_and_store("before");
    ann.wait_for("ann reads", |line| line.says("before"));
    // Once it is noted as read, the next line is a proof of it.
    ann.say_and_store("seen");
    bob.say_and_store("still here");
    ann.wait_for("ann reads", |line| line.says("still here"));
    ann.kill();
    let missed: Vec<String> = (0..50).map(|number| format!("missed {number}")).collect();
    for text in &missed {
        bob.say(text);
    }
    bob.wait_for("bob reads himself", |line| line.says("missed 49"));
    let mut ann = place.stay(&hub, "ann").connected();
    bob.say_and_store("welcome back");
    ann.wait_for("ann reads", |line| line.says("welcome back"));
    let read: Vec<String> = ann.conversation().into_iter().map(|(_, text)| text).collect();
    let mut expected = missed;
    expected.push("welcome back".into());
    // What ann had not yet noted as read when she was killed may come again, and nothing else.
    let again = read.len().saturating_sub(expected.len());
    assert!(again <= 1 && read[again..] == expected, "{read:?}");
}

/// A crash is announced once, after the time a member may be away; a quick return not at all.
#[test]
fn a_crash_is_announced_once_and_a_quick_return_not_at_all() {
    let place = Place::new();
    let hub = place.hub(&["--grace", "2"]);
    let mut bob = place.stay(&hub, "bob").connected();
    let mut ann = place.stay(&hub, "ann").connected();
    let mut cy = place.stay(&hub, "cy").connected();
    bob.wait_for("ann is announced", |line| line.is_notice("joined", "ann"));
    bob.wait_for("cy is announced", |line| line.is_notice("joined", "cy"));
    ann.kill();
    let mut ann = place.stay(&hub, "ann").connected();
    cy.kill();
    ann.say_and_store("quick");
    bob.wait_for("cy's crash is announced", |line| line.is_notice("left", "cy"));
    // Whatever else was to be announced stands before this line.
    ann.say_and_store("later");
    bob.wait_for("bob reads", |line| line.says("later"));
    assert_eq!(bob.count(|line| line.is_notice("left", "cy")), 1);
    assert_eq!(bob.count(|line| line.is_notice("left", "ann")), 0);
    assert_eq!(bob.count(|line| line.is_notice("joined", "ann")), 1);
}

/// Joining and leaving are announced to the others, once each.
#[test]
fn coming_and_going_is_announced_once() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let mut bob = place.stay(&hub, "bob").connected();
    let mut ann: Process = place.stay(&hub, "ann").connected();
    ann.say("/quit");
    assert_eq!(ann.ended().code, Some(0));
    bob.wait_for("ann's departure", |line| line.is_notice("left", "ann"));
    bob.say_and_store("alone");
    bob.wait_for("bob reads", |line| line.says("alone"));
    for kind in ["joined", "left"] {
        assert_eq!(bob.count(|line| line.is_notice(kind, "ann")), 1, "{kind}");
    }
}

/// A name belongs to the key that had it first.
#[test]
fn a_name_of_another_key_is_taken() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let mut ann = place.stay(&hub, "ann").connected();
    ann.say("/quit");
    ann.ended();
    std::fs::rename(place.path("ann"), place.path("first")).unwrap();
    for name in ["ann", "Ann"] {
        let ended = place.join(&hub.invite(), name, &[]).ended();
        assert_eq!(ended.code, Some(5), "{}", ended.stderr);
        assert!(ended.stderr.contains("belongs to someone else"), "{}", ended.stderr);
        assert!(ended.stderr.contains("--name"), "{}", ended.stderr);
    }
}
