//! A two-sample test on pairs: are the values of the one side distributed like those of the other?
//!
//! If content makes no difference, the two of a pair may be exchanged. The statistic is
//! `Σ (a - b)² / (a + b)` over all values, where a and b count how often a value occurs on either side; its
//! distribution is found by exchanging pairs at random. Observables that do not differ are left early
//! (Besag and Clifford, Sequential Monte Carlo p-values, 1991).

use std::collections::BTreeMap;

use spec::limits::TAG_BYTES;

use super::float;
use super::observe::{Pairs, Stream, is_own};
use crate::noise::Noise;

/// Permutations as extreme as the data, after which a test is not worth going on with.
const ENOUGH_EXTREME: u32 = 20;

/// One observable, ready to be tested.
#[derive(Debug)]
pub(super) struct PairTest {
    name: String,
    samples: usize,
    /// The pairs with two different values, as indices into `totals`.
    unequal: Vec<(usize, usize)>,
    /// How often each value occurs on both sides.
    totals: Vec<f64>,
}

impl PairTest {
    fn new(name: String, pairs: impl Iterator<Item = (usize, usize)>) -> Self {
        let mut places: BTreeMap<usize, usize> = BTreeMap::new();
        let mut totals: Vec<f64> = Vec::new();
        let mut place = |value: usize| {
            let place = *places.entry(value).or_insert(totals.len());
            if place == totals.len() {
                totals.push(0.0);
            }
            if let Some(total) = totals.get_mut(place) {
                *total += 1.0;
            }
            place
        };
        let places: Vec<(usize, usize)> = pairs.map(|(a, b)| (place(a), place(b))).collect();
        let samples = places.len();
        let unequal = places.into_iter().filter(|(a, b)| a != b).collect();
        Self { name, samples, unequal, totals }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) const fn samples(&self) -> usize {
        self.samples
    }

    /// Whether exchanging pairs can change anything.
    pub(super) const fn varies(&self) -> bool {
        !self.unequal.is_empty()
    }

    /// The statistic by its degrees of freedom: what sorts observables that differ.
    pub(super) fn strength(&self) -> f64 {
        self.statistic(|| false, &mut vec![0.0; self.totals.len()]) / float(self.totals.len())
    }

    /// The chance of a statistic like that of the data, by at most so many permutations.
    pub(super) fn p_value(&self, permutations: u32, noise: &mut Noise) -> f64 {
        let mut differences = vec![0.0; self.totals.len()];
        let observed = self.statistic(|| false, &mut differences) - 1e-9;
        let mut coins = Coins::new(noise);
        let mut extreme = 0;
        for made in 1..=permutations {
            extreme += u32::from(self.statistic(|| coins.toss(), &mut differences) >= observed);
            if extreme == ENOUGH_EXTREME {
                return f64::from(extreme) / f64::from(made);
            }
        }
        f64::from(extreme + 1) / (f64::from(permutations) + 1.0)
    }

    fn statistic(&self, mut exchange: impl FnMut() -> bool, differences: &mut [f64]) -> f64 {
        differences.fill(0.0);
        for &(a, b) in &self.unequal {
            let (a, b) = if exchange() { (b, a) } else { (a, b) };
            if let Some(difference) = differences.get_mut(a) {
                *difference += 1.0;
            }
            if let Some(difference) = differences.get_mut(b) {
                *difference -= 1.0;
            }
        }
        differences.iter().zip(&self.totals).map(|(difference, total)| difference * difference / total).sum()
    }
}

/// Coins out of random words.
struct Coins<'a> {
    noise: &'a mut Noise,
    word: u32,
    left: u32,
}

impl<'a> Coins<'a> {
    const fn new(noise: &'a mut Noise) -> Self {
        Self { noise, word: 0, left: 0 }
    }

    fn toss(&mut self) -> bool {
        if self.left == 0 {
            (self.word, self.left) = (self.noise.word(), u32::BITS);
        }
        self.left -= 1;
        self.word >> self.left & 1 == 1
    }
}

/// Everything that is compared of the datagrams of one stream.
pub(super) fn observables(stream: Stream, pairs: &Pairs<'_>) -> Vec<PairTest> {
    let datagrams = || pairs.datagrams.iter().copied();
    let lengths = datagrams().map(|(a, b)| (a.len(), b.len()));
    let mut tests = vec![PairTest::new(format!("length of {stream}"), lengths)];
    let longest = datagrams().map(|(a, b)| a.len().min(b.len())).max().unwrap_or(0);
    for column in (0..longest).filter(|column| is_own(stream, *column)) {
        let values = datagrams().filter_map(|(a, b)| Some((*a.get(column)?, *b.get(column)?)));
        tests.push(of_bytes(format!("byte {column} of {stream}"), values));
    }
    // Tags end their datagrams, whatever the length.
    for from_end in 1..=TAG_BYTES {
        let byte =
            |datagram: &[u8]| datagram.len().checked_sub(from_end).and_then(|at| datagram.get(at).copied());
        let values = datagrams().filter_map(|(a, b)| Some((byte(a)?, byte(b)?)));
        tests.push(of_bytes(format!("byte {from_end} from the end of {stream}"), values));
    }
    for column in 0..8 {
        let values = pairs.ids.iter().filter_map(|(a, b)| Some((*a.0.get(column)?, *b.0.get(column)?)));
        tests.push(of_bytes(format!("byte {column} of the connection ids of {stream}"), values));
    }
    tests
}

fn of_bytes(name: String, values: impl Iterator<Item = (u8, u8)>) -> PairTest {
    PairTest::new(name, values.map(|(a, b)| (usize::from(a), usize::from(b))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p_value(pairs: impl Iterator<Item = (usize, usize)>) -> f64 {
        PairTest::new("test".into(), pairs).p_value(999, &mut Noise::new(1, 0))
    }

    #[test]
    fn values_that_differ_and_values_that_only_vary() {
        assert!(p_value((0..64).map(|_| (1, 2))) <= 0.001);
        assert!(p_value((0..64).map(|number| (number % 2, (number + 1) % 2))) > 0.5);
        assert!(!PairTest::new("test".into(), [(3, 3); 50].into_iter()).varies());
    }

    /// Under the null hypothesis a p-value is at most p with probability p.
    #[test]
    fn p_values_are_uniform_when_nothing_differs() {
        let mut noise = Noise::new(7, 0);
        let small = (0..400)
            .filter(|_| {
                let pairs: Vec<(usize, usize)> =
                    (0..60).map(|_| (noise.below(6) as usize, noise.below(6) as usize)).collect();
                p_value(pairs.into_iter()) <= 0.05
            })
            .count();
        assert!((5..40).contains(&small), "{small} of 400 at 5 %");
    }
}
