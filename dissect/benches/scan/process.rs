//! What a process costs, as the kernel tells while it runs.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The cost of one run.
#[derive(Debug)]
pub(crate) struct Cost {
    /// From start to end.
    pub(crate) wall_s: f64,
    /// Of all threads, in user and system mode; 0 where the system does not tell.
    pub(crate) cpu_s: f64,
    /// Most memory resident at a time; 0 where the system does not tell.
    pub(crate) peak_kib: f64,
    /// The exit code.
    pub(crate) exit: Option<i32>,
}

/// Whether a program can be started.
pub(crate) fn exists(program: &str) -> bool {
    let probe = Command::new(program).arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status();
    probe.is_ok()
}

/// Runs a command line to its end.
#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures time, and looks at the process every millisecond"
)]
pub(crate) fn measure(command: &[String]) -> Cost {
    let mut process = Command::new(&command[0]);
    let start = Instant::now();
    let mut child = process.args(&command[1..]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (mut cpu_s, mut peak_kib) = (0.0, 0.0);
    loop {
        let status = child.try_wait().unwrap();
        if let Some(status) = status {
            return Cost { wall_s: start.elapsed().as_secs_f64(), cpu_s, peak_kib, exit: status.code() };
        }
        peak_kib = peak_of(child.id()).unwrap_or(peak_kib);
        cpu_s = cpu_of(child.id()).unwrap_or(cpu_s);
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// `VmHWM` of Linux.
fn peak_of(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Fields 14 and 15 of Linux's `stat`, in ticks of 10 ms.
fn cpu_of(process: u32) -> Option<f64> {
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(11);
    let user: f64 = ticks.next()?.parse().ok()?;
    let system: f64 = ticks.next()?.parse().ok()?;
    Some((user + system) / TICKS_A_SECOND)
}
