//! What a client asks of its account: devices, and how it becomes one itself.

use crate::opaque::Password;
use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use spec::binding::DeviceCode;
use spec::wire::login::{self, LoginMessage, kind};
use spec::wire::message::Refusal;

/// Requests that wait.
const ASKS_MAX: usize = 64;

/// A device of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its number.
    pub number: u64,
    /// What it is called, or nothing.
    pub name: String,
    /// When it was added, in milliseconds since 1970.
    pub since: u64,
    /// Whether it gets in no more.
    pub is_revoked: bool,
    /// Whether it is connected.
    pub is_connected: bool,
    /// Whether it is this one.
    pub is_own: bool,
}

impl Device {
    fn read(device: &login::Device<'_>) -> Self {
        let login::Device { number, flags, since, name } = *device;
        let has = |flag: u64| flags & flag != 0;
        Self {
            number,
            name: name.to_string(),
            since,
            is_revoked: has(login::Device::REVOKED),
            is_connected: has(login::Device::CONNECTED),
            is_own: has(login::Device::OWN),
        }
    }
}

/// What a device asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Which devices are there?
    Devices,
    /// The one that shows this code is a device.
    Approve(DeviceCode),
    /// The one with this number is none any more.
    Revoke(u64),
    /// This is the password from now on.
    Password(Password),
}

impl Ask {
    const fn is_answered_by(&self, request: u64) -> bool {
        match self {
            Self::Devices => request == kind::DEVICES,
            Self::Approve(_) => request == kind::APPROVE,
            Self::Revoke(_) => request == kind::REVOKE,
            Self::Password(_) => matches!(request, kind::PASSWORD | kind::RECORD),
        }
    }
}

/// What the shell is told of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountEvent {
    /// A device of the account is to approve us by this code; it changes with the session.
    Code(DeviceCode),
    /// The devices of the account.
    Devices {
        /// All of them.
        devices: Vec<Device>,
        /// Whether we asked, or another device has changed them.
        is_asked: bool,
    },
    /// The name or the password is wrong, or was tried too often: another one is waited for.
    LoginRefused {
        /// Seconds before another attempt is looked at.
        wait_secs: u64,
    },
    /// This was done.
    Done(Ask),
    /// This was not.
    Refused {
        /// What we asked for.
        ask: Ask,
        /// Why.
        reason: Refusal,
    },
}

/// What is wanted, whatever becomes of sessions.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// What we are to be called, as long as we are no device.
    pub(super) device: Option<String>,
    /// Whether a password shows that we may be.
    pub(super) is_by_password: bool,
    /// The password, until the hub refuses it.
    pub(super) proof: Option<Password>,
    asks: VecDeque<Ask>,
}

impl Wishes {
    /// Keeps a request; whether there is room.
    pub(super) fn ask(&mut self, ask: Ask) -> bool {
        let has_room = self.asks.len() < ASKS_MAX;
        if has_room {
            self.asks.push_back(ask);
        }
        has_room
    }

    pub(super) fn len(&self) -> usize {
        self.asks.len()
    }

    pub(super) fn next(&self) -> Option<&Ask> {
        self.asks.front()
    }

    /// What a message of the hub means.
    pub(super) fn hear(&mut self, message: &LoginMessage<'_>) -> Option<AccountEvent> {
        match message {
            LoginMessage::DeviceList(devices) => {
                let is_asked = self.asks.pop_front_if(|ask| *ask == Ask::Devices).is_some();
                let devices = devices.iter().map(Device::read).collect();
                Some(AccountEvent::Devices { devices, is_asked })
            }
            LoginMessage::LoginRefused { wait_secs } => {
                self.proof = None;
                Some(AccountEvent::LoginRefused { wait_secs: *wait_secs })
            }
            LoginMessage::Granted { request } => self.answered(*request).map(AccountEvent::Done),
            _ => None,
        }
    }

    /// What a refusal of `request` means.
    pub(super) fn refused(&mut self, request: u64, reason: Refusal) -> Option<AccountEvent> {
        self.answered(request).map(|ask| AccountEvent::Refused { ask, reason })
    }

    fn answered(&mut self, request: u64) -> Option<Ask> {
        self.asks.pop_front_if(|ask| ask.is_answered_by(request))
    }
}

/// Whether a request is one of an account.
pub(super) const fn is_ask(request: u64) -> bool {
    matches!(request, kind::ENROL..=kind::PROOF)
}
