//! What a device may do about the devices of its account, and what the log says of it.

use super::Hub;
use super::accounts::{Account, ClientKey, Device};
use super::commit::Purpose;
use super::sessions::SessionId;
use crate::log::{AccountId, HUB_ROOM, Ticket};
use alloc::string::String;
use alloc::vec::Vec;
use spec::binding::DeviceCode;
use spec::close::CloseReason;
use spec::time::Instant;
use spec::wire::entry::{EntryKind, MessageId};
use spec::wire::login::{self, DeviceEntry, LoginMessage, kind};
use spec::wire::message::{Message, Refusal};

/// A device that is being added or revoked, and the session that wanted it.
#[derive(Clone, Debug)]
pub(super) struct DeviceChange {
    pub(super) account: AccountId,
    pub(super) key: ClientKey,
    pub(super) is_revoked: bool,
    /// `None` when it showed by itself that it may.
    pub(super) asked_by: Option<SessionId>,
}

impl DeviceChange {
    const fn request(&self) -> u64 {
        if self.is_revoked { kind::REVOKE } else { kind::APPROVE }
    }
}

impl Hub {
    pub(super) fn close_revoked(&mut self, now: Instant, id: SessionId) {
        self.close(now, id, CloseReason::Revoked, "another device of the account revoked this one");
    }

    // what is asked

    /// What a device asks for about its account.
    pub(super) fn account_request(&mut self, id: SessionId, account: AccountId, message: &LoginMessage<'_>) {
        let done = match message {
            LoginMessage::Devices => {
                self.tell_devices(id, account);
                Ok(())
            }
            LoginMessage::Approve { code } => self.approve(id, account, DeviceCode(*code)),
            LoginMessage::Revoke { number } => self.revoke(id, account, *number),
            LoginMessage::Password { request } => self.begin_password(id, account, request),
            LoginMessage::Record { stretch, record } => self.set_password(id, account, *stretch, record),
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
        let showing = self.enrolments.showing(code).filter(|(_, enrolment)| is_own(&enrolment.name));
        let showing: Vec<(SessionId, String, String)> =
            showing.map(|(id, known)| (id, known.name.clone(), known.device.clone())).collect();
        // Two that show one code are not to be told apart.
        let [(asking, name, device)] = &showing[..] else { return Err(Refusal::NoSuchCode) };
        self.add_device(account, (*asking, name, device), Some(id))
    }

    /// Has the log make the client of the session `newcomer`, which came with `name`, a device called `device`.
    pub(super) fn add_device(
        &mut self,
        account: AccountId,
        (newcomer, name, device): (SessionId, &str, &str),
        asked_by: Option<SessionId>,
    ) -> Result<(), Refusal> {
        let key = self.sessions.get(newcomer).map(|session| session.client_key).ok_or(Refusal::NoSuchCode)?;
        if !self.accounts.get(account).is_some_and(Account::has_room) {
            return Err(Refusal::TooManyDevices);
        }
        let ticket = self.append_device(DeviceChange { account, key, is_revoked: false, asked_by }, device);
        self.enrolments.end(newcomer);
        self.wait_for_name(newcomer, ticket, name);
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
        self.append_device(DeviceChange { account, key, is_revoked: true, asked_by: Some(id) }, &name);
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
        if let Some(asked_by) = asked_by {
            self.say(*asked_by, &Message::Login(LoginMessage::Granted { request: change.request() }));
        }
        let others = self.sessions_of(*account);
        if *is_revoked {
            //= spec/PROTOCOL.md#accounts
            //# The hub MUST close a session of a revoked device with REVOKED, and greet it no more.
            self.sessions.of_key(key).into_iter().for_each(|id| self.close_revoked(now, id));
        } else {
            self.registered(now, ticket, key);
        }
        // Whoever did not ask for it should know.
        others.into_iter().filter(|id| Some(*id) != *asked_by).for_each(|id| self.tell_devices(id, *account));
    }

    /// The entry about a device is not committed, or another came first.
    pub(super) fn device_unchanged(&mut self, now: Instant, ticket: Ticket, change: &DeviceChange) {
        for id in self.waiting_for(ticket, &change.key) {
            self.close(now, id, CloseReason::Failed, "the hub could not store the device");
        }
        if let Some(asked_by) = change.asked_by {
            self.refuse(asked_by, change.request(), Refusal::LogFull, (MessageId([0; 16]), ""));
        }
    }
}
