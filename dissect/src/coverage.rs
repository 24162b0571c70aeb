//! Level E0: was the whole capture read, and does every byte have a class?

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::Ledger;
use crate::link;
use crate::packet::Packet;
use crate::pcap::Summary;
use crate::tree::Class;
use crate::verdict::{Finding, Level};

/// Looks at every packet for what was not understood.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    /// The link types of packets that could not be taken apart.
    unsupported: BTreeSet<u16>,
    anomalies: BTreeMap<&'static str, Cases>,
    trailers: Cases,
    extensions: Cases,
    /// Packets of which bytes are missing.
    pub(crate) truncated: u64,
}

/// How often something occurs, and where first.
#[derive(Debug, Default)]
struct Cases {
    first: usize,
    times: u64,
    text: String,
}

impl Cases {
    fn take(&mut self, packet: &Packet, text: &str) {
        if self.times == 0 {
            self.first = packet.number;
            text.clone_into(&mut self.text);
        }
        self.times += 1;
    }
}

impl Coverage {
    /// Takes in a packet whose fields are all known.
    pub(crate) fn take(&mut self, packet: &Packet, data: &[u8]) {
        self.truncated += u64::from(packet.missing() > 0);
        self.unsupported.extend(packet.link_type.filter(|link_type| link::name(*link_type).is_none()));
        // Unsupported link types have a finding of their own.
        let anomalies = &packet.dissection.anomalies;
        for anomaly in anomalies.iter().filter(|anomaly| anomaly.rule != "link.unsupported") {
            self.anomalies.entry(anomaly.rule).or_default().take(packet, &anomaly.text);
        }
        let fields = packet.dissection.tree.fields();
        let is_filled =
            |class: Class, bytes: &[u8]| class == Class::L2Trailer && bytes.iter().any(|byte| *byte != 0);
        // Padding behind a packet should be zero: memory has leaked there before ("Etherleak").
        if packet.fcs_len == 0
            && fields.iter().any(|field| is_filled(field.class, data.get(field.range()).unwrap_or_default()))
        {
            self.trailers.take(packet, "");
        }
        // Nobody seals options and extension headers, and the protocol sends none.
        if packet.message.is_some() && fields.iter().any(|field| field.class == Class::L3Ext) {
            self.extensions.take(packet, "");
        }
    }

    /// All findings about coverage.
    pub(crate) fn finish(self, file: &Summary, ledger: &Ledger) -> Vec<Finding> {
        let mut findings = of_file(file, ledger);
        let mut gap = |rule, text: String| findings.push(Finding::gap(Level::E0, rule, text));
        for link_type in &self.unsupported {
            gap("link.unsupported", format!("link type {link_type} is not supported"));
        }
        findings.extend(self.anomalies.into_iter().map(|(rule, cases)| anomaly(rule, cases)));
        let mut cases = |rule, cases: Cases, what: &str| {
            if cases.times > 0 {
                let text = format!("{what}, {} times", cases.times);
                findings.push(Finding::gap(Level::E0, rule, text).in_packet(cases.first));
            }
        };
        cases("l2.trailer", self.trailers, "bytes other than zero behind the packet");
        cases("ip.options", self.extensions, "IP options around Sealgram datagrams");
        findings
    }
}

/// The oddities of one rule, with the first packet they concern.
fn anomaly(rule: &'static str, Cases { first, times, text }: Cases) -> Finding {
    let text = if times > 1 { format!("{text} (and in {} more packets)", times - 1) } else { text };
    Finding::note(Level::E0, rule, text).in_packet(first)
}

/// What the file and the ledger say.
fn of_file(file: &Summary, ledger: &Ledger) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut gap = |rule, text: String| findings.push(Finding::gap(Level::E0, rule, text));
    if file.packets == 0 {
        gap("capture.empty", "the capture holds no packet".to_owned());
    }
    for damage in &file.damage {
        gap("capture.damaged", format!("at byte {} of the file: {}", damage.offset, damage.what));
    }
    if file.unknown_blocks > 0 {
        let text =
            format!("{} blocks of types that are not known: they may hold packets", file.unknown_blocks);
        gap("capture.blocks", text);
    }
    if file.dropped > 0 {
        gap("capture.dropped", format!("the capturing system dropped {} packets", file.dropped));
    }
    if file.incomplete_packets > 0 {
        let text =
            format!("{} packets were fragmented, and some fragments are missing", file.incomplete_packets);
        gap("ip.fragment-missing", text);
    }
    if ledger.bytes(Class::Missing) > 0 {
        let text = format!("{} bytes of packets were not captured", ledger.bytes(Class::Missing));
        gap("packet.truncated", text);
    }
    if ledger.bytes(Class::Unparsed) > 0 {
        gap("packet.unparsed", format!("{} bytes could not be understood", ledger.bytes(Class::Unparsed)));
    }
    if !ledger.balanced {
        gap("ledger.unbalanced", "the ledger does not add up: this is a fault of dissect".to_owned());
    }
    if file.secret_blocks > 0 {
        let text = format!("the file carries {} blocks of decryption secrets", file.secret_blocks);
        findings.push(Finding::note(Level::E0, "capture.secrets", text));
    }
    findings
}
