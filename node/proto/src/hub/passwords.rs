//! Passwords that the hub never sees: what it answers to whoever sets one, or proves that it knows one.
//!
//! Unknown names and names without a password are answered, delayed and locked as others are; see [`attempts`].
//!
//! [`attempts`]: super::attempts

use super::Hub;
use super::commit::Purpose;
use super::prefix::Prefix;
use super::sessions::SessionId;
use crate::log::{AccountId, HUB_ROOM};
use crate::opaque::Record;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;
use spec::binding::opaque_context;
use spec::close::CloseReason;
use spec::name::fold;
use spec::time::Instant;
use spec::wire::entry::{EntryKind, MessageId};
use spec::wire::login::{LoginMessage, PasswordEntry, Stretch, bytes, kind};
use spec::wire::message::{Message, Refusal};

/// A password that is being stored, and the session that set it.
#[derive(Clone, Copy, Debug)]
pub(super) struct PasswordSet(SessionId);

impl Hub {
    /// The part of the network a session is in.
    pub(super) fn prefix_of(&self, id: SessionId) -> Prefix {
        let path = self.sessions.get(id).map(|session| session.connection.path());
        Prefix::of(path.map_or([0, 0, 0, 0].into(), |path| path.remote.ip()))
    }

    //= spec/PROTOCOL.md#passwords
    //# The context of a login MUST be "sgm1 opaque" ‖ exporter("opaque", "") ‖ hub key.
    fn context_of(&self, id: SessionId) -> Option<Vec<u8>> {
        let session = self.sessions.get(id)?;
        Some(opaque_context(&session.exporter, self.config.identity.public()))
    }

    // proving

    /// A client wants to prove the password of the name it came with.
    pub(super) fn login(&mut self, now: Instant, id: SessionId, device: &str, ke1: &[u8; bytes::KE1]) {
        let prefix = self.prefix_of(id);
        let Some(enrolment) = self.enrolments.get_mut(id) else { return };
        enrolment.device = device.to_string();
        enrolment.waiting = None;
        //= spec/PROTOCOL.md#passwords
        //# The hub MUST count a LOGIN as a failure of its name and of its address prefix until a PROOF has shown
        //# that it is none.
        match self.attempts.begin(now, &fold(&enrolment.name), prefix) {
            Ok(at) if at <= now => self.answer_login(now, id, ke1),
            Ok(at) => self.enrolments.hold(id, ke1, at),
            Err(wait) => self.refuse_login(id, wait),
        }
    }

    pub(super) fn answer_login(&mut self, now: Instant, id: SessionId, ke1: &[u8; bytes::KE1]) {
        let Some(context) = self.context_of(id) else { return };
        let Some(enrolment) = self.enrolments.get_mut(id) else { return };
        let name = fold(&enrolment.name);
        let kept = self.accounts.password(&name);
        let stretch = kept.map_or(Stretch::NEW, |kept| kept.stretch);
        let record = kept.map(|kept| &kept.record);
        match self.keeper.login(&mut self.random, (&name, record), ke1, &context) {
            Some((ke2, waiting)) => {
                enrolment.waiting = Some(waiting);
                self.say(id, &Message::Login(LoginMessage::LoginAnswer { stretch, ke2: &ke2 }));
            }
            None => self.close(now, id, CloseReason::Violation, "KE1 is no message of OPAQUE"),
        }
    }

    /// A client shows that it knows the password, or does not.
    pub(super) fn prove(&mut self, now: Instant, id: SessionId, ke3: &[u8; bytes::KE3]) {
        let (prefix, context) = (self.prefix_of(id), self.context_of(id));
        let Some(enrolment) = self.enrolments.get_mut(id) else { return };
        let (Some(waiting), Some(context)) = (enrolment.waiting.take(), context) else {
            return self.close(now, id, CloseReason::Violation, "PROOF comes after LOGIN_ANSWER");
        };
        let (name, device) = (enrolment.name.clone(), enrolment.device.clone());
        let folded = fold(&name);
        let is_proved = self.keeper.proves(waiting, ke3, &context);
        match self.accounts.password(&folded).map(|kept| kept.account).filter(|_| is_proved) {
            Some(account) => {
                self.attempts.succeeded(now, &folded, prefix);
                if self.add_device(account, (id, &name, &device), None).is_err() {
                    let text = "the account has as many devices as it may have";
                    self.close(now, id, CloseReason::NotEnrolled, text);
                }
            }
            None => self.refuse_login(id, self.attempts.wait(now, &folded, prefix)),
        }
    }

    fn refuse_login(&mut self, id: SessionId, wait: Duration) {
        let wait_secs = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.say(id, &Message::Login(LoginMessage::LoginRefused { wait_secs }));
    }

    // setting

    pub(super) fn begin_password(
        &mut self,
        id: SessionId,
        account: AccountId,
        request: &[u8; bytes::REQUEST],
    ) -> Result<(), Refusal> {
        let name = self.name_of(account).ok_or(Refusal::NotValid)?;
        let response = self.keeper.register(&fold(&name), request).ok_or(Refusal::NotValid)?;
        self.say(id, &Message::Login(LoginMessage::PasswordAnswer { response: &response }));
        Ok(())
    }

    pub(super) fn set_password(
        &mut self,
        id: SessionId,
        account: AccountId,
        stretch: Stretch,
        record: &[u8; bytes::RECORD],
    ) -> Result<(), Refusal> {
        let name = self.name_of(account).ok_or(Refusal::NotValid)?;
        if !stretch.is_sensible() || Record::read(record).is_none() {
            return Err(Refusal::NotValid);
        }
        let body = PasswordEntry { account: account.0, stretch, record: *record }.body();
        let ticket = self.append_as_hub(HUB_ROOM, EntryKind::Password, &name, body);
        self.pending.expect(ticket, Purpose::Password(PasswordSet(id)));
        Ok(())
    }

    fn name_of(&self, account: AccountId) -> Option<String> {
        self.accounts.get(account).map(|account| account.name.clone())
    }

    /// The entry is committed.
    pub(super) fn password_set(&mut self, PasswordSet(id): PasswordSet) {
        self.say(id, &Message::Login(LoginMessage::Granted { request: kind::RECORD }));
    }

    /// The entry is not committed.
    pub(super) fn password_not_set(&mut self, PasswordSet(id): PasswordSet) {
        self.refuse(id, kind::RECORD, Refusal::LogFull, (MessageId([0; 16]), ""));
    }
}
