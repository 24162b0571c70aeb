//! `node hub`: wiring only. The hub itself is in `node-proto`.

mod console;
mod report;
mod start;

pub(crate) use console::{split_name, split_word};
pub(crate) use start::watch_signals;

use crate::cli::HubOptions;
use crate::clock::Clock;
use crate::entropy;
use crate::failure::{Context, Failure};
use crate::key_log::KeyLog;
use crate::log::LogThread;
use crate::net::Wires;
use crate::terminal::{self, Input};
use console::{Action, Console};
use node_proto::hub::{Hub, HubConfig, HubEvent};
use node_proto::log::{Engine, MemoryLog, Reply};
use report::Report;
use spec::discard::Discard;
use spec::limits::CLOSE_TIME;
use spec::time::Instant;
use start::Started;
use std::process::ExitCode;
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// Answers of the log taken in one turn.
const REPLIES_PER_TURN: usize = 64;

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
    let config = HubConfig {
        identity: data.identity.clone(),
        access_secrets: data.access_secrets(options.open),
        is_open: options.open,
        grace: Duration::from_secs(options.grace),
        sessions_max: start::SESSIONS_MAX,
        key_log: key_log.is_some(),
    };
    let hub = Hub::new(clock.now(), config, &recovered, entropy::bytes()?);
    let (mailbox, replies) = wires.mailbox();
    let log = LogThread::spawn(engine, mailbox)?;
    let mut report = Report::new(options.json);
    report.ready(wires.locals(), data.identity.public(), &invite)?;
    let (mailbox, input) = wires.mailbox();
    let (signals, stop) = wires.mailbox();
    watch_signals(signals)?;
    report.attach(terminal::start(console::PROMPT, mailbox)?);
    let mut running = Running { hub, wires, log, clock, report, key_log, stopping: None, out: Vec::new() };
    running.run(&replies, &input, &stop)?;
    running.report.closed()?;
    Ok(ExitCode::SUCCESS)
}

struct Running {
    hub: Hub,
    wires: Wires,
    log: LogThread,
    clock: Clock,
    report: Report,
    key_log: Option<KeyLog>,
    /// When the hub stops, whoever has heard of it.
    stopping: Option<Instant>,
    out: Vec<u8>,
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
            self.wires.wait(at.map(|at| self.clock.until(at)))?;
            let now = self.clock.now();
            let Self { hub, wires, .. } = self;
            // A datagram that is dropped is counted in the hub; a stranger hears nothing.
            wires.receive(|path, datagram| {
                let _: Result<(), Discard> = hub.handle_datagram(now, path, datagram);
            });
            for reply in replies.try_iter().take(REPLIES_PER_TURN) {
                self.hub.handle_reply(now, reply);
            }
            self.hub.handle_timeout(now);
            for input in input.try_iter() {
                self.take_input(now, &input)?;
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
            Input::Interrupt => self.stop(now),
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

    /// Everything the hub wants done is done.
    fn drain(&mut self, now: Instant) -> Result<(), Failure> {
        while let Some(transmit) = self.hub.poll_transmit(now, &mut self.out) {
            self.wires.send(transmit.path, &self.out);
        }
        self.wires.flush_capture();
        while let Some(effect) = self.hub.poll_effect() {
            self.log.ask(effect)?;
        }
        while let Some(event) = self.hub.poll_event() {
            match (event, &mut self.key_log) {
                (HubEvent::KeyLog(lines), Some(key_log)) => key_log.write(&lines)?,
                (event, _) => self.report.event(&event)?,
            }
        }
        Ok(())
    }
}
