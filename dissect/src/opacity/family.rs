//! Many tests, one false-alarm rate: limits by Bonferroni, decided at the end.
//!
//! How many tests a capture needs is known when its last packet was read. Evidence does not depend on the
//! limit, so nothing has to be spent on tests that might still come (an α-spending sequence would cost the
//! thousandth packet 10 bits more than this), and no pass is needed that only counts: the strongest tests
//! are kept, and compared with the limit when their number is known. That number depends on how much was
//! sent and not on what the bytes are, so that the limit is as good as one set beforehand.

use super::{Alarm, approximate};

/// Tests kept of a family; weaker ones are counted and forgotten.
const KEPT: usize = 64;

/// The strongest of many tests.
#[derive(Debug, Default)]
pub(super) struct Family {
    tests: u64,
    /// Strongest first.
    strongest: Vec<Alarm>,
}

impl Family {
    /// Counts a test, and keeps it if it is among the strongest; of equals the earlier.
    pub(super) fn take(&mut self, evidence_bits: f64, packet: Option<usize>, model: impl FnOnce() -> String) {
        self.tests += 1;
        let weakest = self.strongest.last().map_or(0.0, |alarm| alarm.evidence_bits);
        if evidence_bits <= 0.0 || (self.strongest.len() == KEPT && evidence_bits <= weakest) {
            return;
        }
        let place = self.strongest.partition_point(|alarm| alarm.evidence_bits >= evidence_bits);
        self.strongest.insert(place, Alarm { packet, model: model(), evidence_bits, limit_bits: 0.0 });
        self.strongest.truncate(KEPT);
    }

    /// log2 of the number of tests.
    pub(super) fn tests_bits(&self) -> f64 {
        approximate(usize::try_from(self.tests.max(1)).unwrap_or(usize::MAX)).log2()
    }

    /// log2 of the strongest evidence.
    pub(super) fn strongest_bits(&self) -> f64 {
        self.strongest.first().map_or(0.0, |alarm| alarm.evidence_bits)
    }

    /// The tests that reach a limit.
    pub(super) fn above(self, limit_bits: f64) -> impl Iterator<Item = Alarm> {
        let reached = self.strongest.into_iter().filter(move |alarm| alarm.evidence_bits >= limit_bits);
        reached.map(move |alarm| Alarm { limit_bits, ..alarm })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_are_kept_and_all_are_counted() {
        let mut family = Family::default();
        for number in 0..1024_u16 {
            family.take(f64::from(number % 512), Some(number.into()), || "test".into());
        }
        assert_eq!((family.tests_bits(), family.strongest_bits()), (10.0, 511.0));
        let packets: Vec<usize> = family.above(510.0).filter_map(|alarm| alarm.packet).collect();
        assert_eq!(packets, [511, 1023, 510, 1022]);
    }
}
