//! The packet table, and what `-V`, `-O` and `-x` put below each row.

use std::io::{self, Write};

use super::tree::{self, Details};
use super::{Listing, dump, legend};
use crate::show::column;
use crate::show::seen::Seen;
use crate::show::time::TimeFormat;

/// One line for each packet.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// How times are shown.
    pub(crate) time: TimeFormat,
    /// Which fields stand below the line.
    pub(crate) details: Details,
    /// Whether the bytes stand below the line.
    pub(crate) bytes: bool,
    /// Whether to use colours.
    pub(crate) colour: bool,
}

impl Table {
    fn row(row: &[String; 7], out: &mut dyn Write) -> io::Result<()> {
        let [number, time, source, destination, protocol, length, info] = row;
        let line = format!(
            "{number:>6}  {time:>14}  {source:<15}  {destination:<15}  {protocol:<8}  {length:>6}  {info}"
        );
        writeln!(out, "{}", line.trim_end())
    }
}

impl Listing for Table {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.colour && self.bytes {
            legend(out)?;
        }
        Self::row(&column::NAMES.map(str::to_owned), out)
    }

    fn packet(&mut self, seen: &Seen<'_>, out: &mut dyn Write) -> io::Result<()> {
        Self::row(&column::row(seen, self.time), out)?;
        if self.details != Details::None {
            tree::write(seen, &self.details, out)?;
        }
        if self.bytes {
            dump(seen, self.colour, out)?;
        }
        if self.bytes || self.details != Details::None {
            writeln!(out)?;
        }
        Ok(())
    }
}
