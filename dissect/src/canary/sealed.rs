//! Where the canaries should be: inside what was sealed, as a key log shows it. A secret that is nowhere in
//! clear and nowhere sealed may only not have been sent.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;

use super::{Canary, CanaryReport};

/// Counts in how many opened plaintexts each canary occurs as it is.
#[derive(Debug, Default)]
pub(crate) struct Sealed {
    /// `None` when the canaries are too many or too long.
    automaton: Option<AhoCorasick>,
    counts: Vec<u64>,
}

impl Sealed {
    pub(crate) fn new(canaries: &[Canary]) -> Self {
        let automaton = AhoCorasick::new(canaries.iter().map(|canary| &canary.secret)).ok();
        Self { automaton, counts: vec![0; canaries.len()] }
    }

    /// Takes what a sealed datagram held.
    pub(crate) fn take(&mut self, plaintext: &[u8]) {
        let Some(automaton) = &self.automaton else { return };
        let found: BTreeSet<usize> =
            automaton.find_overlapping_iter(plaintext).map(|hit| hit.pattern().as_usize()).collect();
        for canary in found {
            if let Some(count) = self.counts.get_mut(canary) {
                *count += 1;
            }
        }
    }

    /// Adds the counts to the report of the search.
    pub(crate) fn report(self, report: &mut CanaryReport) {
        if self.automaton.is_some() {
            for (result, count) in report.canaries.iter_mut().zip(self.counts) {
                result.in_sealed = Some(count);
            }
        }
    }
}
