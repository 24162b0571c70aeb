//! Real processes over real sockets: what a person gets from `node` and `dissect`.
//!
//! No port is fixed, nothing waits by sleeping, and every process ends with its test.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "e2e/harness/mod.rs"]
mod harness;

#[path = "e2e/absence.rs"]
mod absence;
#[path = "e2e/admin.rs"]
mod admin;
#[path = "e2e/bad_link.rs"]
mod bad_link;
#[path = "e2e/files.rs"]
mod files;
#[path = "e2e/lines.rs"]
mod lines;
#[path = "e2e/login.rs"]
mod login;
#[path = "e2e/observers.rs"]
mod observers;
#[path = "e2e/past.rs"]
mod past;
#[path = "e2e/qlog.rs"]
mod qlog;
#[cfg(target_os = "linux")]
#[path = "e2e/roaming.rs"]
mod roaming;
#[path = "e2e/rooms.rs"]
mod rooms;
#[path = "e2e/silence.rs"]
mod silence;
#[path = "e2e/trust.rs"]
mod trust;
#[path = "e2e/version.rs"]
mod version;
