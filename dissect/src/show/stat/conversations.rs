//! `-z conv`: who talks to whom, and how much.

use std::io::{self, Write};

use super::{End, rule};
use crate::show::fold::{Bounded, Fold};
use crate::show::seen::Seen;
use crate::show::time::seconds;
use crate::verdict::Finding;

/// Conversations between ends of one kind.
#[derive(Debug)]
pub(super) struct Conversations {
    end: End,
    known: Bounded<(String, String), Conversation>,
}

#[derive(Debug, Default)]
struct Conversation {
    /// Order of first appearance.
    order: u64,
    initiator: String,
    responder: String,
    /// Packets and bytes of the initiator, then of the responder.
    forward: (u64, u64),
    backward: (u64, u64),
    first_ns: Option<i128>,
    last_ns: Option<i128>,
}

impl Conversations {
    pub(super) fn new(end: End) -> Self {
        Self { end, known: Bounded::default() }
    }
}

impl Fold for Conversations {
    fn take(&mut self, seen: &Seen<'_>) {
        let Some((source, destination)) = self.end.of(seen) else { return };
        let key = if source <= destination {
            (source.clone(), destination.clone())
        } else {
            (destination.clone(), source.clone())
        };
        let Some(conversation) = self.known.entry(key) else { return };
        if conversation.initiator.is_empty() {
            conversation.order = crate::bytes::count(seen.packet.number);
            (conversation.initiator, conversation.responder) = (source.clone(), destination);
            conversation.first_ns = seen.clock.relative_ns();
        }
        let is_forward = conversation.initiator == source;
        let (packets, bytes) =
            if is_forward { &mut conversation.forward } else { &mut conversation.backward };
        *packets += 1;
        *bytes += seen.packet.original_len;
        conversation.last_ns = seen.clock.relative_ns().or(conversation.last_ns);
    }

    fn finish(&mut self, _: &[Finding], out: &mut dyn Write) -> io::Result<()> {
        let mut rows: Vec<&Conversation> = self.known.iter().map(|(_, row)| row).collect();
        rows.sort_by_key(|row| (std::cmp::Reverse(row.forward.0 + row.backward.0), row.order));
        let ends = |row: &&Conversation| row.initiator.len().max(row.responder.len());
        let width = rows.iter().map(ends).max().unwrap_or(0).max(15);
        let line = rule(2 * width + 103);
        writeln!(out, "{line}\n{} Conversations", self.end.title())?;
        writeln!(
            out,
            "{:width$}     {:width$}  |       <-         | |       ->         | |      Total       |     Relative    |   Duration",
            "", ""
        )?;
        writeln!(
            out,
            "{:width$}     {:width$}  | Frames     Bytes | | Frames     Bytes | | Frames     Bytes |       Start     |",
            "", ""
        )?;
        for row in rows {
            let first = row.first_ns.unwrap_or(0);
            let duration = row.last_ns.unwrap_or(first).saturating_sub(first);
            writeln!(
                out,
                "{:width$} <-> {:width$}    {:6} {:9}    {:6} {:9}    {:6} {:9}    {:>16}   {:>12}",
                row.initiator,
                row.responder,
                row.backward.0,
                row.backward.1,
                row.forward.0,
                row.forward.1,
                row.forward.0 + row.backward.0,
                row.forward.1 + row.backward.1,
                seconds(first),
                seconds(duration)
            )?;
        }
        self.known.write_left_out(out)?;
        writeln!(out, "{line}")
    }
}
