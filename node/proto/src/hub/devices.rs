//! How a key becomes a device of an account, and stops being one.
//!
//! A client that says HELLO with the flag is told nothing: not whether the name has an account, nor what devices it
//! has. It waits until a device of the account approves it by the code it shows.

use super::Hub;
use super::accounts::{Account, ClientKey, Device};
use super::commit::Purpose;
use super::sessions::{SessionId, Stage};
use crate::log::{AccountId, HUB_ROOM, Ticket};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;
use spec::binding::DeviceCode;
use spec::close::CloseReason;
use spec::limits::NAME_CHARS_MAX;
use spec::name::is_invisible;
use spec::time::Instant;
use spec::wire::entry::{EntryKind, MessageId};
use spec::wire::login::{self, DeviceEntry, LoginMessage, kind};
use spec::wire::message::{Message, Refusal};

/// Time a client has to become a device.
const ENROL_TIME: Duration = Duration::from_secs(600);

/// A client that is to become a device.
#[derive(Debug)]
struct Enrolment {
    /// The name it came with.
    name: String,
    /// What it is to be called, and the code it shows, once it has asked to be approved.
    shown: Option<(String, DeviceCode)>,
    until: Instant,
}

/// All clients that are to become devices.
#[derive(Debug, Default)]
pub(super) struct Enrolments {
    by_session: BTreeMap<SessionId, Enrolment>,
    order: BTreeSet<(Instant, SessionId)>,
}

impl Enrolments {
    fn begin(&mut self, id: SessionId, name: &str, until: Instant) {
        self.by_session.insert(id, Enrolment { name: name.to_string(), shown: None, until });
        self.order.insert((until, id));
    }

    /// A session is no such client any more.
    pub(super) fn end(&mut self, id: SessionId) {
        if let Some(enrolment) = self.by_session.remove(&id) {
            self.order.remove(&(enrolment.until, id));
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    fn overdue(&self, now: Instant) -> Vec<SessionId> {
        self.order.iter().take_while(|(at, _)| *at <= now).map(|(_, id)| *id).collect()
    }

    /// Those that show `code`, with the names they came with and what they are to be called.
    fn showing(&self, code: DeviceCode) -> impl Iterator<Item = (SessionId, &str, &str)> {
        self.by_session.iter().filter_map(move |(id, enrolment)| {
            let (device, _) = enrolment.shown.as_ref().filter(|(_, shown)| *shown == code)?;
            Some((*id, enrolment.name.as_str(), device.as_str()))
        })
    }
}

/// A device that is being added or revoked, and the session that hears of it.
#[derive(Clone, Debug)]
pub(super) struct DeviceChange {
    account: AccountId,
    key: ClientKey,
    is_revoked: bool,
    asked_by: SessionId,
}

impl DeviceChange {
    const fn request(&self) -> u64 {
        if self.is_revoked { kind::REVOKE } else { kind::APPROVE }
    }
}

fn is_device_name(name: &str) -> bool {
    name.chars().count() <= NAME_CHARS_MAX && !name.chars().any(is_invisible)
}

impl Hub {
    // a client that is no device yet

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
        self.enrolments.begin(id, name, now + ENROL_TIME);
    }

    /// What such a client says.
    pub(super) fn enrolling(&mut self, now: Instant, id: SessionId, message: &LoginMessage<'_>) {
        match message {
            LoginMessage::Enrol { device } if is_device_name(device) => self.ask_approval(id, device),
            _ => self.close(now, id, CloseReason::Violation, "a client that is no device asks to be one"),
        }
    }

    //= spec/PROTOCOL.md#accounts
    //# The hub MUST answer such a client in the same way whether the name has an account or not, until it has
    //# proved who it is.
    fn ask_approval(&mut self, id: SessionId, device: &str) {
        let Some(session) = self.sessions.get(id) else { return };
        let code = DeviceCode::new(&session.exporter, &session.client_key, self.config.identity.public());
        if let Some(enrolment) = self.enrolments.by_session.get_mut(&id) {
            enrolment.shown = Some((device.to_string(), code));
        }
    }

    /// Sends away whoever was not approved for long enough.
    pub(super) fn end_enrolments(&mut self, now: Instant) {
        for id in self.enrolments.overdue(now) {
            self.close(now, id, CloseReason::NotEnrolled, "nobody approved this device");
        }
    }

    pub(super) fn close_revoked(&mut self, now: Instant, id: SessionId) {
        self.close(now, id, CloseReason::Revoked, "another device of the account revoked this one");
    }

    // a device

    /// What a device asks for about its account.
    pub(super) fn account_request(&mut self, id: SessionId, account: AccountId, message: &LoginMessage<'_>) {
        let done = match message {
            LoginMessage::Devices => {
                self.tell_devices(id, account);
                Ok(())
            }
            LoginMessage::Approve { code } => self.approve(id, account, DeviceCode(*code)),
            LoginMessage::Revoke { number } => self.revoke(id, account, *number),
            _ => Ok(()),
        };
        if let Err(reason) = done {
            self.refuse(id, message.kind(), reason, (MessageId([0; 16]), ""));
        }
    }

    fn tell_devices(&mut self, id: SessionId, account: AccountId) {
        let Some(own) = self.sessions.get(id).map(|session| session.client_key) else { return };
        let Some(account) = self.accounts.get(account).cloned() else { return };
        let flag = |is_set: bool, flag: u64| if is_set { flag } else { 0 };
        let device = |(number, device): (u64, &'_ Device)| {
            let flags = flag(device.is_revoked, login::Device::REVOKED)
                | flag(self.is_connected(&device.key), login::Device::CONNECTED)
                | flag(device.key == own, login::Device::OWN);
            (number, flags, device.since.0)
        };
        let facts: Vec<(u64, u64, u64)> = (1..).zip(&account.devices).map(device).collect();
        let named = facts.into_iter().zip(&account.devices);
        let list = named.map(|((number, flags, since), device)| {
            let name = device.name.as_str();
            login::Device { number, flags, since, name }
        });
        self.say(id, &Message::Login(LoginMessage::DeviceList(list.collect())));
    }

    fn is_connected(&self, key: &ClientKey) -> bool {
        let is_greeted = |id| self.sessions.get(id).is_some_and(|session| session.account().is_some());
        self.sessions.of_key(key).into_iter().any(is_greeted)
    }

    fn approve(&mut self, id: SessionId, account: AccountId, code: DeviceCode) -> Result<(), Refusal> {
        let is_own = |name: &str| self.accounts.of_name(name).is_some_and(|known| known.id == account);
        let showing = self.enrolments.showing(code).filter(|(_, name, _)| is_own(name));
        let showing: Vec<(SessionId, String, String)> =
            showing.map(|(id, name, device)| (id, name.to_string(), device.to_string())).collect();
        // Two that show one code are not to be told apart.
        let [(asking, name, device)] = &showing[..] else { return Err(Refusal::NoSuchCode) };
        let asking = *asking;
        let key = self.sessions.get(asking).map(|session| session.client_key).ok_or(Refusal::NoSuchCode)?;
        if !self.accounts.get(account).is_some_and(Account::has_room) {
            return Err(Refusal::TooManyDevices);
        }
        let change = DeviceChange { account, key, is_revoked: false, asked_by: id };
        let ticket = self.append_device(change, device);
        self.enrolments.end(asking);
        self.wait_for_name(asking, ticket, name);
        Ok(())
    }

    fn revoke(&mut self, id: SessionId, account: AccountId, number: u64) -> Result<(), Refusal> {
        let known = self.accounts.get(account).ok_or(Refusal::NoSuchDevice)?;
        let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        let device = index.and_then(|index| known.devices.get(index)).filter(|device| !device.is_revoked);
        let device = device.ok_or(Refusal::NoSuchDevice)?;
        if known.present_devices().count() == 1 {
            return Err(Refusal::OnlyDevice);
        }
        let (key, name) = (device.key, device.name.clone());
        self.append_device(DeviceChange { account, key, is_revoked: true, asked_by: id }, &name);
        Ok(())
    }

    fn append_device(&mut self, change: DeviceChange, name: &str) -> Ticket {
        let DeviceChange { account, key, is_revoked, .. } = change;
        let body = DeviceEntry { account: account.0, is_revoked, key }.body();
        let ticket = self.append_as_hub(HUB_ROOM, EntryKind::Device, name, body);
        self.pending.expect(ticket, Purpose::Device(change));
        ticket
    }

    // what the log says

    /// The entry about a device is committed: it gets in, or is sent away.
    pub(super) fn device_changed(&mut self, now: Instant, ticket: Ticket, change: &DeviceChange) {
        let DeviceChange { account, key, is_revoked, asked_by } = change;
        let holds = if *is_revoked {
            self.accounts.is_revoked(key)
        } else {
            self.accounts.of_key(key).is_some_and(|known| known.id == *account)
        };
        if !holds {
            return self.device_unchanged(now, ticket, change);
        }
        self.say(*asked_by, &Message::Login(LoginMessage::Granted { request: change.request() }));
        let others = self.sessions_of(*account);
        if *is_revoked {
            //= spec/PROTOCOL.md#accounts
            //# The hub MUST close a session of a revoked device with REVOKED, and greet it no more.
            self.sessions.of_key(key).into_iter().for_each(|id| self.close_revoked(now, id));
        } else {
            self.registered(now, ticket, key);
        }
        // Whoever did not ask for it should know.
        others.into_iter().filter(|id| id != asked_by).for_each(|id| self.tell_devices(id, *account));
    }

    /// The entry about a device is not committed, or another came first.
    pub(super) fn device_unchanged(&mut self, now: Instant, ticket: Ticket, change: &DeviceChange) {
        for id in self.waiting_for(ticket, &change.key) {
            self.close(now, id, CloseReason::Failed, "the hub could not store the device");
        }
        self.refuse(change.asked_by, change.request(), Refusal::LogFull, (MessageId([0; 16]), ""));
    }
}
