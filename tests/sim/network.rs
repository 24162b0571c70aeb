//! What a link does to datagrams.

use core::time::Duration;
use node_proto::random::Random;

/// One direction of a link; the same for all datagrams on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Time every datagram takes at least.
    pub delay: Duration,
    /// Time it may take more, evenly spread.
    pub jitter: Duration,
    /// Of 1000 datagrams, so many are lost.
    pub loss_per_mille: u64,
    /// Of 1000 datagrams, so many arrive twice.
    pub duplicate_per_mille: u64,
    /// Of 1000 datagrams, so many take [`Link::reorder_by`] longer.
    pub reorder_per_mille: u64,
    /// How much longer a reordered datagram takes.
    pub reorder_by: Duration,
    /// Of 1000 datagrams, so many have one bit flipped.
    pub flip_per_mille: u64,
}

impl Link {
    /// A link that does nothing but take 10 milliseconds.
    pub const GOOD: Self = Self {
        delay: Duration::from_millis(10),
        jitter: Duration::ZERO,
        loss_per_mille: 0,
        duplicate_per_mille: 0,
        reorder_per_mille: 0,
        reorder_by: Duration::ZERO,
        flip_per_mille: 0,
    };

    /// The bad link that everything has to live with: 30 % lost, 10 % doubled, 25 % out of order, 1 % damaged.
    pub const BAD: Self = Self {
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(5),
        loss_per_mille: 300,
        duplicate_per_mille: 100,
        reorder_per_mille: 250,
        reorder_by: Duration::from_millis(40),
        flip_per_mille: 10,
    };

    /// A link on which nothing arrives.
    pub const DEAD: Self = Self { loss_per_mille: 1000, ..Self::GOOD };

    /// When copies of a datagram arrive, from now; each may be damaged.
    pub fn carry(&self, datagram: &[u8], random: &mut Random) -> Vec<(Duration, Vec<u8>)> {
        let copies = if happens(self.duplicate_per_mille, random) { 2 } else { 1 };
        (0..copies).filter_map(|_| self.carry_one(datagram, random)).collect()
    }

    fn carry_one(&self, datagram: &[u8], random: &mut Random) -> Option<(Duration, Vec<u8>)> {
        if happens(self.loss_per_mille, random) {
            return None;
        }
        let jitter = u64::try_from(self.jitter.as_micros()).unwrap_or(u64::MAX);
        let mut after = self.delay + Duration::from_micros(random.number() % (jitter + 1));
        if happens(self.reorder_per_mille, random) {
            after += self.reorder_by;
        }
        let mut datagram = datagram.to_vec();
        if happens(self.flip_per_mille, random) && !datagram.is_empty() {
            let bit = usize::try_from(random.number()).unwrap_or(0) % (datagram.len() * 8);
            datagram[bit / 8] ^= 1 << (bit % 8);
        }
        Some((after, datagram))
    }
}

fn happens(per_mille: u64, random: &mut Random) -> bool {
    random.number() % 1000 < per_mille
}
