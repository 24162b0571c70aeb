//! A bounded table in which no part of the network can crowd out the rest.

use alloc::collections::{BTreeMap, BTreeSet};
use core::net::IpAddr;
use spec::limits::PREFIX_SHARE;
use spec::time::Instant;

/// A part of the network one party is likely to own: a /24 or a /64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Prefix([u8; 8]);

impl Prefix {
    pub(super) const fn bytes(self) -> [u8; 8] {
        self.0
    }

    pub(super) fn of(address: IpAddr) -> Self {
        let v6 = match address {
            IpAddr::V4(v4) => {
                let [a, b, c, _] = v4.octets();
                return Self([0, 0, 0, 0, 4, a, b, c]);
            }
            IpAddr::V6(v6) => v6,
        };
        match v6.to_ipv4_mapped() {
            Some(v4) => Self::of(IpAddr::V4(v4)),
            None => {
                let [head @ .., _, _, _, _, _, _, _, _] = v6.octets();
                Self(head)
            }
        }
    }
}

#[derive(Debug)]
struct Item<V> {
    value: V,
    prefix: Prefix,
    expires: Instant,
    serial: u64,
}

/// At most `capacity` values, an eighth of them for one prefix, each for a limited time.
#[derive(Debug)]
pub(super) struct PrefixTable<K, V> {
    capacity: usize,
    items: BTreeMap<K, Item<V>>,
    /// All keys, oldest first.
    order: BTreeMap<u64, K>,
    /// The serials of each prefix, oldest first.
    prefixes: BTreeMap<Prefix, BTreeSet<u64>>,
    next_serial: u64,
}

impl<K: Copy + Ord, V> PrefixTable<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        let (items, order, prefixes) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { capacity, items, order, prefixes, next_serial: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.items.get_mut(key).map(|item| &mut item.value)
    }

    /// Inserts `value`, at the cost of an older one when there is no room.
    pub(super) fn insert(&mut self, key: K, prefix: Prefix, expires: Instant, value: V) {
        self.remove(&key);
        self.make_room(prefix);
        let serial = self.next_serial;
        self.next_serial += 1;
        self.items.insert(key, Item { value, prefix, expires, serial });
        self.order.insert(serial, key);
        self.prefixes.entry(prefix).or_default().insert(serial);
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let item = self.items.remove(key)?;
        self.order.remove(&item.serial);
        if let Some(serials) = self.prefixes.get_mut(&item.prefix) {
            serials.remove(&item.serial);
            if serials.is_empty() {
                self.prefixes.remove(&item.prefix);
            }
        }
        Some(item.value)
    }

    /// A full share gives up its own oldest; a full table the oldest of its largest prefix.
    fn make_room(&mut self, prefix: Prefix) {
        let share = self.prefixes.get(&prefix).map_or(0, BTreeSet::len);
        let victim = if share >= self.capacity / PREFIX_SHARE {
            self.prefixes.get(&prefix)
        } else if self.items.len() >= self.capacity {
            self.prefixes.values().max_by_key(|serials| serials.len())
        } else {
            None
        };
        let oldest = victim.and_then(BTreeSet::first).and_then(|serial| self.order.get(serial)).copied();
        if let Some(oldest) = oldest {
            self.remove(&oldest);
        }
    }

    /// When the oldest value expires: all have the same time to live.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let (_, key) = self.order.first_key_value()?;
        self.items.get(key).map(|item| item.expires)
    }

    pub(super) fn expire(&mut self, now: Instant) {
        while self.deadline().is_some_and(|at| at <= now) {
            let Some((_, key)) = self.order.first_key_value() else { return };
            let key = *key;
            self.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        Prefix::of(text.parse().unwrap())
    }

    #[test]
    fn prefixes() {
        assert_eq!(prefix("192.0.2.1"), prefix("::ffff:192.0.2.200"));
        assert_ne!(prefix("192.0.2.1"), prefix("192.0.3.1"));
        assert_eq!(prefix("2001:db8::1"), prefix("2001:db8::ffff:1:2:3"));
        assert_ne!(prefix("2001:db8::1"), prefix("2001:db8:0:1::1"));
    }

    #[test]
    fn one_prefix_crowds_out_only_itself() {
        let mut table = PrefixTable::new(64);
        table.insert(1000, prefix("198.51.100.1"), Instant(9), ());
        for key in 0..100 {
            table.insert(key, prefix("192.0.2.1"), Instant(9), ());
        }
        assert_eq!(table.len(), 1 + 64 / PREFIX_SHARE);
        assert!(table.get_mut(&1000).is_some());
        assert!(table.get_mut(&99).is_some() && table.get_mut(&0).is_none());
        table.expire(Instant(9));
        assert_eq!((table.len(), table.prefixes.len(), table.order.len()), (0, 0, 0));
    }

    #[test]
    fn a_full_table_stays_full() {
        let mut table = PrefixTable::new(16);
        for key in 0..200u8 {
            let address = IpAddr::from([10, 0, key % 20, 1]);
            table.insert(key, Prefix::of(address), Instant(u64::from(key)), ());
            assert!(table.len() <= 16);
        }
    }
}
