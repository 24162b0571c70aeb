//! Rooms over a bad link, while the hub is killed: what was granted is so, and every member sees the same.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use core::time::Duration;
use node_proto::client::{ClientEvent, Target};
use node_proto::hub::charter::{Made, read_room_body};
use node_proto::log::{HUB_ROOM, RoomId};
use sim::{ClientId, Link, World};
use spec::wire::entry::{Entry, EntryKind, split_target};
use spec::wire::request::{Request, Setting};
use std::collections::BTreeMap;

const NAMES: [&str; 3] = ["ann", "bob", "cy"];

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// The names of the rooms in the log.
fn rooms(world: &World) -> BTreeMap<String, RoomId> {
    let entries = (1..).zip(world.store().entries(HUB_ROOM));
    let made = entries.filter_map(|(sequence, bytes)| {
        let entry = Entry::decode(bytes).unwrap();
        let is_room = entry.kind == EntryKind::Room
            && matches!(read_room_body(entry.body), Some(Made::Open { owner: Some(_), .. }));
        is_room.then(|| (entry.name.to_owned(), RoomId(sequence)))
    });
    made.collect()
}

/// What a client has heard of a room.
fn heard(world: &World, id: ClientId, room: RoomId) -> Vec<String> {
    let texts = world.nodes[id.0].events.iter().filter_map(|event| match event {
        ClientEvent::Entry { room: known, entry, .. } if *known == room => {
            let entry = Entry::decode(entry).unwrap();
            (entry.kind == EntryKind::Text).then(|| String::from_utf8_lossy(entry.body).into_owned())
        }
        _ => None,
    });
    texts.collect()
}

fn is_quiet(world: &World) -> bool {
    let clients = world.nodes.iter().filter_map(|node| node.client.as_ref());
    world.everyone_is_in()
        && clients.map(|client| client.unstored() + client.unanswered()).sum::<usize>() == 0
}

/// Runs until nobody waits for anything, and has been told so.
fn settles(world: &mut World) -> bool {
    let is_settled = world.run_until(secs(300), is_quiet);
    world.run(secs(1));
    is_settled
}

/// Everyone makes a room, joins those of the others and talks there, while datagrams are lost and the hub is killed again
/// and again. In the end every room is there, and everyone has heard in each all that was said there, once, in the
/// order of the log.
#[test]
fn rooms_stand_whatever_happens() {
    for seed in 0..40 {
        let mut world = World::new(seed, Link::BAD);
        let ids = NAMES.map(|name| world.join(name));
        assert!(world.run_until(secs(120), World::everyone_is_in), "seed {seed}");
        for (id, name) in ids.iter().zip(NAMES) {
            let room = format!("{name}s");
            world.client(*id).ask(Request::Create { flags: 0, name: room.into() }).unwrap();
        }
        assert!(settles(&mut world), "seed {seed}: the rooms are made");
        for round in 0..4 {
            for (id, name) in ids.iter().zip(NAMES) {
                for owner in NAMES {
                    let text = format!("{name} {round}");
                    world.say_to(*id, Target::Named(format!("{owner}s")), &text);
                }
            }
            world.run(Duration::from_millis(400 + seed * 70));
            world.kill_hub();
            world.run(Duration::from_millis(300));
            world.start_hub();
            world.run(secs(2));
        }
        assert!(settles(&mut world), "seed {seed}: {:?}", world.unsettled());
        world.run(secs(20));
        let rooms = rooms(&world);
        assert_eq!(rooms.keys().collect::<Vec<_>>(), ["anns", "bobs", "cys"], "seed {seed}");
        for (id, name) in ids.iter().zip(NAMES) {
            let events = world.nodes[id.0].events.iter();
            //= spec/PROTOCOL.md#rooms
            //= type=test
            //# The hub MUST NOT answer DONE before the entry that a request leads to is committed.
            let granted = events.clone().any(|event| {
                matches!(event, ClientEvent::Granted { request: Request::Create { name: made, .. }, .. }
                    if *made == format!("{name}s"))
            });
            assert!(granted, "seed {seed}: {name}");
            let refused = events.filter(|event| matches!(event, ClientEvent::Refused { .. })).count();
            assert_eq!(refused, 0, "seed {seed}: a room that is joined in time takes every line");
        }
        for room in rooms.values() {
            let said: Vec<String> = heard(&world, ids[0], *room);
            assert_eq!(said.len(), 12, "seed {seed}");
            for (author, round) in NAMES.iter().flat_map(|name| (0..4).map(move |round| (name, round))) {
                assert_eq!(said.iter().filter(|text| **text == format!("{author} {round}")).count(), 1);
            }
            for id in ids {
                assert_eq!(heard(&world, id, *room), said, "seed {seed}");
            }
        }
    }
}

/// History comes whole and in order over a bad link, in as many pages as it takes, a long entry in pieces.
#[test]
fn history_over_a_bad_link() {
    for seed in 0..6 {
        let mut world = World::new(seed, Link::BAD);
        let [ann, bob] = ["ann", "bob"].map(|name| world.join(name));
        assert!(world.run_until(secs(120), World::everyone_is_in));
        world.client(ann).ask(Request::Create { flags: 0, name: "dev".into() }).unwrap();
        for line in 0..400 {
            let text = if line % 150 == 7 { "x".repeat(65_000) } else { format!("line {line}") };
            world.say_to(ann, Target::Named("dev".into()), &text);
            if line % 50 == 0 {
                settles(&mut world);
            }
        }
        world.client(bob).ask(Request::Join { name: "dev".into() }).unwrap();
        assert!(settles(&mut world), "seed {seed}");
        let room = rooms(&world)["dev"].0;
        let all = Request::History { room, from: 1, offset: 0, since_ms: 0, count: u64::MAX >> 2 };
        let setting = Setting::Topic("asked in between".into());
        world.client(bob).ask(all.clone()).unwrap();
        world.client(bob).ask(Request::Set { room, setting }).unwrap();
        world
            .client(bob)
            .ask(Request::History { room, from: 390, offset: 0, since_ms: 0, count: 5 })
            .unwrap();
        assert!(settles(&mut world), "seed {seed}");
        let mut pages: BTreeMap<_, Vec<(u64, Vec<u8>)>> = BTreeMap::new();
        for event in &world.nodes[bob.0].events {
            if let ClientEvent::Past { id, entries, .. } = event {
                let entries = entries.iter().map(|(sequence, entry)| (sequence.0, entry.clone()));
                pages.entry(*id).or_default().extend(entries);
            }
        }
        let log: Vec<(u64, Vec<u8>)> = (1..).zip(world.store().entries(RoomId(room)).to_vec()).collect();
        let pages: Vec<_> = pages.into_values().collect();
        assert!(pages[0] == log && pages[1] == log[389..394], "seed {seed}: {} pages", pages.len());
        let is_denied = |event: &ClientEvent| matches!(event, ClientEvent::Denied { .. });
        assert_eq!(world.nodes[bob.0].events.iter().filter(|event| is_denied(event)).count(), 1);
    }
}

/// What is deleted is empty in the log and for whoever reads it later, and nobody else's order is disturbed.
#[test]
fn deleted_lines_stay_deleted() {
    let mut world = World::new(5, Link::BAD);
    let [ann, bob] = ["ann", "bob"].map(|name| world.join(name));
    assert!(world.run_until(secs(120), World::everyone_is_in));
    let lobby = || Target::Room(node_proto::log::LOBBY);
    world.say(ann, "to be deleted");
    assert!(settles(&mut world));
    let (line, _) = (1..)
        .zip(world.store().entries(node_proto::log::LOBBY))
        .find(|(_, bytes)| Entry::decode(bytes).unwrap().body == b"to be deleted")
        .unwrap();
    let line = node_proto::log::Seq(line);
    world.client(ann).say_about(lobby(), EntryKind::Edit, line, "deleted too").unwrap();
    world.client(bob).say_about(lobby(), EntryKind::Delete, line, "").unwrap();
    assert!(settles(&mut world));
    world.client(ann).say_about(lobby(), EntryKind::Delete, line, "").unwrap();
    assert!(settles(&mut world));
    let entries: Vec<_> = world.store().entries(node_proto::log::LOBBY).to_vec();
    let deletions = entries.iter().filter_map(|bytes| {
        let entry = Entry::decode(bytes).ok()?;
        (entry.kind == EntryKind::Delete).then(|| split_target(entry.body).unwrap().0)
    });
    assert_eq!(deletions.collect::<Vec<_>>(), [line.0], "bob may not delete what ann said");
    let cy = world.join("cy");
    assert!(world.run_until(secs(120), World::everyone_is_in));
    world.client(cy).ask(Request::History { room: 1, from: 1, offset: 0, since_ms: 0, count: 100 }).unwrap();
    assert!(settles(&mut world));
    let read = world.nodes[cy.0].events.iter().filter_map(|event| match event {
        ClientEvent::Past { entries, .. } => Some(entries.clone()),
        _ => None,
    });
    let read: Vec<_> = read.flatten().collect();
    let kind = |entry: &[u8]| Entry::decode(entry).unwrap().kind;
    assert_eq!(read.iter().filter(|(_, entry)| kind(entry) == EntryKind::Deleted).count(), 2);
    assert!(!read.iter().any(|(_, entry)| entry.windows(7).any(|window| window == b"deleted")));
}

/// Whoever asks for much at once is answered, one thing after the other, and nothing is lost.
#[test]
fn many_requests_are_granted_in_their_order() {
    let mut world = World::new(9, Link::GOOD);
    let ann = world.join("ann");
    assert!(world.run_until(secs(120), World::everyone_is_in));
    world.client(ann).ask(Request::Create { flags: 0, name: "dev".into() }).unwrap();
    assert!(settles(&mut world));
    let room = rooms(&world)["dev"].0;
    for topic in 0..600 {
        let setting = || Setting::Topic(format!("topic {topic}").into());
        while world.client(ann).ask(Request::Set { room, setting: setting() }).is_err() {
            world.run(Duration::from_millis(5));
        }
    }
    assert!(settles(&mut world));
    let topics = world.nodes[ann.0].events.iter().filter_map(|event| match event {
        ClientEvent::State { state, .. } if state.topic.starts_with("topic") => Some(state.topic.clone()),
        _ => None,
    });
    let expected: Vec<String> = (0..600).map(|topic| format!("topic {topic}")).collect();
    assert_eq!(topics.collect::<Vec<_>>(), expected);
}
