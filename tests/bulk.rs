//! Large transfers: they go on where they broke off, and nobody who talks notices them.
//!
//! ```text
//! cargo test -p tests --test bulk                                    24 MiB
//! MIB=1024 cargo test --release -p tests --test bulk -- --nocapture  1 GiB
//! ```

use core::time::Duration;
use node_proto::client::ClientEvent;
use sim::network::Bottleneck;
use sim::{ClientId, Link, World};
use spec::limits::{DATAGRAM_BYTES_MAX, RECEIVE_WINDOW_PACKETS};

const HASH: [u8; 32] = [9; 32];

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// 20 Mbit/s, 40 ms there and back, and a queue of 50 ms each way.
fn line() -> Link {
    Link { delay: ms(20), bottleneck: Some(Bottleneck::new(20, ms(50))), ..Link::GOOD }
}

fn two(world: &mut World) -> [ClientId; 2] {
    let ids = ["ann", "bob"].map(|name| world.join(name));
    assert!(world.run_until(Duration::from_secs(60), World::everyone_is_in), "both get in");
    world.run(ms(1000));
    ids
}

/// What ann says each 100 ms until `is_over`, and how long it takes to bob.
fn latencies(
    world: &mut World,
    [ann, bob]: [ClientId; 2],
    is_over: impl Fn(&World, usize) -> bool,
) -> Vec<Duration> {
    let mut latencies = Vec::new();
    while !is_over(world, latencies.len()) {
        let (said, heard) = (world.now, world.nodes[bob.0].events.len());
        world.say(ann, &format!("{:0>100}", latencies.len()));
        let is_heard = |world: &World| world.nodes[bob.0].events.len() > heard;
        assert!(world.run_until(Duration::from_secs(10), is_heard), "it is heard");
        let took = world.now.since(said);
        latencies.push(took);
        world.run(ms(100).saturating_sub(took));
    }
    latencies.sort_unstable();
    latencies
}

fn p95(latencies: &[Duration]) -> Duration {
    latencies[latencies.len() * 95 / 100]
}

fn bytes() -> u64 {
    let mib = std::env::var("MIB").map_or(24, |mib| mib.parse().expect("MIB is a number"));
    mib << 20
}

/// While a transfer fills the link, upward or downward, a line is heard within 100 ms of what it takes on the idle one.
#[test]
fn a_transfer_holds_up_nobody() {
    for upward in [true, false] {
        let mut world = World::new(1, line());
        world.records = false;
        let ids = two(&mut world);
        let idle = latencies(&mut world, ids, |_, lines| lines == 100);
        let began = world.now;
        if upward {
            world.client(ids[0]).put(HASH, bytes()).expect("a first transfer");
        } else {
            world.blobs.whole.insert(HASH, bytes());
            world.client(ids[1]).get(HASH, 0).expect("a first transfer");
        }
        let ended = |event: &ClientEvent| matches!(event, ClientEvent::Put { .. } | ClientEvent::Got { .. });
        let is_over =
            |world: &World, _| world.nodes.iter().any(|node| node.events.iter().rev().take(50).any(ended));
        let busy = latencies(&mut world, ids, is_over);
        let rate = bytes() / u64::try_from(world.now.since(began).as_millis()).expect("a while") * 8 / 1000;
        println!(
            "upward {upward}: {rate} Mbit/s, p95 {:?} idle, {:?} busy, {} lines",
            p95(&idle),
            p95(&busy),
            busy.len()
        );
        assert!(p95(&busy) <= p95(&idle) + ms(100));
        assert!(rate >= 17, "{rate} of 20 Mbit/s are used");
    }
}

/// A hub that is killed twice on the way, a lossy link and a client that moves: every byte arrives, and what had
/// arrived does not come again.
#[test]
fn a_transfer_goes_on_where_it_broke_off() {
    for seed in 0..4 {
        let link = Link { loss_per_mille: 50, ..line() };
        let mut world = World::new(seed, link);
        world.records = false;
        let [ann, bob] = two(&mut world);
        let size = 3 << 20;
        world.client(ann).put(HASH, size).expect("a first transfer");
        for _ in 0..2 {
            world.run(ms(700));
            world.kill_hub();
            world.run(ms(300));
            world.start_hub();
            world.run(ms(400));
            world.rebind(ann);
        }
        let is_put = |world: &World| {
            world.nodes[ann.0].events.iter().any(|event| matches!(event, ClientEvent::Put { .. }))
        };
        assert!(world.run_until(Duration::from_secs(60), is_put), "seed {seed}: it is stored");
        assert_eq!(world.blobs.whole.get(&HASH), Some(&size));
        world.client(bob).get(HASH, 0).expect("a first transfer");
        let is_got = |world: &World| {
            world.nodes[bob.0]
                .events
                .iter()
                .any(|event| matches!(event, ClientEvent::Got { is_right: true, .. }))
        };
        assert!(world.run_until(Duration::from_secs(60), is_got), "seed {seed}: it is here");
        assert_eq!(world.nodes[bob.0].blobs.whole.get(&HASH), Some(&size));
    }
}

/// What tells of a blob's length may come behind its first bytes: they are as good as any.
#[test]
fn a_transfer_begins_on_a_bad_link() {
    for seed in 0..30 {
        let mut world = World::new(seed, Link { loss_per_mille: 300, ..line() });
        world.records = false;
        let [ann, _] = two(&mut world);
        world.blobs.whole.insert(HASH, 20_000);
        world.client(ann).get(HASH, 0).expect("a first transfer");
        let is_got = |world: &World| {
            let got = |event: &ClientEvent| matches!(event, ClientEvent::Got { is_right: true, .. });
            world.nodes[ann.0].events.iter().any(got)
        };
        assert!(world.run_until(Duration::from_secs(60), is_got), "seed {seed}: it is here");
    }
}

/// On a path that takes more than the peer's window of packets, the congestion window does not grow beyond what is
/// in use: the first loss is to have an effect.
#[test]
fn the_window_does_not_outgrow_the_peers() {
    let link = Link { delay: ms(100), bottleneck: Some(Bottleneck::new(200, ms(50))), ..Link::GOOD };
    let mut world = World::new(7, link);
    world.records = false;
    let [ann, _] = two(&mut world);
    world.client(ann).put(HASH, 32 << 20).expect("a first transfer");
    world.run(ms(4000));
    let status = world.client(ann).connection().expect("it is in").status();
    let peers_bytes = RECEIVE_WINDOW_PACKETS * DATAGRAM_BYTES_MAX as u64;
    let window_bytes = status.metrics.window_bytes as u64;
    assert!(window_bytes > peers_bytes / 2, "{window_bytes}: the path carries it");
    assert!(window_bytes <= 2 * peers_bytes, "{window_bytes}: nobody has seen that the path carries it");
}

/// A hub that keeps no such blob says so.
#[test]
fn what_is_not_there_is_refused() {
    let mut world = World::new(5, line());
    let [ann, _] = two(&mut world);
    let transfer = world.client(ann).get([1; 32], 0).expect("a first transfer");
    world.run(ms(500));
    let refused = |event: &ClientEvent| matches!(event, ClientEvent::TransferRefused { transfer: id, .. } if *id == transfer);
    assert!(world.nodes[ann.0].events.iter().any(refused));
}

/// A hub that keeps no blobs refuses each, an empty one too: nobody would ever do what it asked for.
#[test]
fn a_hub_that_keeps_none_refuses_even_nothing() {
    let mut world = World::new(6, line());
    world.kill_hub();
    world.blob_bytes_max = 0;
    world.start_hub();
    let [ann, _] = two(&mut world);
    world.client(ann).put(HASH, 0).expect("a first transfer");
    world.run(ms(500));
    let refused = |event: &ClientEvent| matches!(event, ClientEvent::TransferRefused { .. });
    assert!(world.nodes[ann.0].events.iter().any(refused));
}
