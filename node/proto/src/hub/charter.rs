//! What a room is like, who is in it, and who may do what there: state that entries of room 0 make.

use crate::log::{AccountId, HUB_ACCOUNT, Seq};
use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use spec::wire::message::RoomKind;
use spec::wire::request::{ROOM_INVITE_ONLY, Role, Setting};
use spec::wire::{Reader, varint};

/// How an account stands to a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is none of its members.
    Gone,
    /// It may join.
    Invited,
    /// It is a member, and reads from this entry on.
    Member {
        /// The first entry it may read.
        first: Seq,
    },
}

/// What a room is like.
#[derive(Debug, Default)]
pub(super) struct Charter {
    pub(super) flags: u64,
    pub(super) topic: String,
    pub(super) pinned: u64,
    pub(super) slow_secs: u64,
    standings: BTreeMap<AccountId, Standing>,
    roles: BTreeMap<AccountId, Role>,
}

impl Charter {
    /// A room made by `owner`, who is in it.
    pub(super) fn of(flags: u64, owner: AccountId) -> Self {
        let standings = BTreeMap::from([(owner, Standing::Member { first: Seq(1) })]);
        Self { flags, standings, roles: BTreeMap::from([(owner, Role::Owner)]), ..Self::default() }
    }

    pub(super) const fn is_invite_only(&self) -> bool {
        self.flags & ROOM_INVITE_ONLY != 0
    }

    pub(super) fn standing(&self, account: AccountId) -> Standing {
        self.standings.get(&account).copied().unwrap_or(Standing::Gone)
    }

    pub(super) fn stand(&mut self, account: AccountId, standing: Standing) {
        if standing == Standing::Gone {
            self.standings.remove(&account);
        } else {
            self.standings.insert(account, standing);
        }
    }

    /// The first entry that a member may read.
    pub(super) fn first(&self, account: AccountId) -> Option<Seq> {
        match self.standing(account) {
            Standing::Member { first } => Some(first),
            Standing::Gone | Standing::Invited => None,
        }
    }

    pub(super) fn member_count(&self) -> usize {
        self.standings.values().filter(|standing| matches!(standing, Standing::Member { .. })).count()
    }

    pub(super) fn role(&self, account: AccountId) -> Option<Role> {
        self.roles.get(&account).copied()
    }

    pub(super) fn grant(&mut self, account: AccountId, role: Role) {
        self.roles.insert(account, role);
    }

    pub(super) fn set(&mut self, setting: &Setting<'_>) {
        match setting {
            Setting::Topic(topic) => topic.as_ref().clone_into(&mut self.topic),
            Setting::Pinned(sequence) => self.pinned = *sequence,
            Setting::Slow(seconds) => self.slow_secs = *seconds,
        }
    }
}

/// What a ROOM entry makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// A room with a name.
    Open {
        /// What it is like.
        flags: u64,
        /// Who made it; nobody made the lobby.
        owner: Option<AccountId>,
    },
    /// A room for two, the lower account first.
    Direct(AccountId, AccountId),
}

/// The body of a ROOM entry.
pub(super) fn room_body(made: Made) -> Vec<u8> {
    match made {
        Made::Open { flags, owner } => {
            numbers(&[RoomKind::Open.code(), flags, owner.map_or(0, |owner| owner.0)])
        }
        Made::Direct(one, other) => numbers(&[RoomKind::Direct.code(), one.min(other).0, one.max(other).0]),
    }
}

/// Reads the body of a ROOM entry; `None` for one this version does not know.
#[must_use]
pub fn read_room_body(body: &[u8]) -> Option<Made> {
    let mut reader = Reader::new(body);
    let mut number = || reader.varint("room").ok();
    Some(match RoomKind::from_code(number()?)? {
        // The first hubs wrote the kind alone.
        RoomKind::Open => {
            let (flags, owner) = (number().unwrap_or(0), number().unwrap_or(0));
            Made::Open { flags, owner: (owner != HUB_ACCOUNT.0).then_some(AccountId(owner)) }
        }
        RoomKind::Direct => Made::Direct(AccountId(number()?), AccountId(number()?)),
    })
}

/// The body of a MEMBER entry.
pub(super) fn member_body(room: u64, account: AccountId, standing: Standing) -> Vec<u8> {
    let (code, first) = match standing {
        Standing::Gone => (0, 0),
        Standing::Invited => (1, 0),
        Standing::Member { first } => (2, first.0),
    };
    numbers(&[room, account.0, code, first])
}

/// Reads the body of a MEMBER entry; `None` for one this version does not know.
pub(super) fn read_member_body(body: &[u8]) -> Option<(u64, AccountId, Standing)> {
    let mut reader = Reader::new(body);
    let mut number = || reader.varint("member").ok();
    let (room, account, code, first) = (number()?, AccountId(number()?), number()?, Seq(number()?));
    let standing = match code {
        0 => Standing::Gone,
        1 => Standing::Invited,
        2 => Standing::Member { first },
        _ => return None,
    };
    Some((room, account, standing))
}

/// The body of a ROLE entry.
pub(super) fn role_body(room: u64, account: AccountId, role: Role) -> Vec<u8> {
    numbers(&[room, account.0, role.code()])
}

/// Reads the body of a ROLE entry; `None` for one this version does not know.
pub(super) fn read_role_body(body: &[u8]) -> Option<(u64, AccountId, Role)> {
    let mut reader = Reader::new(body);
    let mut number = || reader.varint("role").ok();
    Some((number()?, AccountId(number()?), Role::from_code(number()?)?))
}

/// The body of a SETTING entry.
pub(super) fn setting_body(room: u64, setting: &Setting<'_>) -> Vec<u8> {
    let mut body = numbers(&[room]);
    setting.encode(&mut body);
    body
}

/// Reads the body of a SETTING entry; `None` for one this version does not know.
pub(super) fn read_setting_body(body: &[u8]) -> Option<(u64, Setting<'_>)> {
    let mut reader = Reader::new(body);
    Some((reader.varint("room").ok()?, Setting::decode(&mut reader).ok()?))
}

fn numbers(values: &[u64]) -> Vec<u8> {
    let mut body = Vec::new();
    values.iter().for_each(|value| varint::encode(*value, &mut body));
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_there_and_back() {
        let account = AccountId(300);
        for standing in [Standing::Gone, Standing::Invited, Standing::Member { first: Seq(70_000) }] {
            let body = member_body(9, account, standing);
            assert_eq!(read_member_body(&body), Some((9, account, standing)));
        }
        for made in [
            Made::Open { flags: 0, owner: None },
            Made::Open { flags: ROOM_INVITE_ONLY, owner: Some(account) },
            Made::Direct(AccountId(2), account),
        ] {
            assert_eq!(read_room_body(&room_body(made)), Some(made));
        }
        assert_eq!(read_room_body(&[1]), Some(Made::Open { flags: 0, owner: None }));
        let body = role_body(0, account, Role::Moderator);
        assert_eq!(read_role_body(&body), Some((0, account, Role::Moderator)));
        let setting = Setting::Topic("what we do".into());
        assert_eq!(read_setting_body(&setting_body(9, &setting)), Some((9, setting)));
        assert_eq!((read_member_body(&[1, 1, 3, 0]), read_role_body(&[1, 1, 9])), (None, None));
    }

    #[test]
    fn who_leaves_keeps_the_role() {
        let (owner, other) = (AccountId(2), AccountId(3));
        let mut charter = Charter::of(ROOM_INVITE_ONLY, owner);
        charter.stand(other, Standing::Invited);
        assert_eq!((charter.member_count(), charter.first(other)), (1, None));
        charter.stand(other, Standing::Member { first: Seq(5) });
        charter.grant(other, Role::Moderator);
        charter.stand(other, Standing::Gone);
        assert_eq!((charter.first(owner), charter.first(other)), (Some(Seq(1)), None));
        assert_eq!(charter.role(other), Some(Role::Moderator));
    }
}
