//! Named scenarios over the simulated network: the shipped hub and clients, a seed each.

use core::time::Duration;
use sim::{ClientId, Link, World, quick_keys};
use spec::wire::entry::EntryKind;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn three(world: &mut World) -> [ClientId; 3] {
    let ids = ["ann", "bob", "cy"].map(|name| world.join(name));
    assert!(world.run_until(secs(30), World::everyone_is_in), "everyone gets in");
    world.run(secs(1));
    ids
}

/// Every screen shows what was said once, and all in one order.
fn assert_same_order(world: &World, expected: usize) {
    let first = world.nodes[0].texts();
    assert_eq!(first.len(), expected);
    let unique: std::collections::BTreeSet<&String> = first.iter().collect();
    assert_eq!(unique.len(), expected, "nothing twice");
    for node in &world.nodes {
        assert_eq!(node.texts(), first);
    }
}

#[test]
fn a_line_reaches_everyone() {
    let mut world = World::watched(1, Link::GOOD);
    let [ann, ..] = three(&mut world);
    let id = world.say(ann, "hello");
    world.run(secs(1));
    assert_same_order(&world, 1);
    assert_eq!(world.nodes[0].stored, [id]);
}

/// Everyone says 40 lines in turn; `meanwhile` is told each round.
fn talk(world: &mut World, ids: [ClientId; 3], mut meanwhile: impl FnMut(&mut World, usize)) {
    for round in 0..40 {
        for id in ids {
            world.say(id, &format!("{} says {round}", id.0));
        }
        world.run(Duration::from_millis(30));
        meanwhile(world, round);
    }
    let all = |world: &World| world.nodes.iter().all(|node| node.texts().len() == 120);
    assert!(world.run_until(secs(120), all), "everyone has everything");
    assert_same_order(world, 120);
}

#[test]
fn a_bad_link_loses_doubles_and_disorders_nothing() {
    for seed in 0..20 {
        println!("seed {seed}");
        let mut world = World::watched(seed, Link::BAD);
        let ids = three(&mut world);
        talk(&mut world, ids, |_, _| {});
    }
}

#[test]
fn a_killed_hub_changes_nothing() {
    for seed in 0..10 {
        println!("seed {seed}");
        let mut world = World::watched(seed, Link::BAD);
        let ids = three(&mut world);
        talk(&mut world, ids, |world, round| {
            if round % 10 == 5 {
                world.kill_hub();
                world.run(Duration::from_millis(500));
                world.start_hub();
            }
        });
        let lines = world.nodes.iter().flat_map(sim::world::Node::lines);
        assert_eq!(
            lines.filter(|line| line.kind == EntryKind::Left).count(),
            0,
            "nobody was announced as gone"
        );
    }
}

/// Keys that change every few packets, and ratchets every few round trips, are seen by nobody: not on a bad link,
/// not through a restart of the hub.
#[test]
fn keys_in_motion_change_nothing() {
    for (seed, link) in [(21, Link::GOOD), (22, Link::BAD)] {
        let mut world = World::with_keys(seed, link, quick_keys()).watch();
        world.key_log = true;
        let ids = three(&mut world);
        talk(&mut world, ids, |world, round| {
            if round == 20 {
                world.kill_hub();
                world.start_hub();
            }
        });
        world.run(secs(10));
        for id in ids {
            let connection = world.client(id).connection().expect("a session");
            assert!(connection.generation() > 3, "generation {}", connection.generation());
        }
    }
}
