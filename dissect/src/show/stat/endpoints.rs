//! `-z endpoints`: who sends and receives how much.

use std::io::{self, Write};

use super::{End, rule};
use crate::show::fold::{Bounded, Fold};
use crate::show::seen::Seen;
use crate::verdict::Finding;

/// Ends of one kind.
#[derive(Debug)]
pub(super) struct Endpoints {
    end: End,
    known: Bounded<String, Traffic>,
}

#[derive(Debug, Default)]
struct Traffic {
    /// Order of first appearance.
    order: Option<usize>,
    /// Packets and bytes.
    sent: (u64, u64),
    received: (u64, u64),
}

impl Endpoints {
    pub(super) fn new(end: End) -> Self {
        Self { end, known: Bounded::default() }
    }
}

impl Fold for Endpoints {
    fn take(&mut self, seen: &Seen<'_>) {
        let Some((source, destination)) = self.end.of(seen) else { return };
        for (end, is_sender) in [(source, true), (destination, false)] {
            let Some(traffic) = self.known.entry(end) else { continue };
            traffic.order.get_or_insert(2 * seen.packet.number + usize::from(!is_sender));
            let (packets, bytes) = if is_sender { &mut traffic.sent } else { &mut traffic.received };
            *packets += 1;
            *bytes += seen.packet.original_len;
        }
    }

    fn finish(&mut self, _: &[Finding], out: &mut dyn Write) -> io::Result<()> {
        let mut rows: Vec<(&String, &Traffic)> = self.known.iter().collect();
        rows.sort_by_key(|(_, row)| (std::cmp::Reverse(row.sent.0 + row.received.0), row.order));
        let width = rows.iter().map(|(end, _)| end.len()).max().unwrap_or(0).max(15);
        let line = rule(width + 76);
        writeln!(out, "{line}\n{} Endpoints", self.end.title())?;
        writeln!(
            out,
            "{:width$}  | Packets |     Bytes | | Tx Packets |  Tx Bytes | | Rx Packets |  Rx Bytes |",
            ""
        )?;
        for (end, row) in rows {
            writeln!(
                out,
                "{end:width$}    {:7}   {:9}     {:10}   {:9}     {:10}   {:9}",
                row.sent.0 + row.received.0,
                row.sent.1 + row.received.1,
                row.sent.0,
                row.sent.1,
                row.received.0,
                row.received.1
            )?;
        }
        self.known.write_left_out(out)?;
        writeln!(out, "{line}")
    }
}
