//! The report as text: the tables, then the verdict and what it rests on.

use std::io::{self, Write};

use super::metadata::metadata;
use super::sanitise;
use super::table::{packet_head, packet_row, tables};
use crate::canary::CanaryResult;
use crate::report::Report;
use crate::row::Row;
use crate::tree::Class;
use crate::verdict::{Outcome, Severity};

/// How the text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to use colours.
    pub colour: bool,
    /// Whether to print packets and sessions.
    pub packets: bool,
}

/// Writes a report for people, its packets as they come.
#[derive(Debug)]
pub struct Text<W> {
    out: W,
    style: Style,
    /// The time of the first packet that has one.
    start: Option<i128>,
    has_packets: bool,
    outcome: io::Result<()>,
}

impl<W: Write> Text<W> {
    /// Begins a report.
    pub const fn new(style: Style, out: W) -> Self {
        Self { out, style, start: None, has_packets: false, outcome: Ok(()) }
    }

    /// Writes a packet. Behind an error, which [`Text::finish`] returns, nothing more is written.
    pub fn row(&mut self, row: &Row<'_>) {
        if self.outcome.is_ok() && self.style.packets {
            self.outcome = self.write_row(row);
        }
    }

    fn write_row(&mut self, row: &Row<'_>) -> io::Result<()> {
        if !std::mem::replace(&mut self.has_packets, true) {
            packet_head(&mut self.out)?;
        }
        self.start = self.start.or(row.packet.time_ns);
        packet_row(row.packet, self.start.unwrap_or(0), &mut self.out)
    }

    /// Writes everything else.
    ///
    /// # Errors
    /// Whatever writing yielded.
    pub fn finish(mut self, report: &Report) -> io::Result<()> {
        self.outcome?;
        if self.has_packets {
            writeln!(self.out)?;
        }
        text(report, self.style, &mut self.out)?;
        self.out.flush()
    }
}

/// Writes a report for people, without its packets.
///
/// # Errors
/// Whatever writing to `out` yields.
pub fn text(report: &Report, style: Style, out: &mut impl Write) -> io::Result<()> {
    if style.packets {
        tables(report, out)?;
    }
    verdict(report, style, out)
}

/// The verdict in one line.
pub(crate) fn headline(report: &Report) -> String {
    headline_with(report, report.verdict.outcome.name())
}

fn headline_with(report: &Report, outcome: &str) -> String {
    let verdict = &report.verdict;
    let reached =
        verdict.reached.map_or(String::from("no level"), |level| format!("level {level} ({})", level.name()));
    let (required, name) = (verdict.required, verdict.required.name());
    format!("VERDICT {outcome}: reached {reached}, required {required} ({name})")
}

fn verdict(report: &Report, style: Style, out: &mut impl Write) -> io::Result<()> {
    let paint = |outcome: Outcome| match (style.colour, outcome) {
        (false, outcome) => outcome.name().to_owned(),
        (true, Outcome::Proved) => format!("\x1b[1;32m{}\x1b[0m", outcome.name()),
        (true, Outcome::Refuted) => format!("\x1b[1;31m{}\x1b[0m", outcome.name()),
        (true, Outcome::Inconclusive) => format!("\x1b[1;33m{}\x1b[0m", outcome.name()),
    };
    let verdict = &report.verdict;
    writeln!(out, "{}", headline_with(report, &paint(verdict.outcome)))?;
    facts(report, out)?;
    for severity in [Severity::Violation, Severity::Gap, Severity::Note] {
        findings(report, severity, out)?;
    }
    writeln!(out, "  assumed    {}", verdict.assumptions.join("; "))?;
    writeln!(out, "  not shown  {}", verdict.not_shown.join("; "))
}

fn facts(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let capture = &report.capture;
    writeln!(
        out,
        "  capture    {} packets ({} truncated, {} dropped, {} places of damage), {} bytes, SHA-256 {}",
        capture.file.packets,
        capture.truncated,
        capture.file.dropped,
        capture.file.damage_count,
        capture.file_len,
        capture.sha256
    )?;
    if let Some(compression) = capture.file.compression {
        writeln!(out, "  file       {} bytes, {compression}", capture.given_len)?;
    }
    let ledger = &report.ledger;
    let classes: Vec<String> = ledger
        .classes
        .iter()
        .filter(|(class, _)| !matches!(class, Class::FileMeta | Class::Missing))
        .map(|(class, bytes)| format!("{} {bytes}", class.name()))
        .collect();
    let outside = [Class::FileMeta, Class::Missing].map(|class| ledger.bytes(class));
    writeln!(
        out,
        "  ledger     {} bytes captured = {}; file-meta {}, missing {}, unknown {}",
        ledger.captured,
        if classes.is_empty() { String::from("0") } else { classes.join(" + ") },
        outside[0],
        outside[1],
        ledger.bytes(Class::Unparsed),
    )?;
    opacity(report, out)?;
    canary(report, out)?;
    sealed(report, out)?;
    complete(report, out)?;
    metadata(&report.metadata, out)
}

fn complete(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let Some(complete) = &report.complete else { return Ok(()) };
    writeln!(
        out,
        "  complete   {} of {} messages sent and {} of {} heard were opened word for word; {} opened that nobody reported",
        complete.sent_found, complete.sent, complete.heard_found, complete.heard, complete.extra
    )
}

fn sealed(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let Some(sealed) = &report.sealed else { return Ok(()) };
    let expected = sealed.sealed.saturating_sub(sealed.abandoned);
    writeln!(
        out,
        "  sealed     {} of {expected} datagrams verified ({} of handshakes given up not counted), {} of {} sealed again alike",
        sealed.verified, sealed.abandoned, sealed.resealed, sealed.opened_short
    )?;
    writeln!(
        out,
        "  keys       derived from the handshake in {} sessions, {} key updates followed, {} ratchets taken from the log; {} of {} falsifications rejected",
        sealed.derived, sealed.updates, sealed.ratchets, sealed.controls_rejected, sealed.controls
    )
}

fn opacity(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let (opacity, reuse) = (&report.opacity, &report.reuse);
    if opacity.samples == 0 {
        return writeln!(out, "  opacity    nothing to judge");
    }
    writeln!(
        out,
        "  opacity    {} samples, {} bytes: strongest evidence 2^{:.1} in one (limit 2^{:.1}), 2^{:.1} in all (limit 2^{:.1})",
        opacity.samples,
        opacity.bytes,
        opacity.strongest_fragment_bits,
        opacity.fragment_limit_bits,
        opacity.strongest_pooled_bits,
        opacity.pooled_limit_bits,
    )?;
    writeln!(
        out,
        "  reuse      {} repeated windows, {} shared keystreams, {} identical datagrams",
        reuse.repeated_windows.len(),
        reuse.shared_keystream.len(),
        reuse.identical_datagrams,
    )
}

/// Texts one by one; the secrets of a key log, which can be hundreds, in one line while all is well.
fn canary(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let canary = &report.canary;
    let (keys, texts): (Vec<_>, Vec<_>) =
        canary.canaries.iter().partition(|result| result.is_key && result.on_wire + result.in_file_meta == 0);
    for result in texts {
        canary_line(result, out)?;
    }
    if !keys.is_empty() {
        writeln!(out, "  canary     {} secrets of the key log: not found", keys.len())?;
    }
    if !canary.canaries.is_empty() {
        writeln!(
            out,
            "  control    {} of {} planted variants found ({} needles, {} views)",
            canary.control_found, canary.control_planted, canary.needles, canary.views
        )?;
    }
    Ok(())
}

fn canary_line(result: &CanaryResult, out: &mut impl Write) -> io::Result<()> {
    write!(
        out,
        "  canary     {}: on the wire {}, elsewhere in the file {}",
        sanitise(&result.label),
        result.on_wire,
        result.in_file_meta,
    )?;
    if let Some(sealed) = result.in_sealed {
        write!(out, ", sealed in {sealed} datagrams")?;
    }
    let strength = &result.strength;
    if !strength.strong {
        let chance = strength.expected_chance_hits;
        write!(out, "; WEAK: too short to decide, chance alone may give {chance:.1e} hits")?;
    }
    writeln!(out)?;
    // What was not searched, or in vain, belongs to the result.
    if strength.strong && !result.is_key {
        let key_bytes = strength.xor_key_bytes;
        write!(out, "             parts of it, and behind XOR keys of up to {key_bytes} bytes")?;
        for (what, forms) in
            [("too short to decide as", &strength.weak_forms), ("not searched as", &strength.left_out_forms)]
        {
            if !forms.is_empty() {
                write!(out, "; {what} {}", forms.join(", "))?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn findings(report: &Report, severity: Severity, out: &mut impl Write) -> io::Result<()> {
    const SHOWN: usize = 40;
    let label = match severity {
        Severity::Violation => "VIOLATION",
        Severity::Gap => "gap",
        Severity::Note => "note",
    };
    let chosen: Vec<_> = report.findings.iter().filter(|finding| finding.severity == severity).collect();
    for finding in chosen.iter().take(SHOWN) {
        let place = finding.packet.map_or(String::new(), |number| format!(" packet {number}:"));
        writeln!(
            out,
            "  {label:<9}  {} [{}]{place} {}",
            finding.level,
            finding.rule,
            sanitise(&finding.text)
        )?;
    }
    if chosen.len() > SHOWN {
        writeln!(out, "  {label:<9}  and {} more", chosen.len() - SHOWN)?;
    }
    Ok(())
}
