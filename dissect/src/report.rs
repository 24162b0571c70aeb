//! Everything the analysis of a capture yields.

use serde::Serialize;

use crate::canary::CanaryReport;
use crate::complete::CompleteReport;
use crate::flow::Flow;
use crate::ledger::Ledger;
use crate::metadata::MetadataReport;
use crate::opacity::OpacityReport;
use crate::open::SealedReport;
use crate::pcap::Summary;
use crate::reuse::ReuseReport;
use crate::session::Session;
use crate::verdict::{Finding, Scope, Verdict};

/// The analysis of one capture.
#[derive(Debug)]
pub struct Report {
    /// The file.
    pub capture: CaptureSummary,
    /// Who talked to whom.
    pub flows: Vec<Flow>,
    /// Sealgram sessions, in order of their first datagram.
    pub sessions: Vec<Session>,
    /// What every byte counts as.
    pub ledger: Ledger,
    /// The search for secrets.
    pub canary: CanaryReport,
    /// Whether sealed bytes look random.
    pub opacity: OpacityReport,
    /// Repetitions among sealed bytes.
    pub reuse: ReuseReport,
    /// Who, when and how much: what stays visible.
    pub metadata: MetadataReport,
    /// What the key log opened; `None` without one.
    pub sealed: Option<SealedReport>,
    /// How it agrees with the transcript of the clients; `None` without one.
    pub complete: Option<CompleteReport>,
    /// Which flows were judged.
    pub scope: Scope,
    /// Everything that was found, worst first.
    pub findings: Vec<Finding>,
    /// The judgement.
    pub verdict: Verdict,
}

/// The capture file itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaptureSummary {
    /// What it says beside its packets.
    #[serde(flatten)]
    pub file: Summary,
    /// Length of the capture, decompressed, in bytes.
    pub file_len: u64,
    /// Length of the file as given, in bytes.
    pub given_len: u64,
    /// SHA-256 of the file as given, in hexadecimal.
    pub sha256: String,
    /// Packets of which bytes are missing.
    pub truncated: u64,
}
