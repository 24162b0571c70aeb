//! How many messages a second the log makes durable, on one core, beside plain SQLite: `cargo bench -p tests --bench
//! log`.
//!
//! The shipped thread and engine commit lines of 100 bytes while so many are outstanding as a hub has when so many
//! authors talk. Beside them, in the same run and on the same disk, rows of the same length go into a table of two
//! columns, with the same WAL and `synchronous=FULL`: one transaction each, and one for each 512. How long the disk
//! takes to synchronise 4 KiB is printed too: on a disk that only pretends, everything is fast.

#[cfg(target_os = "linux")]
#[path = "log/race.rs"]
mod race;
#[cfg(target_os = "linux")]
#[path = "harness/stats.rs"]
#[expect(dead_code, reason = "percentiles are what is asked for")]
mod stats;

fn main() {
    #[cfg(target_os = "linux")]
    race::main();
    #[cfg(not(target_os = "linux"))]
    println!("skipped: affinity");
}
