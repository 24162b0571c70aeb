//! Who may do what: a table of roles and acts.

use super::Hub;
use crate::log::{AccountId, LOBBY, RoomId};
use spec::wire::message::RoomKind;
use spec::wire::request::Role;

/// What a member may want to do in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Say something.
    Write,
    /// Make a room.
    Create,
    /// Join a room that nobody invited to.
    Join,
    /// Let others into a room that everybody may join.
    Invite,
    /// Let others into a room for those who are invited.
    Admit,
    /// Change topic, pinned message and pace.
    Set,
    /// Write as fast as one can, whatever the pace.
    Hurry,
    /// Delete what others said.
    Clean,
}

/// The weakest role that may.
pub(super) const fn needed(act: Act) -> Role {
    match act {
        Act::Write => Role::Guest,
        Act::Create | Act::Join | Act::Invite => Role::Member,
        Act::Admit | Act::Set | Act::Hurry | Act::Clean => Role::Moderator,
    }
}

impl Hub {
    /// The role of an account in a room it may be no member of. What it is on the whole hub counts where the room says
    /// nothing, and always when it is there to keep order.
    pub(super) fn role(&self, account: AccountId, room: RoomId) -> Role {
        let everywhere = self.roles.get(&account).copied();
        let here = self.rooms.get(&room).and_then(|room| room.charter.role(account));
        let usual = here.or(everywhere).unwrap_or(Role::Member);
        everywhere.filter(|role| *role >= Role::Moderator).map_or(usual, |role| role.max(usual))
    }

    //= spec/PROTOCOL.md#rooms
    //# The hub MUST refuse what the role of an account does not allow.
    /// Whether an account may do this in a room.
    pub(super) fn may(&self, account: AccountId, room: RoomId, act: Act) -> bool {
        // In a room for two nobody keeps order.
        let is_direct = self.rooms.get(&room).is_some_and(|room| room.kind == RoomKind::Direct);
        if is_direct { act == Act::Write } else { self.role(account, room) >= needed(act) }
    }

    /// Whether an account reads a room.
    pub(super) fn may_use(&self, account: AccountId, room: RoomId) -> bool {
        room == LOBBY || self.rooms.get(&room).is_some_and(|room| room.is_for(account))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// Each role may do what the weaker ones may, and this:
    #[test]
    fn the_table() {
        let more = |role: Role| -> Vec<Act> {
            use Act::{Admit, Clean, Create, Hurry, Invite, Join, Set, Write};
            let all = [Write, Create, Join, Invite, Admit, Set, Hurry, Clean];
            all.into_iter().filter(|act| needed(*act) == role).collect()
        };
        assert_eq!(more(Role::ReadOnly), []);
        assert_eq!(more(Role::Guest), [Act::Write]);
        assert_eq!(more(Role::Member), [Act::Create, Act::Join, Act::Invite]);
        assert_eq!(more(Role::Moderator), [Act::Admit, Act::Set, Act::Hurry, Act::Clean]);
    }
}
