//! Packet numbers: each used once, and some not at all.

use crate::random::Random;

/// Below 2^6 numbers from the beginning the first one is left out.
const EXPONENT_FIRST: u32 = 6;
/// Later one in about 2^16 is.
const EXPONENT_MAX: u32 = 16;

/// The numbers a sender uses: all, but for some that it leaves out at random, ever more rarely. Who acknowledges
/// one of those does not receive what they acknowledge.
#[derive(Debug)]
pub(super) struct Numbers {
    next: u64,
    left_out: u64,
    exponent: u32,
}

impl Numbers {
    pub(super) fn new(random: &mut Random) -> Self {
        //= spec/PROTOCOL.md#short-datagrams
        //# Packet numbers begin at 0.
        let mut numbers = Self { next: 0, left_out: 0, exponent: EXPONENT_FIRST };
        numbers.draw(random);
        numbers
    }

    /// The number the next packet will have.
    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// Whether the next number is to be left out instead; then it is.
    pub(super) fn leave_out(&mut self, random: &mut Random) -> bool {
        if self.next != self.left_out {
            return false;
        }
        self.next += 1;
        self.exponent = (self.exponent + 1).min(EXPONENT_MAX);
        self.draw(random);
        true
    }

    /// The next number was used.
    pub(super) const fn used(&mut self) {
        self.next += 1;
    }

    fn draw(&mut self, random: &mut Random) {
        self.left_out = self.next + 1 + random.number() % (1 << self.exponent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_are_left_out_ever_more_rarely() {
        let mut random = Random::new([3; 32]);
        let mut numbers = Numbers::new(&mut random);
        let mut left_out = alloc::vec::Vec::new();
        while numbers.next() < 100_000 {
            if numbers.leave_out(&mut random) {
                left_out.push(numbers.next() - 1);
            } else {
                numbers.used();
            }
        }
        assert!(left_out[0] > 0 && left_out[0] <= 64, "{left_out:?}");
        assert!((5..30).contains(&left_out.len()), "{left_out:?}");
    }
}
