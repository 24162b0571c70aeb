//! Clients that are to become devices of an account.
//!
//! A client that says HELLO with the flag is told nothing: not whether the name has an account, nor what devices or
//! password it has. It waits until a device of the account approves it by the code it shows ([`devices`]), or until it
//! has proved the password ([`passwords`]).
//!
//! [`devices`]: super::devices
//! [`passwords`]: super::passwords

use super::Hub;
use super::accounts::Account;
use super::sessions::{SessionId, Stage};
use crate::opaque::Waiting;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use core::time::Duration;
use spec::binding::DeviceCode;
use spec::close::CloseReason;
use spec::limits::NAME_CHARS_MAX;
use spec::name::is_invisible;
use spec::time::Instant;
use spec::wire::login::{LoginMessage, bytes};

/// Time a client has to become a device.
const ENROL_TIME: Duration = Duration::from_secs(600);

/// A login that is not answered yet.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) ke1: Box<[u8; bytes::KE1]>,
    /// When it is.
    at: Instant,
}

/// A client that is to become a device.
#[derive(Debug)]
pub(super) struct Enrolment {
    /// The name it came with.
    pub(super) name: String,
    /// What it is to be called.
    pub(super) device: String,
    /// What it shows, once it has asked to be approved.
    code: Option<DeviceCode>,
    held: Option<Held>,
    /// A login that was answered.
    pub(super) waiting: Option<Waiting>,
    until: Instant,
}

impl Enrolment {
    fn new(name: &str, until: Instant) -> Self {
        let (name, device) = (name.to_string(), String::new());
        Self { name, device, code: None, held: None, waiting: None, until }
    }

    fn wakes(&self) -> Instant {
        self.held.as_ref().map_or(self.until, |held| held.at.min(self.until))
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Enrolments {
    by_session: BTreeMap<SessionId, Enrolment>,
    order: BTreeSet<(Instant, SessionId)>,
}

impl Enrolments {
    fn begin(&mut self, id: SessionId, enrolment: Enrolment) {
        self.order.insert((enrolment.wakes(), id));
        self.by_session.insert(id, enrolment);
    }

    /// A session is no such client any more.
    pub(super) fn end(&mut self, id: SessionId) -> Option<Enrolment> {
        let enrolment = self.by_session.remove(&id)?;
        self.order.remove(&(enrolment.wakes(), id));
        Some(enrolment)
    }

    pub(super) fn get_mut(&mut self, id: SessionId) -> Option<&mut Enrolment> {
        self.by_session.get_mut(&id)
    }

    /// A login is answered at `at`, and nothing else of the client is heard until then.
    pub(super) fn hold(&mut self, id: SessionId, ke1: &[u8; bytes::KE1], at: Instant) {
        if let Some(enrolment) = self.end(id) {
            self.begin(id, Enrolment { held: Some(Held { ke1: Box::new(*ke1), at }), ..enrolment });
        }
    }

    pub(super) fn is_holding(&self, id: SessionId) -> bool {
        self.by_session.get(&id).is_some_and(|enrolment| enrolment.held.is_some())
    }

    /// The login of a session that is to be answered now.
    fn release(&mut self, now: Instant, id: SessionId) -> Option<Held> {
        let mut enrolment = self.end(id)?;
        let held = enrolment.held.take_if(|held| held.at <= now);
        self.begin(id, enrolment);
        held
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    fn next_due(&self, now: Instant) -> Option<SessionId> {
        self.order.first().filter(|(at, _)| *at <= now).map(|(_, id)| *id)
    }

    /// Those that show `code`.
    pub(super) fn showing(&self, code: DeviceCode) -> impl Iterator<Item = (SessionId, &Enrolment)> {
        let shows = move |enrolment: &Enrolment| enrolment.code == Some(code);
        self.by_session.iter().filter(move |(_, known)| shows(known)).map(|(id, known)| (*id, known))
    }
}

/// Whether a device may be called so.
fn is_device_name(name: &str) -> bool {
    name.chars().count() <= NAME_CHARS_MAX && !name.chars().any(is_invisible)
}

impl Hub {
    /// A client says that it is to become a device of the account `name`, if there is one.
    pub(super) fn enrol(&mut self, now: Instant, id: SessionId, name: &str, own: Option<&Account>) {
        if let Some(own) = own {
            if self.accounts.of_name(name).is_some_and(|known| known.id == own.id) {
                return self.greet(id, &own.clone());
            }
            let text = alloc::format!("this key is a device of {}: another folder has another key", own.name);
            return self.close(now, id, CloseReason::NameRefused, &text);
        }
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.stage = Stage::Enrolling;
        self.enrolments.begin(id, Enrolment::new(name, now + ENROL_TIME));
    }

    /// What such a client says.
    //= spec/PROTOCOL.md#accounts
    //# The hub MUST answer such a client in the same way whether the name has an account or not, until it has
    //# proved who it is.
    pub(super) fn enrolling(&mut self, now: Instant, id: SessionId, message: &LoginMessage<'_>) {
        match message {
            LoginMessage::Enrol { device } if is_device_name(device) => self.ask_approval(id, device),
            LoginMessage::Login { device, ke1 } if is_device_name(device) => self.login(now, id, device, ke1),
            LoginMessage::Proof { ke3 } => self.prove(now, id, ke3),
            _ => self.close(now, id, CloseReason::Violation, "a client that is no device asks to be one"),
        }
    }

    fn ask_approval(&mut self, id: SessionId, device: &str) {
        let Some(session) = self.sessions.get(id) else { return };
        let code = DeviceCode::new(&session.exporter, &session.client_key, self.config.identity.public());
        if let Some(enrolment) = self.enrolments.get_mut(id) {
            enrolment.device = device.to_string();
            enrolment.code = Some(code);
        }
    }

    /// Answers the logins whose time has come, and sends away whoever did not become a device for long enough.
    pub(super) fn serve_enrolments(&mut self, now: Instant) {
        while let Some(id) = self.enrolments.next_due(now) {
            match self.enrolments.release(now, id) {
                Some(held) => {
                    self.answer_login(now, id, &held.ke1);
                    self.serve(now, id);
                }
                None => self.close(
                    now,
                    id,
                    CloseReason::NotEnrolled,
                    "this device did not become one of an account",
                ),
            }
        }
    }
}
