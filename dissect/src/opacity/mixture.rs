//! Finds an uneven distribution over many samples: e-values of Dirichlet mixtures.
//!
//! The probability that a Dirichlet(a) mixture gives a byte string depends only on its byte counts,
//! `Γ(256a)/Γ(256a+n) · Π Γ(a+c)/Γ(a)`; divided by `256^-n` it is an e-value. The average of e-values
//! is an e-value, whatever their dependence. Counts are all that is kept of the samples.

use spec::wire::short::FIRST_MASK;

use super::approximate;
use super::law::{KemLaw, coefficients};

/// Concentrations of the order-0 mixtures, from "few byte values" to "slightly uneven".
const CONCENTRATIONS: [f64; 4] = [1.0 / 256.0, 1.0 / 16.0, 0.5, 4.0];
/// Concentration of the order-1 mixture, which must learn 256 distributions: the first of those above.
const ORDER_1: usize = 0;
/// Columns judged, from the front of the samples.
const COLUMNS: usize = 64;
/// Columns judged from their end: the tag, and what may be padding before it.
const LAST_COLUMNS: usize = 32;
/// A column of fewer samples is not judged.
const COLUMN_LEN_MIN: u64 = 16;

/// A test of many samples: what it looks at, and log2 of its e-value.
pub(super) type Test = (String, f64);

/// The mixtures, with the values of the gamma function they need most.
#[derive(Debug)]
pub(super) struct Mixtures([Rising; CONCENTRATIONS.len()]);

/// `ln Γ(a+c)/Γ(a)` for small c.
#[derive(Debug)]
struct Rising {
    concentration: f64,
    small: [f64; 64],
}

/// The bytes of all samples of one kind.
#[derive(Debug)]
pub(super) struct Pool {
    bytes: [u64; 256],
    differences: [u64; 256],
    /// How often each byte follows each, 256 counts for each first one.
    pairs: Vec<u32>,
    columns: Vec<[u32; 256]>,
    last_columns: Vec<[u32; 256]>,
}

impl Pool {
    pub(super) fn new() -> Self {
        let (bytes, differences) = ([0; 256], [0; 256]);
        Self { bytes, differences, pairs: vec![0; 256 * 256], columns: Vec::new(), last_columns: Vec::new() }
    }

    pub(super) fn take(&mut self, sample: &[u8]) {
        for byte in sample {
            tally(&mut self.bytes, *byte);
        }
        for (a, b) in sample.iter().zip(sample.iter().skip(1)) {
            tally(&mut self.differences, a ^ b);
            if let Some(count) = self.pairs.get_mut(usize::from(*a) << 8 | usize::from(*b)) {
                *count += 1;
            }
        }
        tally_columns(&mut self.columns, sample.iter().take(COLUMNS));
        tally_columns(&mut self.last_columns, sample.iter().rev().take(LAST_COLUMNS));
    }

    pub(super) fn tests(&self, kind: &str, mixtures: &Mixtures) -> Vec<Test> {
        let whole = (format!("uneven bytes over all {kind}s"), self.pooled_bits(mixtures));
        let front = self.columns.iter().enumerate().map(|(number, column)| (number, "", column));
        let back =
            self.last_columns.iter().enumerate().map(|(number, column)| (number, " from the end", column));
        let judged = front.chain(back).filter(|(_, _, column)| {
            column.iter().map(|count| u64::from(*count)).sum::<u64>() >= COLUMN_LEN_MIN
        });
        let columns = judged.map(|(number, edge, column)| {
            (format!("uneven byte {number}{edge} of all {kind}s"), mixtures.averaged_bits(column))
        });
        [whole].into_iter().chain(columns).collect()
    }

    /// Byte frequencies, frequencies after each byte, and frequencies of the XOR of neighbours.
    fn pooled_bits(&self, mixtures: &Mixtures) -> f64 {
        let order_1 = self.pairs.chunks(256).map(|row| mixtures.bits(ORDER_1, row)).sum();
        let order_0 = mixtures.each(&self.bytes).into_iter().chain(mixtures.each(&self.differences));
        let evidence: Vec<f64> = order_0.chain([order_1]).collect();
        log2_mean(&evidence)
    }
}

/// Counts one byte in each column.
fn tally_columns<'a>(columns: &mut Vec<[u32; 256]>, bytes: impl ExactSizeIterator<Item = &'a u8>) {
    if columns.len() < bytes.len() {
        columns.resize(bytes.len(), [0; 256]);
    }
    for (column, byte) in columns.iter_mut().zip(bytes) {
        if let Some(count) = column.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
}

/// The six masked bits in the first byte of SHORT datagrams.
#[derive(Debug)]
pub(super) struct MaskedBits([u64; 64]);

impl MaskedBits {
    pub(super) const fn new() -> Self {
        Self([0; 64])
    }

    pub(super) fn take(&mut self, first_byte: u8) {
        tally(&mut self.0, first_byte & FIRST_MASK);
    }

    pub(super) fn tests(&self, mixtures: &Mixtures) -> Option<Test> {
        let any = self.0.iter().any(|count| *count > 0);
        any.then(|| ("uneven masked bits of the first byte".to_owned(), mixtures.averaged_bits(&self.0)))
    }
}

/// The ML-KEM ciphertexts: do their coefficients have the law that compression gives them?
#[derive(Debug)]
pub(super) struct KemPool {
    coefficients: Vec<u32>,
    /// log2 of the probability of all ciphertexts under their law divided by the uniform one.
    likelihood_bits: f64,
}

impl KemPool {
    pub(super) fn new() -> Self {
        Self { coefficients: vec![0; 1024], likelihood_bits: 0.0 }
    }

    pub(super) fn take(&mut self, law: &KemLaw, ciphertext: &[u8]) {
        self.likelihood_bits += law.likelihood_bits(ciphertext);
        for coefficient in coefficients(ciphertext) {
            if let Some(count) = self.coefficients.get_mut(usize::from(coefficient)) {
                *count += 1;
            }
        }
    }

    /// The alternatives are uniform bytes, which are no ciphertexts, and unevenness of any other kind in the
    /// first part beside a uniform second one.
    pub(super) fn tests(&self, mixtures: &Mixtures) -> Option<Test> {
        let any = self.coefficients.iter().any(|count| *count > 0);
        let alternatives: Vec<f64> = [0.0].into_iter().chain(mixtures.each(&self.coefficients)).collect();
        let evidence = log2_mean(&alternatives) - self.likelihood_bits;
        any.then(|| ("coefficients that ML-KEM ciphertexts do not have".to_owned(), evidence))
    }
}

impl Mixtures {
    pub(super) fn new() -> Self {
        Self(CONCENTRATIONS.map(Rising::new))
    }

    /// log2 of the averaged e-value of the counts of all symbols.
    fn averaged_bits<C: Copy + Into<u64>>(&self, counts: &[C]) -> f64 {
        log2_mean(&self.each(counts))
    }

    /// log2 of the e-value of the counts under each mixture.
    fn each<C: Copy + Into<u64>>(&self, counts: &[C]) -> [f64; CONCENTRATIONS.len()] {
        std::array::from_fn(|index| self.bits(index, counts))
    }

    /// log2 of the e-value of the counts under one mixture.
    fn bits<C: Copy + Into<u64>>(&self, index: usize, counts: &[C]) -> f64 {
        let Some(rising) = self.0.get(index) else { return 0.0 };
        let symbols = approximate(counts.len());
        let (mut total, mut product) = (0.0, 0.0);
        for count in counts.iter().map(|count| (*count).into()).filter(|count| *count > 0) {
            total += float(count);
            product += rising.ln(count);
        }
        let whole = symbols * rising.concentration;
        let ln_probability = ln_gamma(whole) - ln_gamma(whole + total) + product;
        ln_probability / std::f64::consts::LN_2 + symbols.log2() * total
    }
}

impl Rising {
    fn new(concentration: f64) -> Self {
        let mut small = [0.0; 64];
        for (value, count) in small.iter_mut().zip(0_u32..) {
            *value = ln_gamma(concentration + f64::from(count)) - ln_gamma(concentration);
        }
        Self { concentration, small }
    }

    fn ln(&self, count: u64) -> f64 {
        let small = usize::try_from(count).ok().and_then(|count| self.small.get(count));
        let any = || ln_gamma(self.concentration + float(count)) - ln_gamma(self.concentration);
        small.copied().unwrap_or_else(any)
    }
}

fn tally(counts: &mut [u64], symbol: u8) {
    if let Some(count) = counts.get_mut(usize::from(symbol)) {
        *count += 1;
    }
}

fn float(count: u64) -> f64 {
    approximate(usize::try_from(count).unwrap_or(usize::MAX))
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
/// argument above 10, where four terms are exact to 12 digits.
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
    fn one_byte_is_no_evidence_and_equal_bytes_are() {
        let mut counts = [0_u64; 256];
        counts[7] = 1;
        assert!(Mixtures::new().averaged_bits(&counts).abs() < 1e-6);
        counts[7] = 100;
        assert!(Mixtures::new().averaged_bits(&counts) > 300.0);
    }

    /// Under one concentration the probabilities of the next byte add up to 1.
    #[test]
    fn a_mixture_is_a_distribution() {
        let mixtures = Mixtures::new();
        let mut counts = [0_u64; 256];
        counts[1] = 3;
        counts[200] = 90;
        for index in 0..CONCENTRATIONS.len() {
            let before = mixtures.bits(index, &counts);
            let next = |byte: usize| {
                let mut counts = counts;
                counts[byte] += 1;
                (mixtures.bits(index, &counts) - before).exp2() / 256.0
            };
            let sum: f64 = (0..256).map(next).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        }
    }
}
