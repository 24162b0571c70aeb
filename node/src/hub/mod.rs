//! `node hub`: wiring only. The hub itself is in `node-proto`.

mod console;
mod printer;
mod report;
mod start;

pub(crate) use console::{split_name, split_word};
pub(crate) use start::watch_signals;

use crate::cli::HubOptions;
use crate::clock::Clock;
use crate::data::hub::HubData;
use crate::entropy;
use crate::failure::{Context, Failure};
use crate::key_log::KeyLog;
use crate::log::LogThread;
use crate::net::Wires;
use crate::qlog::Qlog;
use crate::terminal::{self, Input, Prompt};
use console::{Action, Console};
use node_proto::connection::KeyPolicy;
use node_proto::hub::{Hub, HubConfig, HubEvent};
use node_proto::log::{Engine, MemoryLog, Reply};
use report::Report;
use spec::discard::Discard;
use spec::limits::CLOSE_TIME;
use spec::time::Instant;
use spec::wire::frame::Side;
use start::Started;
use std::process::ExitCode;
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// Answers of the log taken in one turn.
const REPLIES_PER_TURN: usize = 64;
/// Answers of the log that may wait; the log waits then.
const REPLIES_WAITING_MAX: usize = 1024;
/// Commands taken in one turn.
const COMMANDS_PER_TURN: usize = 16;

/// Runs a hub until it is told to stop.
///
/// # Errors
/// What keeps it from starting, or from going on.
pub fn run(options: HubOptions) -> Result<ExitCode, Failure> {
    start::init_logging(options.log_level);
    let Started { data, wires, invite } = start::start(&options)?;
    let mut engine: Box<dyn Engine> = if options.forget {
        Box::new(MemoryLog::new(entropy::bytes()?))
    } else {
        Box::new(crate::log::SqliteLog::open(&data.log_path(), entropy::bytes()?)?)
    };
    let recovered = engine.recover().context("cannot read the log")?;
    let key_log = options.keylog.as_deref().map(KeyLog::open).transpose()?;
    let clock = Clock::start();
    let qlog = options.qlog.as_deref().map(|folder| Qlog::open(folder, Side::Hub, &clock)).transpose()?;
    let config = HubConfig {
        identity: data.identity.clone(),
        access_secrets: data.access_secrets(options.open),
        is_open: options.open,
        grace: Duration::from_secs(options.grace),
        sessions_max: start::SESSIONS_MAX,
        blob_bytes_max: 0,
        key_log: key_log.is_some(),
        keys: KeyPolicy::default(),
        logins: data.logins()?,
    };
    let mut hub = Hub::new(clock.now(), config, &recovered, entropy::bytes()?);
    if qlog.is_some() {
        hub.watch();
    }
    let (mailbox, replies) = wires.mailbox(REPLIES_WAITING_MAX);
    let log = LogThread::spawn(engine, mailbox)?;
    let mut report = Report::new(options.json);
    report.ready(wires.locals(), data.identity.public(), &invite)?;
    let (mailbox, input) = wires.mailbox(terminal::INPUT_CAPACITY);
    let (signals, stop) = wires.mailbox(1);
    watch_signals(signals.clone())?;
    let prompt = Prompt::new(console::PROMPT);
    report.attach(terminal::start(&prompt, mailbox, signals)?)?;
    let mut running = Running {
        data,
        hub,
        wires,
        log,
        clock,
        report,
        key_log,
        qlog,
        prompt,
        stopping: None,
        out: Vec::new(),
        has_more: false,
    };
    let result = running.run(&replies, &input, &stop);
    // The log may be waiting to hand over an answer: it is not waited for with its mailbox full.
    drop(replies);
    result?;
    running.report.closed();
    Ok(ExitCode::SUCCESS)
}

struct Running {
    data: HubData,
    hub: Hub,
    wires: Wires,
    log: LogThread,
    clock: Clock,
    report: Report,
    key_log: Option<KeyLog>,
    qlog: Option<Qlog>,
    prompt: Prompt,
    /// When the hub stops, whoever has heard of it.
    stopping: Option<Instant>,
    out: Vec<u8>,
    /// Answers or commands wait that no wake-up will tell of.
    has_more: bool,
}

impl Running {
    fn run(
        &mut self,
        replies: &Receiver<Reply>,
        input: &Receiver<Input>,
        stop: &Receiver<()>,
    ) -> Result<(), Failure> {
        loop {
            let hub_at = self.hub.poll_timeout().map(|(at, _)| at);
            let at = hub_at.into_iter().chain(self.stopping).min();
            let timeout =
                if self.has_more { Some(Duration::ZERO) } else { at.map(|at| self.clock.until(at)) };
            self.wires.wait(timeout)?;
            let now = self.clock.now();
            let Self { hub, wires, .. } = self;
            // A datagram that is dropped is counted in the hub; a stranger hears nothing.
            wires.receive(|arrival, datagram| {
                let _: Result<(), Discard> = hub.handle_datagram(now, arrival, datagram);
            });
            let taken = replies.try_iter().take(REPLIES_PER_TURN);
            let taken = taken.map(|reply| self.hub.handle_reply(now, reply)).count();
            self.has_more = taken == REPLIES_PER_TURN;
            self.hub.handle_timeout(now);
            let commands: Vec<Input> = input.try_iter().take(COMMANDS_PER_TURN).collect();
            self.has_more |= commands.len() == COMMANDS_PER_TURN;
            for command in commands {
                self.take_input(now, &command)?;
                self.prompt.line_done(console::PROMPT);
            }
            if stop.try_iter().count() > 0 {
                self.stop(now);
            }
            self.drain(now)?;
            if self.hub.is_shut_down() || self.stopping.is_some_and(|at| at <= now) {
                return Ok(());
            }
        }
    }

    fn take_input(&mut self, now: Instant, input: &Input) -> Result<(), Failure> {
        match input {
            Input::Line(line) => match Console::run(&mut self.hub, now, line) {
                Action::None => {}
                Action::Say(answer) => self.report.answer(&answer)?,
                Action::List(present) => self.report.list(&present)?,
                Action::Stop => self.stop(now),
            },
            Input::BadLine(why) => self.report.answer(&format!("that line was not understood: {why}"))?,
            // A hub without a terminal is a hub all the same.
            Input::End => {}
        }
        Ok(())
    }

    fn stop(&mut self, now: Instant) {
        if self.stopping.is_none() {
            self.stopping = Some(now + CLOSE_TIME);
            self.hub.shut_down(now, "the hub is going down");
        }
    }

    fn note_steps(&mut self) {
        let Some(qlog) = &mut self.qlog else { return };
        while let Some((session, at, step)) = self.hub.poll_step() {
            qlog.note(session, at, &step);
        }
        qlog.flush();
    }

    /// Everything the hub wants done is done.
    fn drain(&mut self, now: Instant) -> Result<(), Failure> {
        while self.wires.has_room()
            && let Some(transmit) = self.hub.poll_transmit(now, &mut self.out)
        {
            self.wires.send(&transmit, &self.out);
        }
        self.wires.flush_capture();
        self.note_steps();
        while let Some(effect) = self.hub.poll_effect() {
            self.log.ask(effect)?;
        }
        while let Some(event) = self.hub.poll_event() {
            match (event, &mut self.key_log) {
                // Evidence that cannot be written is missed by whoever wants it, not by those who talk.
                (HubEvent::KeyLog(lines), Some(key_log)) => {
                    if let Err(failure) = key_log.write(&lines) {
                        ::log::error!("{failure}");
                    }
                }
                // Who may try again too early after a restart does no harm to those who talk now.
                (HubEvent::Attempts(kept), _) => {
                    if let Err(failure) = self.data.keep_attempts(&kept) {
                        ::log::error!("{failure}");
                    }
                }
                (event, _) => self.report.event(&event)?,
            }
        }
        Ok(())
    }
}
