//! The race itself: pairs of programs, the lines they are given, and the table.

#[path = "../../e2e/harness/build.rs"]
mod build;

use super::link::Link;
use super::program::Program;
use super::stats::Times;
use super::tcp;
use clap::Parser;
use node::clock::Clock;
use serde_json::Value;
use spec::time::Instant;
use std::net::SocketAddr;
use std::time::Duration;
use tempfile::TempDir;

/// Half of the round trip.
const DELAY: Duration = Duration::from_millis(40);
/// Losses, of 1000 packets.
const LOSSES: [u64; 5] = [0, 10, 50, 100, 300];
/// Pairs of programs of each kind at a time: they do not hinder each other, the link has no rate.
const PAIRS: u16 = 4;
/// Time from one line to the next.
const EVERY: Duration = Duration::from_millis(100);
/// Bytes of a line.
const LINE_BYTES: usize = 100;
/// Time after the last line in which one may still arrive.
const DRAIN_TIME: Duration = Duration::from_secs(15);
/// Time for what follows a handshake.
const SETTLE_TIME: Duration = Duration::from_secs(2);

/// Real processes beside the TCP of this kernel.
#[derive(Debug, Parser)]
struct Args {
    /// Time in seconds for which lines are said at each loss.
    #[arg(long, default_value_t = 30)]
    seconds: usize,
    /// Only this loss, of 1000 packets.
    #[arg(long)]
    loss: Option<u64>,
    /// What the link loses; the order of packets is the kernel's, so runs are alike and not the same.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One end of a TCP connection.
    #[arg(long, hide = true)]
    receive: Option<SocketAddr>,
    /// The other end.
    #[arg(long, hide = true)]
    send: Option<SocketAddr>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

pub(crate) fn main() {
    let args = Args::parse();
    if let Some(address) = args.receive {
        return tcp::receive(address).expect("it can listen");
    }
    if let Some(address) = args.send {
        return tcp::send(address).expect("it can connect");
    }
    match Link::new(DELAY, args.seed) {
        Ok(link) => table(&args, &link),
        Err(error) => println!("skipped: ip ({error})"),
    }
}

fn table(args: &Args, link: &Link) {
    let lines = args.seconds * 10;
    println!(
        "\n## Real processes, 80 ms: p50 / p99 in ms (arrived); {PAIRS} x {lines} lines, seed {}\n",
        args.seed
    );
    println!("| loss | ours | TCP of Linux | p99 ours/TCP |\n|---|---|---|---|");
    for loss in LOSSES.into_iter().filter(|loss| args.loss.is_none_or(|only| only == *loss)) {
        let [ours, tcp] = race(link, loss, lines);
        let cell = |times: &Times| {
            let arrived = times.within(Duration::MAX) / 10.0;
            format!("{:.0} / {:.0} ({arrived:.1} %)", times.percentile(500), times.percentile(990))
        };
        let ratio = ours.percentile(990) / tcp.percentile(990);
        println!("| {} % | {} | {} | {ratio:.2} |", loss / 10, cell(&ours), cell(&tcp));
    }
}

/// The times of all lines of ours, and of those over TCP.
fn race(link: &Link, loss: u64, lines: usize) -> [Times; 2] {
    link.set_loss(0);
    let clock = Clock::start();
    let mut ours: Vec<Pair> = (0..PAIRS).map(|pair| Pair::ours(link, pair, clock)).collect();
    let mut tcp: Vec<Pair> = (0..PAIRS).map(|pair| Pair::tcp(link, pair, clock)).collect();
    wait(clock, clock.now() + SETTLE_TIME);
    link.set_loss(loss);
    let start = clock.now();
    for number in 0..lines {
        wait(clock, start + EVERY * u32::try_from(number).unwrap_or(u32::MAX));
        ours.iter_mut().chain(&mut tcp).for_each(|pair| pair.say(number, clock));
    }
    wait(clock, clock.now() + DRAIN_TIME);
    let times = |pairs: &[Pair]| Times::new(pairs.iter().flat_map(Pair::times));
    [times(&ours), times(&tcp)]
}

fn wait(clock: Clock, until: Instant) {
    while clock.now() < until {
        std::thread::park_timeout(clock.until(until));
    }
}

/// Two programs: what is said to one is printed by the other.
struct Pair {
    speaker: Program,
    listener: Program,
    said: Vec<Instant>,
    /// The folder of their files goes when they are gone.
    _place: Option<TempDir>,
}

impl Pair {
    /// A hub on the left and a client on the right.
    fn ours(link: &Link, number: u16, clock: Clock) -> Self {
        let place = tempfile::tempdir().expect("there is a temporary folder");
        let node = build::program("node");
        let address = SocketAddr::new(link.left.address, 6000 + number).to_string();
        let mut hub = link.left.command(&node);
        hub.args(["hub", "--json", "--listen", &address, "--data"]).arg(place.path().join("hub"));
        let listener = Program::start(&mut hub, clock);
        let ready: Value = serde_json::from_str(&listener.wait_for("ready")).expect("it is JSON");
        let invite = ready["invite"].as_str().expect("a hub has an invite");
        let mut join = link.right.command(&node);
        join.args(["join", "--json", "--hub", invite, "--name", "ann", "--data"]);
        let speaker = Program::start(join.arg(place.path().join("ann")), clock);
        speaker.wait_for("connected");
        Self { speaker, listener, said: Vec::new(), _place: Some(place) }
    }

    /// A reader on the left and a writer on the right.
    fn tcp(link: &Link, number: u16, clock: Clock) -> Self {
        let own = std::env::current_exe().expect("a program has a path");
        let address = SocketAddr::new(link.left.address, 7000 + number).to_string();
        let listener = Program::start(link.left.command(&own).args(["--receive", &address]), clock);
        listener.wait_for("ready");
        let speaker = Program::start(link.right.command(&own).args(["--send", &address]), clock);
        speaker.wait_for("ready");
        Self { speaker, listener, said: Vec::new(), _place: None }
    }

    fn say(&mut self, number: usize, clock: Clock) {
        self.said.push(clock.now());
        self.speaker.say(&format!("L{number:07}{}", ".".repeat(LINE_BYTES - 8)));
    }

    /// How long each line took.
    fn times(&self) -> Vec<Option<Duration>> {
        let mut times = vec![None; self.said.len()];
        for (at, line) in self.listener.lines() {
            let number =
                line.find("L0").and_then(|start| line.get(start + 1..start + 8)?.parse::<usize>().ok());
            if let Some(time) = number.and_then(|number| times.get_mut(number)) {
                *time = number.map(|number| at.since(self.said[number]));
            }
        }
        times
    }
}
