//! What a capture shows: findings, the level of evidence they allow, and the verdict.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The levels of evidence. Each includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[clap(rename_all = "verbatim")]
pub enum Level {
    /// Coverage: the whole file was read, every byte of every packet has a class, nothing is missing.
    E0,
    /// Conformance: every datagram of a session is a legal message in a legal order.
    E1,
    /// Opacity: what should be sealed shows no structure and no reuse.
    E2,
    /// Canary: no secret occurs in any form, and the search was shown to work.
    E3,
    /// Sealed: every tag verifies under keys derived here, and resealing gives the same bytes.
    E4,
    /// Complete: every message that was opened is one that the clients reported, word for word, and every reported
    /// one was opened.
    E5,
    /// Differential: captures of the same script with other contents cannot be told apart.
    E6,
}

impl Level {
    /// All levels, lowest first.
    pub const ALL: [Self; 7] = [Self::E0, Self::E1, Self::E2, Self::E3, Self::E4, Self::E5, Self::E6];

    /// The level's name in one word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::E0 => "coverage",
            Self::E1 => "conformance",
            Self::E2 => "opacity",
            Self::E3 => "canary",
            Self::E4 => "sealed",
            Self::E5 => "complete",
            Self::E6 => "differential",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What a finding does to the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A leak, or a break of the protocol: the verdict is REFUTED.
    Violation,
    /// Something that keeps a level from being reached.
    Gap,
    /// Something worth knowing that changes nothing.
    Note,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it does to the verdict.
    pub severity: Severity,
    /// The level it concerns.
    pub level: Level,
    /// Its rule, a name that stays the same from version to version.
    pub rule: &'static str,
    /// The number of the packet it is about, if it is about one.
    pub packet: Option<usize>,
    /// What was found, for a person.
    pub text: String,
}

impl Finding {
    /// A finding that refutes.
    pub fn violation(level: Level, rule: &'static str, text: impl Into<String>) -> Self {
        Self { severity: Severity::Violation, level, rule, packet: None, text: text.into() }
    }

    /// A finding that keeps `level` from being reached.
    pub fn gap(level: Level, rule: &'static str, text: impl Into<String>) -> Self {
        Self { severity: Severity::Gap, level, rule, packet: None, text: text.into() }
    }

    /// A finding that changes nothing.
    pub fn note(level: Level, rule: &'static str, text: impl Into<String>) -> Self {
        Self { severity: Severity::Note, level, rule, packet: None, text: text.into() }
    }

    /// The same finding, about this packet.
    #[must_use]
    pub fn in_packet(mut self, number: usize) -> Self {
        self.packet = Some(number);
        self
    }
}

/// Findings of one rule that are listed one by one; the rest is counted.
const LISTED: u64 = 100;

/// Collects findings in bounded memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    listed: Vec<Finding>,
    counts: BTreeMap<(Severity, Level, &'static str), u64>,
}

impl Findings {
    pub(crate) fn push(&mut self, finding: Finding) {
        let count = self.counts.entry((finding.severity, finding.level, finding.rule)).or_default();
        *count += 1;
        if *count <= LISTED {
            self.listed.push(finding);
        }
    }

    /// The findings, with one for all those of a rule that are not listed.
    pub(crate) fn finish(self) -> Vec<Finding> {
        let mut listed = self.listed;
        for ((severity, level, rule), count) in self.counts.into_iter().filter(|(_, count)| *count > LISTED) {
            let text = format!("and {} more of this rule", count - LISTED);
            listed.push(Finding { severity, level, rule, packet: None, text });
        }
        listed
    }
}

impl Extend<Finding> for Findings {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, findings: T) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }
}

/// Which flows are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The Sealgram sessions; all flows where there are none.
    #[default]
    Sessions,
    /// All flows.
    All,
}

/// The three answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    /// The claim holds at the required level.
    Proved,
    /// The claim is wrong: at least one violation was found.
    Refuted,
    /// The capture does not decide.
    Inconclusive,
}

impl Outcome {
    /// The exit code of the program.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Proved => 0,
            Self::Refuted => 1,
            Self::Inconclusive => 3,
        }
    }

    /// The word reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proved => "PROVED",
            Self::Refuted => "REFUTED",
            Self::Inconclusive => "INCONCLUSIVE",
        }
    }
}

/// The judgement on a capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Proved, refuted or inconclusive.
    pub outcome: Outcome,
    /// The highest level reached; `None` when not even coverage was.
    pub reached: Option<Level>,
    /// The level that was required.
    pub required: Level,
    /// What must be trusted for the verdict to mean something.
    pub assumptions: Vec<&'static str>,
    /// What no verdict on a capture shows.
    pub not_shown: Vec<&'static str>,
}

impl Verdict {
    /// Weighs findings against the level required. A violation of any level refutes; a gap matters up
    /// to the level required.
    #[must_use]
    pub fn weigh(findings: &[Finding], required: Level) -> Self {
        let obstacles = || findings.iter().filter(|finding| finding.severity != Severity::Note);
        let lowest = obstacles().map(|finding| finding.level).min();
        let reached =
            Level::ALL.into_iter().take_while(|level| lowest.is_none_or(|lowest| *level < lowest)).last();
        let refuted = findings.iter().any(|finding| finding.severity == Severity::Violation);
        let outcome = if refuted {
            Outcome::Refuted
        } else if reached >= Some(required) {
            Outcome::Proved
        } else {
            Outcome::Inconclusive
        };
        Self { outcome, reached, required, assumptions: ASSUMPTIONS.to_vec(), not_shown: NOT_SHOWN.to_vec() }
    }
}

const ASSUMPTIONS: [&str; 3] = [
    "the file holds what was on the wire at the place of capture",
    "AES-256-GCM, X25519, ML-KEM-768 and SHA-256 are as strong as they are held to be",
    "a key log was written by the programs that were captured: it is their testimony",
];

const NOT_SHOWN: [&str; 6] = [
    "how good the random numbers behind the keys are",
    "what the endpoints themselves store, print or send elsewhere",
    "other networks, other times, and packets the capture lost",
    "channels hidden in random-looking fields, in sizes or in timing",
    "secrets in forms that were not searched, compressed text among them",
    "who talks to whom, when and how much: addresses, times and sizes are public",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        use Level::{E0, E1, E2, E3, E4, E5, E6};
        let gap = |level| Finding::gap(level, "test", "");
        let violation = |level| Finding::violation(level, "test", "");
        let cases = [
            (vec![], E4, Outcome::Proved, Some(E6)),
            (vec![gap(E3)], E2, Outcome::Proved, Some(E2)),
            (vec![gap(E3)], E4, Outcome::Inconclusive, Some(E2)),
            (vec![gap(E0)], E0, Outcome::Inconclusive, None),
            (vec![violation(E3)], E2, Outcome::Refuted, Some(E2)),
            (vec![gap(E1), violation(E3)], E2, Outcome::Refuted, Some(E0)),
            (vec![Finding::note(E0, "test", ""), gap(E5)], E4, Outcome::Proved, Some(E4)),
        ];
        for (findings, required, outcome, reached) in cases {
            let verdict = Verdict::weigh(&findings, required);
            assert_eq!((verdict.outcome, verdict.reached), (outcome, reached), "{findings:?}");
        }
    }

    #[test]
    fn findings_beyond_the_listed_are_counted() {
        let mut findings = Findings::default();
        for number in 0..LISTED + 7 {
            findings
                .push(Finding::gap(Level::E1, "test.one", "").in_packet(usize::try_from(number).unwrap()));
        }
        findings.push(Finding::note(Level::E1, "test.two", ""));
        let findings = findings.finish();
        assert_eq!(findings.len(), 102);
        assert_eq!(findings[101].text, "and 7 more of this rule");
    }
}
