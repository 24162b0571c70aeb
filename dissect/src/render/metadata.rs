//! What stays visible, as text: a sentence a line. As JSON the report is itself.

use std::io::{self, Write};

use super::sanitise;
use crate::metadata::MetadataReport;

/// Pairs of ends that are listed.
const LISTED: usize = 20;

/// Writes the report for people.
///
/// # Errors
/// Whatever writing to `out` yields.
pub fn metadata(report: &MetadataReport, out: &mut impl Write) -> io::Result<()> {
    for sentence in report.sentences() {
        writeln!(out, "  metadata   {}", sanitise(&sentence))?;
    }
    for talk in report.talks.iter().take(LISTED) {
        writeln!(
            out,
            "  talk       {} and {}: {} datagrams, {} bytes",
            talk.client, talk.hub, talk.traffic.datagrams, talk.traffic.bytes
        )?;
    }
    if report.talks.len() > LISTED {
        writeln!(out, "  talk       and {} more", report.talks.len() - LISTED)?;
    }
    Ok(())
}
