//! A program of the demo: this very binary, talked to in lines.

use crate::failure::{Context, Failure};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// How long anything may take on a bad link before the demo gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running program; it ends when dropped.
#[derive(Debug)]
pub(super) struct Child {
    name: String,
    process: std::process::Child,
    input: Option<ChildStdin>,
    events: Receiver<Value>,
}

impl Child {
    /// Starts this binary with `front` and then `back` as its arguments.
    pub(super) fn start(name: &str, front: &[&str], back: &[&str]) -> Result<Self, Failure> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut command = Command::new(program);
        command.args(front).args(back).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().context(format!("cannot start {name}"))?;
        let input = process.stdin.take();
        let output = process.stdout.take().ok_or_else(|| Failure::new("a child without stdout"))?;
        let (sender, events) = mpsc::channel();
        let read = move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or(Value::Null);
                if sender.send(event).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(read);
        drop(thread.context("cannot start a thread")?);
        Ok(Self { name: name.to_owned(), process, input, events })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn type_line(&mut self, line: &str) -> Result<(), Failure> {
        let input = self.input.as_mut().ok_or_else(|| Failure::new("a child without stdin"))?;
        writeln!(input, "{line}").context(format!("{} does not listen", self.name))
    }

    /// The next event that `is_it`; others are passed over.
    pub(super) fn wait_for(&self, is_it: impl Fn(&Value) -> bool) -> Result<Value, Failure> {
        loop {
            let event = self.events.recv_timeout(PATIENCE);
            let event = event.context(format!("{} did not say what was expected", self.name))?;
            if is_it(&event) {
                return Ok(event);
            }
        }
    }

    /// Waits until the program has ended by itself.
    pub(super) fn wait_for_end(&mut self) {
        drop(self.process.wait());
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
