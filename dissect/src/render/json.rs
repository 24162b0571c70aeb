//! The report as one JSON document.

use std::io::{self, Write};

use serde::Serialize;

use super::seconds;
use crate::canary::CanaryReport;
use crate::complete::CompleteReport;
use crate::dissection::{Anomaly, Endpoint, Protocol};
use crate::flow::Flow;
use crate::ledger::Ledger;
use crate::opacity::OpacityReport;
use crate::open::SealedReport;
use crate::packet::Packet;
use crate::report::{CaptureSummary, Report};
use crate::reuse::ReuseReport;
use crate::session::Session;
use crate::tree::Tree;
use crate::verdict::{Finding, Verdict};

/// Raised by one whenever a field changes its meaning or goes away.
const SCHEMA: u32 = 1;

/// Writes a report for programs; `packets` says whether with its packets. The document is ASCII:
/// everything else is escaped, so that it is harmless on a terminal too.
///
/// # Errors
/// Whatever writing to `out` yields.
pub fn json(report: &Report, packets: bool, out: &mut impl Write) -> io::Result<()> {
    let document = Document {
        schema: SCHEMA,
        exit_code: report.verdict.outcome.exit_code(),
        verdict: &report.verdict,
        findings: &report.findings,
        capture: &report.capture,
        ledger: &report.ledger,
        sessions: &report.sessions,
        flows: &report.flows,
        opacity: &report.opacity,
        reuse: &report.reuse,
        canary: &report.canary,
        sealed: report.sealed.as_ref(),
        complete: report.complete.as_ref(),
        packets: packets.then(|| report.packets.iter().map(Row::of).collect()),
    };
    let text = serde_json::to_string_pretty(&document)?;
    for character in text.chars() {
        if character.is_ascii() && character != '\x7f' {
            write!(out, "{character}")?;
        } else {
            // Outside ASCII there are only characters of strings, where this escape is legal.
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
        }
    }
    writeln!(out)
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    exit_code: u8,
    verdict: &'a Verdict,
    findings: &'a [Finding],
    capture: &'a CaptureSummary,
    ledger: &'a Ledger,
    sessions: &'a [Session],
    flows: &'a [Flow],
    opacity: &'a OpacityReport,
    reuse: &'a ReuseReport,
    canary: &'a CanaryReport,
    sealed: Option<&'a SealedReport>,
    complete: Option<&'a CompleteReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packets: Option<Vec<Row<'a>>>,
}

#[derive(Serialize)]
struct Row<'a> {
    number: usize,
    time: Option<String>,
    source: Option<Endpoint>,
    destination: Option<Endpoint>,
    protocol: Protocol,
    length: u64,
    captured: usize,
    #[serde(rename = "type")]
    message: Option<&'static str>,
    info: &'a str,
    anomalies: &'a [Anomaly],
    fields: &'a Tree,
}

impl<'a> Row<'a> {
    fn of(packet: &'a Packet) -> Self {
        let (source, destination) = packet.dissection.ends.unzip();
        Self {
            number: packet.number,
            time: packet.time_ns.map(seconds),
            source,
            destination,
            protocol: packet.dissection.protocol,
            length: packet.original_len,
            captured: packet.data.len(),
            message: packet.message,
            info: &packet.info,
            anomalies: &packet.dissection.anomalies,
            fields: &packet.dissection.tree,
        }
    }
}
