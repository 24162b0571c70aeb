//! Does what should be sealed look like random bytes? Judged by e-values, not by entropy.
//!
//! Under the hypothesis that the bytes are independent and uniform, the likelihood ratio of any fixed
//! model to the uniform one has expectation 1, so it exceeds `1/α` with a chance of at most `α`
//! (Markov), at every length and without tables. Models are fixed here and never fitted.
//!
//! Two families of tests share the family-wise `α` of 2^-20 equally:
//!
//! * `fragment`: a stretch of text, zeros or digits somewhere inside one sample, for every sample;
//! * `mixture`: an uneven distribution over many samples together, and down their columns.
//!
//! Key shares are random and not uniform; they are judged by the `law` of their kind.
//!
//! Identical samples are judged once: a datagram captured twice is no evidence. What was seen is remembered
//! for a chapter of at most 262,144 samples; each chapter has pools of its own, so that the samples of a pool
//! differ. A sample that comes again in another chapter is one test more, which Bonferroni counts.

mod english;
pub(crate) mod entropy;
mod family;
mod fragment;
mod law;
mod mixture;
mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::LazyLock;

use serde::Serialize;

use crate::bytes::count;
use family::Family;
use law::{KemLaw, Law};
use mixture::{KemPool, MaskedBits, Mixtures, Pool};
use model::{MODELS, Model};

/// The chance of one false alarm in a run, as a negative power of two.
pub const ALPHA_BITS: f64 = 20.0;
/// The kind of samples that are random and not uniform: public keys and KEM ciphertexts, told apart by their
/// length.
pub(crate) const KEY_SHARE: &str = "key share";
/// Samples of a chapter, and bytes: what is remembered of them stays below 8 MiB.
const CHAPTER_SAMPLES: usize = 1 << 18;
const CHAPTER_BYTES: u64 = 1 << 31;

/// Bytes that the protocol promises to be indistinguishable from random ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample<'a> {
    /// Number of the packet they are from.
    pub packet: usize,
    /// Samples are compared down their columns only within one kind.
    pub kind: &'static str,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// Evidence against randomness that exceeds its limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alarm {
    /// The packet concerned; `None` for evidence of many packets.
    pub packet: Option<usize>,
    /// The model that explains the bytes better than chance.
    pub model: String,
    /// log2 of the evidence.
    pub evidence_bits: f64,
    /// log2 of the limit it exceeds.
    pub limit_bits: f64,
}

/// The judgement on all samples.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct OpacityReport {
    /// Different samples judged.
    pub samples: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Samples left out because they repeat another one.
    pub repeated: u64,
    /// Parts of the capture within which repeated samples are recognised; 1 up to 262,144 samples.
    pub chapters: u64,
    /// log2 of the strongest evidence inside one sample.
    pub strongest_fragment_bits: f64,
    /// log2 of the limit for the commonest kind of sample.
    pub fragment_limit_bits: f64,
    /// log2 of the strongest evidence over many samples.
    pub strongest_pooled_bits: f64,
    /// log2 of its limit.
    pub pooled_limit_bits: f64,
    /// The chance that random bytes give evidence as strong as the strongest in any test, as a negative
    /// power of two; there are alarms from 20 on.
    pub significance_bits: f64,
    /// What is above its limit, strongest first; at most 64 for each kind of sample and 64 over many.
    pub alarms: Vec<Alarm>,
}

/// Judges samples one by one, in memory that does not grow with their number.
#[derive(Debug)]
pub struct Judge {
    tables: &'static Tables,
    chapter: Chapter,
    /// Fragment tests of each kind of sample.
    fragments: BTreeMap<&'static str, Family>,
    pooled: Family,
    report: OpacityReport,
}

/// What is the same for every capture.
#[derive(Debug)]
struct Tables {
    models: [Model; MODELS],
    kem: KemLaw,
    mixtures: Mixtures,
}

static TABLES: LazyLock<Tables> =
    LazyLock::new(|| Tables { models: model::models(), kem: KemLaw::new(), mixtures: Mixtures::new() });

/// Samples that differ from each other, and what is counted over all of them.
#[derive(Debug)]
struct Chapter {
    seen: BTreeSet<u64>,
    bytes: u64,
    pools: BTreeMap<&'static str, Pool>,
    kem: KemPool,
    masked: MaskedBits,
}

impl Default for Judge {
    fn default() -> Self {
        Self::new()
    }
}

impl Judge {
    /// A judge who has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            tables: &TABLES,
            chapter: Chapter::new(),
            fragments: BTreeMap::new(),
            pooled: Family::default(),
            report: OpacityReport::default(),
        }
    }

    /// Judges a sample; `false` when it is empty or repeats another one.
    pub fn take(&mut self, sample: &Sample<'_>) -> bool {
        let len = count(sample.bytes.len());
        if len == 0 {
            return false;
        }
        if !self.chapter.seen.insert(digest(sample.bytes)) {
            self.report.repeated += 1;
            return false;
        }
        self.report.samples += 1;
        self.report.bytes += len;
        self.chapter.bytes += len;
        self.judge(sample);
        if self.chapter.is_full() {
            self.end_chapter();
        }
        true
    }

    /// Judges the masked bits in the first byte of a SHORT datagram, once for each that differs from all
    /// others: when [`Self::take`] says that its sealed bytes do.
    pub fn take_first_byte(&mut self, byte: u8) {
        self.chapter.masked.take(byte);
    }

    /// The judgement.
    #[must_use]
    pub fn finish(mut self) -> OpacityReport {
        self.end_chapter();
        let Self { fragments, pooled, mut report, .. } = self;
        // Each kind has an equal share, so that a few ids are not drowned by many datagrams.
        let kinds_bits = approximate(fragments.len().max(1)).log2();
        for family in fragments.into_values() {
            let limit = report.settle(family, kinds_bits, |report| &mut report.strongest_fragment_bits);
            report.fragment_limit_bits = report.fragment_limit_bits.max(limit);
        }
        report.pooled_limit_bits = report.settle(pooled, 0.0, |report| &mut report.strongest_pooled_bits);
        let by_strength = |a: &Alarm, b: &Alarm| b.evidence_bits.total_cmp(&a.evidence_bits);
        report.alarms.sort_by(|a, b| by_strength(a, b).then(a.packet.cmp(&b.packet)));
        report
    }

    fn judge(&mut self, sample: &Sample<'_>) {
        let (law, kind) = match sample.kind {
            KEY_SHARE => match Law::of_key_share(sample.bytes.len()) {
                Law::Kem => (Law::Kem, "KEM ciphertext"),
                _ => (Law::Curve, KEY_SHARE),
            },
            kind => (Law::Uniform, kind),
        };
        let odds = if law == Law::Kem { self.tables.kem.odds(sample.bytes) } else { Vec::new() };
        let handicap = law.handicap_bits(sample.bytes.len());
        let evidence = fragment::evidence_bits(&self.tables.models, sample.bytes, &odds);
        let family = self.fragments.entry(kind).or_default();
        for (model, bits) in self.tables.models.iter().zip(evidence) {
            let name = || format!("{} inside a {kind}", model.name);
            family.take(bits - handicap, Some(sample.packet), name);
        }
        match law {
            Law::Uniform => {
                self.chapter.pools.entry(kind).or_insert_with(Pool::new).take(sample.bytes);
            }
            Law::Kem => self.chapter.kem.take(&self.tables.kem, sample.bytes),
            Law::Curve => {}
        }
    }

    fn end_chapter(&mut self) {
        let chapter = std::mem::replace(&mut self.chapter, Chapter::new());
        self.report.chapters += u64::from(!chapter.seen.is_empty() || self.report.chapters == 0);
        let pools = chapter.pools.iter().flat_map(|(kind, pool)| pool.tests(kind, &self.tables.mixtures));
        let others = [chapter.kem.tests(&self.tables.mixtures), chapter.masked.tests(&self.tables.mixtures)];
        for (name, bits) in pools.chain(others.into_iter().flatten()) {
            self.pooled.take(bits, None, || name);
        }
    }
}

impl OpacityReport {
    /// Takes in a family that has an equal share with others in half of α; returns its limit.
    fn settle(&mut self, family: Family, share_bits: f64, strongest: fn(&mut Self) -> &mut f64) -> f64 {
        let cost_bits = 1.0 + share_bits + family.tests_bits();
        let bits = family.strongest_bits();
        *strongest(self) = strongest(self).max(bits);
        self.significance_bits = self.significance_bits.max(bits - cost_bits);
        let limit = ALPHA_BITS + cost_bits;
        self.alarms.extend(family.above(limit));
        limit
    }
}

impl Chapter {
    fn new() -> Self {
        Self {
            seen: BTreeSet::new(),
            bytes: 0,
            pools: BTreeMap::new(),
            kem: KemPool::new(),
            masked: MaskedBits::new(),
        }
    }

    fn is_full(&self) -> bool {
        self.seen.len() >= CHAPTER_SAMPLES || self.bytes >= CHAPTER_BYTES
    }
}

/// `256 q(b)` of each byte under the models that a stream of unknown bytes is weighed with: three of readable
/// text (English, any printable ASCII, UTF-8 of other scripts), and one of structure that nobody can read as it
/// stands (headers, numbers, padding). Computed once.
pub(crate) fn stream_ratios() -> &'static [[f64; 4]; 256] {
    static RATIOS: std::sync::OnceLock<[[f64; 4]; 256]> = std::sync::OnceLock::new();
    RATIOS.get_or_init(model::stream_ratios)
}

/// Judges samples, and the first bytes of different SHORT datagrams. Empty samples are ignored.
#[must_use]
pub fn judge(samples: &[Sample<'_>], first_bytes: &[u8]) -> OpacityReport {
    let mut judge = Judge::new();
    for sample in samples {
        judge.take(sample);
    }
    for byte in first_bytes {
        judge.take_first_byte(*byte);
    }
    judge.finish()
}

/// Tells samples apart; two of 2^18 have the same digest with a chance of 2^-29, and then one is not judged.
fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// A count as a float; exact below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts of bytes and tests, far below 2^53")]
pub(crate) const fn approximate(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
