//! Worlds drawn from seeds: fresh ones in every run, and those that once showed a defect.
//!
//! ```text
//! cargo test -p tests --test swarm                                                   2,000 fresh seeds
//! SEEDS=100000 cargo test --release -p tests --test swarm -- --exact swarm --nocapture    any number of them
//! SEEDS=100000 BASE=1 cargo test --release -p tests --test swarm -- --exact swarm --nocapture    the same ones again
//! SEED=123 cargo test -p tests --test swarm -- --exact swarm --nocapture             one, with what happens in it
//! ```

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set is a failed test")]

use core::any::Any;
use core::sync::atomic::{AtomicU64, Ordering};
use sim::swarm::{Outcome, Plan};
use std::hash::{BuildHasher, RandomState};
use std::panic::catch_unwind;
use std::sync::Mutex;

/// Fresh seeds of a run that is not told how many.
const SEEDS: u64 = 2000;
/// Of worlds in which all that moves does so at once.
const MOTION_SEEDS: u64 = 200;
/// Threads that work on them.
const THREADS: usize = 2;
/// Failures after which nobody wants more.
const FAILURES_MAX: usize = 5;

/// Seeds that once showed a defect, or found a check wrong, and what it was.
const KEPT: [(u64, &str); 12] = [
    (44, "the hub's clock leapt, and it took that for a round trip"),
    (169, "a client's clock leapt, and it no longer noticed that the hub was gone"),
    (53, "a question that could not be asked rang for ever"),
    (78, "a question that could not be asked rang for ever"),
    (123, "a question that could not be asked rang for ever"),
    (100, "an acknowledgement that could not be sent rang for ever"),
    (108, "a CLOSE that could not be sent rang for ever"),
    (6312, "a lost line that no longer fitted a datagram was sent for ever as its own first piece"),
    (103_542, "an address that was asked in vain three times was never asked again, and stayed narrow"),
    (838, "each acknowledgement asked for one, beyond the window"),
    (107, "lines that the log refused once are taken out of turn, and that is no defect"),
    (338_115_291_929, "a CLOSE was longer than what may be sent to an address that is not validated"),
];

fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}={value} is not a number")))
}

/// Runs the world of a seed; what went wrong in it.
fn run(plan: &Plan) -> Result<Outcome, String> {
    match catch_unwind(|| plan.run()) {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(violation)) => Err(violation.to_string()),
        Err(panic) => Err(message(&*panic)),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

/// Runs the worlds that `plan` makes of fresh seeds, and of those that are `kept`; or of one, or of as many, as the
/// environment says.
fn drive(name: &str, plan: fn(u64) -> Plan, count: u64, kept: &[(u64, &str)]) {
    if let Some(seed) = number("SEED") {
        let plan = plan(seed).told();
        print!("{plan}");
        println!("{:#?}", run(&plan).unwrap());
        return;
    }
    let (count, base) = (number("SEEDS").unwrap_or(count), number("BASE"));
    let base = base.unwrap_or_else(|| RandomState::new().hash_one(name) >> 24);
    println!("{name}: {count} seeds from {base} on, and {} kept ones", kept.len());
    let seeds = |place: u64| {
        let known = kept.get(usize::try_from(place).unwrap_or(usize::MAX));
        known.map_or(base + place, |(seed, _)| *seed)
    };
    let (next, total) = (AtomicU64::new(0), Mutex::new(Outcome::default()));
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    if place >= count + kept.len() as u64 || failures.lock().unwrap().len() >= FAILURES_MAX {
                        break;
                    }
                    match run(&plan(seeds(place))) {
                        Ok(outcome) => *total.lock().unwrap() += outcome,
                        Err(what) => failures.lock().unwrap().push((seeds(place), what)),
                    }
                }
            });
        }
    });
    println!("{:#?}", total.lock().unwrap());
    let failures = failures.into_inner().unwrap();
    for (seed, what) in &failures {
        println!("{what}\n    SEED={seed} cargo test -p tests --test swarm -- --exact {name} --nocapture");
    }
    assert!(failures.is_empty(), "{} worlds went wrong", failures.len());
}

/// Worlds of all kinds.
#[test]
fn swarm() {
    drive("swarm", Plan::of, SEEDS, &KEPT);
}

/// Key updates, ratchets, NATs that forget, MTUs that fall, clocks that leap and hubs that restart, all at once.
#[test]
fn motion() {
    drive("motion", Plan::of_motion, MOTION_SEEDS, &[]);
}
