//! Level E0: was the whole capture read, and does every byte have a class?

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::Ledger;
use crate::link;
use crate::packet::Packet;
use crate::pcap::Capture;
use crate::tree::Class;
use crate::verdict::{Finding, Level};

/// All findings about coverage.
pub(crate) fn check(capture: &Capture, packets: &[Packet], ledger: &Ledger) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut gap = |rule, text: String| findings.push(Finding::gap(Level::E0, rule, text));
    if packets.is_empty() {
        gap("capture.empty", "the capture holds no packet".to_owned());
    }
    for damage in &capture.damage {
        gap("capture.damaged", format!("at byte {} of the file: {}", damage.offset, damage.what));
    }
    if capture.dropped > 0 {
        gap("capture.dropped", format!("the capturing system dropped {} packets", capture.dropped));
    }
    for link_type in unsupported(capture, packets) {
        gap("link.unsupported", format!("link type {link_type} is not supported"));
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
    if capture.secret_blocks > 0 {
        let text = format!("the file carries {} blocks of decryption secrets", capture.secret_blocks);
        findings.push(Finding::note(Level::E0, "capture.secrets", text));
    }
    findings.extend(anomalies(packets));
    findings.extend(trailers(capture, packets));
    findings.extend(extensions(packets));
    findings
}

/// The link types of packets that could not be taken apart.
fn unsupported(capture: &Capture, packets: &[Packet]) -> BTreeSet<u16> {
    let link_type = |packet: &Packet| Some(capture.interfaces.get(packet.interface?)?.link_type);
    packets.iter().filter_map(link_type).filter(|link_type| link::name(*link_type).is_none()).collect()
}

/// The oddities of packets, one finding for each rule with the first packet it concerns.
fn anomalies(packets: &[Packet]) -> Vec<Finding> {
    let mut rules: BTreeMap<&'static str, (usize, u64, &str)> = BTreeMap::new();
    for packet in packets {
        // Unsupported link types have a finding of their own.
        let anomalies = &packet.dissection.anomalies;
        for anomaly in anomalies.iter().filter(|anomaly| anomaly.rule != "link.unsupported") {
            let entry = rules.entry(anomaly.rule).or_insert((packet.number, 0, &anomaly.text));
            entry.1 += 1;
        }
    }
    rules
        .into_iter()
        .map(|(rule, (number, times, text))| {
            let text = if times > 1 {
                format!("{text} (and in {} more packets)", times - 1)
            } else {
                text.to_owned()
            };
            Finding::note(Level::E0, rule, text).in_packet(number)
        })
        .collect()
}

/// Padding behind a packet should be zero: memory has leaked there before ("Etherleak").
fn trailers(capture: &Capture, packets: &[Packet]) -> Option<Finding> {
    let filled = |packet: &&Packet| {
        let fcs_declared = packet.interface.and_then(|index| capture.interfaces.get(index));
        let data = capture.bytes.get(packet.data.clone()).unwrap_or_default();
        fcs_declared.is_none_or(|interface| interface.fcs_len == 0)
            && packet.dissection.tree.fields().iter().any(|field| {
                let bytes = data.get(field.range()).unwrap_or_default();
                field.class == Class::L2Trailer && bytes.iter().any(|byte| *byte != 0)
            })
    };
    let mut packets = packets.iter().filter(filled);
    let first = packets.next()?;
    let text = format!("bytes other than zero behind the packet, {} times", 1 + packets.count());
    Some(Finding::gap(Level::E0, "l2.trailer", text).in_packet(first.number))
}

/// Options and extension headers of a packet that carries a Sealgram datagram: nobody seals them, and the
/// protocol sends none.
fn extensions(packets: &[Packet]) -> Option<Finding> {
    let is_extended = |packet: &&Packet| {
        let fields = packet.dissection.tree.fields();
        packet.message.is_some() && fields.iter().any(|field| field.class == Class::L3Ext)
    };
    let mut packets = packets.iter().filter(is_extended);
    let first = packets.next()?;
    let text = format!("IP options around Sealgram datagrams, {} times", 1 + packets.count());
    Some(Finding::gap(Level::E0, "ip.options", text).in_packet(first.number))
}
