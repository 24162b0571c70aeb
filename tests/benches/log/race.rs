//! The runs, and the table.

use super::stats::Times;
use clap::Parser;
use node::clock::Clock;
use node::log::{LogThread, SqliteLog};
use node::net::Wires;
use node_proto::log::{AccountId, Append, Effect, LOBBY, Reply, Ticket};
use rusqlite::Connection;
use rustix::thread::{CpuSet, sched_setaffinity};
use spec::wire::entry::{EntryKind, MessageId};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bytes of a line.
const LINE_BYTES: usize = 100;
/// Appends that wait for an answer.
const OUTSTANDING: [u64; 4] = [1, 8, 64, 512];
/// Rows of a large transaction: as many as the log commits at most.
const BATCH_ROWS: u64 = 512;
/// Answers that may wait, as in a hub.
const REPLIES_WAITING_MAX: usize = 1024;
/// What the log must do with most outstanding.
const REQUIRED_PER_SECOND: f64 = 2_000.0;

/// Durable messages a second on one core.
#[derive(Debug, Parser)]
struct Args {
    /// Time in seconds for each row of the table.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Where the databases are made; by default where temporary files are.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What a run did.
struct Outcome {
    messages: u64,
    time: Duration,
    /// From the append to its answer.
    times: Times,
}

impl Outcome {
    fn per_second(&self) -> f64 {
        self.messages as f64 / self.time.as_secs_f64()
    }

    fn print(&self, name: &str, plain: f64) {
        let (p50, p99) = (self.times.percentile(500), self.times.percentile(990));
        let rate = self.per_second();
        println!("| {name} | {rate:.0} | {:.1} | {p50:.1} / {p99:.1} |", rate / plain);
    }
}

pub(crate) fn main() {
    let args = Args::parse();
    let mut core = CpuSet::new();
    core.set(0);
    sched_setaffinity(None, &core).expect("a process may choose its core");
    let folder = args.folder.clone().unwrap_or_else(std::env::temp_dir);
    let place = tempfile::tempdir_in(folder).expect("there is a folder");
    let time = Duration::from_secs(args.seconds);
    println!("\n## Durable messages on one core, lines of {LINE_BYTES} bytes, {} s each", args.seconds);
    println!("synchronising 4 KiB: {:.2} ms in the median\n", sync_time(place.path()).percentile(500));
    println!("| what | messages/s | beside single inserts | p50 / p99 ms |\n|---|---|---|---|");
    let single = plain(&place.path().join("single"), time, 1);
    let rate = single.per_second();
    single.print("plain SQLite, a transaction each", rate);
    let batches = plain(&place.path().join("batches"), time, BATCH_ROWS);
    batches.print(&format!("plain SQLite, a transaction for {BATCH_ROWS}"), rate);
    let mut most = 0.0;
    for outstanding in OUTSTANDING {
        let outcome = log(&place.path().join(format!("log-{outstanding}")), time, outstanding);
        outcome.print(&format!("the log, {outstanding} outstanding"), rate);
        most = outcome.per_second();
    }
    println!("\n{most:.0} with {} outstanding; {REQUIRED_PER_SECOND:.0} are required", OUTSTANDING[3]);
    assert!(most >= REQUIRED_PER_SECOND, "the log is too slow");
}

fn elapsed(clock: Clock) -> Duration {
    Duration::from_micros(clock.now().0)
}

fn sync_time(folder: &Path) -> Times {
    let mut file = File::create(folder.join("sync")).expect("there is a folder");
    Times::new((0..200).map(|_| {
        let clock = Clock::start();
        file.write_all(&[7; 4096]).and_then(|()| file.sync_all()).expect("the disk works");
        Some(elapsed(clock))
    }))
}

/// Rows into a table of two columns, so many a transaction.
fn plain(path: &Path, time: Duration, rows: u64) -> Outcome {
    let mut db = Connection::open(path).expect("SQLite opens");
    db.pragma_update(None, "journal_mode", "WAL").expect("it has a write-ahead log");
    db.pragma_update(None, "synchronous", "FULL").expect("it synchronises");
    db.execute_batch("CREATE TABLE lines (seq INTEGER PRIMARY KEY, line BLOB)").expect("it makes a table");
    let (clock, line, mut messages, mut times) = (Clock::start(), [7u8; LINE_BYTES], 0, Vec::new());
    while elapsed(clock) < time {
        let begun = clock.now();
        let transaction = db.transaction().expect("it begins");
        for _ in 0..rows {
            let mut insert =
                transaction.prepare_cached("INSERT INTO lines (line) VALUES (?1)").expect("it is SQL");
            insert.execute([&line[..]]).expect("it inserts");
        }
        transaction.commit().expect("it commits");
        messages += rows;
        times.push(Some(clock.now().since(begun)));
    }
    Outcome { messages, time: elapsed(clock), times: Times::new(times) }
}

/// Appends to the log as a hub makes them: the next when one is answered.
fn log(path: &Path, time: Duration, outstanding: u64) -> Outcome {
    let engine = SqliteLog::open(path, [7; 8]).expect("the log opens");
    let wires = Wires::new(Vec::new(), None).expect("there is a poll");
    let (mailbox, replies) = wires.mailbox(REPLIES_WAITING_MAX);
    let log = LogThread::spawn(Box::new(engine), mailbox).expect("there is a thread");
    let (clock, mut asked, mut times, mut messages) = (Clock::start(), BTreeMap::new(), Vec::new(), 0);
    for number in 0..outstanding {
        log.ask(append(number)).expect("the log runs");
        asked.insert(number, clock.now());
    }
    let mut next = outstanding;
    while !asked.is_empty() {
        let Reply::Committed(batch) = replies.recv().expect("the log runs") else {
            panic!("the log failed");
        };
        for (ticket, _, _) in &batch.tickets {
            let at = asked.remove(&ticket.0).expect("an append is answered once");
            times.push(Some(clock.now().since(at)));
            messages += 1;
            if elapsed(clock) < time {
                log.ask(append(next)).expect("the log runs");
                asked.insert(next, clock.now());
                next += 1;
            }
        }
    }
    Outcome { messages, time: elapsed(clock), times: Times::new(times) }
}

/// A line of one of 64 authors; its id is as random as a client's.
fn append(number: u64) -> Effect {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    id[8..].copy_from_slice(&number.to_be_bytes());
    Effect::Append(Append {
        ticket: Ticket(number),
        room: LOBBY,
        author: AccountId(1 + number % 64),
        id: MessageId(id),
        kind: EntryKind::Text,
        name: "somebody".into(),
        body: vec![b'x'; LINE_BYTES],
        about: None,
    })
}
