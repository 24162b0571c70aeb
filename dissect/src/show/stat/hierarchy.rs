//! `-z io,phs`: protocols, one inside the other.

use std::io::{self, Write};

use super::rule;
use crate::show::fold::{Bounded, Fold};
use crate::show::seen::Seen;
use crate::verdict::Finding;

/// Protocols in each other that are told apart.
const DEPTH_MAX: usize = 12;

/// Packets and bytes of each stack of protocols.
#[derive(Debug, Default)]
pub(super) struct Hierarchy {
    known: Bounded<Vec<&'static str>, Node>,
}

#[derive(Debug, Default)]
struct Node {
    packets: u64,
    bytes: u64,
}

impl Fold for Hierarchy {
    fn take(&mut self, seen: &Seen<'_>) {
        let is_protocol = |name: &&'static str| *name != "ethertype";
        let stack: Vec<&'static str> =
            seen.protocols().into_iter().filter(is_protocol).take(DEPTH_MAX).collect();
        let stack = if stack.is_empty() { vec!["unknown"] } else { stack };
        for depth in 1..=stack.len() {
            let Some(node) = stack.get(..depth).and_then(|part| self.known.entry(part.to_vec())) else {
                return;
            };
            node.packets += 1;
            node.bytes += seen.packet.original_len;
        }
    }

    fn finish(&mut self, _: &[Finding], out: &mut dyn Write) -> io::Result<()> {
        let line = rule(67);
        writeln!(out, "{line}\nProtocol Hierarchy Statistics\n")?;
        for (stack, node) in self.known.iter() {
            let indent = "  ".repeat(stack.len().saturating_sub(1));
            let name = format!("{indent}{}", stack.last().unwrap_or(&""));
            writeln!(out, "{name:<40} frames:{} bytes:{}", node.packets, node.bytes)?;
        }
        self.known.write_left_out(out)?;
        writeln!(out, "{line}")
    }
}
