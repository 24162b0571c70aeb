//! `dissect scan` beside the programs of the field: `cargo bench -p dissect --bench scan`.
//!
//! One run writes a capture of random UDP datagrams into a temporary folder (1 GiB; `-- --mebibytes N` for less),
//! lets every program work on it by turns (`--rounds N`), each as a process of its own, and prints medians of
//! wall-clock time, processor time and peak memory, with the ratio of each peer to `dissect scan` round by
//! round. `dissect scan` looks for 20 texts in either case; `frame contains` for the same in one. The whole
//! ladder of evidence runs once, on a shorter capture (`--ladder-mebibytes N`).

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

#[path = "scan/capture.rs"]
mod capture;
#[path = "scan/process.rs"]
mod process;

use std::path::Path;

use clap::Parser;
use process::{Cost, measure};

const TEXTS: [&str; 20] = [
    "password",
    "authorization",
    "secret",
    "nickname",
    "basic realm",
    "private key",
    "session-id",
    "set-cookie",
    "alice@example",
    "behind the old mill",
    "credential",
    "bearer ",
    "passphrase",
    "attachment",
    "bitcoin:",
    "telephone",
    "birthday",
    "mastercard",
    "confidential",
    "rendezvous",
];

#[derive(Debug, Parser)]
struct Arguments {
    /// Size of the capture.
    #[arg(long, default_value_t = 1_024)]
    mebibytes: u64,
    /// Size of the capture for the whole ladder.
    #[arg(long, default_value_t = 64)]
    ladder_mebibytes: u64,
    /// How often every program runs.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// What cargo says to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A program to measure: its name in the table and its command line.
struct Rival {
    name: &'static str,
    command: Vec<String>,
}

fn rival(name: &'static str, command: &[&str]) -> Rival {
    Rival { name, command: command.iter().map(ToString::to_string).collect() }
}

fn rivals(file: &str) -> Vec<Rival> {
    let contains = TEXTS.map(|text| format!("frame contains \"{text}\"")).join(" || ");
    vec![
        rival("tshark -Y 'frame contains'", &["tshark", "-n", "-r", file, "-Y", &contains]),
        rival("tcpdump -w /dev/null", &["tcpdump", "-r", file, "-w", "/dev/null"]),
        rival("ngrep -i", &["ngrep", "-q", "-i", "-I", file, &TEXTS.join("|")]),
    ]
}

fn dissect(arguments: &[&str]) -> Vec<String> {
    let mut command = vec![env!("CARGO_BIN_EXE_dissect").to_owned()];
    command.extend(arguments.iter().map(ToString::to_string));
    command.extend(TEXTS.iter().flat_map(|text| ["--canary".to_owned(), (*text).to_owned()]));
    command
}

fn main() {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir().unwrap();
    race(&arguments, &folder.path().join("race.pcap"));
    ladder(&arguments, &folder.path().join("ladder.pcap"));
}

fn race(arguments: &Arguments, path: &Path) {
    let packets = capture::write(path, arguments.mebibytes << 20).unwrap();
    println!("{} MiB, {packets} packets of random bytes, {} rounds", arguments.mebibytes, arguments.rounds);
    let file = path.to_str().unwrap();
    let scan = dissect(&["scan", file]);
    let (present, missing): (Vec<_>, Vec<_>) =
        rivals(file).into_iter().partition(|rival| process::exists(&rival.command[0]));
    for rival in missing {
        println!("skipped: {}", rival.name);
    }
    let mut ours = Vec::new();
    let mut theirs: Vec<Vec<Cost>> = present.iter().map(|_| Vec::new()).collect();
    // The first reading fills the page cache and is not counted.
    measure(&scan);
    for _ in 0..arguments.rounds {
        for (rival, costs) in present.iter().zip(&mut theirs) {
            ours.push(measure(&scan));
            costs.push(measure(&rival.command));
        }
    }
    let mebibytes = arguments.mebibytes;
    println!("{:<28} {:>9} {:>9} {:>9} {:>10} {:>8}", "", "wall s", "cpu s", "MiB/s", "peak KiB", "exit");
    row("dissect scan", &ours, mebibytes);
    for (turn, (rival, costs)) in present.iter().zip(&theirs).enumerate() {
        row(rival.name, costs, mebibytes);
        // The run of ours that came right before each of theirs.
        let pairs = ours.iter().skip(turn).step_by(present.len()).zip(costs);
        let mut ratios: Vec<f64> = pairs.map(|(ours, theirs)| theirs.wall_s / ours.wall_s).collect();
        ratios.sort_by(f64::total_cmp);
        let (low, high) = (ratios.first().unwrap(), ratios.last().unwrap());
        println!("    dissect scan is {:.1} times as fast [{low:.1} .. {high:.1}]", median(&ratios));
    }
}

/// What the whole analysis costs: every form, every view, the control.
fn ladder(arguments: &Arguments, path: &Path) {
    capture::write(path, arguments.ladder_mebibytes << 20).unwrap();
    let cost = measure(&dissect(&[path.to_str().unwrap(), "-q"]));
    row(&format!("whole ladder, {} MiB", arguments.ladder_mebibytes), &[cost], arguments.ladder_mebibytes);
}

fn row(name: &str, costs: &[Cost], mebibytes: u64) {
    let of = |value: fn(&Cost) -> f64| median(&costs.iter().map(value).collect::<Vec<_>>());
    let (wall_s, cpu_s, peak_kib) = (of(|cost| cost.wall_s), of(|cost| cost.cpu_s), of(|cost| cost.peak_kib));
    let speed = f64::from(u32::try_from(mebibytes).unwrap()) / wall_s;
    let exit = costs[0].exit.map_or("signal".to_owned(), |code| code.to_string());
    println!("{name:<28} {wall_s:>9.3} {cpu_s:>9.2} {speed:>9.0} {peak_kib:>10.0} {exit:>8}");
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
