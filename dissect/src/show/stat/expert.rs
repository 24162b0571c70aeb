//! `-z expert`: what was found and what is odd, by rule.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::rule;
use crate::render::sanitise;
use crate::show::fold::Fold;
use crate::show::seen::Seen;
use crate::verdict::{Finding, Severity};

/// Packets named for each rule.
const PACKETS_SHOWN: usize = 5;

/// Oddities of packets and findings of the analysis. There are only so many rules.
#[derive(Debug, Default)]
pub(super) struct Expert {
    rules: BTreeMap<(Group, &'static str), Rule>,
}

/// How bad it is, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Violation,
    Gap,
    Oddity,
    Note,
}

impl Group {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Violation, "Violations: these refute"),
        (Self::Gap, "Gaps: these keep a level from being reached"),
        (Self::Oddity, "Oddities of packets"),
        (Self::Note, "Notes: these change nothing"),
    ];
}

#[derive(Debug, Default)]
struct Rule {
    count: u64,
    text: String,
    packets: Vec<usize>,
}

impl Rule {
    fn add(&mut self, packet: Option<usize>, text: &str) {
        self.count += 1;
        if self.text.is_empty() {
            text.clone_into(&mut self.text);
        }
        let is_room = self.packets.len() < PACKETS_SHOWN;
        self.packets.extend(packet.filter(|number| is_room && !self.packets.contains(number)));
    }
}

impl Fold for Expert {
    fn take(&mut self, seen: &Seen<'_>) {
        for anomaly in &seen.packet.dissection.anomalies {
            let rule = self.rules.entry((Group::Oddity, anomaly.rule)).or_default();
            rule.add(Some(seen.packet.number), &anomaly.text);
        }
    }

    fn finish(&mut self, findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
        for finding in findings {
            let group = match finding.severity {
                Severity::Violation => Group::Violation,
                Severity::Gap => Group::Gap,
                Severity::Note => Group::Note,
            };
            self.rules.entry((group, finding.rule)).or_default().add(finding.packet, &finding.text);
        }
        for (group, title) in Group::ALL {
            let rules: Vec<_> = self.rules.iter().filter(|((own, _), _)| *own == group).collect();
            let total: u64 = rules.iter().map(|(_, rule)| rule.count).sum();
            if total == 0 {
                continue;
            }
            writeln!(out, "{title} ({total})\n{}", rule(13))?;
            writeln!(
                out,
                "{:>12}  {:<28} {:<22} Summary of the first",
                "Frequency", "Rule", "First packets"
            )?;
            for ((_, name), rule) in rules {
                let packets: Vec<String> = rule.packets.iter().map(ToString::to_string).collect();
                let packets = if packets.is_empty() { "-".to_owned() } else { packets.join(" ") };
                writeln!(out, "{:>12}  {name:<28} {packets:<22} {}", rule.count, sanitise(&rule.text))?;
            }
            writeln!(out)?;
        }
        Ok(())
    }
}
