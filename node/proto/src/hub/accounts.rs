//! Who is who: names, the devices they are bound to, and the rooms for two. Both are entries of room 0, applied in order.

use crate::log::{AccountId, HUB_ACCOUNT, RoomId};
use crate::opaque::Record;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use spec::limits::KEY_BYTES;
use spec::name::{HUB_NAME, fold, look};
use spec::time::UnixTime;
use spec::wire::entry::{Entry, EntryKind};
use spec::wire::login::{DeviceEntry, PasswordEntry, Stretch};

/// A client's static key.
pub type ClientKey = [u8; KEY_BYTES];

/// Devices of one account that may get in.
const DEVICES_MAX: usize = 16;
/// Devices one account ever had.
const DEVICES_EVER_MAX: usize = 256;

/// A key that is, or was, of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The key.
    pub key: ClientKey,
    /// What it is called, or nothing.
    pub name: String,
    /// When it was added.
    pub since: UnixTime,
    /// Whether it gets in no more.
    pub is_revoked: bool,
}

/// A name and the devices it is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// Its name at the moment.
    pub name: String,
    /// Its devices in the order they were added; the hub has none, as it has no session with itself.
    pub devices: Vec<Device>,
}

impl Account {
    /// The devices that get in.
    pub fn present_devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.iter().filter(|device| !device.is_revoked)
    }

    /// Whether it may have another device.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.present_devices().count() < DEVICES_MAX && self.devices.len() < DEVICES_EVER_MAX
    }
}

/// What is kept of a password.
#[derive(Debug)]
pub struct KeptPassword {
    /// Whose it is.
    pub account: AccountId,
    /// What it was stretched with.
    pub stretch: Stretch,
    /// What proves it.
    pub record: Record,
}

/// All accounts and rooms for two.
#[derive(Debug)]
pub struct Accounts {
    accounts: BTreeMap<AccountId, Account>,
    /// Revoked keys included.
    by_key: BTreeMap<ClientKey, AccountId>,
    /// Names as they are written: a log of an older rule may hold some that are alike.
    by_name: BTreeMap<String, AccountId>,
    /// The forms of names, those an account had before included: a name never passes to another account.
    by_form: BTreeMap<String, AccountId>,
    /// By the folded name they prove: a name that an account has since given up proves nothing.
    passwords: BTreeMap<String, KeptPassword>,
    /// For each account the others it has a room with.
    direct: BTreeMap<AccountId, BTreeMap<AccountId, RoomId>>,
}

impl Default for Accounts {
    fn default() -> Self {
        let mut accounts = Self {
            accounts: BTreeMap::new(),
            by_key: BTreeMap::new(),
            by_name: BTreeMap::new(),
            by_form: BTreeMap::new(),
            passwords: BTreeMap::new(),
            direct: BTreeMap::new(),
        };
        accounts.name(HUB_ACCOUNT, HUB_NAME);
        accounts
    }
}

impl Accounts {
    /// The account with this number.
    #[must_use]
    pub fn get(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id)
    }

    /// The account that a key gets in as, or did.
    fn owner(&self, key: &ClientKey) -> Option<&Account> {
        self.by_key.get(key).and_then(|id| self.accounts.get(id))
    }

    /// The account that a key gets in as.
    #[must_use]
    pub fn of_key(&self, key: &ClientKey) -> Option<&Account> {
        self.owner(key).filter(|account| account.present_devices().any(|device| device.key == *key))
    }

    /// Whether a key was of an account, and is no more.
    #[must_use]
    pub fn is_revoked(&self, key: &ClientKey) -> bool {
        self.owner(key).is_some() && self.of_key(key).is_none()
    }

    /// The account a name belongs to, however it is written.
    #[must_use]
    pub fn of_name(&self, name: &str) -> Option<&Account> {
        let id = self.by_name.get(name).or_else(|| self.by_form.get(&fold(name)))?;
        self.accounts.get(id)
    }

    //= spec/PROTOCOL.md#application-messages
    //# The hub MUST refuse a new name that is alike to `hub` or to a name that another account has or had.
    /// Whether a name is alike to one of another account than `own`.
    #[must_use]
    pub fn is_taken(&self, name: &str, own: Option<AccountId>) -> bool {
        let is_others = |form: String| self.by_form.get(&form).is_some_and(|id| Some(*id) != own);
        is_others(fold(name)) || is_others(look(name))
    }

    /// What is kept of the password of a name that is folded.
    #[must_use]
    pub fn password(&self, folded: &str) -> Option<&KeptPassword> {
        self.passwords.get(folded)
    }

    /// Applies an entry of room 0 about accounts.
    pub fn apply(&mut self, number: u64, entry: &Entry<'_>) {
        match entry.kind {
            EntryKind::Account => {
                if let Ok(key) = entry.body.try_into() {
                    self.bind(number, key, entry.name, entry.time);
                }
            }
            EntryKind::Device => {
                if let Ok(change) = DeviceEntry::read(entry.body) {
                    self.change_device(&change, entry.name, entry.time);
                }
            }
            EntryKind::Password => {
                if let Ok(password) = PasswordEntry::read(entry.body) {
                    self.set_password(&password, entry.name);
                }
            }
            _ => {}
        }
    }

    /// An account has one password, and a name has one account.
    fn set_password(&mut self, entry: &PasswordEntry, name: &str) {
        let (account, stretch) = (AccountId(entry.account), entry.stretch);
        let is_own = self.of_name(name).is_some_and(|known| known.id == account);
        let Some(record) = Record::read(&entry.record).filter(|_| is_own) else { return };
        self.passwords.retain(|_, kept| kept.account != account);
        self.passwords.insert(fold(name), KeptPassword { account, stretch, record });
    }

    /// Binds `name` to `key`; a key that has an account keeps its number.
    fn bind(&mut self, number: u64, key: ClientKey, name: &str, since: UnixTime) {
        let id = *self.by_key.entry(key).or_insert(AccountId(number));
        self.name(id, name);
        if let Some(account) = self.accounts.get_mut(&id)
            && account.devices.is_empty()
        {
            account.devices.push(Device { key, name: String::new(), since, is_revoked: false });
        }
    }

    fn name(&mut self, id: AccountId, name: &str) {
        self.by_name.insert(name.into(), id);
        // Who came first keeps a form.
        for form in [fold(name), look(name)] {
            self.by_form.entry(form).or_insert(id);
        }
        let account =
            self.accounts.entry(id).or_insert(Account { id, name: String::new(), devices: Vec::new() });
        account.name = name.into();
    }

    /// A change that would break a rule is none, whenever it is read.
    fn change_device(&mut self, change: &DeviceEntry, name: &str, since: UnixTime) {
        let Some(account) = self.accounts.get_mut(&AccountId(change.account)) else { return };
        if !change.is_revoked {
            if account.has_room() && !self.by_key.contains_key(&change.key) {
                self.by_key.insert(change.key, account.id);
                let (key, name) = (change.key, name.into());
                account.devices.push(Device { key, name, since, is_revoked: false });
            }
        } else if account.present_devices().count() > 1
            && let Some(device) = account.devices.iter_mut().find(|device| device.key == change.key)
        {
            device.is_revoked = true;
        }
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

    const THEN: UnixTime = UnixTime(0);

    fn numbers(accounts: &Accounts, names: &[&str]) -> Vec<Option<u64>> {
        names.iter().map(|name| accounts.of_name(name).map(|account| account.id.0)).collect()
    }

    #[test]
    fn a_name_never_passes_to_another_account() {
        let mut accounts = Accounts::default();
        accounts.bind(2, [1; 32], "Ann", THEN);
        accounts.bind(3, [1; 32], "Anna", THEN);
        let anna = accounts.of_key(&[1; 32]).unwrap();
        assert_eq!((anna.id, anna.name.as_str(), anna.devices.len()), (AccountId(2), "Anna", 1));
        assert_eq!(numbers(&accounts, &["ANN", "anna", "hub", "bob"]), [Some(2), Some(2), Some(0), None]);
        //= spec/PROTOCOL.md#application-messages
        //= type=test
        //# The hub MUST refuse a new name that is alike to `hub` or to a name that another account has or had.
        for name in ["ann", "\u{410}nn", "ANNA", "Hub", "h\u{1d66}b"] {
            assert_eq!(accounts.is_taken(name, None), name != "h\u{1d66}b", "{name}");
        }
        assert!(!accounts.is_taken("ANN", Some(AccountId(2))));
    }

    #[test]
    fn names_of_an_older_rule_stay_bound() {
        let mut accounts = Accounts::default();
        for (number, key, name) in [(2, 1, "paypal"), (3, 2, "p\u{430}ypal"), (4, 3, "paypaI")] {
            accounts.bind(number, [key; 32], name, THEN);
        }
        assert_eq!(accounts.of_key(&[3; 32]).unwrap().name, "paypaI");
        let names = ["paypal", "p\u{430}ypal", "paypaI", "PAYPAL"];
        assert_eq!(numbers(&accounts, &names), [Some(2), Some(3), Some(4), Some(2)]);
    }

    #[test]
    fn devices_come_and_go_and_one_stays() {
        let mut accounts = Accounts::default();
        accounts.bind(2, [1; 32], "ann", THEN);
        accounts.bind(3, [9; 32], "bob", THEN);
        let change = |is_revoked, key: u8| DeviceEntry { account: 2, is_revoked, key: [key; 32] };
        let mut apply = |is_revoked, key| {
            accounts.change_device(&change(is_revoked, key), "laptop", THEN);
            let present = accounts.get(AccountId(2)).unwrap().present_devices();
            present.map(|device| device.key[0]).collect::<Vec<_>>()
        };
        for (is_revoked, key, expected) in [
            (true, 1, vec![1]),
            (false, 2, vec![1, 2]),
            (false, 9, vec![1, 2]),
            (true, 1, vec![2]),
            (false, 1, vec![2]),
            (true, 2, vec![2]),
        ] {
            assert_eq!(apply(is_revoked, key), expected, "{is_revoked} {key}");
        }
        (20..60).for_each(|key| drop(apply(false, key)));
        assert_eq!(apply(false, 60).len(), DEVICES_MAX);
        assert!(accounts.is_revoked(&[1; 32]) && accounts.of_key(&[1; 32]).is_none());
        assert!(!accounts.is_revoked(&[77; 32]));
        assert_eq!(accounts.of_key(&[2; 32]).unwrap().name, "ann");
    }

    #[test]
    fn a_room_for_two_is_theirs() {
        let mut accounts = Accounts::default();
        for (number, key, name) in [(2, [1; 32], "ann"), (3, [2; 32], "bob"), (4, [3; 32], "cy")] {
            accounts.bind(number, key, name, THEN);
        }
        accounts.add_direct(AccountId(2), AccountId(3), RoomId(9));
        let rooms =
            |account| accounts.directs_of(AccountId(account)).map(|(room, _)| room).collect::<Vec<_>>();
        assert_eq!([rooms(2), rooms(3), rooms(4)], [vec![RoomId(9)], vec![RoomId(9)], vec![]]);
        assert_eq!(accounts.direct(AccountId(3), AccountId(2)), Some(RoomId(9)));
    }
}
