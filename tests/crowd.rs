//! A room full of people: real sessions of the shipped client, in a few processes, on a link that loses 1 %.
//!
//! `CLIENTS=1000 cargo test --release -p tests --test crowd -- --nocapture` fills it, which takes minutes.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "e2e/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "these tests use a part of it")]
mod harness;

#[path = "crowd/crew.rs"]
mod crew;
#[path = "crowd/member.rs"]
mod member;

use crew::{ARGUMENTS, Arguments, Crew};
use harness::{Hub, Line, Place, Process};
use node::clock::Clock;
use serde_json::Value;
use std::process::Command;
use std::time::Duration;

/// Clients of a run that is not asked for more.
const CLIENTS: u32 = 48;
/// Lines that each says.
const LINES: u32 = 10;
/// Processes they live in.
const CREWS: u32 = 4;
/// Of 1000 datagrams, in each direction.
const LOSS_PER_MILLE: u64 = 10;
/// A session is idle after so long: what it needed to talk is given back.
const QUIET: Duration = Duration::from_secs(5);
/// An idle session takes no more, all that the hub keeps of a client included.
const SESSION_KIB_MAX: u64 = 64;

/// What the system says of a process: KiB that are resident, and threads.
fn status(process: u32) -> (u64, u64) {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    (field("VmRSS:"), field("Threads:"))
}

fn start(hub: &Hub, crew: u32, clients: u32) -> Process {
    let (invite, all) = (hub.invite(), clients);
    let first = clients * crew / CREWS;
    let members = clients * (crew + 1) / CREWS - first;
    let arguments = Arguments { invite, first, members, all, lines: LINES, loss_per_mille: LOSS_PER_MILLE };
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "crew_of_members", "--ignored", "--nocapture"]);
    Process::start(command.env(ARGUMENTS, arguments.to_string()))
}

/// What a crew printed behind `word`.
fn wait_for(crew: &mut Process, word: &str) -> Vec<u64> {
    fn text(line: &Line) -> &str {
        if let Line::Out(Value::String(text)) = line { text } else { "" }
    }
    let line = crew.wait_for_within(Duration::from_secs(1800), word, |line| text(line).starts_with(word));
    text(&line).split_whitespace().skip(1).map(|number| number.parse().unwrap()).collect()
}

/// Every line of everyone reaches everyone once and in one order; the hub has as many threads as it had before, and
/// an idle session takes little.
#[test]
fn everyone_reads_everything_once_in_one_order() {
    let clients = std::env::var("CLIENTS").map_or(CLIENTS, |clients| clients.parse().unwrap());
    let place = Place::new();
    let hub = place.hub(&[]);
    // With the first client everything runs that will ever run.
    place.stay(&hub, "first").connected().kill();
    let (empty_kib, threads) = status(hub.process.id());
    let clock = Clock::start();
    let mut crews: Vec<Process> = (0..CREWS).map(|crew| start(&hub, crew, clients)).collect();
    crews.iter_mut().for_each(|crew| drop(wait_for(crew, "joined")));
    let joined = clock.now();
    std::thread::park_timeout(QUIET);
    let (idle_kib, threads_joined) = status(hub.process.id());
    let per_session = (idle_kib - empty_kib) * 1024 / u64::from(clients);
    println!(
        "{clients} clients joined in {:.1?}; an idle session takes {per_session} bytes of the hub, which has {threads_joined} threads ({threads} without clients)",
        Duration::from_micros(joined.0)
    );

    let start = clock.now();
    crews.iter_mut().for_each(|crew| crew.say("talk"));
    let read: Vec<Vec<u64>> = crews.iter_mut().map(|crew| wait_for(crew, "read")).collect();
    let time = clock.now().since(start);
    std::thread::park_timeout(QUIET);
    let (spoken_kib, threads_spoken) = status(hub.process.id());
    let sum = |field: usize| read.iter().map(|numbers| numbers[field]).sum::<u64>();
    let (deliveries, sent, lost) = (sum(1), sum(2), sum(3));
    println!(
        "{} lines, {deliveries} deliveries in {time:.1?}, {:.0} a second; the link lost {lost} of {sent} datagrams; {} KiB with the log's pages, {threads_spoken} threads",
        clients * LINES,
        deliveries as f64 / time.as_secs_f64(),
        spoken_kib,
    );
    assert!(read.iter().all(|numbers| numbers[0] == read[0][0]), "one order for all: {read:?}");
    assert_eq!(deliveries, u64::from(clients) * u64::from(clients * LINES));
    assert!(lost * 1000 / sent >= LOSS_PER_MILLE / 2, "{lost} of {sent} were lost");
    assert_eq!((threads_joined, threads_spoken), (threads, threads), "threads do not grow with clients");
    assert!(per_session < SESSION_KIB_MAX * 1024, "an idle session takes {per_session} bytes");
}

/// One of the processes that clients live in.
#[test]
#[ignore = "a child of everyone_reads_everything_once_in_one_order"]
fn crew_of_members() {
    if let Ok(arguments) = std::env::var(ARGUMENTS) {
        Crew::new(&arguments.parse().unwrap()).run();
    }
}
