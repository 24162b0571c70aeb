//! What strangers, wiretaps and insiders can do to a hub: nothing, and what that costs it.
//!
//! Everything is tried on the shipped hub and clients in virtual time. [`snapshot`] is what makes "nothing
//! changed" exact: all that the endpoint holds, printed, without its counters.

#[path = "attack/flips.rs"]
mod flips;
#[path = "attack/insiders.rs"]
mod insiders;
#[path = "attack/random.rs"]
mod random;
#[path = "attack/replays.rs"]
mod replays;

use core::net::SocketAddr;
use core::time::Duration;
use sim::world::HUB_ADDRESS;
use sim::{ClientId, Link, World};
use spec::wire::long::{Long, LongKind};
use std::fmt::Debug;

const ELSEWHERE: &str = "203.0.113.66:6666";

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn hub_address() -> SocketAddr {
    HUB_ADDRESS.parse().expect("a literal address")
}

fn elsewhere() -> SocketAddr {
    ELSEWHERE.parse().expect("a literal address")
}

/// Two people in the lobby who have said `lines` lines each.
fn conversation(seed: u64, link: Link, lines: usize) -> (World, [ClientId; 2]) {
    let mut world = World::new(seed, link);
    let ids = ["ann", "bob"].map(|name| world.join(name));
    assert!(world.run_until(secs(30), everyone_is_in), "everyone gets in");
    for line in 0..lines {
        for id in ids {
            world.say(id, &format!("{} says {line}", id.0));
        }
        world.run(Duration::from_millis(40));
    }
    let all = |world: &World| world.nodes.iter().all(|node| node.texts().len() == 2 * lines);
    assert!(world.run_until(secs(60), all), "everyone has everything");
    settle(&mut world);
    (world, ids)
}

/// Runs until nothing is on its way.
fn settle(world: &mut World) {
    loop {
        let sent = world.wire.len();
        world.run(Duration::from_millis(100));
        if world.wire.len() == sent {
            return;
        }
    }
}

fn everyone_is_in(world: &World) -> bool {
    world.nodes.iter().all(|node| node.client.as_ref().is_some_and(|client| client.is_connected()))
}

/// The session still carries a line to everyone.
fn assert_works(world: &mut World, id: ClientId, text: &str) {
    world.say(id, text);
    let heard =
        |world: &World| world.nodes.iter().all(|node| node.texts().last().is_some_and(|last| last == text));
    assert!(world.run_until(secs(10), heard), "{text:?} reaches everyone");
    settle(world);
}

/// What an endpoint holds besides its counters.
fn snapshot(endpoint: &impl Debug) -> String {
    const COUNTERS: [&str; 4] = ["datagrams: ", "discarded: ", "failed: ", "turn_at: "];
    let printed = format!("{endpoint:?}");
    let kept = |field: &&str| !COUNTERS.iter().any(|counter| field.contains(counter));
    printed.split(", ").filter(kept).collect::<Vec<_>>().join(", ")
}

/// Sessions, half-open handshakes and fragments, and sessions ever opened.
fn state(world: &mut World) -> (usize, usize, u64) {
    let hub = world.hub();
    (hub.session_count(), hub.half_open_count(), hub.stats().sessions)
}

/// The type of a LONG datagram.
fn kind(datagram: &[u8]) -> Option<LongKind> {
    Long::parse(datagram).ok().map(|long| long.kind)
}

/// The datagrams of a wiretap that went to the hub.
fn sent_to_hub(world: &World) -> Vec<(SocketAddr, Vec<u8>)> {
    let to_hub = world.wire.iter().filter(|(_, to, _)| *to == hub_address());
    to_hub.map(|(from, _, datagram)| (*from, datagram.clone())).collect()
}
