//! The report as one JSON document.

use std::io::{self, Write};

use serde::Serialize;

use super::seconds;
use crate::canary::CanaryReport;
use crate::complete::CompleteReport;
use crate::dissection::{Anomaly, Endpoint, Protocol};
use crate::flow::Flow;
use crate::ledger::Ledger;
use crate::metadata::MetadataReport;
use crate::opacity::OpacityReport;
use crate::open::{OpenedDatagram, SealedReport};
use crate::report::{CaptureSummary, Report};
use crate::reuse::ReuseReport;
use crate::row::Row;
use crate::session::Session;
use crate::tree::Tree;
use crate::verdict::{Finding, Scope, Verdict};

/// Raised by one whenever a field changes its meaning or goes away.
const SCHEMA: u32 = 2;

/// Writes a report for programs as one JSON document, its packets as they come. The document is ASCII: everything
/// else is escaped, so that it is harmless on a terminal too.
#[derive(Debug)]
pub struct Json<W> {
    out: W,
    /// Whether a packet was written, and what went wrong with one.
    has_packets: bool,
    outcome: io::Result<()>,
}

impl<W: Write> Json<W> {
    /// Begins a document.
    pub const fn new(out: W) -> Self {
        Self { out, has_packets: false, outcome: Ok(()) }
    }

    /// Writes a packet. Behind an error, which [`Json::finish`] returns, nothing more is written.
    pub fn row(&mut self, row: &Row<'_>) {
        if self.outcome.is_ok() {
            self.outcome = self.write_row(row);
        }
    }

    fn write_row(&mut self, row: &Row<'_>) -> io::Result<()> {
        let before = if self.has_packets { ",\n    " } else { "{\n  \"packets\": [\n    " };
        self.has_packets = true;
        self.out.write_all(before.as_bytes())?;
        ascii_json(&serde_json::to_string(&Line::of(row))?, &mut self.out)
    }

    /// Ends the document with the report.
    ///
    /// # Errors
    /// Whatever writing yielded.
    pub fn finish(mut self, report: &Report, exit_code: u8) -> io::Result<()> {
        self.outcome?;
        let text = serde_json::to_string_pretty(&Document::of(report, exit_code))?;
        if self.has_packets {
            self.out.write_all(b"\n  ],")?;
            ascii_json(text.trim_start_matches('{'), &mut self.out)?;
        } else {
            ascii_json(&text, &mut self.out)?;
        }
        writeln!(self.out)?;
        self.out.flush()
    }
}

/// The report without its packets.
///
/// # Errors
/// When it cannot be written as JSON.
pub(crate) fn document(report: &Report, exit_code: u8) -> serde_json::Result<serde_json::Value> {
    serde_json::to_value(Document::of(report, exit_code))
}

/// Writes a JSON text with everything escaped that is not ASCII.
///
/// # Errors
/// Whatever writing to `out` yields.
pub(crate) fn ascii_json(text: &str, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    let is_plain = |character: char| character.is_ascii() && character != '\x7f';
    let mut rest = text;
    while let Some(at) = rest.find(|character| !is_plain(character)) {
        let (plain, other) = rest.split_at(at);
        out.write_all(plain.as_bytes())?;
        let mut characters = other.chars();
        // Outside ASCII there are only characters of strings, where this escape is legal.
        if let Some(character) = characters.next() {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
        }
        rest = characters.as_str();
    }
    out.write_all(rest.as_bytes())
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    exit_code: u8,
    scope: Scope,
    verdict: &'a Verdict,
    findings: &'a [Finding],
    capture: &'a CaptureSummary,
    ledger: &'a Ledger,
    sessions: &'a [Session],
    flows: &'a [Flow],
    opacity: &'a OpacityReport,
    reuse: &'a ReuseReport,
    metadata: &'a MetadataReport,
    canary: &'a CanaryReport,
    sealed: Option<&'a SealedReport>,
    complete: Option<&'a CompleteReport>,
}

impl<'a> Document<'a> {
    fn of(report: &'a Report, exit_code: u8) -> Self {
        Self {
            schema: SCHEMA,
            exit_code,
            scope: report.scope,
            verdict: &report.verdict,
            findings: &report.findings,
            capture: &report.capture,
            ledger: &report.ledger,
            sessions: &report.sessions,
            flows: &report.flows,
            opacity: &report.opacity,
            reuse: &report.reuse,
            metadata: &report.metadata,
            canary: &report.canary,
            sealed: report.sealed.as_ref(),
            complete: report.complete.as_ref(),
        }
    }
}

/// A packet in the document.
#[derive(Serialize)]
struct Line<'a> {
    number: usize,
    time: Option<String>,
    source: Option<Endpoint>,
    destination: Option<Endpoint>,
    protocol: Protocol,
    length: u64,
    captured: usize,
    #[serde(rename = "type")]
    message: Option<&'static str>,
    /// Index of its session.
    session: Option<usize>,
    from_client: Option<bool>,
    info: &'a str,
    anomalies: &'a [Anomaly],
    fields: &'a Tree,
    /// The packets whose fragments it completed.
    #[serde(skip_serializing_if = "<[usize]>::is_empty")]
    completes: &'a [usize],
    #[serde(skip_serializing_if = "Option::is_none")]
    opened: Option<&'a OpenedDatagram>,
}

impl<'a> Line<'a> {
    fn of(row: &Row<'a>) -> Self {
        let packet = row.packet;
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
            session: row.member.map(|member| member.session),
            from_client: row.member.map(|member| member.from_client),
            info: &packet.info,
            anomalies: &packet.dissection.anomalies,
            fields: &packet.dissection.tree,
            completes: &packet.parts,
            opened: row.opened,
        }
    }
}
