//! Real processes beside the TCP of this kernel, through one and the same bad link: `cargo bench -p tests --bench
//! real`.
//!
//! Two network namespaces are joined by this process, which delays each of their IP packets by 40 ms and loses some
//! of them. `node join` says lines of 100 bytes, ten a second, that `node hub` commits and prints; beside them a
//! program writes the same lines to a TCP connection (TCP_NODELAY, CUBIC) and another prints what it reads. The
//! time is from the line on one program's stdin to the line on the other's stdout.

#[cfg(target_os = "linux")]
#[path = "real/link.rs"]
mod link;
#[cfg(target_os = "linux")]
#[path = "real/program.rs"]
mod program;
#[cfg(target_os = "linux")]
#[path = "real/race.rs"]
mod race;
#[cfg(target_os = "linux")]
#[path = "harness/stats.rs"]
mod stats;
#[cfg(target_os = "linux")]
#[path = "real/tcp.rs"]
mod tcp;

fn main() {
    #[cfg(target_os = "linux")]
    race::main();
    #[cfg(not(target_os = "linux"))]
    println!("skipped: ip");
}
