//! What a client was told is stored is there, in order, once: hubs that are killed, disks that are full, disks that
//! fail, and a folder that moves. Real processes on loopback; every fault shows that it happened.
//!
//! `KILLS=200 cargo test --release -p tests --test durable kills -- --nocapture` kills more often; `SEED=1` in front
//! chooses the same moments again.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "e2e/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "these tests use a part of it")]
mod harness;

#[path = "durable/failing_disk.rs"]
mod failing_disk;
#[path = "durable/full_disk.rs"]
mod full_disk;
#[path = "durable/kept.rs"]
mod kept;
#[path = "durable/kills.rs"]
mod kills;
#[path = "durable/moved.rs"]
mod moved;
#[path = "durable/speaker.rs"]
mod speaker;
