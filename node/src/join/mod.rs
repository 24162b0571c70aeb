//! `node join`: wiring only. The client itself is in `node-proto`.

mod account;
mod command;
mod doing;
mod ending;
mod export;
mod find;
mod key;
mod moment;
mod password;
mod place;
mod report;
mod status;
pub mod trust;

use crate::capture::Capture;
use crate::cli::JoinOptions;
use crate::clock::Clock;
use crate::data::Folder;
use crate::data::pins::{Pin, Pins};
use crate::data::reading::Reading;
use crate::entropy;
use crate::exit;
use crate::failure::Failure;
use crate::key_log::KeyLog;
use crate::net::{self, Wires};
use crate::qlog::Qlog;
use crate::terminal::{self, Input, Prompt};
use ending::{Ending, Progress};
use export::Export;
use find::Found;
use key::KeyWatch;
use node_proto::Client;
use node_proto::client::account::AccountEvent;
use node_proto::client::{AskId, ClientConfig, ClientEvent};
use node_proto::connection::KeyPolicy;
use node_proto::transmit::{Path, Transmit};
use password::Asked;
use place::Place;
use report::Report;
use spec::discard::Discard;
use spec::limits::KEY_BYTES;
use spec::room_name;
use spec::time::Instant;
use spec::wire::frame::Side;
use spec::wire::request::Request;
use status::Seen;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// How long a pipe waits for a hub that does not answer.
const PIPE_TIMEOUT_SECS: u64 = 60;

/// Joins a hub and stays until there is nothing more to do.
///
/// # Errors
/// What keeps it from joining, or from storing everything.
pub fn run(options: JoinOptions) -> Result<ExitCode, Failure> {
    let name = find::name(options.name.as_deref())?;
    let folder = Folder::open(&find::folder(&name, options.data.as_deref())?, "another node join")?;
    let mut pins = Pins::read(&folder)?;
    let clock = Clock::start();
    let interactive = terminal::is_interactive();
    let timeout = match options.timeout {
        Some(secs) => Some(Duration::from_secs(secs)),
        None => (!interactive).then_some(Duration::from_secs(PIPE_TIMEOUT_SECS)),
    };
    let mut report = Report::new(options.json, name.clone());
    let found = find::hub(&options, &pins, &clock, timeout, &mut report)?;
    let capture = options.capture.as_deref().map(Capture::open).transpose()?;
    let mut wires = Wires::new(vec![net::connect(found.remote)?], capture)?;
    let key_log = options.keylog.as_deref().map(KeyLog::open).transpose()?;
    let qlog = options.qlog.as_deref().map(|folder| Qlog::open(folder, Side::Client, &clock)).transpose()?;
    let reading = Reading::of(&folder, &found.pin.hub_key);
    let config = ClientConfig {
        identity: folder.identity()?,
        hub_key: found.pin.hub_key,
        access_secret: found.pin.access_secret.clone(),
        token: found.token.clone(),
        name,
        key_log: key_log.is_some(),
        resume: reading.load(),
        keys: KeyPolicy::default(),
    };
    let path = Path::new(found.remote, 0);
    let mut client = Client::new(clock.now(), config, path, entropy::bytes()?);
    if qlog.is_some() {
        client.watch();
    }
    let asked = enrol(&mut client, &options)?;
    let (signals, stop) = wires.mailbox(1);
    crate::hub::watch_signals(signals.clone())?;
    let (mailbox, input) = wires.mailbox(terminal::INPUT_CAPACITY);
    let place = Place::new(options.room.as_deref().map(room_name::bare));
    let prompt = Prompt::new(&place.prompt());
    report.attach(terminal::start(&prompt, mailbox, signals)?);
    if let Some(asked) = &asked {
        report.ask(asked.words())?;
    }
    let ending = Ending::new(options.follow || interactive, timeout);
    wires.receive(|_, _| {});
    let watch = KeyWatch::new(&found);
    let mut running = Running {
        client,
        wires,
        clock,
        report,
        key_log,
        qlog,
        reading,
        ending,
        watch,
        hub_key: found.pin.hub_key,
        place,
        prompt,
        exports: BTreeMap::new(),
        asked,
        out: Vec::new(),
        path,
    };
    if let Some(room) = options.room.as_deref() {
        running.ask(Request::Join { name: room_name::bare(room).to_owned().into() })?;
    }
    let code = running.run(&mut pins, &found, &input, &stop)?;
    running.report.left(if code == exit::INTERRUPTED { "interrupted" } else { "quit" })?;
    Ok(ExitCode::from(code))
}

/// The name is ours already, if the options say so: what has to be asked for first.
fn enrol(client: &mut Client, options: &JoinOptions) -> Result<Option<Asked>, Failure> {
    let device = account::device_name(options.device.as_deref().unwrap_or_default())?;
    if let Some(path) = &options.password_file {
        client.enrol_by_password(device);
        client.prove(password::read(path)?);
    } else if options.password {
        client.enrol_by_password(device);
        return Ok(Some(Asked::Present));
    } else if options.device.is_some() {
        client.enrol(device);
    }
    Ok(None)
}

fn no_password() -> Failure {
    Failure::new("no password was given").advise("the first line of the input, or --password-file FILE")
}

struct Running {
    client: Client,
    wires: Wires,
    clock: Clock,
    report: Report,
    key_log: Option<KeyLog>,
    qlog: Option<Qlog>,
    reading: Reading,
    ending: Ending,
    watch: KeyWatch,
    hub_key: [u8; KEY_BYTES],
    place: Place,
    prompt: Prompt,
    /// Files that are being written.
    exports: BTreeMap<AskId, Export>,
    /// The next line is a password.
    asked: Option<Asked>,
    out: Vec<u8>,
    path: Path,
}

impl Running {
    fn run(
        &mut self,
        pins: &mut Pins,
        found: &Found,
        input: &Receiver<Input>,
        stop: &Receiver<()>,
    ) -> Result<u8, Failure> {
        loop {
            let now = self.clock.now();
            self.drain(now, pins, found)?;
            if let Some(code) = self.ending.poll(now, self.progress())? {
                return Ok(code);
            }
            self.wires.wait(self.next_deadline().map(|at| self.clock.until(at)))?;
            let now = self.clock.now();
            self.receive(now, found)?;
            if self.wires.take_cut() {
                self.look_elsewhere(now);
            }
            self.client.handle_timeout(now);
            self.take_input(now, input)?;
            if stop.try_iter().count() > 0 {
                self.leave(now, exit::INTERRUPTED);
            }
        }
    }

    fn progress(&self) -> Progress {
        Progress {
            unstored: self.client.unstored(),
            unanswered: self.client.unanswered(),
            is_connected: self.client.is_connected(),
            is_done: self.client.is_done(),
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let client = self.client.poll_timeout().map(|(at, _)| at);
        client.into_iter().chain(self.ending.deadline()).chain(self.watch.deadline()).min()
    }

    fn receive(&mut self, now: Instant, found: &Found) -> Result<(), Failure> {
        let Self { client, wires, watch, .. } = self;
        let mut claimed = None;
        wires.receive(|arrival, datagram| {
            claimed = claimed.or_else(|| watch.read(datagram));
            // What is dropped is counted in the client.
            let _: Result<(), Discard> = client.handle_datagram(now, arrival, datagram);
        });
        if wires.take_refusal() {
            client.suspect(now);
        }
        // Only a hub that is not heard under the key we know is asked which key it has.
        //= spec/PROTOCOL.md#open-hubs
        //# A client that has pinned a hub key MUST NOT replace it because of KEY.
        match claimed.filter(|_| !client.is_connected()) {
            Some(key) if key != found.pin.hub_key => Err(key::changed(found, &key)),
            _ => Ok(()),
        }
    }

    fn take_input(&mut self, now: Instant, input: &Receiver<Input>) -> Result<(), Failure> {
        while self.client.has_room()
            && !self.ending.is_quitting()
            && let Ok(input) = input.try_recv()
        {
            match input {
                Input::Line(line) => {
                    match self.asked.take() {
                        Some(asked) => self.take_password(asked, &line)?,
                        None => self.take_line(&line)?,
                    }
                    self.prompt.line_done(&self.place.prompt());
                }
                Input::BadLine(why) => self.complain(&format!("a line was not sent: {why}"))?,
                Input::End if matches!(self.asked, Some(Asked::Present)) => return Err(no_password()),
                Input::End if self.report.is_interactive() => self.leave(now, exit::DONE),
                Input::End => self.ending.input_ended(),
            }
        }
        Ok(())
    }

    fn seen(&self) -> Option<Seen> {
        let status = self.client.connection()?.status();
        self.wires.locals().first().map(|local| Seen { status, local: *local })
    }

    /// Leaving waits until everything is stored, and a person should know.
    fn explain_waiting(&mut self) -> Result<(), Failure> {
        match self.client.unstored() {
            waiting if waiting > 0 && !self.client.is_connected() => {
                let text = format!("{waiting} lines wait for the hub; Ctrl-C leaves without them");
                self.report.complaint(&text)
            }
            _ => Ok(()),
        }
    }

    /// Something a person asked for will not happen.
    fn complain(&mut self, text: &str) -> Result<(), Failure> {
        self.ending.failed();
        self.report.complaint(text)
    }

    fn leave(&mut self, now: Instant, code: u8) {
        self.ending.leaving(now, code);
        self.client.leave(now, "");
    }

    /// Everything the client wants done is done.
    fn drain(&mut self, now: Instant, pins: &mut Pins, found: &Found) -> Result<(), Failure> {
        self.transmit(now);
        while let Some(event) = self.client.poll_event() {
            self.take_event(now, event, pins, found)?;
        }
        if self.ending.wants_to_leave(self.progress()) {
            self.leave(now, self.ending.code());
        }
        self.transmit(now);
        self.wires.flush_capture();
        self.note_steps();
        self.reading.save(self.client.resume())
    }

    fn transmit(&mut self, now: Instant) {
        while self.wires.has_room()
            && let Some(transmit) = self.client.poll_transmit(now, &mut self.out)
        {
            self.wires.send(&transmit, &self.out);
        }
        if let Some(question) = self.watch.poll_transmit(now) {
            self.wires.send(&Transmit::one(self.path, question.len()), &question);
        }
    }

    fn note_steps(&mut self) {
        let Some(qlog) = &mut self.qlog else { return };
        while let Some((session, at, step)) = self.client.poll_step() {
            qlog.note(session, at, &step);
        }
        qlog.flush();
    }

    /// The way to the hub may lead through another network by now: a new socket asks the routing table anew.
    fn look_again(&mut self, now: Instant) {
        let replaced = net::connect(self.path.remote).and_then(|socket| self.wires.replace(socket));
        match replaced {
            Ok(()) => self.client.rebind(now),
            Err(failure) => ::log::debug!("{failure}"),
        }
    }

    /// The address we had is gone: as soon as there is another, it is used.
    fn look_elsewhere(&mut self, now: Instant) {
        let ip = |address: std::io::Result<SocketAddr>| address.ok().map(|address| address.ip());
        let Ok(socket) = net::connect(self.path.remote) else { return };
        if ip(socket.local_addr()) != self.wires.locals().first().map(SocketAddr::ip)
            && self.wires.replace(socket).is_ok()
        {
            self.client.rebind(now);
        }
    }

    fn take_event(
        &mut self,
        now: Instant,
        event: ClientEvent,
        pins: &mut Pins,
        found: &Found,
    ) -> Result<(), Failure> {
        self.ending.event(now, &event);
        match &event {
            ClientEvent::Connected { .. } => {
                self.watch.stop();
                // A pin, and a secret from an invite, are kept once a handshake has shown that they are right.
                let Pin { hub_key, access_secret } = found.pin.clone();
                pins.set(&found.address, Pin { hub_key, access_secret })?;
            }
            ClientEvent::Silent => {
                self.watch.begin(now)?;
                self.look_again(now);
            }
            ClientEvent::Heard => self.watch.stop(),
            ClientEvent::KeyLog(lines) => {
                if let Some(key_log) = &mut self.key_log {
                    key_log.write(lines)?;
                }
            }
            ClientEvent::Account(AccountEvent::LoginRefused { wait_secs }) => {
                return self.password_refused(*wait_secs);
            }
            ClientEvent::OtherVersions(versions) => return Err(find::other_versions(versions)),
            _ => {}
        }
        if self.takes_for_export(&event)? {
            return Ok(());
        }
        self.follow_rooms(&event);
        self.report.event(&event)
    }
}
