//! Finds a stretch of structure that begins and ends anywhere inside a sample.
//!
//! For a model with byte distribution q the Shiryaev–Roberts recursion
//! `R(t) = (R(t-1) + 1) · q(b(t)) / p(b(t))` adds up the likelihood ratios of all stretches that end at t,
//! where p is the law the sample should obey. `M(t) = (R(t) + n - t) / n` is a martingale of mean 1 under
//! that law, so by Ville's inequality `P(sup M ≥ c) ≤ 1/c`, and `R/n` is never above it. The supremum is no
//! e-value; tests are combined by Bonferroni.

use std::iter;

use super::approximate;
use super::model::{MODELS, Model};

/// Where the running product is rescaled, to stay inside the range of a float.
const RESCALE: f64 = 1e150;

/// log2 of the evidence of each model against a sample's law; 0 for an empty sample.
///
/// `odds` are the uniform probability of each byte divided by that under the law; empty for uniform bytes.
pub(super) fn evidence_bits(models: &[Model; MODELS], bytes: &[u8], odds: &[f32]) -> [f64; MODELS] {
    let suprema = if odds.is_empty() {
        suprema(models, bytes, iter::repeat(1.0))
    } else {
        suprema(models, bytes, odds.iter().copied())
    };
    let len_bits = approximate(bytes.len().max(1)).log2();
    let mut evidence = [0.0; MODELS];
    for ((evidence, supremum), model) in evidence.iter_mut().zip(suprema).zip(models) {
        let bits = if supremum.is_finite() { supremum.log2() } else { long_bits(model, bytes, odds) };
        *evidence = (bits - len_bits).max(0.0);
    }
    evidence
}

/// The highest R of each model, all models at once; infinite when a float of 32 bits cannot hold it. Its
/// rounding changes the logarithm by less than 0.02 in the longest datagram.
fn suprema(models: &[Model; MODELS], bytes: &[u8], odds: impl Iterator<Item = f32>) -> [f64; MODELS] {
    let mut sums = [0.0_f32; MODELS];
    let mut best = [0.0_f32; MODELS];
    let mut previous = None;
    for (&byte, odds) in bytes.iter().zip(odds) {
        for ((sum, best), model) in sums.iter_mut().zip(&mut best).zip(models) {
            *sum = (*sum + 1.0) * ratio(model, previous, byte) * odds;
            *best = best.max(*sum);
        }
        previous = Some(byte);
    }
    best.map(f64::from)
}

/// log2 of the highest R of one model, however high.
fn long_bits(model: &Model, bytes: &[u8], odds: &[f32]) -> f64 {
    // The true R is `sum * 2^scale`; `one` is the number 1 in that scale.
    let (mut sum, mut one, mut scale) = (0.0_f64, 1.0_f64, 0.0_f64);
    let mut best = 0.0_f64;
    let mut previous = None;
    for (&byte, odds) in bytes.iter().zip(odds.iter().copied().chain(iter::repeat(1.0))) {
        sum = (sum + one) * f64::from(ratio(model, previous, byte)) * f64::from(odds);
        if sum > RESCALE {
            sum /= RESCALE;
            one /= RESCALE;
            scale += RESCALE.log2();
        }
        best = best.max(sum.log2() + scale);
        previous = Some(byte);
    }
    best
}

/// The factor of a byte; a difference needs two bytes, so that the first one says nothing.
fn ratio(model: &Model, previous: Option<u8>, byte: u8) -> f32 {
    match (model.of_differences, previous) {
        (false, _) => model.ratio(previous, byte),
        (true, Some(previous)) => model.ratio(None, byte ^ previous),
        (true, None) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::models;
    use super::*;

    #[test]
    fn a_long_run_does_not_leave_the_range_of_a_float() {
        let evidence = evidence_bits(&models(), &[0; 100_000], &[]);
        let highest = evidence.iter().copied().fold(0.0, f64::max);
        assert!(highest.is_finite() && highest > 500_000.0, "{highest}");
    }

    /// Both ways to compute the supremum are one.
    #[test]
    fn single_precision_is_enough() {
        let text = b"a way of computing it";
        let models = models();
        let fast = suprema(&models, text, iter::repeat(1.0));
        for (model, supremum) in models.iter().zip(fast) {
            let exact = long_bits(model, text, &[]);
            assert!((supremum.log2().max(0.0) - exact).abs() < 1e-4, "{}: {exact}", model.name);
        }
    }
}
