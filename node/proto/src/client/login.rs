//! What a session says to its hub about devices and passwords, and what it makes of the answers.

use super::ClientConfig;
use super::account::{AccountEvent, Ask, Wishes};
use crate::opaque::{Login, Registration};
use crate::random::Random;
use alloc::boxed::Box;
use alloc::vec::Vec;
use spec::binding::{DeviceCode, opaque_context};
use spec::key_schedule::Exporter;
use spec::wire::login::{LoginMessage, Stretch, kind};
use spec::wire::message::{Message, Refusal};

/// An exchange of OPAQUE that waits for the hub.
#[derive(Debug)]
enum Exchange {
    Setting(Box<Registration>),
    Proving(Box<Login>),
}

/// What was asked in one session: one thing after the other.
#[derive(Debug)]
pub(super) struct Asking {
    /// Binds devices and passwords to the session.
    exporter: Exporter,
    is_waiting: bool,
    exchange: Option<Exchange>,
}

fn bytes(message: LoginMessage<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    Message::Login(message).encode(&mut bytes);
    bytes
}

/// What is to be said, and what the shell is to be told.
pub(super) type Next = (Vec<u8>, Option<AccountEvent>);

impl Asking {
    pub(super) const fn new(exporter: Exporter) -> Self {
        Self { exporter, is_waiting: false, exchange: None }
    }

    /// We are a device from here on.
    pub(super) fn greeted(&mut self) {
        (self.is_waiting, self.exchange) = (false, None);
    }

    /// What is asked for next.
    pub(super) fn next(
        &mut self,
        is_greeted: bool,
        config: &ClientConfig,
        wishes: &Wishes,
        random: &mut Random,
    ) -> Option<Next> {
        if self.is_waiting {
            return None;
        }
        let next = if is_greeted {
            (self.request(wishes.next()?, random)?, None)
        } else {
            self.enrol(wishes.device.as_deref()?, config, wishes, random)?
        };
        self.is_waiting = true;
        Some(next)
    }

    fn request(&mut self, ask: &Ask, random: &mut Random) -> Option<Vec<u8>> {
        Some(match ask {
            Ask::Devices => bytes(LoginMessage::Devices),
            Ask::Approve(code) => bytes(LoginMessage::Approve { code: code.0 }),
            Ask::Revoke(number) => bytes(LoginMessage::Revoke { number: *number }),
            Ask::Password(password) => {
                let (registration, request) = Registration::start(random, password)?;
                self.exchange = Some(Exchange::Setting(Box::new(registration)));
                bytes(LoginMessage::Password { request: &request })
            }
        })
    }

    fn enrol(
        &mut self,
        device: &str,
        config: &ClientConfig,
        wishes: &Wishes,
        random: &mut Random,
    ) -> Option<Next> {
        if !wishes.is_by_password {
            let code = DeviceCode::new(&self.exporter, config.identity.public(), &config.hub_key);
            return Some((bytes(LoginMessage::Enrol { device }), Some(AccountEvent::Code(code))));
        }
        let (login, ke1) = Login::start(random, wishes.proof.as_ref()?)?;
        self.exchange = Some(Exchange::Proving(Box::new(login)));
        Some((bytes(LoginMessage::Login { device, ke1: &ke1 }), None))
    }

    /// Takes an answer of the hub.
    pub(super) fn hear(
        &mut self,
        message: &LoginMessage<'_>,
        config: &ClientConfig,
        wishes: &mut Wishes,
        random: &mut Random,
    ) -> Next {
        let exchange = match message {
            LoginMessage::PasswordAnswer { .. } | LoginMessage::LoginAnswer { .. } => self.exchange.take(),
            _ => None,
        };
        match (message, exchange) {
            (LoginMessage::PasswordAnswer { response }, Some(Exchange::Setting(registration))) => {
                let stretch = Stretch::NEW;
                let Some(Ask::Password(password)) = wishes.next() else { return Next::default() };
                match registration.finish(random, password, response, (stretch, &config.hub_key)) {
                    Some(record) => (bytes(LoginMessage::Record { stretch, record: &record }), None),
                    None => (Vec::new(), self.refused(kind::RECORD, Refusal::NotValid, wishes)),
                }
            }
            (LoginMessage::LoginAnswer { stretch, ke2 }, Some(Exchange::Proving(login))) => {
                let context = opaque_context(&self.exporter, &config.hub_key);
                let Some(password) = &wishes.proof else { return Next::default() };
                match login.finish(random, password, (ke2, *stretch), (&context, &config.hub_key)) {
                    Some(ke3) => (bytes(LoginMessage::Proof { ke3: &ke3 }), None),
                    // Such a proof would be wrong: it need not be sent.
                    None => (Vec::new(), self.answered(&LoginMessage::LoginRefused { wait_secs: 0 }, wishes)),
                }
            }
            _ => (Vec::new(), self.answered(message, wishes)),
        }
    }

    fn answered(&mut self, message: &LoginMessage<'_>, wishes: &mut Wishes) -> Option<AccountEvent> {
        let waiting = wishes.len();
        let event = wishes.hear(message);
        // A list of devices also comes unasked.
        let is_answer = wishes.len() < waiting || matches!(message, LoginMessage::LoginRefused { .. });
        self.is_waiting &= !is_answer;
        event
    }

    /// Takes a refusal of the hub.
    pub(super) fn refused(
        &mut self,
        request: u64,
        reason: Refusal,
        wishes: &mut Wishes,
    ) -> Option<AccountEvent> {
        self.is_waiting = false;
        wishes.refused(request, reason)
    }
}
