//! Rooms: made, found, joined, kept in order, and left.

use crate::harness::{Line, Place, Process};

fn is_in(room: &str) -> impl Fn(&Line) -> bool {
    move |line| line.is("room") && line["room"] == room
}

fn says_in(room: &str, text: &str) -> impl Fn(&Line) -> bool {
    move |line| line.says(text) && line["room"] == room
}

fn denied(client: &mut Process, command: &str, part: &str) {
    client.say(command);
    let line = client.wait_for("a refusal", |line| line.is("denied") && line.holds(part));
    assert!(!line["text"].as_str().unwrap().is_empty());
}

/// A room is for its members: who joined hears everything of it, once and from its beginning; who did not, nothing.
#[test]
fn a_room_is_for_its_members() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let [mut ann, mut bob, mut cy] = ["ann", "bob", "cy"].map(|name| place.stay(&hub, name).connected());
    ann.say("/create dev");
    ann.wait_for("ann is in it", is_in("dev"));
    ann.say_and_store("first in dev");
    bob.say("/join #DEV");
    bob.wait_for("bob is in it", is_in("dev"));
    bob.wait_for("what was said before", says_in("dev", "first in dev"));
    bob.say_and_store("second in dev");
    ann.wait_for("ann hears bob", says_in("dev", "second in dev"));
    cy.say("/rooms");
    let list = cy.wait_for("the list", |line| line.is("rooms"));
    assert!(list.holds("\"dev\"") && list.holds("\"members\":2"), "{list:?}");
    // What is said in the lobby comes behind what was said in the room.
    cy.say_and_store("in the lobby");
    for client in [&mut ann, &mut bob, &mut cy] {
        client.wait_for("the lobby", says_in("lobby", "in the lobby"));
    }
    assert_eq!(cy.count(|line| line.holds("in dev")), 0);
    bob.say("/leave");
    bob.wait_for("bob left", |line| line.is("gone") && line["room"] == "dev");
    ann.wait_for("bob is announced", |line| line.is_notice("left", "bob") && line["room"] == "dev");
    ann.say_and_store("third in dev");
    bob.say_and_store("bob is in the lobby again");
    ann.wait_for("ann hears bob", says_in("lobby", "bob is in the lobby again"));
    assert_eq!(bob.count(|line| line.holds("third in dev")), 0);
}

/// `node join --room` goes straight to a room, waits for nothing, and is told when there is none.
#[test]
fn a_pipe_into_a_room() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let mut ann = place.stay(&hub, "ann").connected();
    ann.say("/create dev");
    ann.wait_for("ann is in it", is_in("dev"));
    let mut robot = place.join(&hub.invite(), "robot", &["--room", "#dev"]);
    robot.say("from a pipe");
    robot.end_input();
    assert_eq!(robot.ended().code, Some(0));
    ann.wait_for("the line", says_in("dev", "from a pipe"));
    let mut lost = place.join(&hub.invite(), "lost", &["--room", "nowhere"]);
    lost.say("for nobody");
    lost.end_input();
    lost.wait_for("why", |line| line.is("denied") && line.holds("no room #nowhere"));
    lost.wait_for("the line comes back", |line| line.is("refused"));
    assert_eq!(lost.ended().code, Some(1));
}

/// A room for the invited: nobody else sees it or gets in, and an invite waits for who is away.
#[test]
fn invite_only() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let [mut ann, mut bob, mut cy] = ["ann", "bob", "cy"].map(|name| place.stay(&hub, name).connected());
    ann.say("/create --invite-only den");
    ann.wait_for("ann is in it", is_in("den"));
    bob.say("/rooms");
    let list = bob.wait_for("the list", |line| line.is("rooms"));
    assert!(!list.holds("den"), "{list:?}");
    denied(&mut bob, "/join den", "no room #den");
    bob.say("/quit");
    assert_eq!(bob.ended().code, Some(1));
    ann.say("/invite bob");
    ann.wait_for("bob is invited", |line| line.is("granted") && line["request"] == "invite");
    denied(&mut ann, "/invite nobody", "nobody here has that name");
    let mut bob = place.stay(&hub, "bob").connected();
    bob.wait_for("the invite", |line| line.is("message") && line.holds("ann invites you to #den"));
    bob.say("/join den");
    bob.wait_for("bob is in it", is_in("den"));
    // A member of such a room lets nobody in.
    denied(&mut bob, "/invite cy", "role");
    denied(&mut cy, "/join den", "no room #den");
}

/// Who joins a room without history reads from then on, and cannot ask for what was said before.
#[test]
fn newcomers_without_history() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let [mut ann, mut bob] = ["ann", "bob"].map(|name| place.stay(&hub, name).connected());
    ann.say("/create --no-history den");
    ann.wait_for("ann is in it", is_in("den"));
    ann.say_and_store("before bob");
    bob.say("/join den");
    bob.wait_for("bob is in it", is_in("den"));
    ann.wait_for("bob is announced", |line| line.is_notice("joined", "bob") && line["room"] == "den");
    ann.say_and_store("with bob");
    bob.wait_for("bob hears", says_in("den", "with bob"));
    bob.say("/history 50");
    bob.wait_for("the end", |line| line.is("past-end"));
    //= spec/PROTOCOL.md#rooms
    //= type=test
    //# The hub MUST NOT send a member an entry before the first that STATE names.
    bob.say("/search before");
    bob.wait_until("both ends", |lines| lines.iter().filter(|line| line.is("past-end")).count() == 2);
    assert_eq!(bob.count(|line| line.holds("before bob")), 0);
    assert_eq!(bob.count(|line| line.is("past") && line.holds("with bob")), 1);
}

/// Roles: each may do what the weaker ones may and no more, and a role given on the hub counts everywhere.
#[test]
fn roles() {
    let place = Place::new();
    let mut hub = place.hub(&[]);
    let [mut ann, mut bob, mut cy] = ["ann", "bob", "cy"].map(|name| place.stay(&hub, name).connected());
    ann.say("/create dev");
    ann.wait_for("ann is in it", is_in("dev"));
    for client in [&mut bob, &mut cy] {
        client.say("/join dev");
        client.wait_for("in it", is_in("dev"));
    }
    //= spec/PROTOCOL.md#rooms
    //= type=test
    //# The hub MUST refuse what the role of an account does not allow.
    denied(&mut bob, "/topic what we do", "role");
    ann.say("/role bob moderator");
    bob.wait_for("bob is told", |line| line.is("state") && line["role"] == "moderator");
    bob.say("/topic what we do");
    cy.wait_for("the topic", |line| line.is("state") && line["topic"] == "what we do");
    // A moderator makes no moderator, and takes no owner's role away.
    denied(&mut bob, "/role cy moderator", "role");
    denied(&mut bob, "/role ann member", "role");
    bob.say("/role cy read-only");
    cy.wait_for("cy is told", |line| line.is("state") && line["role"] == "read-only");
    cy.say("not to be said");
    cy.wait_for("a refusal", |line| line.is("refused") && line.holds("role"));
    // The operator makes an owner of the whole hub, who is one in every room.
    hub.process.say("/role cy owner");
    cy.wait_for("cy is told", |line| line.is("state") && line["room"] == "dev" && line["role"] == "owner");
    cy.say("/role bob guest --hub");
    bob.wait_for("bob is told", |line| {
        line.is("state") && line["room"] == "lobby" && line["role"] == "guest"
    });
    denied(&mut bob, "/create another", "role");
}

/// Topic, pinned message, pace; and all of it is there when the hub and its people come back.
#[test]
fn what_a_room_is_like_stays() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let [mut ann, mut bob] = ["ann", "bob"].map(|name| place.stay(&hub, name).connected());
    ann.say("/create dev");
    ann.wait_for("ann is in it", is_in("dev"));
    ann.say_and_store("read me");
    bob.say("/join dev");
    let heard = bob.wait_for("the message", says_in("dev", "read me"));
    ann.say("/topic what we do");
    ann.say(&format!("/pin #{}", heard["seq"]));
    ann.say("/slow 3600");
    bob.wait_for("the pace", |line| line.is("state") && line["slow"] == 3600);
    bob.say_and_store("one");
    bob.say("two");
    let refused = bob.wait_for("a refusal", |line| line.is("refused"));
    assert!(refused["text"].as_str().unwrap().contains("again in"), "{refused:?}");
    bob.say("/quit");
    bob.ended();
    // Whoever keeps order is in no room too fast.
    ann.say_and_store("three");
    ann.say_and_store("four");
    ann.say("/quit");
    ann.ended();
    drop(hub);
    let hub = place.hub(&[]);
    let mut bob = place.stay(&hub, "bob").connected();
    let room = bob.wait_for("the room", is_in("dev"));
    assert_eq!(
        (&room["topic"], &room["pinned"], &room["slow"]),
        (&"what we do".into(), &heard["seq"], &3600.into())
    );
    bob.wait_for("what was said meanwhile", says_in("dev", "four"));
}

/// What cannot be: sealed rooms, names that are none, rooms that are there, a lobby to be left.
#[test]
fn what_is_refused_is_refused_with_a_sentence() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let [mut ann, mut bob] = ["ann", "bob"].map(|name| place.stay(&hub, name).connected());
    denied(&mut ann, "/create --sealed vault", "sealed rooms cannot be made yet");
    denied(&mut ann, "/create \u{202e}dev", "cannot be a room");
    denied(&mut ann, "/leave", "the lobby is for everyone");
    ann.say("/create dev");
    ann.wait_for("ann is in it", is_in("dev"));
    denied(&mut bob, "/create DEV", "/join DEV");
    bob.say("/join dev");
    bob.wait_for("bob is in it", is_in("dev"));
    denied(&mut bob, "/slow 1", "role");
    for client in [&mut ann, &mut bob] {
        client.say_and_store("all is well");
    }
}
