//! Defects that were found by reading or by attack, each as the scenario that showed it.

use core::time::Duration;
use node_proto::Hub;
use node_proto::client::{ClientEvent, Target};
use node_proto::connection::KeyPolicy;
use sim::acts::{Act, Direction, Whose};
use sim::{ClientId, Link, World, quick_keys};
use spec::wire::short;
use std::collections::BTreeMap;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn join(world: &mut World, name: &str) -> ClientId {
    let id = world.join(name);
    assert!(world.run_until(secs(60), World::everyone_is_in), "{name} gets in");
    world.run(secs(1));
    id
}

/// `lines` lines of about `len` bytes, as fast as the log takes them.
fn chatter(world: &mut World, id: ClientId, lines: usize, len: usize) {
    for line in 0..lines {
        if line % 100 == 0 {
            world.run(Duration::from_millis(300));
        }
        world.say(id, &format!("{line} {}", "x".repeat(len)));
    }
    world.run(secs(3));
}

/// A client that only acknowledges for a while uses up packet numbers too: it must still be heard afterwards.
#[test]
fn a_reader_of_a_long_backlog_can_still_speak() {
    for seed in 0..10 {
        let mut world = World::new(seed, Link::GOOD);
        let (ann, bob) = (join(&mut world, "ann"), join(&mut world, "bob"));
        world.kill_client(bob);
        chatter(&mut world, ann, 1200, 100);
        world.start_client(bob);
        world.run(secs(3));
        let id = world.say(bob, "can you hear me?");
        world.run(secs(5));
        assert!(world.nodes[bob.0].stored.contains(&id), "seed {seed}");
        assert_eq!(world.nodes[bob.0].texts().len(), 1201, "seed {seed}");
    }
}

/// A refusal answers one line; the next for the same name is asked for again.
#[test]
fn a_name_may_come_later() {
    let mut world = World::new(2, Link::GOOD);
    let ann = join(&mut world, "ann");
    world.say_to(ann, Target::Direct("bob".into()), "too early");
    world.run(secs(2));
    let refused = |event: &ClientEvent| matches!(event, ClientEvent::Refused { .. });
    assert_eq!(world.nodes[ann.0].events.iter().filter(|event| refused(event)).count(), 1);
    join(&mut world, "bob");
    let id = world.say_to(ann, Target::Direct("bob".into()), "in time");
    world.run(secs(2));
    assert!(world.nodes[ann.0].stored.contains(&id));
}

/// What could be stored and never delivered is refused before it is stored.
#[test]
fn a_text_too_long_for_an_entry_is_refused() {
    let mut world = World::new(3, Link::GOOD);
    let (ann, _) = (join(&mut world, "ann"), join(&mut world, "bob"));
    let now = world.now;
    let text = "x".repeat(65_537);
    assert!(world.hub().alert(&text).is_err());
    assert!(world.hub().whisper("bob", &text).is_err());
    assert!(world.hub().kick(now, "bob", &text).is_err());
    assert!(world.hub().alert(&text[1..]).is_ok());
    world.say(ann, "after");
    world.run(secs(2));
    assert_eq!(world.nodes[1].texts(), ["after"]);
}

/// A person hears within 3 seconds that an idle hub is gone, whenever it went.
#[test]
fn silence_is_told_in_time() {
    for step in 0..20 {
        let mut world = World::new(4, Link::GOOD);
        let ann = join(&mut world, "ann");
        world.run(Duration::from_millis(50 * step));
        world.kill_hub();
        let told = |world: &World| world.nodes[ann.0].events.contains(&ClientEvent::Silent);
        assert!(world.run_until(secs(3), told), "{} ms into the second", 50 * step);
    }
}

/// Whoever is sent away gets no further entry, however much was on its way.
#[test]
fn nothing_but_close_follows_close() {
    let mut world = World::new(5, Link::GOOD);
    let (ann, bob) = (join(&mut world, "ann"), join(&mut world, "bob"));
    world.kill_client(bob);
    chatter(&mut world, ann, 2000, 300);
    world.start_client(bob);
    assert!(world.run_until(secs(5), World::everyone_is_in));
    let (before, now) = (world.wire.len(), world.now);
    world.hub().kick(now, "bob", "out").unwrap();
    world.up = Link::DEAD;
    world.run(secs(1));
    let address = world.nodes[bob.0].address;
    let large = |(_, to, datagram): &&(_, _, Vec<u8>)| *to == address && datagram.len() > 200;
    assert_eq!(world.wire[before..].iter().filter(large).count(), 0);
}

/// On the bad link, too, who is sent away hears of it and does not come back: also when its CLOSE counts as lost
/// because a later packet was acknowledged, as with seed 16 and quick keys.
#[test]
fn a_kick_is_heard_on_a_bad_link() {
    let mut unheard = Vec::new();
    let quick = (0..100).map(|seed| (seed, quick_keys()));
    for (seed, keys) in (0..100).map(|seed| (seed, KeyPolicy::default())).chain(quick) {
        let mut world = World::with_keys(seed, Link::BAD, keys);
        let (ann, bob) = (join(&mut world, "ann"), join(&mut world, "bob"));
        for round in 0..10 {
            world.say(ann, &format!("{round}"));
            world.run(Duration::from_millis(25));
        }
        let now = world.now;
        world.hub().kick(now, "bob", "out").unwrap();
        world.run(secs(20));
        let told = |event: &ClientEvent| matches!(event, ClientEvent::Closed { retrying: false, .. });
        if !world.nodes[bob.0].events.iter().any(told) {
            unheard.push(seed);
        }
    }
    assert!(unheard.is_empty(), "seeds {unheard:?}");
}

/// Another log has other rooms under the same numbers: a private line goes to its name, or nowhere.
#[test]
fn a_private_line_survives_the_loss_of_the_log_without_going_astray() {
    let mut world = World::new(10, Link::GOOD);
    let (ann, bob) = (join(&mut world, "ann"), join(&mut world, "bob"));
    world.say_to(ann, Target::Direct("bob".into()), "hi bob");
    world.run(secs(2));
    world.kill_client(bob);
    world.kill_hub();
    world.lose_log();
    world.start_hub();
    world.run(secs(10));
    let carol = join(&mut world, "carol");
    world.say_to(carol, Target::Direct("ann".into()), "hi ann");
    world.run(secs(2));
    world.start_client(bob);
    world.run(secs(3));
    world.say_to(ann, Target::Direct("bob".into()), "for bob alone");
    world.run(secs(3));
    let sees = |id: ClientId| world.nodes[id.0].lines().iter().any(|line| line.text == "for bob alone");
    assert!(sees(bob) && !sees(carol));
}

/// A log that is new to a client is read from its start.
#[test]
fn a_new_log_is_read_from_its_start() {
    let mut world = World::new(9, Link::GOOD);
    let (ann, bob) = (join(&mut world, "ann"), join(&mut world, "bob"));
    world.kill_client(bob);
    world.kill_hub();
    world.lose_log();
    world.start_hub();
    world.run(secs(8));
    world.say(ann, "said in the new log");
    world.run(secs(2));
    world.start_client(bob);
    world.run(secs(3));
    assert_eq!(world.nodes[bob.0].texts(), ["said in the new log"]);
}

/// Whoever opens another socket begins another session: no connection id is ever seen at two addresses.
#[test]
fn an_id_is_at_home_at_one_address() {
    let mut world = World::new(11, Link::BAD);
    let (ann, bob) = (join(&mut world, "ann"), join(&mut world, "bob"));
    for round in 0..10 {
        world.say(ann, &format!("{round}"));
        world.run(Duration::from_millis(200));
        world.rebind(ann);
    }
    let all = |world: &World| world.nodes[bob.0].texts().len() == 10 && world.nodes[ann.0].stored.len() == 10;
    assert!(world.run_until(secs(60), all));
    let mut homes = BTreeMap::new();
    for (from, _, datagram) in world.wire.iter().filter(|(from, _, _)| from.port() != 5555) {
        if let Some(id) = short::connection_id(datagram).filter(|_| short::is_short(datagram)) {
            assert_eq!(homes.entry(id).or_insert(*from), from);
        }
    }
    assert!(homes.len() > 2);
}

/// A clock that leaps while something is on its way, as when a laptop wakes, has measured no round trip: the next
/// silence is noticed as soon as any.
#[test]
fn a_leap_of_a_clock_keeps_nobody_waiting() {
    for whose in [Whose::Client(ClientId(0)), Whose::Hub] {
        let mut world = World::new(12, Link::GOOD);
        let ann = join(&mut world, "ann");
        world.say(ann, "before");
        world.plan(Duration::from_millis(15), Act::Leap(whose, secs(3600)));
        world.run(secs(2));
        world.kill_hub();
        let told = |world: &World| world.nodes[ann.0].events.contains(&ClientEvent::Silent);
        assert!(world.run_until(secs(3), told), "{whose:?}");
        world.start_hub();
        let id = world.say(ann, "after");
        let stored = |world: &World| world.nodes[ann.0].stored.contains(&id);
        assert!(world.run_until(secs(10), stored), "{whose:?}");
    }
}

/// A hub that may send no more to an address that has not proved itself waits for it, and not in circles. The
/// simulated network fails when an endpoint does not let time pass.
#[test]
fn a_spent_budget_makes_nobody_turn_in_circles() {
    for seed in 0..20 {
        let mut world = World::new(seed, Link::GOOD);
        let (ann, bob) = (join(&mut world, "ann"), join(&mut world, "bob"));
        for round in 0..20 {
            world.say(bob, &"x".repeat(500));
            world.remap(ann);
            world.plan(
                Duration::from_millis(5 + round),
                Act::Cut(ann, Direction::Up, Duration::from_millis(300)),
            );
            world.run(Duration::from_millis(200 + 7 * seed));
        }
        let all = |world: &World| world.nodes[ann.0].texts().len() == 20;
        assert!(world.run_until(secs(30), all), "seed {seed}");
    }
}

/// A line that fitted a datagram, is lost and fits no longer goes on in pieces, once: it was sent for ever as its own
/// first piece.
#[test]
fn a_line_longer_than_the_datagrams_have_become_arrives() {
    let mut world = World::new(13, Link::GOOD);
    let (ann, bob) = (join(&mut world, "ann"), join(&mut world, "bob"));
    let has_long = |world: &World| {
        world
            .hub
            .iter()
            .flat_map(Hub::connections)
            .all(|(_, connection)| connection.status().mtu_bytes > 1400)
    };
    assert!(world.run_until(secs(60), has_long), "longer datagrams are found");
    world.nodes[bob.0].links = Some((Link::GOOD, Link { mtu_bytes: 1200, ..Link::GOOD }));
    let before = world.wire.len();
    world.say(ann, &"x".repeat(1250));
    assert!(world.run_until(secs(20), |world| world.nodes[bob.0].texts().len() == 1), "it arrives");
    world.run(secs(5));
    assert!(world.wire.len() - before < 500, "{} datagrams", world.wire.len() - before);
}

/// A log that refuses even the lobby has a lobby as soon as it takes something and somebody comes.
#[test]
fn a_lobby_that_was_refused_is_made_later() {
    let mut world = World::new(12, Link::GOOD);
    world.plan(Duration::ZERO, Act::Refuse(secs(2)));
    let ann = join(&mut world, "ann");
    let id = world.say(ann, "in the lobby");
    world.run(secs(2));
    assert!(world.nodes[ann.0].stored.contains(&id));
}

/// A log that fails for a moment, whenever that moment ends: nothing a person said is refused, lost or overtaken by
/// what was said later and was already on its way.
#[test]
fn nothing_overtakes_what_a_failing_log_refused() {
    for half_ms in 0..60 {
        let mut world = World::new(13, Link::GOOD);
        let (ann, bob) = (join(&mut world, "ann"), join(&mut world, "bob"));
        world.plan(Duration::from_millis(20), Act::Refuse(Duration::from_micros(500 * half_ms)));
        let said: Vec<String> = (0..200).map(|line| line.to_string()).collect();
        for text in &said {
            world.say(ann, text);
            world.run(Duration::from_micros(300));
        }
        world.run(secs(5));
        assert_eq!(world.nodes[bob.0].texts(), said, "{half_ms} half milliseconds");
    }
}
