//! Counts in how many opened datagrams each canary occurs as it is: what was not sent cannot leak.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};

use super::{Canary, CanaryReport};

/// Counts canaries in plaintexts.
#[derive(Debug, Default)]
pub(crate) struct Sealed {
    automaton: Option<AhoCorasick>,
    counts: Vec<u64>,
}

impl Sealed {
    pub(crate) fn new(canaries: &[Canary]) -> Self {
        let secrets = canaries.iter().map(|canary| &canary.secret);
        let automaton = AhoCorasick::builder().match_kind(MatchKind::Standard).build(secrets).ok();
        Self { automaton, counts: vec![0; canaries.len()] }
    }

    /// Takes in the plaintext of one datagram.
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

    /// Enters the counts into the report on the same canaries.
    pub(crate) fn finish(self, report: &mut CanaryReport) {
        for (result, count) in report.canaries.iter_mut().zip(self.counts) {
            result.in_sealed = Some(count);
        }
    }
}
