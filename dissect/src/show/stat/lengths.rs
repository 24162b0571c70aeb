//! `-z plen,tree`: how long packets are.

use std::io::{self, Write};

use super::rule;
use crate::show::fold::Fold;
use crate::show::seen::Seen;
use crate::verdict::Finding;

/// Where the classes begin: tshark's.
const STARTS: [u64; 10] = [0, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120];

/// Packets by their length.
#[derive(Debug, Default)]
pub(super) struct Lengths {
    all: Class,
    classes: [Class; STARTS.len()],
}

#[derive(Clone, Copy, Debug, Default)]
struct Class {
    packets: u64,
    bytes: u64,
    shortest: Option<u64>,
    longest: u64,
}

impl Class {
    fn add(&mut self, len: u64) {
        self.packets += 1;
        self.bytes = self.bytes.saturating_add(len);
        self.shortest = Some(self.shortest.map_or(len, |shortest| shortest.min(len)));
        self.longest = self.longest.max(len);
    }

    fn write(&self, name: &str, all: u64, out: &mut dyn Write) -> io::Result<()> {
        let percent = hundredths(self.packets.saturating_mul(100), all);
        match self.shortest {
            None => writeln!(out, "{name:<18} {:<12} {:<13} {:<13} {:<13} {percent}%", 0, "-", "-", "-"),
            Some(shortest) => writeln!(
                out,
                "{name:<18} {:<12} {:<13} {shortest:<13} {:<13} {percent}%",
                self.packets,
                hundredths(self.bytes, self.packets),
                self.longest
            ),
        }
    }
}

/// A quotient with two decimals.
fn hundredths(dividend: u64, divisor: u64) -> String {
    let hundredths = u128::from(dividend) * 100 / u128::from(divisor.max(1));
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

impl Fold for Lengths {
    fn take(&mut self, seen: &Seen<'_>) {
        let len = seen.packet.original_len;
        self.all.add(len);
        let class = STARTS.iter().rposition(|start| *start <= len).unwrap_or(0);
        if let Some(class) = self.classes.get_mut(class) {
            class.add(len);
        }
    }

    fn finish(&mut self, _: &[Finding], out: &mut dyn Write) -> io::Result<()> {
        let line = rule(82);
        writeln!(out, "{line}\nPacket Lengths:")?;
        writeln!(
            out,
            "{:<18} {:<12} {:<13} {:<13} {:<13} Percent",
            "Topic / Item", "Count", "Average", "Min Val", "Max Val"
        )?;
        self.all.write("Packet Lengths", self.all.packets, out)?;
        for (index, class) in self.classes.iter().enumerate() {
            let start = STARTS.get(index).copied().unwrap_or(0);
            let name = match STARTS.get(index + 1) {
                Some(next) => format!(" {start}-{}", next - 1),
                None => format!(" {start} and greater"),
            };
            class.write(&name, self.all.packets, out)?;
        }
        writeln!(out, "{line}")
    }
}
