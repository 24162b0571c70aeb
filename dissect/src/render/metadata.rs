//! What stays visible, as text: a sentence a line.

use std::io::{self, Write};

use super::sanitise;
use crate::metadata::MetadataReport;

/// Writes what an observer learns; nothing when there was no session.
pub(super) fn metadata(report: &MetadataReport, out: &mut impl Write) -> io::Result<()> {
    if report.talks.is_empty() {
        return Ok(());
    }
    for sentence in report.sentences() {
        writeln!(out, "  metadata   {}", sanitise(&sentence))?;
    }
    Ok(())
}
