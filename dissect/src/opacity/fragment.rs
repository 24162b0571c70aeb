//! Finds a stretch of structure that begins and ends anywhere inside a sample.
//!
//! For a model with byte distribution q the Shiryaev–Roberts recursion
//! `R(t) = (R(t-1) + 1) · 256 q(b(t))` adds up the likelihood ratios of all stretches that end at t.
//! `M(t) = (R(t) + n - t) / n` is a martingale of mean 1 under uniform bytes, so by Ville's inequality
//! `P(sup M ≥ c) ≤ 1/c`. The supremum is no e-value; tests are combined by Bonferroni.

use super::approximate;

/// Weight of the uniform distribution in every model, so that one odd byte does not end a stretch.
const SLACK: f64 = 0.02;
/// A coefficient of 10 bits of an ML-KEM ciphertext is at most 1.23 times likelier than a uniform one, and
/// a byte touches at most two; the one bit that X25519 keeps zero costs less than their other 31 bytes pay.
/// Multiplied by this, a ratio has no greater mean than under uniform bytes.
pub(super) const KEY_SHARE_HANDICAP: f64 = 0.66;
/// Where the running product is rescaled, to stay inside the range of a float.
const RESCALE: f64 = 1e150;

/// A distribution of bytes, over the sample or over the XOR of neighbours.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) name: &'static str,
    of_differences: bool,
    /// `256 q(b)` for each byte.
    ratios: [f64; 256],
}

/// The models of this version; they are part of the test and not fitted to anything.
pub(super) fn models() -> Vec<Model> {
    let plain = |name, weights| Model { name, of_differences: false, ratios: ratios(weights) };
    let difference = |name, weights| Model { name, of_differences: true, ratios: ratios(weights) };
    vec![
        plain("text", text),
        plain("printable characters", printable),
        plain("zeros", zeros),
        plain("base64", base64),
        plain("hexadecimal", hexadecimal),
        difference("text under a chained XOR", text),
        difference("repeated bytes", zeros),
    ]
}

/// The ratios that streams are weighed with, a row for each byte.
pub(super) fn stream_ratios() -> [[f64; 4]; 256] {
    let models = [text, printable, utf_8, zeros].map(ratios);
    let mut rows = [[1.0; 4]; 256];
    for (lane, model) in models.iter().enumerate() {
        for (row, ratio) in rows.iter_mut().zip(model) {
            row[lane] = *ratio;
        }
    }
    rows
}

impl Model {
    /// log2 of the supremum of the martingale; 0 for an empty sample.
    ///
    /// Every ratio is multiplied by `handicap`, for bytes that are not quite uniform.
    pub(super) fn evidence_bits(&self, bytes: &[u8], handicap: f64) -> f64 {
        if !self.of_differences {
            return self.scan(bytes.len(), bytes.iter().copied(), handicap);
        }
        let later = bytes.get(1..).unwrap_or_default();
        self.scan(later.len(), bytes.iter().zip(later).map(|(a, b)| a ^ b), handicap)
    }

    fn scan(&self, len: usize, bytes: impl Iterator<Item = u8>, handicap: f64) -> f64 {
        // The true R is `sum * 2^scale`; `one` is the number 1 in that scale.
        let (mut sum, mut one, mut scale) = (0.0_f64, 1.0_f64, 0.0_f64);
        let mut best = 0.0_f64;
        let mut left = approximate(len);
        for byte in bytes {
            sum = (sum + one) * self.ratio(byte) * handicap;
            left -= 1.0;
            if sum > RESCALE {
                sum /= RESCALE;
                one /= RESCALE;
                scale += RESCALE.log2();
            }
            // A logarithm a byte would cost more than everything else: only take it on a record.
            let now = sum + left * one;
            if scale > 0.0 || now > approximate(len) {
                best = best.max(now.log2() + scale);
            }
        }
        (best - approximate(len.max(1)).log2()).max(0.0)
    }

    fn ratio(&self, byte: u8) -> f64 {
        self.ratios.get(usize::from(byte)).copied().unwrap_or(1.0)
    }
}

/// Scales weights to a distribution, mixes in the uniform one and divides by it.
fn ratios(weights: fn(u8) -> f64) -> [f64; 256] {
    let total: f64 = (0..=u8::MAX).map(weights).sum();
    let mut ratios = [1.0; 256];
    for (ratio, byte) in ratios.iter_mut().zip(0..=u8::MAX) {
        *ratio = (1.0 - SLACK) * 256.0 * weights(byte) / total + SLACK;
    }
    ratios
}

/// Lower-case English with spaces, some capitals, digits and punctuation. Letter frequencies in
/// percent, as commonly published.
fn text(byte: u8) -> f64 {
    const LETTERS: [f64; 26] = [
        8.2, 1.5, 2.8, 4.3, 12.7, 2.2, 2.0, 6.1, 7.0, 0.2, 0.8, 4.0, 2.4, 6.7, 7.5, 1.9, 0.1, 6.0, 6.3, 9.1,
        2.8, 1.0, 2.4, 0.2, 2.0, 0.1,
    ];
    match byte {
        b'a'..=b'z' => LETTERS.get(usize::from(byte - b'a')).copied().unwrap_or(0.0),
        b'A'..=b'Z' => LETTERS.get(usize::from(byte - b'A')).copied().unwrap_or(0.0) * 0.04,
        b' ' => 18.0,
        b'0'..=b'9' => 0.2,
        b',' | b'.' | b'\'' | b'-' | b'\n' => 0.7,
        b'!'..=b'~' => 0.1,
        _ => 0.0,
    }
}

fn printable(byte: u8) -> f64 {
    f64::from(u8::from(matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')))
}

/// UTF-8 of scripts other than Latin: continuation bytes, and the lead bytes of Cyrillic, of Greek, Hebrew and
/// Arabic, and of Indic and East Asian scripts.
fn utf_8(byte: u8) -> f64 {
    match byte {
        0x80..=0xbf => 0.8,
        0xd0 | 0xd1 => 12.0,
        0xce | 0xcf | 0xd7..=0xd9 => 2.0,
        0xe0..=0xed => 2.0,
        b' ' => 4.0,
        b',' | b'.' | b'\n' => 0.5,
        _ => 0.02,
    }
}

/// Half of the bytes zero, small numbers likelier than large ones.
fn zeros(byte: u8) -> f64 {
    match byte {
        0 => 128.0,
        1..=15 => 4.0,
        _ => 0.3,
    }
}

fn base64(byte: u8) -> f64 {
    f64::from(u8::from(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')))
}

fn hexadecimal(byte: u8) -> f64 {
    f64::from(u8::from(byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_is_a_distribution() {
        for model in models() {
            let mean: f64 = model.ratios.iter().sum::<f64>() / 256.0;
            assert!((mean - 1.0).abs() < 1e-9, "{}: {mean}", model.name);
        }
    }

    #[test]
    fn a_long_run_does_not_leave_the_range_of_a_float() {
        let zeros = models().into_iter().find(|model| model.name == "zeros").unwrap();
        let evidence = zeros.evidence_bits(&[0; 100_000], 1.0);
        assert!(evidence.is_finite() && evidence > 500_000.0, "{evidence}");
    }
}
