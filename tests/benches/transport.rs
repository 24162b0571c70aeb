//! Our transport beside QUIC and TCP on the same simulated links: `cargo bench -p tests --bench transport`.
//!
//! Prints a table for each workload. What never arrived counts as infinite. Bytes on the wire include IP, UDP
//! and TCP headers, acknowledgements and what is sent again. TCP carries no TLS here, which is in its favour.

mod harness;

use clap::{Parser, ValueEnum};
use core::time::Duration;
use harness::bulk::{self, Bulk, Transfer};
use harness::handshake;
use harness::latency::{self, Lines, Outcome, Way};
use harness::link::{at_rate, of_rtt};
use harness::peers::Protocol;
use harness::stats::Times;

/// Losses of the grid, of 1000 packets.
const LOSSES: [u64; 6] = [0, 10, 50, 100, 200, 300];
/// Losses of bulk transfers.
const BULK_LOSSES: [u64; 3] = [0, 10, 50];
/// Round-trip times of the grid.
const RTTS_MS: [u64; 3] = [20, 80, 300];
/// Rates of bottlenecks, in Mbit/s.
const RATES: [u64; 2] = [20, 200];
/// A bulk transfer; one that is broken off has the goodput that it came to.
const BULK: Bulk = Bulk { bytes: 20_000_000, patience: Duration::from_secs(60) };

/// Who says lines: the congestion controller has no say in them.
const PEERS: [Protocol; 3] = [Protocol::Ours, Protocol::Quic, Protocol::Tcp];

/// What is raced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Workload {
    /// Lines of 100 bytes, ten a second for a minute.
    Lines,
    /// Lines of 100 bytes, one every two seconds for two minutes.
    Sparse,
    /// From the first datagram to the server's first answer.
    Handshake,
    /// 20 MB from the server to a client.
    Bulk,
    /// Two transfers at one bottleneck.
    Share,
}

/// Our transport beside QUIC and TCP on the same simulated links.
#[derive(Debug, Parser)]
struct Args {
    /// Only these; all by default.
    workloads: Vec<Workload>,
    /// Seeds of each cell of a table; by default what a workload needs for a steady result.
    #[arg(long)]
    seeds: Option<u64>,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// Only this loss, of 1000 packets.
    #[arg(long)]
    loss: Option<u64>,
    /// Only lines that go this way.
    #[arg(long)]
    way: Option<Way>,
    /// Only this round-trip time, in milliseconds.
    #[arg(long)]
    rtt: Option<u64>,
    /// Tells a run of ours packet by packet, instead of tables: of lines, of a handshake, of a transfer.
    #[arg(long)]
    trace: bool,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Args {
    fn seeds(&self, default: u64) -> core::ops::Range<u64> {
        self.first..self.first + self.seeds.unwrap_or(default)
    }

    fn losses<'a>(&self, all: &'a [u64]) -> impl Iterator<Item = u64> + use<'a> {
        let only = self.loss;
        all.iter().copied().filter(move |loss| only.is_none_or(|only| only == *loss))
    }

    fn ways(&self) -> impl Iterator<Item = Way> + use<> {
        let only = self.way;
        Way::ALL.into_iter().filter(move |way| only.is_none_or(|only| only == *way))
    }

    fn rtts(&self) -> impl Iterator<Item = Duration> + use<> {
        let only = self.rtt;
        let wanted = RTTS_MS.into_iter().filter(move |rtt| only.is_none_or(|only| only == *rtt));
        wanted.map(Duration::from_millis)
    }
}

fn main() {
    let args = Args::parse();
    if args.trace {
        return trace(&args);
    }
    for workload in Workload::value_variants() {
        if !args.workloads.is_empty() && !args.workloads.contains(workload) {
            continue;
        }
        match workload {
            Workload::Lines => lines(&args, "Lines of 100 bytes, ten a second", Lines::DENSE, 20),
            Workload::Sparse => lines(&args, "Lines of 100 bytes, one in two seconds", Lines::SPARSE, 60),
            Workload::Handshake => handshakes(&args),
            Workload::Bulk => bulks(&args),
            Workload::Share => shares(&args),
        }
    }
}

fn trace(args: &Args) {
    let rtt = Duration::from_millis(args.rtt.unwrap_or(80));
    let link = of_rtt(rtt, args.loss.unwrap_or(100));
    let way = args.way.unwrap_or(Way::Down);
    for workload in &args.workloads {
        match workload {
            Workload::Lines => drop(latency::run(Protocol::Ours, way, Lines::DENSE, link, args.first, true)),
            Workload::Sparse => {
                drop(latency::run(Protocol::Ours, way, Lines::SPARSE, link, args.first, true))
            }
            Workload::Handshake => {
                let _: Option<Duration> = handshake::run(Protocol::Ours, link, args.first, true);
            }
            Workload::Bulk | Workload::Share => {
                let link = at_rate(link, RATES[0]);
                let _: Transfer = bulk::transfer(Protocol::Ours, BULK, link, args.first, true);
            }
        }
    }
}

/// Runs all seeds of a cell on as many threads as there are cores.
fn over_seeds<T: Send>(seeds: core::ops::Range<u64>, run: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let seeds: Vec<u64> = seeds.collect();
    let run = &run;
    std::thread::scope(|scope| {
        let chunks = seeds.chunks(seeds.len().div_ceil(threads).max(1));
        let workers: Vec<_> = chunks
            .map(|chunk| scope.spawn(move || chunk.iter().map(|seed| run(*seed)).collect::<Vec<T>>()))
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a run does not panic")).collect()
    })
}

fn lines(args: &Args, title: &str, lines: Lines, seeds: u64) {
    let seeds = args.seeds(seeds);
    println!("\n## {title}: p50 / p99 / p99.9 in ms (bytes on the wire a line); seeds {seeds:?}\n");
    println!("| way | RTT | loss | {} | p99 ours/quinn | p99 ours/TCP |", names(&PEERS));
    println!("|---|---|---|---|---|---|---|---|");
    for way in args.ways() {
        for rtt in args.rtts() {
            for loss in args.losses(&LOSSES) {
                let outcomes = PEERS.map(|protocol| {
                    let link = of_rtt(rtt, loss);
                    let run = |seed| latency::run(protocol, way, lines, link, seed, false);
                    let mut all = Outcome::default();
                    over_seeds(seeds.clone(), run).into_iter().for_each(|outcome| all.extend(outcome));
                    all
                });
                let times = outcomes.each_ref().map(Outcome::times);
                let cells = [0, 1, 2].map(|peer| {
                    let [p50, p99, p999] = [500, 990, 999].map(|part| times[peer].percentile(part));
                    format!("{p50:.0} / {p99:.0} / {p999:.0} ({:.0})", outcomes[peer].bytes_per_line())
                });
                let ratio = |peer: usize| times[0].percentile(990) / times[peer].percentile(990);
                println!(
                    "| {way} | {rtt:?} | {} | {} | {:.2} | {:.2} |",
                    percent(loss),
                    cells.join(" | "),
                    ratio(1),
                    ratio(2)
                );
            }
        }
    }
}

fn handshakes(args: &Args) {
    let seeds = args.seeds(1000);
    println!("\n## Handshake to the first answer: p50 / p99.9 in ms (within 10 s); seeds {seeds:?}\n");
    println!("| RTT | loss | {} |", names(&PEERS));
    println!("|---|---|---|---|---|");
    for rtt in args.rtts() {
        for loss in args.losses(&LOSSES) {
            let cells = PEERS.map(|protocol| {
                let run = |seed| handshake::run(protocol, of_rtt(rtt, loss), seed, false);
                let times = Times::new(over_seeds(seeds.clone(), run));
                let within = times.within(Duration::from_secs(10)) / 10.0;
                format!("{:.0} / {:.0} ({within:.1} %)", times.percentile(500), times.percentile(999))
            });
            println!("| {rtt:?} | {} | {} |", percent(loss), cells.join(" | "));
        }
    }
}

fn bulks(args: &Args) {
    let seeds = args.seeds(4);
    println!(
        "\n## {} MB down, queue of one bandwidth-delay product: goodput in Mbit/s (time in s, bytes on the wire \
         for each that arrived); seeds {seeds:?}\n",
        BULK.bytes / 1_000_000
    );
    println!(
        "| rate | RTT | loss | {} | ours/quinn | ours/quinn NewReno | ours/TCP |",
        names(&Protocol::ALL)
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for rate in RATES {
        for rtt in args.rtts() {
            for loss in args.losses(&BULK_LOSSES) {
                let link = at_rate(of_rtt(rtt, loss), rate);
                let transfers = Protocol::ALL.map(|protocol| {
                    let run = |seed| bulk::transfer(protocol, BULK, link, seed, false);
                    over_seeds(seeds.clone(), run)
                });
                let goodput = transfers.each_ref().map(|all| mean(all, Transfer::goodput));
                let cells = [0, 1, 2, 3].map(|peer| {
                    let all = &transfers[peer];
                    let time = mean(all, |transfer| transfer.time.as_secs_f64());
                    let more = if all.iter().all(|transfer| transfer.is_complete) { "" } else { ">" };
                    let cost = mean(all, |transfer| transfer.wire_bytes as f64 / transfer.bytes as f64);
                    format!("{:.1} ({more}{time:.1}, {cost:.2})", goodput[peer] * 8.0 / 1e6)
                });
                let [quinn, reno, tcp] = [1, 2, 3].map(|peer| goodput[0] / goodput[peer]);
                println!(
                    "| {} Mbit/s | {rtt:?} | {} | {} | {quinn:.2} | {reno:.2} | {tcp:.2} |",
                    rate,
                    percent(loss),
                    cells.join(" | ")
                );
            }
        }
    }
}

fn shares(args: &Args) {
    let seeds = args.seeds(4);
    println!(
        "\n## Two transfers at one 20 Mbit/s bottleneck: Mbit/s of the first + second (the lesser as a part of its \
         fair share, the same in the worst seed); seeds {seeds:?}\n"
    );
    println!("| RTT | loss | {} |", names(&Protocol::ALL));
    println!("|---|---|---|---|---|---|");
    for rtt in args.rtts() {
        for loss in args.losses(&[0, 10]) {
            let link = at_rate(of_rtt(rtt, loss), RATES[0]);
            let cells = Protocol::ALL.map(|protocol| {
                let all = over_seeds(seeds.clone(), |seed| bulk::share(protocol, link, seed));
                let [first, second] = [0, 1].map(|flow| mean(&all, |flows| flows[flow]) * 8.0 / 1e6);
                let least = |[first, second]: &[f64; 2]| 2.0 * first.min(*second) / (first + second);
                let worst = all.iter().map(least).fold(1.0, f64::min);
                format!("{first:.1} + {second:.1} ({:.2}, {worst:.2})", least(&[first, second]))
            });
            println!("| {rtt:?} | {} | {} |", percent(loss), cells.join(" | "));
        }
    }
}

fn mean<T>(all: &[T], number: impl Fn(&T) -> f64) -> f64 {
    all.iter().map(number).sum::<f64>() / all.len().max(1) as f64
}

fn names(protocols: &[Protocol]) -> String {
    let names: Vec<String> = protocols.iter().map(Protocol::to_string).collect();
    names.join(" | ")
}

fn percent(per_mille: u64) -> String {
    format!("{} %", per_mille / 10)
}
