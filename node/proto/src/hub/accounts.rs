//! Who is who: names bound to keys, and the rooms for two. Both are entries of room 0, applied in order.

use crate::log::{AccountId, HUB_ACCOUNT, RoomId};
use alloc::collections::BTreeMap;
use alloc::string::String;
use spec::limits::KEY_BYTES;
use spec::name::{HUB_NAME, fold};

/// A client's static key.
pub type ClientKey = [u8; KEY_BYTES];

/// A key and the name bound to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// Its name at the moment.
    pub name: String,
    /// Its key; zeros for the hub, which has no session with itself.
    pub key: ClientKey,
}

/// All accounts and rooms for two.
#[derive(Debug)]
pub struct Accounts {
    accounts: BTreeMap<AccountId, Account>,
    by_key: BTreeMap<ClientKey, AccountId>,
    /// Folded names, those an account had before included: a name never passes to another key.
    by_name: BTreeMap<String, AccountId>,
    /// For each account the others it has a room with.
    direct: BTreeMap<AccountId, BTreeMap<AccountId, RoomId>>,
}

impl Default for Accounts {
    fn default() -> Self {
        let hub = Account { id: HUB_ACCOUNT, name: HUB_NAME.into(), key: [0; KEY_BYTES] };
        Self {
            accounts: BTreeMap::from([(HUB_ACCOUNT, hub)]),
            by_key: BTreeMap::new(),
            by_name: BTreeMap::from([(HUB_NAME.into(), HUB_ACCOUNT)]),
            direct: BTreeMap::new(),
        }
    }
}

impl Accounts {
    /// The account with this number.
    #[must_use]
    pub fn get(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id)
    }

    /// The account of a key.
    #[must_use]
    pub fn of_key(&self, key: &ClientKey) -> Option<&Account> {
        self.by_key.get(key).and_then(|id| self.accounts.get(id))
    }

    /// The account a name belongs to, in whatever case it is written.
    #[must_use]
    pub fn of_name(&self, name: &str) -> Option<&Account> {
        self.by_name.get(&fold(name)).and_then(|id| self.accounts.get(id))
    }

    /// Binds `name` to `key`; a key that has an account keeps its number.
    pub fn bind(&mut self, number: u64, key: ClientKey, name: &str) {
        let id = *self.by_key.entry(key).or_insert(AccountId(number));
        self.by_name.insert(fold(name), id);
        self.accounts.insert(id, Account { id, name: name.into(), key });
    }

    /// The room of two accounts.
    #[must_use]
    pub fn direct(&self, one: AccountId, other: AccountId) -> Option<RoomId> {
        self.direct.get(&one)?.get(&other).copied()
    }

    /// Notes the room of two accounts.
    pub fn add_direct(&mut self, one: AccountId, other: AccountId, room: RoomId) {
        self.direct.entry(one).or_default().insert(other, room);
        self.direct.entry(other).or_default().insert(one, room);
    }

    /// The rooms for `account` and one other, with the other.
    pub fn directs_of(&self, account: AccountId) -> impl Iterator<Item = (RoomId, &Account)> {
        let others = self.direct.get(&account).into_iter().flatten();
        others.filter_map(|(other, room)| Some((*room, self.accounts.get(other)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    #[test]
    fn a_name_never_passes_to_another_key() {
        let mut accounts = Accounts::default();
        accounts.bind(2, [1; 32], "Ann");
        accounts.bind(3, [1; 32], "Anna");
        let anna = Account { id: AccountId(2), name: "Anna".into(), key: [1; 32] };
        assert_eq!(accounts.of_key(&[1; 32]), Some(&anna));
        assert_eq!(accounts.of_name("ANN").unwrap().id, AccountId(2));
        assert_eq!(accounts.of_name("hub").unwrap().id, HUB_ACCOUNT);
    }

    #[test]
    fn a_room_for_two_is_theirs() {
        let mut accounts = Accounts::default();
        for (number, key, name) in [(2, [1; 32], "ann"), (3, [2; 32], "bob"), (4, [3; 32], "cy")] {
            accounts.bind(number, key, name);
        }
        accounts.add_direct(AccountId(2), AccountId(3), RoomId(9));
        let rooms =
            |account| accounts.directs_of(AccountId(account)).map(|(room, _)| room).collect::<Vec<_>>();
        assert_eq!([rooms(2), rooms(3), rooms(4)], [vec![RoomId(9)], vec![RoomId(9)], vec![]]);
        assert_eq!(accounts.direct(AccountId(3), AccountId(2)), Some(RoomId(9)));
    }
}
