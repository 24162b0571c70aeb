//! Lines from a person or a pipe, and output that never breaks a half-typed line.

use crate::failure::{Context, Failure};
use crate::net::Mailbox;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{ExternalPrinter, Helper};
use std::borrow::Cow;
use std::io::{BufRead, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// What comes from stdin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A line, without its end.
    Line(String),
    /// A line that is not UTF-8, or longer than anything we take.
    BadLine(&'static str),
    /// There is no more.
    End,
}

/// Lines that wait to be taken; who types or pipes more waits too.
pub const INPUT_CAPACITY: usize = 64;

/// Bytes of a line that is read at all: a message, a command in front, and a name.
const LINE_BYTES_MAX: u64 = 128 * 1024;

/// Where sentences go: above the line that is being typed, or simply to stdout.
pub struct Screen {
    hidden: Mask,
    printer: Option<Box<dyn ExternalPrinter + Send>>,
    // Fields are dropped in their order: the terminal is itself again once nothing more is shown.
    _restore: Option<Restore>,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Screen(interactive: {})", self.printer.is_some())
    }
}

impl Screen {
    /// A screen on which nobody types.
    #[must_use]
    pub const fn plain() -> Self {
        Self { hidden: Mask(None), printer: None, _restore: None }
    }

    /// Whether somebody types here.
    #[must_use]
    pub const fn is_interactive(&self) -> bool {
        self.printer.is_some()
    }

    /// The next line that is typed is a secret: it is shown as dots, and kept in no history.
    pub fn hide_next(&self) {
        self.hidden.set(true);
    }

    /// Shows a line; what is half typed stays as it is.
    ///
    /// # Errors
    /// When stdout is closed.
    pub fn show(&mut self, text: &str) -> std::io::Result<()> {
        match &mut self.printer {
            Some(printer) => printer.print(format!("{text}\n")).map_err(std::io::Error::other),
            None => crate::output::line(text),
        }
    }
}

/// Shows dots for what is typed, while the line is a secret.
#[derive(Clone, Debug)]
struct Mask(Option<Arc<AtomicBool>>);

impl Mask {
    fn set(&self, is_hidden: bool) {
        if let Some(flag) = &self.0 {
            flag.store(is_hidden, Ordering::Relaxed);
        }
    }

    fn is_hidden(&self) -> bool {
        self.0.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}

impl Highlighter for Mask {
    fn highlight<'l>(&self, line: &'l str, _pos: usize) -> Cow<'l, str> {
        if self.is_hidden() { Cow::Owned("•".repeat(line.chars().count())) } else { Cow::Borrowed(line) }
    }

    fn highlight_char(&self, _line: &str, _pos: usize, _kind: CmdKind) -> bool {
        self.is_hidden()
    }
}

impl Completer for Mask {
    type Candidate = String;
}

impl Hinter for Mask {
    type Hint = String;
}

impl Validator for Mask {}
impl Helper for Mask {}

/// Gives the terminal back as it was: the program may end while the line editor waits for a key.
struct Restore {
    #[cfg(unix)]
    modes: Option<rustix::termios::Termios>,
}

impl Restore {
    fn new() -> Self {
        Self {
            #[cfg(unix)]
            modes: rustix::termios::tcgetattr(std::io::stdin()).ok(),
        }
    }
}

impl Drop for Restore {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(modes) = &self.modes {
            use rustix::termios::{OptionalActions, tcsetattr};
            // A terminal that is gone needs nothing back.
            tcsetattr(std::io::stdin(), OptionalActions::Drain, modes).ok();
        }
        let mut out = std::io::stdout().lock();
        drop(out.write_all(b"\r\x1b[K").and_then(|()| out.flush()));
    }
}

/// Whether a person sits at both ends.
#[must_use]
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// What stands in front of a half-typed line. The reader waits a moment for what the line before changes of it.
#[derive(Clone, Debug)]
pub struct Prompt(Arc<(Mutex<Shown>, Condvar)>);

#[derive(Debug)]
struct Shown {
    text: String,
    /// Lines that were acted on.
    lines: u64,
}

/// How long a prompt waits for the line before it.
const PROMPT_PATIENCE: Duration = Duration::from_millis(200);

impl Prompt {
    /// A prompt that can change.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Arc::new((Mutex::new(Shown { text: text.to_owned(), lines: 0 }), Condvar::new())))
    }

    /// A line was acted on; what stands in front of the next.
    pub fn line_done(&self, text: &str) {
        let (shown, changed) = &*self.0;
        if let Ok(mut shown) = shown.lock() {
            text.clone_into(&mut shown.text);
            shown.lines += 1;
            changed.notify_all();
        }
    }

    /// What stands in front of the line behind `lines` others.
    fn behind(&self, lines: u64) -> String {
        let (shown, changed) = &*self.0;
        let Ok(shown) = shown.lock() else { return String::new() };
        let waited = changed.wait_timeout_while(shown, PROMPT_PATIENCE, |shown| shown.lines < lines);
        waited.map(|(shown, _)| shown.text.clone()).unwrap_or_default()
    }
}

/// Starts to read stdin into `mailbox`: with a line editor at a terminal, line by line from a pipe. Ctrl-C at the
/// line editor goes to `stop`, as the signal does elsewhere.
///
/// # Errors
/// When the terminal cannot be used.
pub fn start(prompt: &Prompt, mailbox: Mailbox<Input>, stop: Mailbox<()>) -> Result<Screen, Failure> {
    if !is_interactive() {
        spawn(move || read_pipe(&mailbox))?;
        return Ok(Screen::plain());
    }
    let restore = Restore::new();
    // A mask is a highlighter, which is not asked on a terminal without colours unless it is forced.
    let config = rustyline::Config::builder().color_mode(rustyline::ColorMode::Forced).build();
    let mut editor = rustyline::Editor::<Mask, rustyline::history::MemHistory>::with_history(
        config,
        rustyline::history::MemHistory::new(),
    )
    .context("cannot use the terminal")?;
    let hidden = Mask(Some(Arc::default()));
    editor.set_helper(Some(hidden.clone()));
    let mask = hidden.clone();
    let printer = editor.create_external_printer().context("cannot use the terminal")?;
    let prompt = prompt.clone();
    spawn(move || {
        for lines in 0.. {
            let was_taken = match editor.readline(&prompt.behind(lines)) {
                Ok(line) => {
                    if mask.is_hidden() {
                        mask.set(false);
                    } else {
                        // A history that is full forgets by itself.
                        drop(editor.add_history_entry(&line));
                    }
                    mailbox.put(Input::Line(line))
                }
                Err(error) => {
                    // A loop that is gone needs no end.
                    let is_interrupt = matches!(error, ReadlineError::Interrupted);
                    let _: bool = if is_interrupt { stop.put(()) } else { mailbox.put(Input::End) };
                    return;
                }
            };
            if !was_taken {
                return;
            }
        }
    })?;
    Ok(Screen { hidden, printer: Some(Box::new(printer)), _restore: Some(restore) })
}

fn spawn(read: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    let thread = std::thread::Builder::new().name("input".into()).spawn(read);
    thread.map(drop).context("cannot start the thread of the input")
}

fn read_pipe(mailbox: &Mailbox<Input>) {
    let mut input = std::io::stdin().lock();
    loop {
        let Some(line) = next_line(&mut input) else {
            // The loop that is gone needs no end.
            let _: bool = mailbox.put(Input::End);
            return;
        };
        if !mailbox.put(line) {
            return;
        }
    }
}

/// The next line of a pipe; `None` at its end.
fn next_line(input: &mut impl BufRead) -> Option<Input> {
    use std::io::Read;
    let mut line = Vec::new();
    let read = input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line).ok()?;
    if read == 0 {
        return None;
    }
    if read as u64 == LINE_BYTES_MAX && line.last() != Some(&b'\n') {
        skip_line(input);
        return Some(Input::BadLine("it is longer than a message may be"));
    }
    while matches!(line.last(), Some(b'\n' | b'\r')) {
        line.pop();
    }
    Some(String::from_utf8(line).map_or(Input::BadLine("it is not UTF-8"), Input::Line))
}

fn skip_line(input: &mut impl BufRead) {
    loop {
        let Ok(buffer) = input.fill_buf() else { return };
        if buffer.is_empty() {
            return;
        }
        let (used, found) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), false),
        };
        input.consume(used);
        if found {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_pipe() {
        let long = [&vec![b'x'; 200_000][..], b"\nafter\xff\nlast"].concat();
        let mut input = &[&b"one\r\n\n"[..], &long].concat()[..];
        let lines: Vec<Input> = std::iter::from_fn(|| next_line(&mut input)).collect();
        assert_eq!(
            lines,
            [
                Input::Line("one".into()),
                Input::Line(String::new()),
                Input::BadLine("it is longer than a message may be"),
                Input::BadLine("it is not UTF-8"),
                Input::Line("last".into()),
            ]
        );
    }
}
