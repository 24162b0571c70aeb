//! Finds an uneven distribution over many samples: e-values of Dirichlet mixtures.
//!
//! The probability that a Dirichlet(a) mixture gives a byte string depends only on its byte counts,
//! `Γ(256a)/Γ(256a+n) · Π Γ(a+c)/Γ(a)`; divided by `256^-n` it is an e-value. The average of e-values
//! is an e-value, whatever their dependence.

use spec::wire::short::FIRST_MASK;

use super::approximate;

/// Concentrations of the order-0 mixtures, from "few byte values" to "slightly uneven".
const CONCENTRATIONS: [f64; 4] = [1.0 / 256.0, 1.0 / 16.0, 0.5, 4.0];
/// Concentration of the order-1 mixture, which must learn 256 distributions.
const ORDER_1_CONCENTRATION: f64 = 1.0 / 256.0;

/// log2 of the averaged e-value of all samples together: byte frequencies, frequencies after each
/// byte, and frequencies of the XOR of neighbours.
pub(super) fn pooled_bits(samples: &[&[u8]]) -> f64 {
    let mut bytes = [0_u64; 256];
    let mut differences = [0_u64; 256];
    let mut pairs = vec![[0_u64; 256]; 256];
    for sample in samples {
        tally(&mut bytes, sample.iter().copied());
        let neighbours = || sample.iter().zip(sample.iter().skip(1));
        tally(&mut differences, neighbours().map(|(a, b)| a ^ b));
        for (a, b) in neighbours() {
            if let Some(row) = pairs.get_mut(usize::from(*a)) {
                tally(row, [*b].into_iter());
            }
        }
    }
    let order_1: f64 = pairs.iter().map(|row| dirichlet_bits(row, ORDER_1_CONCENTRATION)).sum();
    let order_0 =
        |counts: &[u64; 256]| CONCENTRATIONS.map(|concentration| dirichlet_bits(counts, concentration));
    let evidence: Vec<f64> =
        order_0(&bytes).into_iter().chain(order_0(&differences)).chain([order_1]).collect();
    log2_mean(&evidence)
}

/// log2 of the averaged e-value of one column.
pub(super) fn column_bits(bytes: &[u8]) -> f64 {
    let mut counts = [0; 256];
    tally(&mut counts, bytes.iter().copied());
    log2_mean(&CONCENTRATIONS.map(|concentration| dirichlet_bits(&counts, concentration)))
}

/// The same of the six masked bits in the first byte of SHORT datagrams.
pub(super) fn first_byte_bits(bytes: &[u8]) -> f64 {
    let mut counts = [0; 64];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(byte & FIRST_MASK)) {
            *count += 1;
        }
    }
    log2_mean(&CONCENTRATIONS.map(|concentration| dirichlet_bits(&counts, concentration)))
}

fn tally(counts: &mut [u64; 256], bytes: impl Iterator<Item = u8>) {
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
}

/// log2 of the e-value of the counts of all symbols under one Dirichlet mixture.
fn dirichlet_bits(counts: &[u64], concentration: f64) -> f64 {
    let symbols = approximate(counts.len());
    let counts: Vec<f64> =
        counts.iter().map(|count| approximate(usize::try_from(*count).unwrap_or(usize::MAX))).collect();
    let total: f64 = counts.iter().sum();
    let single = ln_gamma(concentration);
    let seen = counts.iter().filter(|&&count| count > 0.0);
    let product: f64 = seen.map(|count| ln_gamma(concentration + count) - single).sum();
    let whole = symbols * concentration;
    let ln_probability = ln_gamma(whole) - ln_gamma(whole + total) + product;
    ln_probability / std::f64::consts::LN_2 + symbols.log2() * total
}

/// log2 of the mean of numbers given by their log2.
fn log2_mean(bits: &[f64]) -> f64 {
    let highest = bits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !highest.is_finite() {
        return 0.0;
    }
    let sum: f64 = bits.iter().map(|value| (value - highest).exp2()).sum();
    highest + (sum / approximate(bits.len())).log2()
}

/// The logarithm of the gamma function for positive arguments: Stirling's series, after moving the
/// argument above 10, where three terms are exact to 12 digits.
fn ln_gamma(mut x: f64) -> f64 {
    let mut below = 1.0;
    while x < 10.0 {
        below *= x;
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)));
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - below.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gamma_at_known_points() {
        for (x, factorial) in [(1.0, 1.0), (2.0, 1.0), (5.0, 24.0), (11.0, 3_628_800.0)] {
            assert!((ln_gamma(x) - f64::ln(factorial)).abs() < 1e-10, "{x}");
        }
        assert!((ln_gamma(0.5) - std::f64::consts::PI.sqrt().ln()).abs() < 1e-10);
    }

    #[test]
    fn one_byte_is_no_evidence() {
        assert!(column_bits(b"x").abs() < 1e-6);
    }

    #[test]
    fn equal_bytes_are() {
        assert!(column_bits(&[7; 32]) > 100.0);
    }
}
