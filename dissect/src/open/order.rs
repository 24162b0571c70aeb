//! Keys replace each other, and numbers rise: what is sealed later has a higher number and no older key.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use spec::wire::frame::Side;

/// A generation and an epoch of it: what names a key.
type KeyName = (u64, u64);

/// The numbers that one side sealed under each of its keys.
#[derive(Debug)]
pub(super) struct Order {
    side: Side,
    /// The lowest and the highest number under each key.
    numbers: BTreeMap<KeyName, (u64, u64)>,
}

impl Order {
    pub(super) const fn of(side: Side) -> Self {
        Self { side, numbers: BTreeMap::new() }
    }

    /// Takes in a packet; whether its number lies between those of older and of newer keys (PROTOCOL.md, Key
    /// updates). A hub sends everything under the next generation once it does so at all; a client sends PINGs
    /// under the next and data under the present one until it has heard the hub (PROTOCOL.md, Ratchet).
    pub(super) fn fits(&mut self, generation: u64, epoch: u64, number: u64) -> bool {
        let own = (generation, epoch);
        let compares = |other: KeyName| self.side == Side::Hub || other.0 == generation;
        let older = self.numbers.range(..own).next_back().filter(|(key, _)| compares(**key));
        let newer = self.numbers.range((Excluded(own), Unbounded)).next().filter(|(key, _)| compares(**key));
        let fits = older.is_none_or(|(_, (_, highest))| *highest < number)
            && newer.is_none_or(|(_, (lowest, _))| number < *lowest);
        let (lowest, highest) = self.numbers.entry(own).or_insert((number, number));
        (*lowest, *highest) = ((*lowest).min(number), (*highest).max(number));
        fits
    }

    /// How many key updates and how many ratchets led to the keys that were seen.
    pub(super) fn changes(&self) -> (u64, u64) {
        let mut highest: BTreeMap<u64, u64> = BTreeMap::new();
        for (generation, epoch) in self.numbers.keys() {
            highest.insert(*generation, *epoch);
        }
        (highest.values().sum(), highest.keys().last().copied().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_with_the_keys() {
        for (side, generation, epoch, number, fits) in [
            (Side::Client, 0, 0, 9, true),
            (Side::Client, 0, 0, 10, false),
            (Side::Client, 0, 1, 4, true),
            (Side::Client, 0, 1, 3, false),
            (Side::Client, 0, 2, 21, true),
            (Side::Client, 0, 2, 19, false),
            (Side::Client, 1, 0, 15, true),
            (Side::Hub, 1, 0, 15, false),
            (Side::Hub, 1, 0, 21, true),
        ] {
            let mut order = Order::of(side);
            assert!(order.fits(0, 0, 3) && order.fits(0, 1, 10) && order.fits(0, 1, 20));
            assert_eq!(order.changes(), (1, 0));
            assert_eq!(order.fits(generation, epoch, number), fits, "{side:?} {generation} {epoch} {number}");
        }
    }
}
