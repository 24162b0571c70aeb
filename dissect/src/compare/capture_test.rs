//! A two-sample test on whole captures: numbers and times, by relabelling the captures.

use std::collections::BTreeSet;

use super::float;
use super::observe::{Observed, Series, Stream};
use crate::noise::Noise;

/// Relabellings that are tried.
const PERMUTATIONS: u32 = 19_999;

/// One number of each capture.
#[derive(Debug)]
pub(super) struct CaptureTest {
    pub(super) name: String,
    a: Vec<f64>,
    b: Vec<f64>,
}

impl CaptureTest {
    /// The chance of a difference of means like that of the data.
    pub(super) fn p_value(&self, noise: &mut Noise) -> f64 {
        let observed = difference(&self.a, &self.b) - 1e-9;
        let mut all: Vec<f64> = self.a.iter().chain(&self.b).copied().collect();
        let extreme = (0..PERMUTATIONS).filter(|_| {
            noise.shuffle(&mut all);
            let (a, b) = all.split_at(self.a.len());
            difference(a, b) >= observed
        });
        let extreme = f64::from(u32::try_from(extreme.count()).unwrap_or(u32::MAX));
        (extreme + 1.0) / f64::from(PERMUTATIONS + 1)
    }
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / float(values.len().max(1));
    (mean(a) - mean(b)).abs()
}

type Number = (&'static str, fn(&Series) -> f64);

/// Everything that is compared of whole captures.
pub(super) fn observables(streams: &BTreeSet<Stream>, a: &[Observed], b: &[Observed]) -> Vec<CaptureTest> {
    const NUMBERS: [Number; 3] = [
        ("number", |series| approximate(series.count)),
        ("bytes", |series| approximate(series.bytes)),
        ("mean pause", mean_pause_ns),
    ];
    let of = |stream, number: fn(&Series) -> f64, group: &[Observed]| {
        group.iter().map(|observed| observed.series(stream).map_or(0.0, number)).collect()
    };
    let tests = streams.iter().flat_map(|&stream| NUMBERS.map(|number| (stream, number)));
    tests
        .map(|(stream, (name, number))| CaptureTest {
            name: format!("{name} of {stream}"),
            a: of(stream, number, a),
            b: of(stream, number, b),
        })
        .filter(|test| test.a.iter().chain(&test.b).any(|value| Some(value) != test.a.first()))
        .collect()
}

fn mean_pause_ns(series: &Series) -> f64 {
    let span = u64::try_from(series.span_ns).unwrap_or(u64::MAX);
    approximate(span) / approximate(series.count.saturating_sub(1).max(1))
}

fn approximate(count: u64) -> f64 {
    float(usize::try_from(count).unwrap_or(usize::MAX))
}

/// How many captures of each content it takes for the rarest labelling to be rarer than the limit of so many
/// tests together.
pub(super) fn captures_needed(tests: usize, alpha: f64) -> usize {
    let limit = alpha / float(tests.max(1));
    // C(2n, n) labellings, of which a labelling and its opposite are as extreme.
    let mut labellings = 1.0;
    for captures in 1..64 {
        let n = float(captures);
        labellings *= (2.0 * n) * (2.0 * n - 1.0) / (n * n);
        if 2.0 / labellings <= limit {
            return captures;
        }
    }
    64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_captures_decide_nothing() {
        assert_eq!(captures_needed(1, 0.05), 4, "2 / C(8, 4) is 0.029");
        assert!(captures_needed(20, 0.005) >= 8);
    }

    #[test]
    fn means_that_differ_and_means_that_do_not() {
        let test = |b: &[f64]| {
            let a = vec![1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0, 2.0];
            CaptureTest { name: String::new(), a, b: b.to_vec() }.p_value(&mut Noise::new(1, 1))
        };
        assert!(test(&[9.0, 8.0, 9.0, 8.0, 9.0, 8.0, 9.0, 8.0]) < 0.001);
        assert!(test(&[3.0, 2.0, 1.0, 3.0, 2.0, 1.0, 3.0, 1.0]) > 0.5);
    }
}
