//! `-z io,stat`: packets and bytes in each interval of time.

use std::io::{self, Write};

use super::rule;
use crate::show::filter::Filter;
use crate::show::fold::{Bounded, Fold};
use crate::show::seen::Seen;
use crate::show::time::{parse_seconds, seconds};
use crate::verdict::Finding;

/// Intervals without a packet in a row that are printed one by one; more are one line.
const EMPTY_ROWS_MAX: i128 = 100;
/// Columns at most.
const FILTERS_MAX: usize = 16;

/// Packets and bytes of each interval, for each filter.
#[derive(Debug)]
pub(super) struct Intervals {
    /// Length of an interval; 0 is one interval for everything.
    interval_ns: i128,
    /// One for each column; `None` takes everything.
    columns: Vec<(String, Option<Filter>)>,
    known: Bounded<i128, Vec<(u64, u64)>>,
    last_ns: i128,
}

impl Intervals {
    /// Reads `SECONDS[,FILTER]...`.
    pub(super) fn parse(argument: &str) -> Result<Self, String> {
        let mut parts = argument.split(',');
        let interval = parts.next().unwrap_or_default();
        let interval_ns = parse_seconds(interval).filter(|interval| *interval >= 0);
        let interval_ns = interval_ns.ok_or_else(|| {
            format!(
                "io,stat wants an interval in seconds, such as io,stat,0.5; \"{}\" is none",
                crate::render::sanitise(interval)
            )
        })?;
        let mut columns = Vec::new();
        for text in parts {
            let filter = if text.is_empty() {
                None
            } else {
                Some(Filter::parse(text).map_err(|error| error.to_string())?)
            };
            columns.push((text.to_owned(), filter));
        }
        if columns.is_empty() {
            columns.push((String::new(), None));
        }
        if columns.len() > FILTERS_MAX {
            return Err(format!("io,stat has room for {FILTERS_MAX} filters"));
        }
        Ok(Self { interval_ns, columns, known: Bounded::default(), last_ns: 0 })
    }

    fn row(&self, from: i128, to: &str, cells: &[(u64, u64)], out: &mut dyn Write) -> io::Result<()> {
        write!(out, "| {:>22} <> {to:<22} |", seconds(from))?;
        for (packets, bytes) in cells {
            write!(out, " {packets:>9} | {bytes:>12} |")?;
        }
        writeln!(out)
    }
}

impl Fold for Intervals {
    fn take(&mut self, seen: &Seen<'_>) {
        let Some(time) = seen.clock.relative_ns() else { return };
        self.last_ns = self.last_ns.max(time);
        let index = if self.interval_ns == 0 { 0 } else { time.div_euclid(self.interval_ns) };
        let width = self.columns.len();
        let Some(cells) = self.known.entry(index) else { return };
        cells.resize(width, (0, 0));
        for (cell, (_, filter)) in cells.iter_mut().zip(&self.columns) {
            if filter.as_ref().is_none_or(|filter| filter.holds(seen)) {
                cell.0 += 1;
                cell.1 += seen.packet.original_len;
            }
        }
    }

    fn finish(&mut self, _: &[Finding], out: &mut dyn Write) -> io::Result<()> {
        let line = rule(52 + 27 * self.columns.len());
        writeln!(out, "{line}\nIO Statistics")?;
        writeln!(out, "Duration: {} secs", seconds(self.last_ns))?;
        writeln!(out, "Interval: {} secs", seconds(self.interval_ns))?;
        for (number, (text, _)) in (1..).zip(&self.columns) {
            let text = if text.is_empty() { "Frames and bytes" } else { text };
            writeln!(out, "Col {number}: {}", crate::render::sanitise(text))?;
        }
        write!(out, "| {:>22}    {:<22} |", "Interval", "")?;
        for _ in &self.columns {
            write!(out, " {:>9} | {:>12} |", "Frames", "Bytes")?;
        }
        writeln!(out)?;
        let empty = vec![(0, 0); self.columns.len()];
        let mut next = 0;
        for (index, cells) in self.known.iter() {
            if index - next > EMPTY_ROWS_MAX {
                let to = seconds(index * self.interval_ns);
                self.row(next * self.interval_ns, &to, &empty, out)?;
                next = *index;
            }
            for gap in next..*index {
                self.row(gap * self.interval_ns, &seconds((gap + 1) * self.interval_ns), &empty, out)?;
            }
            let end = (index + 1).saturating_mul(self.interval_ns);
            let is_last = self.interval_ns == 0 || end > self.last_ns;
            let to = if is_last { "Dur".to_owned() } else { seconds(end) };
            self.row(index.saturating_mul(self.interval_ns), &to, cells, out)?;
            next = index + 1;
        }
        self.known.write_left_out(out)?;
        writeln!(out, "{line}")
    }
}
