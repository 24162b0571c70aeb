//! Requests about rooms: what is asked becomes an entry of room 0, and is so when that is committed.

use super::Hub;
use super::charter::{Made, Standing, member_body, role_body, room_body, setting_body};
use super::commit::Purpose;
use super::rights::Act;
use super::sessions::SessionId;
use crate::log::{AccountId, HUB_ACCOUNT, HUB_ROOM, LOBBY, RoomId, Seq};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use spec::limits::TOPIC_CHARS_MAX;
use spec::name::{fold, is_invisible};
use spec::room_name;
use spec::wire::entry::{EntryKind, MessageId};
use spec::wire::message::{Message, Refusal};
use spec::wire::request::{Listed, ROOM_INVITE_ONLY, ROOM_SEALED, ROOM_WITHOUT_PAST, Request, Role, Setting};

/// Rooms with a name on a hub.
const ROOMS_MAX: usize = 10_000;
/// Rooms that one account may own.
const ROOMS_PER_ACCOUNT_MAX: usize = 100;
/// Members and invited of one room.
const LISTED_MAX: usize = 100;
/// Seconds between two messages of a member, at most.
const SLOW_SECS_MAX: u64 = 86_400;

/// Who asks, and under which tag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) session: SessionId,
    pub(super) account: AccountId,
    pub(super) tag: u64,
    /// The type of the request, for REFUSED.
    pub(super) kind: u64,
}

/// What becomes of a request at once.
enum Answer {
    /// It is granted already.
    Done,
    /// It is when this entry of room 0 is committed.
    Entry(EntryKind, String, Vec<u8>),
    /// It is answered elsewhere.
    Later,
}

impl Hub {
    /// Takes a request.
    pub(super) fn ask(&mut self, asked: Asked, request: &Request<'_>) {
        let answer = match request {
            Request::Create { flags, name } => self.create(asked.account, *flags, name),
            Request::Join { name } => self.join(asked, name),
            Request::Leave { room } => self.leave_room(asked.account, RoomId(*room)),
            Request::Rooms { after } => {
                self.list_rooms(asked, after);
                Ok(Answer::Later)
            }
            Request::Set { room, setting } => self.set(asked.account, RoomId(*room), setting),
            Request::Invite { room, name } => self.invite(asked.account, RoomId(*room), name),
            Request::Grant { room, role, name } => self.grant(asked.account, RoomId(*room), *role, name),
            Request::History { .. } | Request::Search { .. } => {
                self.look_back(asked, request);
                Ok(Answer::Later)
            }
        };
        match answer {
            Ok(Answer::Done) => self.say(asked.session, &Message::Done { tag: asked.tag }),
            //= spec/PROTOCOL.md#rooms
            //# The hub MUST NOT answer DONE before the entry that a request leads to is committed.
            Ok(Answer::Entry(kind, name, body)) => {
                let ticket = self.append_as_hub(HUB_ROOM, kind, &name, body);
                let purpose = match kind {
                    EntryKind::Room => Purpose::Create { asked, name: fold(&name) },
                    _ => Purpose::Asked(asked),
                };
                self.pending.expect(ticket, purpose);
            }
            Ok(Answer::Later) => {}
            Err(reason) => self.deny(asked, reason),
        }
    }

    pub(super) fn deny(&mut self, asked: Asked, reason: Refusal) {
        self.refuse(asked.session, asked.kind, reason, (tag_id(asked.tag), ""));
    }

    fn room_named(&self, name: &str) -> Option<RoomId> {
        self.by_name.get(&fold(room_name::bare(name))).copied()
    }

    fn create(&self, account: AccountId, flags: u64, name: &str) -> Result<Answer, Refusal> {
        if flags & ROOM_SEALED != 0 {
            return Err(Refusal::NoSealedRooms);
        }
        if flags & !(ROOM_INVITE_ONLY | ROOM_WITHOUT_PAST) != 0 {
            return Err(Refusal::NotValid);
        }
        if !self.may(account, LOBBY, Act::Create) {
            return Err(Refusal::NotAllowed);
        }
        if room_name::check(name).is_err() || self.pending.is_creating(name) {
            return Err(Refusal::NotARoomName);
        }
        if let Some(room) = self.room_named(name) {
            // A request that is repeated after a broken session was granted before.
            let is_own =
                self.rooms.get(&room).and_then(|room| room.charter.role(account)) == Some(Role::Owner);
            return if is_own && self.may_use(account, room) {
                Ok(Answer::Done)
            } else {
                Err(Refusal::NotARoomName)
            };
        }
        let own = self.joined.get(&account).into_iter().flatten();
        let is_owner = |room: &&RoomId| {
            self.rooms.get(room).and_then(|room| room.charter.role(account)) == Some(Role::Owner)
        };
        if self.by_name.len() >= ROOMS_MAX || own.filter(is_owner).count() >= ROOMS_PER_ACCOUNT_MAX {
            return Err(Refusal::LogFull);
        }
        let body = room_body(Made::Open { flags, owner: Some(account) });
        Ok(Answer::Entry(EntryKind::Room, name.to_string(), body))
    }

    fn join(&mut self, asked: Asked, name: &str) -> Result<Answer, Refusal> {
        let account = asked.account;
        let room = self.room_named(name).ok_or(Refusal::NoSuchRoom)?;
        if self.may_use(account, room) {
            self.tell_room(asked.session, account, room);
            return Ok(Answer::Done);
        }
        let known = self.rooms.get(&room).ok_or(Refusal::NoSuchRoom)?;
        if known.charter.standing(account) == Standing::Gone {
            let is_hub_owner = self.roles.get(&account) == Some(&Role::Owner);
            if known.charter.is_invite_only() && !is_hub_owner {
                // Who is not invited does not learn that there is such a room.
                return Err(Refusal::NoSuchRoom);
            }
            if !self.may(account, room, Act::Join) {
                return Err(Refusal::NotAllowed);
            }
        }
        let has_past = known.charter.flags & ROOM_WITHOUT_PAST == 0;
        let first = if has_past { Seq(1) } else { known.head().next() };
        Ok(self.member_entry(room, account, Standing::Member { first }))
    }

    fn leave_room(&self, account: AccountId, room: RoomId) -> Result<Answer, Refusal> {
        if room == LOBBY || !self.is_named(room) {
            return Err(Refusal::NotValid);
        }
        if !self.may_use(account, room) {
            return Ok(Answer::Done);
        }
        Ok(self.member_entry(room, account, Standing::Gone))
    }

    fn member_entry(&self, room: RoomId, account: AccountId, standing: Standing) -> Answer {
        let name = self.accounts.get(account).map(|account| account.name.clone()).unwrap_or_default();
        Answer::Entry(EntryKind::Member, name, member_body(room.0, account, standing))
    }

    fn list_rooms(&mut self, asked: Asked, after: &str) {
        let after = fold(room_name::bare(after));
        let is_seen = |room: &RoomId| {
            let is_open = self.rooms.get(room).is_some_and(|room| !room.charter.is_invite_only());
            is_open || self.may_use(asked.account, *room)
        };
        let mut seen: Vec<RoomId> = self
            .by_name
            .range(after.clone()..)
            .filter(|(name, room)| **name > after && is_seen(room))
            .map(|(_, room)| *room)
            .take(LISTED_MAX + 1)
            .collect();
        let more = seen.len() > LISTED_MAX;
        seen.truncate(LISTED_MAX);
        let listed = seen.iter().filter_map(|id| {
            let room = self.rooms.get(id)?;
            let is_lobby = *id == LOBBY;
            let members =
                if is_lobby { self.presence.accounts().count() } else { room.charter.member_count() };
            let (flags, topic) = (room.charter.flags, room.charter.topic.as_str());
            Some(Listed { name: &room.name, flags, members: members as u64, topic })
        });
        let mut bytes = Vec::new();
        Message::Rooms { tag: asked.tag, more, rooms: listed.collect() }.encode(&mut bytes);
        self.say_bytes(asked.session, &bytes);
    }

    fn set(&self, account: AccountId, room: RoomId, setting: &Setting<'_>) -> Result<Answer, Refusal> {
        let known = self.named_room(account, room)?;
        if !self.may(account, room, Act::Set) {
            return Err(Refusal::NotAllowed);
        }
        let is_valid = match setting {
            Setting::Topic(text) => {
                text.chars().count() <= TOPIC_CHARS_MAX && !text.chars().any(is_invisible)
            }
            Setting::Pinned(sequence) => *sequence <= known.head().0,
            Setting::Slow(seconds) => *seconds <= SLOW_SECS_MAX,
        };
        if !is_valid {
            return Err(Refusal::NotValid);
        }
        let by = self.accounts.get(account).map(|account| account.name.clone()).unwrap_or_default();
        Ok(Answer::Entry(EntryKind::Setting, by, setting_body(room.0, setting)))
    }

    fn invite(&self, account: AccountId, room: RoomId, name: &str) -> Result<Answer, Refusal> {
        let known = self.named_room(account, room)?;
        let act = if known.charter.is_invite_only() { Act::Admit } else { Act::Invite };
        if room == LOBBY || !self.may(account, room, act) {
            return Err(Refusal::NotAllowed);
        }
        let other = self.person(name)?;
        if known.charter.standing(other) != Standing::Gone {
            return Ok(Answer::Done);
        }
        let by = self.accounts.get(account).map(|account| account.name.clone()).unwrap_or_default();
        Ok(Answer::Entry(EntryKind::Member, by, member_body(room.0, other, Standing::Invited)))
    }

    fn grant(&self, account: AccountId, room: RoomId, role: Role, name: &str) -> Result<Answer, Refusal> {
        let everywhere = room == HUB_ROOM;
        if !everywhere {
            self.named_room(account, room)?;
        }
        let place = if everywhere { LOBBY } else { room };
        let other = self.person(name)?;
        let (own, before) = (self.role(account, place), self.role(other, place));
        // Who keeps order makes and unmakes those below; only owners make their like.
        let is_above = own >= Role::Owner || own >= Role::Moderator && own > before.max(role);
        if !is_above || everywhere && self.roles.get(&account) != Some(&Role::Owner) {
            return Err(Refusal::NotAllowed);
        }
        Ok(Answer::Entry(EntryKind::Role, name.to_string(), role_body(room.0, other, role)))
    }

    /// The operator gives a role on the whole hub.
    ///
    /// # Errors
    /// [`Unsaid::NoSuchName`](super::operator::Unsaid::NoSuchName) when nobody has the name.
    pub fn appoint(&mut self, name: &str, role: Role) -> Result<(), super::operator::Unsaid> {
        let other = self.person(name).map_err(|_| super::operator::Unsaid::NoSuchName)?;
        self.append_as_hub(HUB_ROOM, EntryKind::Role, name, role_body(HUB_ROOM.0, other, role));
        Ok(())
    }

    /// The rooms with a name, in the order of their names.
    pub fn room_names(&self) -> impl Iterator<Item = &str> {
        self.by_name.values().filter_map(|room| self.rooms.get(room)).map(|room| room.name.as_str())
    }

    fn person(&self, name: &str) -> Result<AccountId, Refusal> {
        let known = self.accounts.of_name(name).map(|account| account.id);
        known.filter(|account| *account != HUB_ACCOUNT).ok_or(Refusal::NoSuchName)
    }

    fn is_named(&self, room: RoomId) -> bool {
        self.rooms.get(&room).is_some_and(|room| room.is_named())
    }

    /// A room with a name that `account` is in.
    fn named_room(&self, account: AccountId, room: RoomId) -> Result<&super::room::Room, Refusal> {
        let is_in = self.is_named(room) && self.may_use(account, room);
        self.rooms.get(&room).filter(|_| is_in).ok_or(Refusal::NoSuchRoom)
    }
}

/// A tag, as REFUSED names it.
pub(super) fn tag_id(tag: u64) -> MessageId {
    let mut id = [0; 16];
    id[8..].copy_from_slice(&tag.to_be_bytes());
    MessageId(id)
}
