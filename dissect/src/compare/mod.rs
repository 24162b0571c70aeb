//! Two captures of the same script with different contents must look alike: level E6.
//!
//! This is the leakage assessment of hardware (fixed against random input, Goodwill and others, 2011) moved to
//! the wire: for everything an observer sees, a two-sample test by permutation, which needs no assumption about
//! distributions. What is equal is "content-independent at this sample size", and the size says how much a
//! difference must be to be found.
//!
//! Two kinds of things are compared:
//!
//! * of single **datagrams** their lengths and each of their bytes: the n-th one of a kind and direction in A
//!   is paired with the n-th in B, and the two are exchanged at random;
//! * of whole **captures** numbers and times of datagrams, which depend on the load of machines as much as on
//!   content: the captures are relabelled, so that it takes several of each to decide.
//!
//! Ids and keys differ from session to session: each connection id counts once, and handshake messages are
//! compared where there are enough sessions.

mod capture_test;
mod observe;
mod pair_test;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::noise::Noise;
pub use observe::{Observed, Stream};

/// The chance that contents which make no difference seem to make one; half of it for each kind of test.
pub const ALPHA: f64 = 0.01;
/// Fewer pairs of datagrams are not compared.
const PAIRS_MIN: usize = 16;
/// Tests that are repeated with as many permutations as the limit takes.
const REFINED: usize = 8;
/// Permutations of the first look at each observable.
const FIRST_LOOK: u32 = 999;
const SEED: u64 = 0xc0_4fa2;

/// What the comparison found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// Captures of each content.
    pub captures: [usize; 2],
    /// Established sessions in each group.
    pub sessions: [u64; 2],
    /// What was compared, most different first.
    pub compared: Vec<Compared>,
    /// What could not be compared, in words.
    pub undecided: Vec<String>,
    /// What a difference must be to be found, in words.
    pub detectable: Vec<String>,
}

/// One thing an observer sees, compared between the groups.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// What it is.
    pub observable: String,
    /// Pairs of datagrams, or captures.
    pub samples: usize,
    /// The chance of a difference like this when content makes none.
    pub p_value: f64,
    /// The same for all comparisons of the kind together, by Holm's method.
    pub adjusted_p_value: f64,
    /// Whether content makes a difference.
    pub differs: bool,
}

/// What follows from a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Nothing that an observer sees depends on the content, as far as so many samples show.
    ContentIndependent,
    /// Something does.
    Differs,
    /// There was not enough to compare.
    Inconclusive,
}

/// Compares what was observed with content A and with content B.
#[must_use]
pub fn compare(a: &[Observed], b: &[Observed]) -> Comparison {
    let mut comparison = Comparison {
        captures: [a.len(), b.len()],
        sessions: [a, b].map(|group| group.iter().map(|observed| observed.established).sum()),
        ..Comparison::default()
    };
    comparison.compare_datagrams(a, b);
    comparison.compare_captures(a, b);
    comparison.compared.sort_by(|x, y| {
        x.adjusted_p_value.total_cmp(&y.adjusted_p_value).then(x.p_value.total_cmp(&y.p_value))
    });
    comparison
}

impl Comparison {
    /// What follows.
    #[must_use]
    pub fn answer(&self) -> Answer {
        if self.compared.iter().any(|compared| compared.differs) {
            Answer::Differs
        } else if self.compared.is_empty() || self.sessions.contains(&0) {
            Answer::Inconclusive
        } else {
            Answer::ContentIndependent
        }
    }

    fn compare_datagrams(&mut self, a: &[Observed], b: &[Observed]) {
        let mut tests = Vec::new();
        for stream in streams(a, b) {
            let pairs = observe::pairs(a, b, stream);
            if pairs.len() < PAIRS_MIN {
                let text = format!("{stream}: {} pairs, {PAIRS_MIN} are needed", pairs.len());
                self.undecided.push(text);
                continue;
            }
            let observables = pair_test::observables(stream, &pairs);
            tests.extend(observables);
        }
        // What no relabelling changes cannot differ, and is left out; that does not depend on the labels.
        tests.retain(|test| test.samples() >= PAIRS_MIN && test.varies());
        let limit = ALPHA / 2.0 / float(tests.len().max(1));
        let mut results: Vec<(pair_test::PairTest, f64)> = tests
            .into_iter()
            .zip(0_u64..)
            .map(|(test, number)| {
                let p = test.p_value(FIRST_LOOK, &mut Noise::new(SEED, number));
                (test, p)
            })
            .collect();
        results.sort_by(|(x, p), (y, q)| p.total_cmp(q).then(y.strength().total_cmp(&x.strength())));
        let enough = permutations_for(limit);
        for ((test, p), number) in results.iter_mut().take(REFINED).zip(1_u64 << 32..) {
            if *p <= 2.0 / f64::from(FIRST_LOOK + 1) {
                *p = test.p_value(enough, &mut Noise::new(SEED, number));
            }
        }
        let fewest = results.iter().map(|(test, _)| test.samples()).min();
        self.detectable.extend(fewest.map(|pairs| detectable(pairs, limit)));
        self.judge(
            results.into_iter().map(|(test, p)| (test.name().to_owned(), test.samples(), p)).collect(),
        );
    }

    fn compare_captures(&mut self, a: &[Observed], b: &[Observed]) {
        let tests = capture_test::observables(&streams(a, b), a, b);
        let needed = capture_test::captures_needed(tests.len(), ALPHA / 2.0);
        if a.len().min(b.len()) < needed {
            let text =
                format!("numbers and times of datagrams: {needed} captures of each content are needed");
            self.undecided.push(text);
            return;
        }
        let p_value = |test: capture_test::CaptureTest| {
            let p = test.p_value(&mut Noise::new(SEED, u64::MAX));
            (test.name, a.len() + b.len(), p)
        };
        self.judge(tests.into_iter().map(p_value).collect());
    }

    /// Holm's method for one kind of tests: name, samples and p-value of each.
    fn judge(&mut self, mut tests: Vec<(String, usize, f64)>) {
        tests.sort_by(|x, y| x.2.total_cmp(&y.2));
        let mut adjusted: f64 = 0.0;
        let count = tests.len();
        for (place, (observable, samples, p_value)) in tests.into_iter().enumerate() {
            adjusted = adjusted.max((p_value * float(count - place)).min(1.0));
            let differs = adjusted <= ALPHA / 2.0;
            let compared = Compared { observable, samples, p_value, adjusted_p_value: adjusted, differs };
            self.compared.push(compared);
        }
    }
}

/// All kinds of datagrams, of either group.
fn streams(a: &[Observed], b: &[Observed]) -> BTreeSet<Stream> {
    a.iter().chain(b).flat_map(Observed::streams).collect()
}

/// Enough permutations to fall below the limit with some to spare.
fn permutations_for(limit: f64) -> u32 {
    const MOST: f64 = 2_000_000.0;
    whole((2.0 / limit).min(MOST))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 200 up to 2,000,000")]
const fn whole(count: f64) -> u32 {
    count as u32
}

/// By the normal approximation: a difference of two shares that is found nine times of ten.
fn detectable(pairs: usize, limit: f64) -> String {
    // The quantile of a tail is below sqrt(2 ln(1 / tail)); 1.28 is that of 10 %.
    let deviations = (2.0 * (1.0 / limit).ln()).sqrt() + 1.28;
    let share = deviations * (1.0 / (2.0 * float(pairs))).sqrt();
    if share >= 0.5 {
        return format!("{pairs} pairs, the fewest of an observable, show only what differs nearly always");
    }
    format!(
        "with {pairs} pairs, the fewest of an observable, a bit that is set half of the time with one content is seen to differ when it is set {:.0} % of the time with the other",
        100.0 * (0.5 + share)
    )
}

/// A count as a float; exact below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts of datagrams and tests")]
const fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
