//! The handshake on links that lose, double and disorder: every case of the first few datagrams, and how long it
//! takes on links that are bad by chance.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use node_proto::client::ClientEvent;
use node_proto::log::LOBBY;
use sim::{Link, World};
use spec::time::Instant;
use spec::wire::entry::{Entry, EntryKind};
use std::sync::Mutex;

/// Threads that share the work.
const THREADS: usize = 2;

/// Does `work` for every number below `end`, on all threads.
fn for_all(end: u64, work: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= end {
                        break;
                    }
                    work(number);
                }
            });
        }
    });
}

/// Datagrams of which every combination of fates is tried: both INIT, RESP, FIN, the hub's first answer and the
/// client's first packet when all goes well, and repetitions in their place when it does not.
const DEPTH: u32 = 6;
/// Fates of a datagram: it arrives, is lost, is overtaken by what is sent within a round trip, or comes twice.
const FATES: u64 = 4;
/// Longer than a round trip of [`Link::GOOD`].
const LATE: Duration = Duration::from_millis(25);

/// The world in which the datagrams have the fates that the digits of `number` stand for.
fn world(number: u64) -> World {
    let mut world = World::watched(1, Link::GOOD);
    for (place, digit) in (0..DEPTH).map(|place| number / FATES.pow(place) % FATES).enumerate() {
        match digit {
            0 => {}
            1 => drop(world.fates.insert(place, None)),
            2 => drop(world.fates.insert(place, Some(LATE))),
            _ => drop(world.repeats.insert(place, LATE)),
        }
    }
    world
}

#[test]
fn every_loss_duplicate_and_order_ends_connected_once() {
    for_all(FATES.pow(DEPTH), |number| {
        let mut world = world(number);
        let ann = world.join("ann");
        let line = world.say(ann, "hello");
        assert!(world.run_until(Duration::from_secs(10), World::everyone_is_in), "case {number}: gets in");
        // A session that was opened and never heard of is gone after ten seconds.
        world.run(Duration::from_secs(11));
        world.settle(Duration::ZERO).unwrap();
        let node = &world.nodes[ann.0];
        let connected = |event: &&ClientEvent| matches!(event, ClientEvent::Connected { .. });
        assert_eq!(node.events.iter().filter(connected).count(), 1, "case {number}: connected once");
        assert_eq!(node.stored, [line], "case {number}: what was said first is stored, once");
        assert_eq!(world.hub().session_count(), 1, "case {number}: one session");
        let kinds: Vec<EntryKind> =
            world.store().entries(LOBBY).iter().map(|entry| Entry::decode(entry).unwrap().kind).collect();
        assert!(kinds.contains(&EntryKind::Joined) && kinds.len() == 2, "case {number}: {kinds:?}");
    });
}

/// One way; the round trip is 100 milliseconds.
const DELAY: Duration = Duration::from_millis(50);
const ROUND_TRIP: Duration = Duration::from_millis(100);

/// The times from the first INIT until the hub's first answer to FIN has arrived, least first; `None` is longer than
/// `most`.
fn times(seeds: u64, loss_per_mille: u64, most: Duration) -> Vec<Option<Duration>> {
    let times = Mutex::new(Vec::new());
    for_all(seeds, |seed| {
        let mut world = World::new(seed, Link { delay: DELAY, loss_per_mille, ..Link::GOOD });
        world.records = false;
        world.join("ann");
        let is_answered = |world: &World| {
            world.nodes[0].client.as_ref().is_some_and(|client| client.connection().is_some())
        };
        let is_in_time = world.run_until(most, is_answered);
        times.lock().expect("nobody panicked").push(is_in_time.then(|| world.now.since(Instant(0))));
    });
    let mut times = times.into_inner().expect("nobody panicked");
    times.sort_by_key(|time| (time.is_none(), *time));
    times
}

fn quantile(times: &[Option<Duration>], per_mille: usize) -> Option<Duration> {
    times[(times.len() * per_mille).div_ceil(1000).max(1) - 1]
}

fn show(times: &[Option<Duration>]) {
    for per_mille in [500, 900, 990, 999, 1000] {
        println!("{per_mille:>5} per mille: {:?}", quantile(times, per_mille));
    }
}

#[test]
fn at_thirty_per_cent_loss_it_is_complete_within_ten_seconds() {
    let times = times(4000, 300, Duration::from_secs(20));
    show(&times);
    assert!(quantile(&times, 999).is_some_and(|time| time <= Duration::from_secs(10)));
}

#[test]
fn at_ten_per_cent_loss_its_median_is_two_round_trips() {
    let times = times(2001, 100, Duration::from_secs(20));
    show(&times);
    assert!(quantile(&times, 500).is_some_and(|time| time <= 2 * ROUND_TRIP));
}
