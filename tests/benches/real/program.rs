//! A running program: lines in, and lines out with the time they came. It is killed when dropped.

use node::clock::Clock;
use spec::time::Instant;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// How long a program may take to get ready.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<(Instant, String)>,
}

impl Program {
    /// Starts it; its lines are dated by `clock`.
    pub(crate) fn start(command: &mut Command, clock: Clock) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = piped.spawn().expect("the program starts");
        let (sender, lines) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        std::thread::spawn(move || {
            let lines = stdout.lines().map_while(Result::ok);
            lines.map(|line| (clock.now(), line)).try_for_each(|line| sender.send(line))
        });
        Self { stdin: child.stdin.take().expect("it is piped"), child, lines }
    }

    /// Gives it a line.
    pub(crate) fn say(&mut self, line: &str) {
        self.stdin.write_all(format!("{line}\n").as_bytes()).expect("it reads its input");
    }

    /// The first line that holds `part`.
    pub(crate) fn wait_for(&self, part: &str) -> String {
        let clock = Clock::start();
        let deadline = clock.now() + PATIENCE;
        loop {
            let (_, line) = self.lines.recv_timeout(clock.until(deadline)).expect("it gets ready");
            if line.contains(part) {
                return line;
            }
        }
    }

    /// What it printed since it was last asked.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (Instant, String)> {
        self.lines.try_iter()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
