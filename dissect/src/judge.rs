//! Levels E1 to E3: what recognition, statistics and search mean for the verdict.

use std::collections::BTreeSet;

use crate::canary::{CanaryReport, CanaryResult};
use crate::dissection::{Endpoint, Protocol};
use crate::flow::Flow;
use crate::opacity::OpacityReport;
use crate::packet::Packet;
use crate::reuse::{Pair, ReuseReport};
use crate::session::{Session, Stage};
use crate::verdict::{Finding, Findings, Level};

/// Findings of one rule that are listed one by one.
const LISTED: usize = 20;

/// Whether there is a whole session, and no part of one.
pub(crate) fn conformance(sessions: &[Session], flows: &[Flow]) -> Vec<Finding> {
    let mut findings = Findings::default();
    if !sessions.iter().any(|session| session.stage == Stage::Established) {
        let text = if sessions.is_empty() {
            "no Sealgram session was found"
        } else {
            "no Sealgram handshake was completed"
        };
        findings.push(Finding::gap(Level::E0, "session.none", text));
    }
    for session in sessions.iter().filter(|session| session.stage < Stage::Established) {
        let text = format!("attempt {} did not complete its handshake", session.attempt());
        findings.push(Finding::note(Level::E1, "session.incomplete", text));
    }
    let ends: BTreeSet<Endpoint> = flows
        .iter()
        .filter(|flow| flow.sealgram && flow.protocol == Protocol::Udp)
        .flat_map(|flow| [flow.initiator, flow.responder])
        .collect();
    let is_beside = |flow: &&Flow| {
        let touches = ends.contains(&flow.initiator) || ends.contains(&flow.responder);
        flow.protocol == Protocol::Udp && !flow.sealgram && touches
    };
    // The socket of a session speaks to somebody in a way that is not Sealgram's.
    for flow in flows.iter().filter(is_beside) {
        let text = format!(
            "{} and {} exchange datagrams that are not Sealgram's, from a port of a session",
            flow.initiator, flow.responder
        );
        findings.push(Finding::gap(Level::E1, "session.beside", text));
    }
    for flow in flows.iter().filter(|flow| !flow.sealgram && is_headless(flow)) {
        let text = format!(
            "{} and {} exchange what looks like Sealgram, but their handshake is not in the capture",
            flow.initiator, flow.responder
        );
        findings.push(Finding::gap(Level::E1, "session.headless", text));
    }
    findings.finish()
}

/// Whether there are more flows than are told apart.
pub(crate) fn flows(flows: &[Flow], packets_of_others: u64) -> Option<Finding> {
    let text =
        format!("more than {} flows: {packets_of_others} packets of others are not listed", flows.len());
    (packets_of_others > 0).then(|| Finding::gap(Level::E1, "flow.many", text))
}

/// A packet whose VERSION is odd.
pub(crate) fn odd_versions(packet: usize) -> Finding {
    let text = "a VERSION datagram lists what is no version";
    Finding::gap(Level::E1, "session.version", text).in_packet(packet)
}

/// PROTOCOL.md, Other versions: VERSION lists versions of this protocol and GREASE, filled up with zeros.
/// Whether a packet has anything else in these bytes, which nobody seals: it is not understood.
pub(crate) fn has_odd_versions(packet: &Packet, data: &[u8]) -> bool {
    let is_version = |version: &[u8]| {
        version == [0; 4] || version.starts_with(b"SGM") || version.iter().all(|byte| byte & 0x0f == 0x0a)
    };
    let listed = packet.dissection.tree.range("sealgram.versions").and_then(|range| data.get(range));
    listed.is_some_and(|versions| !versions.chunks(4).all(is_version))
}

/// Whether every datagram of a flow has the form and one of the lengths of SHORT datagrams.
const fn is_headless(flow: &Flow) -> bool {
    const ENOUGH: u64 = 4;
    flow.packet_count() >= ENOUGH && flow.short_like == flow.packet_count()
}

/// Level E2: structure and reuse in what should be random.
pub(crate) fn opacity(opacity: &OpacityReport, reuse: &ReuseReport) -> Vec<Finding> {
    let mut findings = Vec::new();
    if opacity.samples == 0 {
        findings.push(Finding::gap(Level::E2, "opacity.nothing", "there are no sealed bytes to judge"));
    }
    for alarm in opacity.alarms.iter().take(LISTED) {
        let text = format!(
            "not random: {} (evidence 2^{:.1}, limit 2^{:.1})",
            alarm.model, alarm.evidence_bits, alarm.limit_bits
        );
        let finding = Finding::violation(Level::E2, "opacity.structure", text);
        findings.push(match alarm.packet {
            Some(number) => finding.in_packet(number),
            None => finding,
        });
    }
    let mut pairs = |rule, what: &str, pairs: &[Pair]| {
        for pair in pairs.iter().take(LISTED) {
            let text = format!("packets {} and {} share {what}", pair.first, pair.second);
            findings.push(Finding::violation(Level::E2, rule, text).in_packet(pair.second));
        }
    };
    pairs("reuse.window", "16 bytes of ciphertext", &reuse.repeated_windows);
    pairs("reuse.keystream", "keystream: the high bits of their bytes agree", &reuse.shared_keystream);
    pairs("reuse.ephemeral-key", "a key share, in two attempts", &reuse.reused_keys);
    for packet in reuse.low_order_keys.iter().take(LISTED) {
        let text = "a public key that makes every shared secret the same";
        findings.push(Finding::violation(Level::E2, "reuse.low-order-key", text).in_packet(*packet));
    }
    findings.extend(reuse_bounds(reuse));
    findings
}

/// What was not compared for want of memory.
fn reuse_bounds(reuse: &ReuseReport) -> Vec<Finding> {
    let mut findings = Vec::new();
    let bits = reuse.window_sampling_bits.max(reuse.signature_sampling_bits);
    if bits > 0 {
        let text =
            format!("too much to compare all of it: one window of 2^{bits} was compared with all others");
        findings.push(Finding::note(Level::E2, "reuse.sampled", text));
    }
    if reuse.keys_not_compared > 0 {
        let text = format!("{} key shares were not compared with earlier ones", reuse.keys_not_compared);
        findings.push(Finding::gap(Level::E2, "reuse.keys-not-compared", text));
    }
    findings
}

/// Level E3: secrets found, and whether the search is to be believed.
pub(crate) fn canary(report: &CanaryReport) -> Vec<Finding> {
    let mut findings: Vec<Finding> = report.canaries.iter().flat_map(sightings).collect();
    if !report.canaries.iter().any(|canary| canary.strength.strong) {
        findings.push(Finding::gap(Level::E3, "canary.none", "no secret long enough to decide was searched"));
        return findings;
    }
    if !report.control_passed() {
        let text = format!("the control found {} of {}", report.control_found, report.control_planted);
        findings.push(Finding::gap(Level::E0, "canary.control", text));
    }
    if report.forgotten_directions > 0 {
        let text = format!(
            "{} directions of flows were not followed to their end, because there are too many: a secret that \
             runs on from packet to packet in them may have been missed",
            report.forgotten_directions
        );
        findings.push(Finding::gap(Level::E3, "canary.forgotten", text));
    }
    if !report.unpacked_all {
        let text = "not all compressed bodies were unpacked, because they are too many";
        findings.push(Finding::gap(Level::E3, "canary.packed", text));
    }
    findings
}

fn sightings(canary: &CanaryResult) -> Vec<Finding> {
    let first = canary.places.iter().find(|place| place.packet.is_some());
    let how = first.map_or(String::new(), |place| {
        format!(", first as {} (view: {}, undone: {})", place.form, place.view, place.difference)
    });
    let label = &canary.label;
    let elsewhere = canary.in_file_meta.saturating_add(canary.unplaced);
    let finding = match (canary.strength.strong, canary.on_wire, elsewhere) {
        (_, 0, 0) => None,
        (true, 0, meta) => {
            let text =
                format!("{label}: {meta} times in the file outside its packets: the file itself leaks it");
            Some(Finding::gap(Level::E0, "canary.in-file", text))
        }
        (true, wire, _) => {
            let text = format!("{label}: {wire} times on the wire{how}");
            Some(Finding::violation(Level::E3, "canary.found", text))
        }
        (false, wire, meta) => {
            let places = wire.saturating_add(meta);
            let chance = canary.strength.expected_chance_hits;
            let text = format!("{label}: seen {places} times, but chance alone may give {chance:.1e}{how}");
            Some(Finding::note(Level::E3, "canary.weak", text))
        }
    };
    let finding = finding.map(|finding| match first.and_then(|place| place.packet) {
        Some(number) => finding.in_packet(number),
        None => finding,
    });
    let weak = (canary.weak_hits > 0).then(|| {
        let text = format!("{label}: {} times in forms too short to decide", canary.weak_hits);
        Finding::note(Level::E3, "canary.weak-form", text)
    });
    finding.into_iter().chain(weak).collect()
}
