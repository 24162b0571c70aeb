//! Everything the analysis of a capture yields.

use serde::Serialize;

use crate::bytes::{Endian, count};
use crate::canary::CanaryReport;
use crate::complete::CompleteReport;
use crate::flow::Flow;
use crate::ledger::Ledger;
use crate::opacity::OpacityReport;
use crate::open::SealedReport;
use crate::packet::Packet;
use crate::pcap::{Capture, Damage, Format, Interface};
use crate::reuse::ReuseReport;
use crate::session::Session;
use crate::verdict::{Finding, Verdict};

/// The analysis of one capture.
#[derive(Debug)]
pub struct Report {
    /// The file.
    pub capture: CaptureSummary,
    /// Every packet, in file order.
    pub packets: Vec<Packet>,
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
    /// What the key log opened; `None` without one.
    pub sealed: Option<SealedReport>,
    /// How it agrees with the transcript of the clients; `None` without one.
    pub complete: Option<CompleteReport>,
    /// Everything that was found, worst first.
    pub findings: Vec<Finding>,
    /// The judgement.
    pub verdict: Verdict,
}

/// The capture file itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaptureSummary {
    /// Classic or block format.
    pub format: Format,
    /// Byte order of the first section.
    pub endian: Endian,
    /// Length of the file, in bytes.
    pub file_len: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Number of sections.
    pub sections: u64,
    /// All interfaces.
    pub interfaces: Vec<Interface>,
    /// Number of packets.
    pub packets: u64,
    /// Packets of which bytes are missing.
    pub truncated: u64,
    /// Packets the capturing system dropped, as far as the file says.
    pub dropped: u64,
    /// Places where the file is damaged.
    pub damage_count: u64,
    /// The first of them.
    pub damage: Vec<Damage>,
    /// Blocks of secrets inside the file.
    pub secret_blocks: u64,
}

impl CaptureSummary {
    /// Summarises a capture.
    #[must_use]
    pub fn of(capture: &Capture, packets: &[Packet]) -> Self {
        Self {
            format: capture.format,
            endian: capture.endian,
            file_len: count(capture.bytes.len()),
            sha256: capture.sha256(),
            sections: capture.sections,
            interfaces: capture.interfaces.clone(),
            packets: count(packets.len()),
            truncated: count(packets.iter().filter(|packet| packet.missing() > 0).count()),
            dropped: capture.dropped,
            damage_count: capture.damage_count,
            damage: capture.damage.clone(),
            secret_blocks: capture.secret_blocks,
        }
    }
}
