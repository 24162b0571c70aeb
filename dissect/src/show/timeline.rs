//! `--timeline`: what client and hub do, one line each.

use std::io::{self, Write};

use super::listing::Listing;
use super::operation::Operations;
use super::seen::Seen;
use super::time::TimeFormat;
use crate::render::sanitise;

/// Prints operations as they happen.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    operations: Operations,
    time: TimeFormat,
    any: bool,
}

impl Timeline {
    /// With times in this format.
    pub(crate) fn new(time: TimeFormat) -> Self {
        Self { time, ..Self::default() }
    }
}

impl Listing for Timeline {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{:>14}  {:>7}  {:>7}  {:<6}  {:<9}  what", "time", "packet", "session", "who", "topic")
    }

    fn packet(&mut self, seen: &Seen<'_>, out: &mut dyn Write) -> io::Result<()> {
        let Some(membership) = seen.context.membership else { return Ok(()) };
        for operation in self.operations.take(seen) {
            self.any = true;
            writeln!(
                out,
                "{:>14}  {:>7}  {:>7}  {:<6}  {:<9}  {}",
                seen.clock.shown(self.time),
                seen.packet.number,
                membership.member.session,
                if membership.member.from_client { "client" } else { "hub" },
                operation.topic.name(),
                sanitise(&operation.text)
            )?;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.any { Ok(()) } else { writeln!(out, "there is no session of Sealgram in what was listed") }
    }
}
