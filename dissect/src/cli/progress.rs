//! Progress on a terminal: what is being done, how far it has come, and how fast.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::progress::Progress;

/// Time between two lines.
const PERIOD: Duration = Duration::from_millis(200);

/// One line on standard error that is written over and over.
#[derive(Debug)]
pub(super) struct Terminal(Option<Mutex<State>>);

#[derive(Debug)]
struct State {
    step: &'static str,
    begun: Instant,
    shown: Instant,
    is_there: bool,
}

impl Terminal {
    /// Shows nothing to nobody: when the user wants it quiet, or standard error is no terminal.
    pub(super) fn new(quiet: bool) -> Self {
        let is_wanted = !quiet && io::stderr().is_terminal();
        let now = now();
        let state = State { step: "", begun: now, shown: now, is_there: false };
        Self(is_wanted.then(|| Mutex::new(state)))
    }

    /// Removes the line.
    pub(super) fn clear(&self) {
        let Some(state) = &self.0 else { return };
        if std::mem::take(&mut state.lock().unwrap_or_else(PoisonError::into_inner).is_there) {
            // Nothing can be done about a standard error that is closed.
            write!(io::stderr(), "\r\x1b[K").ok();
        }
    }
}

impl Progress for Terminal {
    fn at(&self, step: &'static str, done_bytes: u64, total_bytes: Option<u64>) {
        let Some(state) = &self.0 else { return };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now();
        if state.step != step {
            (state.step, state.begun) = (step, now);
        }
        if now.duration_since(state.shown) < PERIOD {
            return;
        }
        (state.shown, state.is_there) = (now, true);
        let line = line(step, done_bytes, total_bytes, now.duration_since(state.begun));
        write!(io::stderr(), "\r\x1b[K{line}").ok();
    }
}

fn line(step: &str, done_bytes: u64, total_bytes: Option<u64>, time: Duration) -> String {
    let mb_per_s = u128::from(done_bytes) / time.as_micros().max(1);
    match total_bytes {
        Some(total_bytes) => {
            let percent = u128::from(done_bytes) * 100 / u128::from(total_bytes.max(1));
            format!("{step}: {percent} %, {mb_per_s} MB/s")
        }
        None => format!("{step}: {} MB, {mb_per_s} MB/s", done_bytes / 1_000_000),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a person waits for this in real time, and nothing depends on it"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let second = Duration::from_secs(1);
        assert_eq!(line("judging", 50_000_000, Some(200_000_000), second), "judging: 25 %, 50 MB/s");
        assert_eq!(line("reading", 7_900_000, None, 10 * second), "reading: 7 MB, 0 MB/s");
        assert_eq!(line("judging", 0, Some(0), Duration::ZERO), "judging: 0 %, 0 MB/s");
    }
}
