//! `-z sealgram,loss`: gaps, reordering and repeats by packet number. Only a key log shows the numbers.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::rule;
use super::track::{self, BySession};
use crate::show::fold::Fold;
use crate::show::seen::Seen;
use crate::verdict::Finding;

/// Missing numbers that are remembered; a packet that comes later than so many is counted as lost.
const MISSING_MAX: usize = 65_536;

/// Losses of each session.
#[derive(Debug, Default)]
pub(super) struct Losses(BySession<Session>);

#[derive(Debug, Default)]
struct Session {
    title: String,
    /// Datagrams that no key opened.
    sealed: u64,
    client: Side,
    hub: Side,
}

#[derive(Debug, Default)]
struct Side {
    packets: u64,
    next: u64,
    missing: BTreeSet<u64>,
    /// Missing numbers that are remembered no more.
    lost: u64,
    reordered: u64,
    repeated: u64,
}

impl Side {
    fn take(&mut self, number: u64) {
        self.packets += 1;
        if self.packets == 1 {
            self.next = number.saturating_add(1);
            return;
        }
        match number.checked_sub(self.next) {
            Some(gap) => {
                let remembered = u64::try_from(MISSING_MAX).unwrap_or(u64::MAX);
                self.lost = self.lost.saturating_add(gap.saturating_sub(remembered));
                let first = number.saturating_sub(gap.min(remembered));
                self.missing.extend(first..number);
                while self.missing.len() > MISSING_MAX {
                    self.missing.pop_first();
                    self.lost += 1;
                }
                self.next = number.saturating_add(1);
            }
            None if self.missing.remove(&number) => self.reordered += 1,
            None => self.repeated += 1,
        }
    }

    fn shown(&self) -> String {
        let lost = self.lost.saturating_add(crate::bytes::count(self.missing.len()));
        format!(
            "{} packets, {lost} numbers missing, {} out of order, {} repeated",
            self.packets, self.reordered, self.repeated
        )
    }
}

impl Fold for Losses {
    fn take(&mut self, seen: &Seen<'_>) {
        let Some((kept, membership)) = track::of(&mut self.0, seen) else { return };
        kept.title = track::title(&membership);
        if membership.member.kind != crate::session::Kind::Short {
            return;
        }
        let side = if membership.member.from_client { &mut kept.client } else { &mut kept.hub };
        match seen.context.opened.and_then(|opened| opened.place) {
            Some(place) => side.take(place.number),
            None => kept.sealed += 1,
        }
    }

    fn finish(&mut self, _: &[Finding], out: &mut dyn Write) -> io::Result<()> {
        let line = rule(79);
        writeln!(out, "{line}\nSealgram losses, by packet number")?;
        for (number, kept) in self.0.iter() {
            writeln!(out, "session {number}: {}", kept.title)?;
            writeln!(out, "  client  {}", kept.client.shown())?;
            writeln!(out, "  hub     {}", kept.hub.shown())?;
            if kept.sealed > 0 {
                writeln!(out, "  {} datagrams were not opened: their numbers are masked", kept.sealed)?;
            }
        }
        self.0.write_left_out(out)?;
        writeln!(out, "{line}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_late_packets_and_repeats() {
        let mut side = Side::default();
        for number in [10, 11, 14, 12, 12, 20] {
            side.take(number);
        }
        assert_eq!(side.shown(), "6 packets, 6 numbers missing, 1 out of order, 1 repeated");
        side.take(1 << 40);
        assert!(side.missing.len() <= MISSING_MAX);
    }
}
