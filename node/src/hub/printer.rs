//! The thread that writes what the operator sees.

use crate::failure::{Context, Failure};
use crate::terminal::Screen;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Duration;

/// Lines that may wait to be written; further ones are counted and dropped.
const CAPACITY: usize = 1024;
/// How long the last lines may take at the end.
const FINISH: Duration = Duration::from_secs(1);

/// A running printer.
#[derive(Debug)]
pub(super) struct Printer {
    lines: SyncSender<String>,
    finished: Receiver<()>,
    dropped: usize,
}

impl Printer {
    pub(super) fn start(mut screen: Screen) -> Result<Self, Failure> {
        let (lines, waiting) = mpsc::sync_channel::<String>(CAPACITY);
        let (done, finished) = mpsc::channel();
        let print = move || {
            for line in waiting {
                // A hub goes on when nobody looks.
                if screen.show(&line).is_err() {
                    break;
                }
            }
            drop(screen);
            done.send(()).ok();
        };
        let thread = std::thread::Builder::new().name("printer".into()).spawn(print);
        drop(thread.context("cannot start the thread of the printer")?);
        Ok(Self { lines, finished, dropped: 0 })
    }

    pub(super) fn print(&mut self, line: String) {
        if self.dropped > 0 {
            ::log::warn!("{} lines were not shown: stdout was not read", self.dropped);
        }
        match self.lines.try_send(line) {
            Ok(()) => self.dropped = 0,
            Err(mpsc::TrySendError::Full(_)) => self.dropped += 1,
            Err(mpsc::TrySendError::Disconnected(_)) => {}
        }
    }

    /// Waits a moment until everything is written.
    pub(super) fn finish(self) {
        drop(self.lines);
        self.finished.recv_timeout(FINISH).ok();
    }
}
