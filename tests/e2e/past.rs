//! What was said: asked for again, searched, put into files; answered, edited, deleted.

use crate::harness::{Line, Place};

fn past(line: &Line) -> Option<String> {
    line.is("past").then(|| line["text"].as_str().unwrap().to_owned())
}

/// `/history N` shows the last N, `/history since` what is not older, and `/search` what has all the words.
#[test]
fn history_and_search() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let mut ann = place.stay(&hub, "ann").connected();
    for number in 0..300 {
        ann.say(&format!(
            "line {number} about {}",
            if number % 100 == 7 { "the old Mühle" } else { "nothing" }
        ));
    }
    ann.say("last");
    let long = "x".repeat(60_000);
    ann.say(&long);
    ann.wait_for("all is said", |line| line.says(&long));
    let ends = |count| move |lines: &[Line]| lines.iter().filter(|line| line.is("past-end")).count() == count;
    ann.say("/history 5");
    let lines = ann.wait_until("the end", ends(1));
    let shown: Vec<String> = lines.iter().filter_map(past).collect();
    assert_eq!(shown.len(), 5);
    assert!(shown[3] == "last" && shown[4] == long);
    ann.say("/history since 1h");
    let lines = ann.wait_until("the end", ends(2));
    let shown: Vec<String> =
        lines.iter().filter_map(past).skip(5).filter(|text| text.starts_with("line")).collect();
    let expected: Vec<String> = (0..300).map(|number| format!("line {number} about")).collect();
    assert!(
        shown.len() == 300
            && shown.iter().zip(&expected).all(|(shown, line)| shown.starts_with(line.as_str()))
    );
    ann.say("/search MUHLE \"line * -");
    let lines = ann.wait_until("the end", ends(3));
    let found: Vec<u64> = lines
        .iter()
        .rev()
        .take_while(|line| !line.holds("xxx"))
        .filter(|line| line.is("past"))
        .map(|line| line["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(found.len(), 3, "{found:?}");
    ann.say("/search nothing-of-the-kind");
    ann.wait_until("the end", ends(4));
}

/// `/export` writes everything that was said, once, in each format; and never over a file.
#[test]
fn export() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let mut ann = place.stay(&hub, "ann").connected();
    let said: Vec<String> = (0..700).map(|number| format!("=line {number}, \"quoted\"")).collect();
    for text in &said {
        ann.say(text);
    }
    ann.say("last");
    ann.wait_for("all is said", |line| line.says("last"));
    for (format, name) in [("csv", "all.csv"), ("jsonl", "all.jsonl"), ("md", "all.md")] {
        ann.say(&format!("/export {format} {}", place.text(name)));
        ann.wait_for("it is written", |line| line.is("answer") && line.holds(name));
    }
    let objects = std::fs::read_to_string(place.path("all.jsonl")).unwrap();
    let objects: Vec<serde_json::Value> =
        objects.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let texts: Vec<&str> = objects
        .iter()
        .filter(|object| object["kind"] == "text")
        .map(|object| object["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts[..700], said.iter().map(String::as_str).collect::<Vec<_>>());
    let numbers: Vec<u64> = objects.iter().map(|object| object["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    let csv = std::fs::read_to_string(place.path("all.csv")).unwrap();
    assert!(csv.contains("\"'=line 699, \"\"quoted\"\"\"") && csv.lines().count() == objects.len() + 1);
    ann.say(&format!("/export md {}", place.text("all.md")));
    ann.wait_for("a sentence", |line| line.is("error") && line.holds("exists"));
}

/// Replies, edits, signs and deletions reach everyone; only one's own is edited, only moderators delete others'; and what
/// was deleted is gone from history, search and the hub's folder.
#[test]
fn reply_edit_react_delete() {
    let place = Place::new();
    let mut hub = place.hub(&[]);
    let [mut ann, mut bob] = ["ann", "bob"].map(|name| place.stay(&hub, name).connected());
    ann.say_and_store("the swrodfish");
    let said = bob.wait_for("bob hears", |line| line.says("the swrodfish"));
    let number = said["seq"].as_u64().unwrap();
    bob.say_and_store("/reply which one?");
    let reply = ann.wait_for("the reply", |line| line.says("which one?"));
    assert!(reply["kind"] == "reply" && reply["re"] == number, "{reply:?}");
    ann.say_and_store("/edit the swordfish");
    let edit = bob.wait_for("the edit", |line| line.says("the swordfish"));
    assert!(edit["kind"] == "edit" && edit["re"] == number, "{edit:?}");
    bob.say_and_store(&format!("/react #{number} 👍"));
    ann.wait_for("the sign", |line| line["kind"] == "react" && line["re"] == number && line["text"] == "👍");
    for command in
        [format!("/edit #{number} mine now"), format!("/delete #{number}"), "/reply #9999 hm".into()]
    {
        bob.say(&command);
        //= spec/PROTOCOL.md#what-was-said
        //= type=test
        //# The hub MUST refuse an EDIT by another account than the line's, and a DELETE by another account that is no
        //# moderator.
        let refusals = |lines: &[Line]| lines.iter().filter(|line| line.is("refused")).count();
        let before = refusals(bob.lines());
        bob.wait_until("a refusal", |lines| {
            refusals(lines) > before || before > 0 && refusals(lines) == before + 1
        });
    }
    hub.process.say("/role bob moderator");
    bob.wait_for("bob is told", |line| line.is("state") && line["role"] == "moderator");
    bob.say_and_store(&format!("/delete #{number}"));
    ann.wait_for("the deletion", |line| line["kind"] == "delete" && line["re"] == number);
    ann.say("/history 50");
    ann.wait_for("the end", |line| line.is("past-end"));
    let gone = ann.lines().iter().filter(|line| line.is("past") && line["kind"] == "deleted").count();
    assert_eq!(gone, 2, "the line and its edit");
    assert_eq!(ann.count(|line| line.is("past") && (line.holds("swrodfish") || line.holds("swordfish"))), 0);
    ann.say("/search swordfish");
    ann.wait_until("the end", |lines| lines.iter().filter(|line| line.is("past-end")).count() == 2);
    assert_eq!(ann.count(|line| line.is("past") && line.holds("swordfish")), 0);
    hub.process.say("/quit");
    hub.process.ended();
    for file in std::fs::read_dir(place.path("hub")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for secret in [&b"swrodfish"[..], b"swordfish"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret));
        }
    }
}

/// `/private NAME` sends what follows to one person; `/ignore` shows nothing of somebody; old commands work in any case.
#[test]
fn private_mode_and_old_commands() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let [mut ann, mut bob, mut cy] = ["ann", "bob", "cy"].map(|name| place.stay(&hub, name).connected());
    ann.say("#PRIVATE bob");
    ann.say_and_store("for bob alone");
    ann.say("/private off");
    ann.say_and_store("for all");
    let heard = bob.wait_for("bob hears", |line| line.says("for bob alone"));
    assert_eq!(heard["private"], true);
    cy.wait_for("cy hears", |line| line.says("for all"));
    assert_eq!(cy.count(|line| line.holds("for bob alone")), 0);
    cy.say("#ListU");
    let members = cy.wait_for("who is here", |line| line.is("members"));
    assert!(["ann", "bob", "cy"].iter().all(|name| members.holds(name)), "{members:?}");
    cy.say("/ignore ann");
    cy.wait_for("an answer", |line| line.is("answer"));
    ann.say_and_store("not for cy");
    bob.say_and_store("for cy");
    cy.wait_for("bob is heard", |line| line.says("for cy"));
    assert_eq!(cy.count(|line| line.says("not for cy")), 0);
    cy.say("#TrfU file");
    cy.wait_for("no such command yet", |line| line.is("error") && line.holds("unknown command"));
    ann.say("#Exit");
    assert_eq!(ann.ended().code, Some(0));
}
