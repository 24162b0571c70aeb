//! What bytes look like that are not random: distributions fixed before any capture was seen.
//!
//! A model gives every byte a probability that may depend on the byte before. Divided by that of a uniform
//! byte it is the factor by which the byte speaks for the model; under uniform bytes its mean is 1.

use std::sync::LazyLock;

use super::english;

/// Number of models; each costs a test of every sample.
pub(super) const MODELS: usize = 10;
/// Weight of the uniform distribution in every model, so that one odd byte does not end a stretch.
const SLACK: f64 = 0.02;
/// Weight of single characters in the model of English, for what its letter pairs do not know.
const SINGLES: f64 = 0.3;
/// How often a capital follows a small letter or a space, and another capital.
const CAPITAL: f64 = 0.03;
const CAPITAL_AGAIN: f64 = 0.5;

/// A distribution of bytes, or of the XOR of neighbours.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) name: &'static str,
    pub(super) of_differences: bool,
    /// The context that a byte makes for its successor.
    contexts: [u8; 256],
    /// `256 q(byte)` in each context; 0 is the context at the front of a sample.
    ratios: Vec<[f32; 256]>,
}

impl Model {
    /// The factor by which `byte` speaks for the model after `previous`.
    pub(super) fn ratio(&self, previous: Option<u8>, byte: u8) -> f32 {
        let context = previous.and_then(|previous| self.contexts.get(usize::from(previous)));
        let ratios = self.ratios.get(usize::from(context.copied().unwrap_or(0)));
        ratios.and_then(|ratios| ratios.get(usize::from(byte))).copied().unwrap_or(1.0)
    }

    /// A model of single bytes.
    fn singles(name: &'static str, weights: fn(u8) -> f64) -> Self {
        let ratios = vec![ratios(weights)];
        Self { name, of_differences: false, contexts: [0; 256], ratios }
    }

    /// A model of the XOR of neighbours.
    fn differences(name: &'static str, weights: fn(u8) -> f64) -> Self {
        Self { of_differences: true, ..Self::singles(name, weights) }
    }

    /// A model of bytes in `count` contexts.
    fn chained(name: &'static str, count: u8, context: fn(u8) -> u8, weights: fn(u8, u8) -> f64) -> Self {
        let mut contexts = [0; 256];
        for (entry, byte) in contexts.iter_mut().zip(0..=u8::MAX) {
            *entry = context(byte);
        }
        let ratios = (0..count).map(|context| ratios(|byte| weights(context, byte))).collect();
        Self { name, of_differences: false, contexts, ratios }
    }
}

/// The models of this version; they are part of the test and not fitted to anything.
pub(super) fn models() -> [Model; MODELS] {
    [
        Model::chained("text", ENGLISH_CONTEXTS, english_context, english_weight),
        Model::singles("printable characters", printable),
        Model::singles("zeros", zeros),
        Model::singles("base64", base64),
        Model::singles("hexadecimal", hexadecimal),
        Model::singles("digits", digits),
        Model::chained("text in UTF-16", 3, wide_context, wide_weight),
        Model::chained("text in UTF-8", 4, utf8_context, utf8_weight),
        Model::differences("text under a chained XOR", text),
        Model::differences("repeated bytes", zeros),
    ]
}

/// The ratios that streams are weighed with, a row for each byte.
pub(super) fn stream_ratios() -> [[f64; 4]; 256] {
    let models = [ratios(text), ratios(printable), ratios(utf8_byte), ratios(zeros)];
    let mut rows = [[1.0; 4]; 256];
    for (lane, model) in models.iter().enumerate() {
        for (row, ratio) in rows.iter_mut().zip(model) {
            row[lane] = f64::from(*ratio);
        }
    }
    rows
}

/// Scales weights to a distribution, mixes in the uniform one and divides by it.
fn ratios(weights: impl Fn(u8) -> f64) -> [f32; 256] {
    let total: f64 = (0..=u8::MAX).map(&weights).sum();
    let mut ratios = [1.0; 256];
    for (ratio, byte) in ratios.iter_mut().zip(0..=u8::MAX) {
        *ratio = single_precision((1.0 - SLACK) * 256.0 * weights(byte) / total + SLACK);
    }
    ratios
}

#[expect(clippy::cast_possible_truncation, reason = "ratios lie between 0.02 and 256")]
const fn single_precision(ratio: f64) -> f32 {
    ratio as f32
}

/// English character by character, with some capitals, digits and punctuation. Letter frequencies in
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

/// The probability that [`text`] gives a byte.
fn text_chance(byte: u8) -> f64 {
    static TOTAL: LazyLock<f64> = LazyLock::new(|| (0..=u8::MAX).map(text).sum());
    text(byte) / *TOTAL
}

/// UTF-8 of scripts other than Latin, byte by byte: continuations, and the lead bytes of Cyrillic, of Greek,
/// Hebrew and Arabic, and of Indic and East Asian scripts.
fn utf8_byte(byte: u8) -> f64 {
    match byte {
        0x80..=0xbf => 0.8,
        0xd0 | 0xd1 => 12.0,
        0xce | 0xcf | 0xd7..=0xd9 | 0xe0..=0xed => 2.0,
        b' ' => 4.0,
        b',' | b'.' | b'\n' => 0.5,
        _ => 0.02,
    }
}

/// Anything else, then 27 symbols after which small letters follow, then 26 capitals.
const ENGLISH_CONTEXTS: u8 = 54;

fn english_context(byte: u8) -> u8 {
    let place = english::symbol(byte).and_then(|symbol| u8::try_from(symbol).ok());
    let first = if byte.is_ascii_uppercase() { 28 } else { 1 };
    place.map_or(0, |place| place + first)
}

fn english_weight(context: u8, byte: u8) -> f64 {
    let single = text_chance(byte);
    let (previous, capital) = match context {
        0 => return single,
        1..28 => (context - 1, CAPITAL),
        _ => (context - 28, CAPITAL_AGAIN),
    };
    let pair = english::symbol(byte).map_or(0.0, |next| english::chance(previous.into(), next));
    let case = match byte {
        b'A'..=b'Z' => capital,
        b'a'..=b'z' => 1.0 - capital,
        b' ' => 1.0,
        _ => 0.0,
    };
    SINGLES * single + (1.0 - SINGLES) * pair * case
}

fn printable(byte: u8) -> f64 {
    f64::from(u8::from(matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')))
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

/// Numbers as people write them: dates, telephone numbers, amounts.
fn digits(byte: u8) -> f64 {
    match byte {
        b'0'..=b'9' => 1.0,
        b' ' | b'.' | b',' | b':' | b'-' | b'/' => 0.2,
        _ => 0.0,
    }
}

/// After a zero, after a printable character, after anything else.
fn wide_context(byte: u8) -> u8 {
    match byte {
        0 => 1,
        _ if printable(byte) > 0.0 => 2,
        _ => 0,
    }
}

/// Zeros and characters take turns, in either byte order.
fn wide_weight(context: u8, byte: u8) -> f64 {
    let zero = [0.5, 0.05, 0.95].get(usize::from(context)).copied().unwrap_or(0.5);
    if byte == 0 { zero } else { (1.0 - zero) * text_chance(byte) }
}

/// After a first byte of two, of three, after a continuation, after anything else.
fn utf8_context(byte: u8) -> u8 {
    match byte {
        0xc2..=0xdf => 1,
        0xe0..=0xef => 2,
        0x80..=0xbf => 3,
        _ => 0,
    }
}

/// Scripts beyond ASCII: a first byte names the script and others continue it.
fn utf8_weight(context: u8, byte: u8) -> f64 {
    let continuation = if matches!(byte, 0x80..=0xbf) { 1.0 / 64.0 } else { 0.0 };
    // Cyrillic; Arabic and Hebrew; Latin with marks and Greek; India; kana; Han; Hangul.
    let first = match byte {
        0xd0 | 0xd1 => 0.2,
        0xd7..=0xd9 | 0xc3 | 0xce | 0xcf => 0.05,
        0xe0 => 0.08,
        0xe3 => 0.08,
        0xe4..=0xe9 => 0.03,
        0xea..=0xed => 0.01,
        _ => 0.0,
    };
    let ascii = text_chance(byte);
    match context {
        1 | 2 => continuation,
        3 => 0.2 * continuation + 0.65 * first + 0.15 * ascii,
        _ => 0.6 * first + 0.4 * ascii,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In every context; the whole method rests on it.
    #[test]
    fn every_model_is_a_distribution() {
        for model in models() {
            for (context, ratios) in model.ratios.iter().enumerate() {
                let mean: f64 = ratios.iter().map(|ratio| f64::from(*ratio)).sum::<f64>() / 256.0;
                assert!((mean - 1.0).abs() < 1e-6, "{} in context {context}: {mean}", model.name);
                assert!(ratios.iter().all(|ratio| *ratio >= 0.01), "{}", model.name);
            }
            let highest = model.contexts.iter().max().unwrap();
            assert!(usize::from(*highest) < model.ratios.len(), "{}", model.name);
        }
    }

    #[test]
    fn pairs_of_letters_know_more_than_letters() {
        let [english, ..] = models();
        assert!(english.ratio(Some(b'q'), b'u') > 10.0 * english.ratio(None, b'u'));
        assert!(english.ratio(Some(b'T'), b'H') > english.ratio(Some(b't'), b'H'));
    }
}
