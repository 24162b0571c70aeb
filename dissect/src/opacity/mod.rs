//! Does what should be sealed look like random bytes? Judged by e-values, not by entropy.
//!
//! Under the hypothesis that the bytes are independent and uniform, the likelihood ratio of any fixed
//! model to the uniform one has expectation 1, so it exceeds `1/α` with a chance of at most `α`
//! (Markov), at every length and without tables. Models are fixed here and never fitted.
//!
//! Two families of tests share the family-wise `α` of 2^-20 equally:
//!
//! * `fragment`: a stretch of text, zeros or digits somewhere inside one sample, for every sample;
//! * `mixture`: an uneven distribution over all samples of the capture together, and down their
//!   columns.
//!
//! Identical samples are judged once: a datagram captured twice is no evidence.

mod fragment;
mod mixture;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::bytes::count;

/// The chance of one false alarm in a run, as a negative power of two.
pub const ALPHA_BITS: f64 = 20.0;
/// Columns judged, from the front of the samples.
const COLUMNS: usize = 64;
/// The kind of samples that are random and not uniform: public keys and KEM ciphertexts. They are searched
/// for fragments only.
pub(crate) const KEY_SHARE: &str = "key share";
/// A column of fewer samples is not judged.
const COLUMN_LEN_MIN: usize = 16;

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
    /// The first packet concerned; `None` for evidence of the whole capture.
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
    /// log2 of the strongest evidence inside one sample.
    pub strongest_fragment_bits: f64,
    /// log2 of the limit for the commonest kind of sample.
    pub fragment_limit_bits: f64,
    /// log2 of the strongest evidence over many samples.
    pub strongest_pooled_bits: f64,
    /// log2 of its limit.
    pub pooled_limit_bits: f64,
    /// Everything above its limit, strongest first.
    pub alarms: Vec<Alarm>,
}

/// Judges samples, and the first bytes of different SHORT datagrams. Empty samples are ignored.
#[must_use]
pub fn judge(samples: &[Sample<'_>], first_bytes: &[u8]) -> OpacityReport {
    let given = samples.iter().filter(|sample| !sample.bytes.is_empty());
    let mut first_seen: BTreeMap<&[u8], &Sample<'_>> = BTreeMap::new();
    let mut total = 0;
    for sample in given {
        total += 1;
        first_seen.entry(sample.bytes).or_insert(sample);
    }
    let mut unique: Vec<&Sample<'_>> = first_seen.into_values().collect();
    // The order of the capture, which the chained models depend on.
    unique.sort_by_key(|sample| (sample.packet, sample.kind, sample.bytes.as_ptr()));
    let mut report = OpacityReport {
        samples: count(unique.len()),
        bytes: unique.iter().map(|sample| count(sample.bytes.len())).sum(),
        repeated: total - count(unique.len()),
        ..OpacityReport::default()
    };
    judge_fragments(&unique, &mut report);
    judge_pooled(&unique, first_bytes, &mut report);
    report.alarms.sort_by(|a, b| b.evidence_bits.total_cmp(&a.evidence_bits).then(a.packet.cmp(&b.packet)));
    report
}

/// `256 q(b)` of each byte under the models that a stream of unknown bytes is weighed with: three of readable
/// text (English, any printable ASCII, UTF-8 of other scripts), and one of structure that nobody can read as it
/// stands (headers, numbers, padding). Computed once.
pub(crate) fn stream_ratios() -> &'static [[f64; 4]; 256] {
    static RATIOS: std::sync::OnceLock<[[f64; 4]; 256]> = std::sync::OnceLock::new();
    RATIOS.get_or_init(fragment::stream_ratios)
}

/// Half of α, shared by Bonferroni among `tests` tests.
fn limit_bits(tests: usize) -> f64 {
    ALPHA_BITS + 1.0 + approximate(tests.max(1)).log2()
}

/// The samples of each kind.
fn by_kind<'a>(samples: &[&Sample<'a>]) -> BTreeMap<&'static str, Vec<Sample<'a>>> {
    let mut kinds: BTreeMap<&str, Vec<Sample<'_>>> = BTreeMap::new();
    for sample in samples {
        kinds.entry(sample.kind).or_default().push(**sample);
    }
    kinds
}

/// Each kind has an equal share of the family, so that a few ids are not drowned by many datagrams.
fn judge_fragments(samples: &[&Sample<'_>], report: &mut OpacityReport) {
    let models = fragment::models();
    let kinds = by_kind(samples);
    for group in kinds.values() {
        let limit = limit_bits(kinds.len() * group.len() * models.len());
        report.fragment_limit_bits = report.fragment_limit_bits.max(limit);
        for (sample, model) in group.iter().flat_map(|sample| models.iter().map(move |model| (sample, model)))
        {
            let handicap = if sample.kind == KEY_SHARE { fragment::KEY_SHARE_HANDICAP } else { 1.0 };
            let evidence = model.evidence_bits(sample.bytes, handicap);
            report.strongest_fragment_bits = report.strongest_fragment_bits.max(evidence);
            if evidence >= limit {
                report.alarms.push(Alarm {
                    packet: Some(sample.packet),
                    model: format!("{} inside a {}", model.name, sample.kind),
                    evidence_bits: evidence,
                    limit_bits: limit,
                });
            }
        }
    }
}

fn judge_pooled(samples: &[&Sample<'_>], first_bytes: &[u8], report: &mut OpacityReport) {
    let first = mixture::first_byte_bits(first_bytes);
    let mut tests: Vec<(String, f64)> = vec![("uneven masked bits of the first byte".to_owned(), first)];
    for (kind, group) in by_kind(samples).into_iter().filter(|(kind, _)| *kind != KEY_SHARE) {
        let group: Vec<&[u8]> = group.iter().map(|sample| sample.bytes).collect();
        tests.push((format!("uneven bytes over all {kind}s"), mixture::pooled_bits(&group)));
        for column in 0..COLUMNS {
            let bytes: Vec<u8> = group.iter().filter_map(|sample| sample.get(column)).copied().collect();
            if bytes.len() >= COLUMN_LEN_MIN {
                tests.push((format!("uneven byte {column} of all {kind}s"), mixture::column_bits(&bytes)));
            }
        }
    }
    let limit = limit_bits(tests.len());
    report.pooled_limit_bits = limit;
    for (model, evidence) in tests {
        report.strongest_pooled_bits = report.strongest_pooled_bits.max(evidence);
        if evidence >= limit {
            report.alarms.push(Alarm { packet: None, model, evidence_bits: evidence, limit_bits: limit });
        }
    }
}

/// A count as a float; exact below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts of bytes and tests, far below 2^53")]
const fn approximate(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
