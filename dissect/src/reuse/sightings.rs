//! Where something was seen first, for as many things as memory allows.
//!
//! When the memory is full, a thing is remembered only if its key ends in one zero bit more than before. That
//! depends on the thing alone, so that both sightings of a repeated one are remembered, or neither: what is
//! left is a fair sample, and its rate is known.

use std::collections::BTreeMap;

/// Things remembered at a time: about 32 MiB. An ordered map, because nobody can choose keys that make it slow.
const CAPACITY: usize = 1 << 20;

/// Where something was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sighting {
    /// The number of the packet.
    pub(super) packet: u32,
    /// What tells the sample from others: the same sample may be captured twice.
    pub(super) sample: u32,
    /// More bits of what was seen than the key has.
    pub(super) check: u32,
}

/// The first sighting of each key, or of a sample of them.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    first: BTreeMap<u64, Sighting>,
    /// Zero bits a key must end in.
    sampling_bits: u32,
}

impl Sightings {
    /// The first sighting of what is seen again; a first one is remembered.
    pub(super) fn see(&mut self, key: u64, sighting: Sighting) -> Option<Sighting> {
        if key.trailing_zeros() < self.sampling_bits {
            return None;
        }
        if let Some(first) = self.first.get(&key) {
            return (first.check == sighting.check).then_some(*first);
        }
        self.first.insert(key, sighting);
        while self.first.len() >= CAPACITY && self.sampling_bits < u64::BITS {
            self.sampling_bits += 1;
            let needed = self.sampling_bits;
            self.first.retain(|key, _| key.trailing_zeros() >= needed);
        }
        None
    }

    /// One of `2^bits` keys is remembered.
    pub(super) const fn sampling_bits(&self) -> u32 {
        self.sampling_bits
    }
}

/// Spreads the bits of a number; different numbers stay different (Vigna's SplitMix64).
pub(super) const fn mix(number: u64) -> u64 {
    let z = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_a_fair_sample() {
        let mut sightings = Sightings::default();
        let seen = |packet: u32| Sighting { packet, sample: packet, check: 0 };
        let count = 3 * u32::try_from(CAPACITY).unwrap();
        for number in 0..count {
            assert_eq!(sightings.see(mix(number.into()), seen(number)), None);
        }
        assert_eq!(sightings.sampling_bits(), 2);
        let again = (0..1_000).filter(|number| sightings.see(mix(*number), seen(0)).is_some()).count();
        assert!((200..300).contains(&again), "{again} of 1000");
    }
}
