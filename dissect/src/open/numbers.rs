//! Which packet numbers were used, and for what: a number seals one datagram.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher as _};

use spec::wire::frame::Side;
use spec::wire::long::AttemptId;

/// Numbers that stand together in memory.
const BLOCK: usize = 64;
/// Blocks that are remembered: four million numbers that follow each other, in 64 MiB.
const BLOCKS_MAX: usize = 65_536;

/// What a number sealed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Nothing.
    New,
    /// The same datagram, in this packet.
    Same(usize),
    /// Another datagram, in this packet.
    Other(usize),
}

/// The numbers of all directions. Numbers are one space for all keys of a direction.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    blocks: BTreeMap<(AttemptId, Side, u64), Box<[Slot; BLOCK]>>,
    /// Whether numbers were passed over for want of room.
    pub(super) is_full: bool,
}

/// The first datagram a number sealed. Packets count from 1.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    digest: u64,
    packet: usize,
}

impl Numbers {
    /// Takes note of a datagram that verified under this number.
    pub(super) fn take(
        &mut self,
        attempt: AttemptId,
        side: Side,
        number: u64,
        datagram: &[u8],
        packet: usize,
    ) -> Use {
        let key = (attempt, side, number / BLOCK as u64);
        if self.blocks.len() >= BLOCKS_MAX && !self.blocks.contains_key(&key) {
            self.is_full = true;
            return Use::New;
        }
        let mut hasher = DefaultHasher::new();
        hasher.write(datagram);
        let own = Slot { digest: hasher.finish(), packet };
        let block = self.blocks.entry(key).or_insert_with(|| Box::new([Slot::default(); BLOCK]));
        let slot = block.iter_mut().zip(0..BLOCK as u64).find(|(_, place)| *place == number % BLOCK as u64);
        match slot {
            Some((slot, _)) if slot.packet == 0 => *slot = own,
            Some((slot, _)) if slot.digest == own.digest => return Use::Same(slot.packet),
            Some((slot, _)) => return Use::Other(slot.packet),
            None => {}
        }
        Use::New
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_comes_again_is_the_same_or_another() {
        let mut numbers = Numbers::default();
        let (ann, bob) = (AttemptId([1; 8]), AttemptId([2; 8]));
        for (attempt, side, number, datagram, packet, used) in [
            (ann, Side::Client, 63, b"a", 1, Use::New),
            (ann, Side::Client, 64, b"a", 2, Use::New),
            (ann, Side::Hub, 63, b"b", 3, Use::New),
            (bob, Side::Client, 63, b"b", 4, Use::New),
            (ann, Side::Client, 63, b"a", 5, Use::Same(1)),
            (ann, Side::Client, 63, b"c", 6, Use::Other(1)),
        ] {
            assert_eq!(numbers.take(attempt, side, number, datagram, packet), used, "packet {packet}");
        }
    }
}
