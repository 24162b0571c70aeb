//! One deadline a session, on a wheel of milliseconds: setting one costs the same however many there are.

use super::sessions::SessionId;
use alloc::vec::Vec;
use spec::time::Instant;

/// Slots of the wheel; what lies further ahead waits in the last one and is set again from there.
const SLOTS: usize = 4096;
/// Time a slot stands for, in microseconds.
const TICK_US: u64 = 1000;
const WORDS: usize = SLOTS / 64;

/// The tick at which a deadline has passed.
const fn tick(at: Instant) -> u64 {
    at.0.div_ceil(TICK_US)
}

/// When sessions want to be woken, to the millisecond, and never too early.
#[derive(Debug)]
pub(super) struct Wheel {
    slots: Vec<Vec<SessionId>>,
    /// One bit a slot that is not empty.
    used: [u64; WORDS],
    /// The tick up to which all has been taken out.
    now: u64,
    /// What was taken out of a slot last.
    taken: Vec<SessionId>,
    /// The memory of slots that were emptied, for those that are filled next.
    spare: Vec<Vec<SessionId>>,
}

impl Default for Wheel {
    fn default() -> Self {
        Self {
            slots: core::iter::repeat_with(Vec::new).take(SLOTS).collect(),
            used: [0; WORDS],
            now: 0,
            taken: Vec::new(),
            spare: Vec::new(),
        }
    }
}

impl Wheel {
    /// Sets the deadline `at` for a session that is in the wheel at `armed` or not at all; where it is now. A
    /// later deadline does not move it: once its slot comes, it is set again.
    pub(super) fn arm(&mut self, id: SessionId, at: Instant, armed: Option<u64>) -> u64 {
        let wanted = tick(at).clamp(self.now + 1, self.now + SLOTS as u64 - 1);
        if let Some(armed) = armed.filter(|armed| *armed <= wanted && *armed > self.now) {
            return armed;
        }
        let slot = place(wanted);
        if self.slots[slot].capacity() == 0
            && let Some(spare) = self.spare.pop()
        {
            self.slots[slot] = spare;
        }
        self.slots[slot].push(id);
        self.used[slot / 64] |= 1 << (slot % 64);
        wanted
    }

    /// The earliest time at which a session is to be looked at.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let first = place(self.now + 1);
        let (word, bit) = (first / 64, first % 64);
        let slot_in = |at: usize, bits: u64| (bits != 0).then(|| at * 64 + bits.trailing_zeros() as usize);
        let here = slot_in(word, self.used[word] & (u64::MAX << bit));
        let after = (1..=WORDS).map(|step| (word + step) % WORDS);
        let slot = here.or_else(|| after.into_iter().find_map(|at| slot_in(at, self.used[at])))?;
        let ahead = (slot + SLOTS - first) % SLOTS;
        Some(Instant((self.now + 1 + ahead as u64) * TICK_US))
    }

    /// Takes out the sessions of the next slot that has come by `now`, with its tick; `None` when there is none
    /// left. Each is to be looked at: it may be gone, or be armed elsewhere by now.
    pub(super) fn take(&mut self, now: Instant) -> Option<(u64, impl Iterator<Item = SessionId> + '_)> {
        let Some(at) = self.deadline().filter(|at| *at <= now) else {
            self.now = self.now.max(now.0 / TICK_US);
            return None;
        };
        self.now = at.0 / TICK_US;
        let slot = place(self.now);
        self.used[slot / 64] &= !(1 << (slot % 64));
        let emptied = core::mem::replace(&mut self.taken, core::mem::take(&mut self.slots[slot]));
        if emptied.capacity() > 0 {
            self.spare.push(emptied);
        }
        Some((self.now, self.taken.drain(..)))
    }
}

fn place(tick: u64) -> usize {
    usize::try_from(tick % SLOTS as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    fn after(ms: u64) -> Instant {
        Instant(ms * TICK_US)
    }

    #[test]
    fn a_deadline_is_met_to_the_millisecond_and_never_early() {
        let (mut wheel, id) = (Wheel::default(), SessionId::test(1));
        assert_eq!(wheel.deadline(), None);
        let armed = wheel.arm(id, Instant(2_500), None);
        assert_eq!((armed, wheel.deadline()), (3, Some(after(3))));
        // A later one stays where it is; an earlier one is set beside it.
        assert_eq!(wheel.arm(id, Instant(9_000), Some(armed)), 3);
        assert_eq!(wheel.arm(id, Instant(1_000), Some(armed)), 1);
        assert!(wheel.take(Instant(999)).is_none());
        assert_eq!(wheel.take(after(1)).unwrap().1.collect::<Vec<_>>(), [id]);
        assert_eq!(wheel.take(after(3)).unwrap().0, 3);
        assert_eq!(wheel.deadline(), None);
    }

    #[test]
    fn what_is_far_ahead_is_looked_at_on_the_way() {
        let (mut wheel, id) = (Wheel::default(), SessionId::test(1));
        assert_eq!(wheel.arm(id, after(600_000), None), 4095);
        assert_eq!(wheel.take(after(4095)).unwrap().0, 4095);
        assert_eq!(wheel.arm(id, after(600_000), None), 8190);
    }

    proptest! {
        /// Driven as sessions drive it, every deadline is met in time, whatever the others are.
        #[test]
        fn nobody_is_forgotten(deadlines in prop::collection::vec(0u64..20_000, 1..40)) {
            let mut wheel = Wheel::default();
            let mut armed = BTreeMap::new();
            let mut open: BTreeMap<SessionId, u64> = (0u32..).map(SessionId::test).zip(deadlines).collect();
            for (id, at) in &open {
                armed.insert(*id, wheel.arm(*id, after(*at), None));
            }
            while let Some(now) = wheel.deadline() {
                let (tick, ids) = wheel.take(now).map(|(tick, ids)| (tick, ids.collect::<Vec<_>>())).unwrap();
                for id in ids {
                    if armed.get(&id) != Some(&tick) {
                        continue;
                    }
                    let at = open[&id];
                    if at <= tick {
                        prop_assert!(tick <= at.max(1), "woken at {tick} for {at}");
                        open.remove(&id);
                    } else {
                        armed.insert(id, wheel.arm(id, after(at), None));
                    }
                }
            }
            prop_assert!(open.is_empty());
        }
    }
}
