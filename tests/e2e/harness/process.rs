//! A running program: lines in, lines and an exit code out. It is killed when dropped.

use node::clock::Clock;
use serde_json::Value;
use spec::time::Instant;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

/// How long anything may take that is not measured.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a program printed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Line {
    /// On stdout: an object with `--json`, else a string.
    Out(Value),
    /// On stderr.
    Err(String),
}

impl Line {
    /// Whether it is an event of this kind.
    pub(crate) fn is(&self, kind: &str) -> bool {
        self["event"] == kind
    }

    /// Whether it is a notice of this kind.
    pub(crate) fn is_notice_of(&self, kind: &str) -> bool {
        self.is("notice") && self["kind"] == kind
    }

    /// Whether it is the notice `kind` about `name`.
    pub(crate) fn is_notice(&self, kind: &str, name: &str) -> bool {
        self.is_notice_of(kind) && self["name"] == name
    }

    /// Whether it is a message with this text.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.is("message") && self["text"] == text
    }

    /// Whether it holds `part` anywhere.
    pub(crate) fn holds(&self, part: &str) -> bool {
        match self {
            Self::Out(value) => value.to_string().contains(part),
            Self::Err(text) => text.contains(part),
        }
    }
}

impl std::ops::Index<&str> for Line {
    type Output = Value;

    fn index(&self, key: &str) -> &Value {
        match self {
            Self::Out(value) => value.get(key).unwrap_or(&Value::Null),
            Self::Err(_) => &Value::Null,
        }
    }
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code; nothing after a signal.
    pub(crate) code: Option<i32>,
    /// All of its stderr.
    pub(crate) stderr: String,
}

/// A running program.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    incoming: Receiver<Line>,
    lines: Vec<Line>,
}

impl Process {
    /// Starts it.
    pub(crate) fn start(command: &mut Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the program starts");
        let (sender, incoming) = mpsc::channel();
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        read_lines(stdout.expect("it is piped"), sender.clone(), |line| {
            Line::Out(serde_json::from_str(&line).unwrap_or(Value::String(line)))
        });
        read_lines(stderr.expect("it is piped"), sender, Line::Err);
        Self { stdin: child.stdin.take(), child, incoming, lines: Vec::new() }
    }

    /// Gives it a line.
    pub(crate) fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("its input is open");
        stdin.write_all(line.as_bytes()).and_then(|()| stdin.write_all(b"\n")).expect("it reads its input");
    }

    /// Ends its input.
    pub(crate) fn end_input(&mut self) {
        drop(self.stdin.take());
    }

    /// Its number in the system.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`: it ran until then.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        let status = self.child.wait().expect("it ends");
        assert_eq!(status.code(), None, "it had ended before it was killed; it printed\n{}", self.printed());
    }

    /// Asks it to end, as a service manager does.
    pub(crate) fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.id());
        let status = Command::new("sh").args(["-c", &command]).status().expect("there is a shell");
        assert!(status.success(), "{command}");
    }

    /// Everything it printed so far.
    pub(crate) fn lines(&mut self) -> &[Line] {
        self.lines.extend(self.incoming.try_iter());
        &self.lines
    }

    /// Reads what it prints until `deadline`.
    pub(crate) fn listen_until(&mut self, clock: &Clock, deadline: Instant) {
        while let Ok(line) = self.incoming.recv_timeout(clock.until(deadline)) {
            self.lines.push(line);
        }
    }

    /// Waits until `enough` of what it has printed; then that.
    pub(crate) fn wait_until(&mut self, what: &str, enough: impl Fn(&[Line]) -> bool) -> &[Line] {
        self.wait_until_within(PATIENCE, what, enough)
    }

    fn wait_until_within(
        &mut self,
        patience: Duration,
        what: &str,
        enough: impl Fn(&[Line]) -> bool,
    ) -> &[Line] {
        let clock = Clock::start();
        let deadline = clock.now() + patience;
        while !enough(&self.lines) {
            match self.incoming.recv_timeout(clock.until(deadline)) {
                Ok(line) => self.lines.push(line),
                Err(error) => panic!("{what}: {error}; it printed\n{}", self.printed()),
            }
        }
        &self.lines
    }

    /// Waits for the first line that `fits`.
    pub(crate) fn wait_for(&mut self, what: &str, fits: impl Fn(&Line) -> bool) -> Line {
        self.wait_for_within(PATIENCE, what, fits)
    }

    /// The same, when it may take longer.
    pub(crate) fn wait_for_within(
        &mut self,
        patience: Duration,
        what: &str,
        fits: impl Fn(&Line) -> bool,
    ) -> Line {
        let lines = self.wait_until_within(patience, what, |lines| lines.iter().any(&fits));
        lines.iter().find(|line| fits(line)).cloned().expect("it was just found")
    }

    /// Waits until it is connected.
    pub(crate) fn connected(mut self) -> Self {
        self.wait_for("it connects", |line| line.is("connected"));
        self
    }

    /// Waits until the hub has stored its line.
    pub(crate) fn say_and_store(&mut self, line: &str) {
        let stored = |lines: &[Line]| lines.iter().filter(|line| line.is("stored")).count();
        let before = stored(self.lines());
        self.say(line);
        self.wait_until("the line is stored", |lines| stored(lines) > before);
    }

    /// What it showed others saying in the lobby or privately, and itself: name and text.
    pub(crate) fn conversation(&mut self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let messages = self.lines().iter().filter(|line| line.is("message"));
        messages.map(|line| (text(&line["from"]), text(&line["text"]))).collect()
    }

    /// How many lines fit.
    pub(crate) fn count(&mut self, fits: impl Fn(&Line) -> bool) -> usize {
        self.lines().iter().filter(|line| fits(line)).count()
    }

    /// Waits until it has ended.
    pub(crate) fn ended(&mut self) -> Ended {
        let clock = Clock::start();
        let deadline = clock.now() + PATIENCE;
        loop {
            match self.incoming.recv_timeout(clock.until(deadline)) {
                Ok(line) => self.lines.push(line),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(error) => panic!("it does not end: {error}; it printed\n{}", self.printed()),
            }
        }
        let code = self.child.wait().expect("it ends").code();
        let errors = self.lines.iter().filter_map(|line| match line {
            Line::Err(text) => Some(format!("{text}\n")),
            Line::Out(_) => None,
        });
        Ended { code, stderr: errors.collect() }
    }

    fn printed(&self) -> String {
        let last = self.lines.len().saturating_sub(40);
        let shown = self.lines[last..].iter().map(|line| match line {
            Line::Out(value) => format!("  {value}\n"),
            Line::Err(text) => format!("  stderr: {text}\n"),
        });
        shown.collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn read_lines(
    from: impl Read + Send + 'static,
    to: Sender<Line>,
    line: impl Fn(String) -> Line + Send + 'static,
) {
    std::thread::spawn(move || {
        for text in BufReader::new(from).lines() {
            let Ok(text) = text else { return };
            if to.send(line(text)).is_err() {
                return;
            }
        }
    });
}

/// Runs a program to its end with nothing on its stdin: exit code, stdout, stderr.
pub(crate) fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.stdin(Stdio::null()).output().expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}
