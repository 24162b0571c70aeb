//! What a judgement rested on and what it came to, in a file that `dissect verify` can make again.
//!
//! It holds the digests of everything that went in and the report without its packets. It holds no key; of canaries,
//! key logs and what was said only digests. Whoever can guess a canary can confirm the guess by its digest.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::analyse::Options;
use crate::report::Report;
use crate::{render, verdict};

/// Raised by one whenever a field changes its meaning or goes away.
const SCHEMA: u32 = 2;
/// Differences that are described one by one.
const DESCRIBED: usize = 20;

/// A manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    schema: u32,
    /// The version of `dissect` that made it.
    version: String,
    /// What went in.
    pub inputs: Inputs,
    /// What came out.
    report: Value,
}

/// Everything that a judgement depends on, except the capture itself, whose digest the report holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// The level that was required.
    pub require: verdict::Level,
    /// Which flows were judged.
    pub scope: verdict::Scope,
    /// Whether what others say in clear is told word for word.
    pub show_secrets: bool,
    /// The most that was decompressed, in MiB.
    pub decompressed_max: u64,
    /// The files and texts that went in.
    #[serde(flatten)]
    pub digests: Digests,
}

/// SHA-256 of everything that went in, in the order given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// Of each canary.
    pub canaries: Vec<String>,
    /// Of each key log.
    pub key_logs: Vec<String>,
    /// Of each transcript.
    pub transcripts: Vec<String>,
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

impl Inputs {
    /// The inputs of a run.
    #[must_use]
    pub fn of(options: &Options, decompressed_max: u64, digests: Digests) -> Self {
        let (require, scope, show_secrets) = (options.required(), options.scope, options.show_secrets);
        Self { require, scope, show_secrets, decompressed_max, digests }
    }

    /// The options of the same run, with what was given.
    #[must_use]
    pub fn options(&self, given: Options) -> Options {
        Options { require: Some(self.require), scope: self.scope, show_secrets: self.show_secrets, ..given }
    }
}

impl Manifest {
    /// The manifest of a judgement.
    ///
    /// # Errors
    /// When the report cannot be written as JSON.
    pub fn of(report: &Report, inputs: Inputs) -> serde_json::Result<Self> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let mut document = render::document(report, report.verdict.outcome.exit_code())?;
        // What was said is nobody's business who only asks whether it was sealed. Its random message ids keep
        // a guess from being confirmed by the digest.
        if let Some((sealed, said)) = report.sealed.as_ref().zip(document.pointer_mut("/sealed/transcripts"))
        {
            *said = digest(&serde_json::to_vec(&sealed.transcripts)?).into();
        }
        Ok(Self { schema: SCHEMA, version, inputs, report: document })
    }

    /// Where `again`, made of the same capture, is not the same.
    #[must_use]
    pub fn differences(&self, again: &Self) -> Vec<String> {
        let both = [self, again].map(serde_json::to_value);
        let [Ok(one), Ok(other)] = both else { return vec!["a manifest that is no JSON".into()] };
        let mut found = Vec::new();
        compare("", &one, &other, &mut found);
        found.truncate(DESCRIBED);
        found
    }
}

/// Compares two values, and tells the paths where they part.
fn compare(path: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys {
                let [one, other] = [one, other].map(|object| object.get(key).unwrap_or(&Value::Null));
                compare(&format!("{path}/{key}"), one, other, found);
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            for index in 0..one.len().max(other.len()) {
                let [one, other] = [one, other].map(|array| array.get(index).unwrap_or(&Value::Null));
                compare(&format!("{path}/{index}"), one, other, found);
            }
        }
        _ if one == other => {}
        _ => found.push(format!("{path}: {} in the manifest, {} now", short(one), short(other))),
    }
}

fn short(value: &Value) -> String {
    const SHOWN: usize = 80;
    let text = value.to_string();
    let mut characters = text.chars();
    let shown: String = characters.by_ref().take(SHOWN).collect();
    if characters.next().is_some() { format!("{shown}...") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_are_told_by_their_path() {
        let value = json!({"verdict": {"outcome": "PROVED"}, "findings": [1, 2], "same": null});
        let other = json!({"verdict": {"outcome": "REFUTED"}, "findings": [1], "more": 3});
        let mut found = Vec::new();
        compare("", &value, &other, &mut found);
        assert_eq!(
            found,
            [
                "/findings/1: 2 in the manifest, null now",
                "/more: null in the manifest, 3 now",
                "/verdict/outcome: \"PROVED\" in the manifest, \"REFUTED\" now",
            ]
        );
        let mut none = Vec::new();
        compare("", &value, &value, &mut none);
        assert!(none.is_empty());
    }
}
