//! The replay window (after RFC 6479): which of the last 2048 packet numbers were accepted.
//!
//! The same set answers two questions: was this packet accepted before, and which ranges go into an ACK.

use crate::discard::Discard;
use crate::limits::REPLAY_WINDOW;

const WORDS: usize = (REPLAY_WINDOW / 64) as usize;

/// A set of packet numbers: all that were accepted, as far as 2048 below the highest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplayWindow {
    /// Bit `n % 2048` stands for number `n` while `n` is inside the window.
    words: [u64; WORDS],
    highest: Option<u64>,
}

impl Default for ReplayWindow {
    fn default() -> Self {
        Self::new()
    }
}

impl ReplayWindow {
    /// A window that has accepted nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { words: [0; WORDS], highest: None }
    }

    /// The highest number accepted.
    #[must_use]
    pub const fn highest(&self) -> Option<u64> {
        self.highest
    }

    /// Whether `number` may be accepted; changes nothing.
    ///
    /// # Errors
    /// [`Discard::Replayed`] when it was accepted, [`Discard::TooOld`] when it lies below the window.
    pub fn check(&self, number: u64) -> Result<(), Discard> {
        let Some(highest) = self.highest else { return Ok(()) };
        if number > highest {
            return Ok(());
        }
        //= spec/PROTOCOL.md#short-datagrams
        //# A receiver MUST drop a packet whose number is 2048 or more below the highest it has accepted.
        if highest - number >= REPLAY_WINDOW {
            return Err(Discard::TooOld);
        }
        //= spec/PROTOCOL.md#short-datagrams
        //# A receiver MUST drop a packet whose number it has accepted before.
        if self.holds(number) { Err(Discard::Replayed) } else { Ok(()) }
    }

    /// Marks `number` as accepted. Call it only for a number that [`check`](Self::check) allowed.
    pub fn mark(&mut self, number: u64) {
        match self.highest {
            Some(highest) if number <= highest => {}
            Some(highest) => {
                self.forget(highest + 1, number - highest);
                self.highest = Some(number);
            }
            None => self.highest = Some(number),
        }
        let (word, bit) = place(number);
        self.words[word] |= bit;
    }

    /// Whether `number` was accepted; false for what the window no longer remembers.
    #[must_use]
    pub fn contains(&self, number: u64) -> bool {
        self.highest.is_some_and(|highest| number <= highest && highest - number < REPLAY_WINDOW)
            && self.holds(number)
    }

    /// The ranges of accepted numbers as (lowest, highest), from the highest down to `floor`.
    pub fn ranges(&self, floor: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        let mut next = self.highest;
        core::iter::from_fn(move || {
            let end = self.down_to(next?, floor, true)?;
            let start = self.down_to(end, floor, false).map_or(self.lowest(floor), |gap| gap + 1);
            next = start.checked_sub(1);
            Some((start, end))
        })
    }

    /// The first number at or below `from`, but not below the floor, that is accepted (or not, as `wanted`).
    fn down_to(&self, from: u64, floor: u64, wanted: bool) -> Option<u64> {
        let lowest = self.lowest(floor);
        (lowest..=from).rev().find(|number| self.holds(*number) == wanted)
    }

    fn lowest(&self, floor: u64) -> u64 {
        self.highest.map_or(0, |highest| (highest + 1).saturating_sub(REPLAY_WINDOW)).max(floor)
    }

    fn holds(&self, number: u64) -> bool {
        let (word, bit) = place(number);
        self.words[word] & bit != 0
    }

    /// Clears the bits of the `count` numbers from `first`, whole words at a time where it can.
    fn forget(&mut self, first: u64, count: u64) {
        if count >= REPLAY_WINDOW {
            self.words = [0; WORDS];
            return;
        }
        for number in first..first + count {
            let (word, bit) = place(number);
            self.words[word] &= !bit;
        }
    }
}

fn place(number: u64) -> (usize, u64) {
    let index = number % REPLAY_WINDOW;
    ((index / 64) as usize, 1 << (index % 64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn edges_of_the_window() {
        let mut window = ReplayWindow::new();
        for (number, expected) in [
            (0, Ok(())),
            (0, Err(Discard::Replayed)),
            (2047, Ok(())),
            (1, Ok(())),
            (2048, Ok(())),
            (0, Err(Discard::TooOld)),
            (2, Ok(())),
            (10_000, Ok(())),
            (7_952, Err(Discard::TooOld)),
            (7_953, Ok(())),
            (u64::MAX >> 2, Ok(())),
            (10_000, Err(Discard::TooOld)),
        ] {
            //= spec/PROTOCOL.md#short-datagrams
            //= type=test
            //# A receiver MUST drop a packet whose number is 2048 or more below the highest it has accepted.
            //= spec/PROTOCOL.md#short-datagrams
            //= type=test
            //# A receiver MUST drop a packet whose number it has accepted before.
            assert_eq!(window.check(number), expected, "{number}");
            if expected.is_ok() {
                window.mark(number);
            }
        }
    }

    #[test]
    fn ranges_from_the_top() {
        let mut window = ReplayWindow::new();
        for number in [1, 2, 3, 7, 9, 10] {
            window.mark(number);
        }
        assert_eq!(window.ranges(0).collect::<Vec<_>>(), [(9, 10), (7, 7), (1, 3)]);
        assert_eq!(window.ranges(2).collect::<Vec<_>>(), [(9, 10), (7, 7), (2, 3)]);
        assert_eq!(window.ranges(11).count(), 0);
    }

    proptest! {
        /// The window is a set with a horizon, however the numbers come.
        #[test]
        fn agrees_with_a_set(numbers in prop::collection::vec(0u64..6000, 0..300)) {
            let mut window = ReplayWindow::new();
            let mut model = BTreeSet::new();
            for number in numbers {
                let horizon = model.last().map_or(0, |last: &u64| (last + 1).saturating_sub(REPLAY_WINDOW));
                let allowed = number >= horizon && !model.contains(&number);
                prop_assert_eq!(window.check(number).is_ok(), allowed);
                if allowed {
                    window.mark(number);
                    model.insert(number);
                }
            }
            let horizon = model.last().map_or(0, |last| (last + 1).saturating_sub(REPLAY_WINDOW));
            let listed: BTreeSet<u64> = window.ranges(0).flat_map(|(low, high)| low..=high).collect();
            prop_assert_eq!(listed, model.range(horizon..).copied().collect::<BTreeSet<_>>());
        }
    }
}
