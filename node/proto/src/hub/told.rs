//! Room 0 as it grows: state for whoever reads it, and news for those who are here.

use super::Hub;
use super::charter::{
    Charter, Made, Standing, read_member_body, read_role_body, read_room_body, read_setting_body,
};
use super::room::Room;
use super::sessions::SessionId;
use crate::log::{AccountId, HUB_ACCOUNT, HUB_ROOM, LOBBY, RoomId, Seq};
use alloc::string::ToString;
use alloc::vec::Vec;
use spec::name::fold;
use spec::wire::entry::{Entry, EntryKind};
use spec::wire::message::{Message, RoomKind};

impl Hub {
    /// Room 0 is applied by whoever reads it, at the start and as it grows.
    pub(super) fn apply_hub_entry(&mut self, sequence: Seq, entry: &[u8]) {
        let Ok(entry) = Entry::decode(entry) else { return };
        match entry.kind {
            EntryKind::Account | EntryKind::Device | EntryKind::Password => {
                self.accounts.apply(sequence.0, &entry);
            }
            EntryKind::Room => self.apply_room(RoomId(sequence.0), entry.name, entry.body),
            EntryKind::Member => self.apply_member(entry.body),
            EntryKind::Role => self.apply_role(entry.body),
            EntryKind::Setting => {
                if let Some((room, setting)) = read_setting_body(entry.body)
                    && let Some(room) = self.rooms.get_mut(&RoomId(room))
                {
                    room.charter.set(&setting);
                }
            }
            _ => {}
        }
    }

    fn apply_room(&mut self, room: RoomId, name: &str, body: &[u8]) {
        match read_room_body(body) {
            Some(Made::Direct(one, other)) => {
                self.rooms.insert(room, Room::new(RoomKind::Direct, name, Some((one, other))));
                self.accounts.add_direct(one, other, room);
            }
            Some(Made::Open { flags, owner }) => {
                let mut made = Room::new(RoomKind::Open, name, None);
                if let Some(owner) = owner {
                    made.charter = Charter::of(flags, owner);
                    self.joined.entry(owner).or_default().insert(room);
                }
                self.rooms.insert(room, made);
                self.by_name.insert(fold(name), room);
            }
            None => {}
        }
    }

    fn apply_member(&mut self, body: &[u8]) {
        let Some((room, account, standing)) = read_member_body(body) else { return };
        let Some(known) = self.rooms.get_mut(&RoomId(room)) else { return };
        known.charter.stand(account, standing);
        let joined = self.joined.entry(account).or_default();
        match standing {
            Standing::Member { .. } => joined.insert(RoomId(room)),
            Standing::Gone => joined.remove(&RoomId(room)),
            Standing::Invited => false,
        };
    }

    fn apply_role(&mut self, body: &[u8]) {
        match read_role_body(body) {
            Some((0, account, role)) => {
                self.roles.insert(account, role);
            }
            Some((room, account, role)) => {
                if let Some(room) = self.rooms.get_mut(&RoomId(room)) {
                    room.charter.grant(account, role);
                }
            }
            None => {}
        }
    }

    /// Tells whom a new entry of room 0 concerns.
    pub(super) fn tell_hub_entry(&mut self, sequence: Seq, entry: &[u8]) {
        let Ok(entry) = Entry::decode(entry) else { return };
        match entry.kind {
            EntryKind::Room => {
                if let Some(Made::Open { owner: Some(owner), .. }) = read_room_body(entry.body) {
                    self.tell_joined(RoomId(sequence.0), owner);
                }
            }
            EntryKind::Member => match read_member_body(entry.body) {
                Some((room, account, Standing::Member { .. })) => self.tell_joined(RoomId(room), account),
                Some((room, account, Standing::Gone)) => self.tell_gone(RoomId(room), account, ""),
                Some((room, account, Standing::Invited)) => {
                    self.tell_invited(RoomId(room), account, entry.name);
                }
                None => {}
            },
            EntryKind::Role => match read_role_body(entry.body) {
                Some((0, account, _)) => {
                    let joined = self.joined.get(&account).cloned().unwrap_or_default();
                    for room in joined.into_iter().chain([LOBBY]) {
                        self.tell_state_of(account, room);
                    }
                }
                Some((room, account, _)) => self.tell_state_of(account, RoomId(room)),
                None => {}
            },
            EntryKind::Setting => {
                let Some((room, _)) = read_setting_body(entry.body) else { return };
                let readers = self.rooms.get(&RoomId(room)).map(Room::readers).unwrap_or_default();
                for session in readers {
                    self.tell_state(session, RoomId(room));
                }
            }
            _ => {}
        }
    }

    fn tell_joined(&mut self, room: RoomId, account: AccountId) {
        for session in self.sessions_of(account) {
            self.tell_room(session, account, room);
        }
        if let Some(account) = self.accounts.get(account).cloned() {
            self.append_about(room, &account, EntryKind::Joined, "");
        }
    }

    fn tell_gone(&mut self, room: RoomId, account: AccountId, why: &str) {
        for id in self.sessions_of(account) {
            if let Some(session) = self.sessions.get_mut(id) {
                session.cursors.remove(&room);
            }
            if let Some(room) = self.rooms.get_mut(&room) {
                room.remove_reader(id);
            }
            self.say(id, &Message::Gone { room: room.0, text: why });
        }
        if let Some(account) = self.accounts.get(account).cloned() {
            self.append_about(room, &account, EntryKind::Left, why);
        }
    }

    /// Who is invited hears so now, or when they come back.
    fn tell_invited(&mut self, room: RoomId, account: AccountId, by: &str) {
        let Some(name) = self.rooms.get(&room).map(|room| room.name.clone()) else { return };
        let Some(to) = self.accounts.get(account).map(|account| account.name.clone()) else { return };
        let text = alloc::format!("{by} invites you to #{name}: /join {name}");
        // The account is there, and the text is short.
        let _: Result<(), _> = self.whisper(&to, &text);
    }

    fn tell_state_of(&mut self, account: AccountId, room: RoomId) {
        for session in self.sessions_of(account) {
            self.tell_state(session, room);
        }
    }

    /// Tells a client what a room is like.
    pub(super) fn tell_state(&mut self, id: SessionId, room: RoomId) {
        let Some(account) = self.sessions.get(id).and_then(|session| session.account()) else { return };
        let Some(known) = self.rooms.get(&room) else { return };
        let charter = &known.charter;
        let first = charter.first(account).unwrap_or(Seq(1)).0;
        let topic = charter.topic.to_string();
        let (flags, slow_secs, pinned) = (charter.flags, charter.slow_secs, charter.pinned);
        let role = Some(self.role(account, room));
        self.say(id, &Message::State { room: room.0, flags, role, first, slow_secs, pinned, topic: &topic });
    }

    /// Tells a client of a room it may read: what it is like, and how far it goes.
    pub(super) fn tell_room(&mut self, id: SessionId, account: AccountId, room: RoomId) {
        let Some(known) = self.rooms.get(&room) else { return };
        let (kind, head) = (known.kind, known.head().0);
        // A room for two bears the other's name.
        let name = match known.other(account).and_then(|other| self.accounts.get(other)) {
            Some(other) => other.name.clone(),
            None => known.name.clone(),
        };
        if kind == RoomKind::Open {
            self.tell_state(id, room);
        }
        self.say(id, &Message::Room { room: room.0, kind: Some(kind), name: &name, head });
    }

    /// The rooms that an account reads, the lobby first.
    pub(super) fn rooms_of(&self, account: AccountId) -> Vec<RoomId> {
        let joined = self.joined.get(&account).into_iter().flatten().copied();
        let directs = self.accounts.directs_of(account).map(|(room, _)| room);
        core::iter::once(LOBBY).chain(joined).chain(directs).collect()
    }

    /// Whether the operator reads a room: those of the hub itself, and those that everybody may join.
    pub(super) fn is_shown(&self, room: RoomId) -> bool {
        room != HUB_ROOM && (room == LOBBY || self.may_use(HUB_ACCOUNT, room))
    }
}
