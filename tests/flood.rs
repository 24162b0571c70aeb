//! A hub under a flood of forged handshakes, a real process on loopback: its members go on talking.
//!
//! `FLOOD=full cargo test --release -p tests --test flood -- --nocapture` measures for longer, and floods with single
//! datagrams too, which cost the hub more each than runs do. Hub, flooder and members share the machine's cores, so
//! the capacity is the whole machine's: what the hub gets of it under the flood is less than on a machine of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "e2e/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "these tests use a part of it")]
mod harness;

#[path = "flood/flooder.rs"]
mod flooder;
#[path = "flood/members.rs"]
mod members;

use flooder::Flooder;
use harness::{Hub, Place};
use members::{Members, Talk};
use std::sync::mpsc;
use std::time::Duration;

/// The flood that is to be borne, in datagrams.
const FLOOD_PER_SECOND: u64 = 100_000;
/// Of the hub's capacity, what members offer.
const SHARE: u64 = 5;
/// Lines a second that any hub delivers.
const FIRST_RATE: u64 = 200;

/// Lets time pass.
fn pass(time: Duration) {
    let (_kept, nothing) = mpsc::channel::<()>();
    let _: Result<(), _> = nothing.recv_timeout(time);
}

/// The most lines a second that are delivered to everyone: twice as many are offered until they fall behind.
fn capacity(members: &Members, window: Duration) -> u64 {
    let mut rate = FIRST_RATE;
    let mut most = 0;
    loop {
        let talk = members.talk(rate, window);
        most = most.max(talk.delivered_per_second);
        println!("offered {rate} lines a second: {talk}");
        if talk.delivered_per_second * 10 < rate * 9 {
            members.fall_silent();
            return most;
        }
        rate *= 2;
    }
}

/// How many datagrams the hub's socket had no room for since it was opened.
fn dropped(hub: &Hub) -> Option<u64> {
    let table = std::fs::read_to_string("/proc/net/udp").ok()?;
    let port = format!(":{:04X}", hub.address.port());
    let line =
        table.lines().find(|line| line.split_whitespace().nth(1).is_some_and(|at| at.ends_with(&port)))?;
    line.split_whitespace().last()?.parse().ok()
}

fn under_flood(hub: &Hub, members: &Members, rate: u64, run: usize, window: Duration) -> Talk {
    let before = dropped(hub);
    let flooder = Flooder::start(hub.address, FLOOD_PER_SECOND, run);
    // The hub's load counts from a moment after the flood begins.
    pass(Duration::from_millis(500));
    let talk = members.talk(rate, window);
    let flood = flooder.stop();
    members.fall_silent();
    println!("{flood} forged INITs a second in runs of {run}: {talk}");
    if let (Some(before), Some(after)) = (before, dropped(hub)) {
        println!("  the hub's socket had no room for {} datagrams", after - before);
    }
    assert!(flood * 10 >= FLOOD_PER_SECOND * 9, "the flood was no flood: {flood} a second");
    talk
}

/// Members lose less than a tenth of their lines.
#[test]
fn members_talk_on_under_a_flood() {
    let is_full = std::env::var("FLOOD").is_ok_and(|form| form == "full");
    let (step, window, runs) = if is_full { (3, 10, &[54, 1][..]) } else { (1, 3, &[54][..]) };
    let (step, window) = (Duration::from_secs(step), Duration::from_secs(window));
    let place = Place::new();
    let hub = place.hub(&[]);
    let members = Members::join(&hub.invite);
    let most = capacity(&members, step);
    let rate = most / SHARE;
    let calm = members.talk(rate, window);
    println!("capacity {most} lines a second; offered {rate}, no flood: {calm}");
    for run in runs {
        let flooded = under_flood(&hub, &members, rate, *run, window);
        assert!(
            flooded.delivered_per_second * 10 > calm.delivered_per_second * 9,
            "{flooded} of {rate} lines a second under the flood, and {calm} without"
        );
    }
}
