//! The findings on flows: content in clear refutes, what is not understood is a gap.

use super::finding::FlowFinding;
use super::protocol::{Nature, Protocol};
use super::watches::Watched;
use crate::verdict::{Finding, Level};

/// Secrets revealed in the text of one finding.
const REVEALED_MAX: usize = 8;

/// The findings on all flows that no session of Sealgram is in, one a flow; secrets are in their texts only
/// when `reveal` is set.
#[must_use]
pub fn judge(watched: &Watched, reveal: bool) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        watched.flows.iter().filter_map(|flow| judge_flow(flow, reveal)).collect();
    for flow in &watched.flows {
        if let (Some(why), Some(packet)) = (flow.given_up, flow.first_packet) {
            let text = format!("{} was not read to its end: {why}", flow.ends);
            findings.push(Finding::gap(Level::E1, "flow.limit", text).in_packet(packet));
        }
    }
    if watched.unwatched_pieces > 0 {
        let text = format!(
            "{} payloads of further flows were not read: there is room for {} flows; cut the capture into parts",
            watched.unwatched_pieces,
            super::FLOWS_MAX
        );
        findings.push(Finding::gap(Level::E1, "flow.limit", text));
    }
    findings
}

fn judge_flow(flow: &FlowFinding, reveal: bool) -> Option<Finding> {
    // Nobody sent anything: an unanswered connection shows nothing.
    let first = flow.first_packet?;
    Some(match flow.nature {
        Nature::Readable => {
            let packet = flow.first_readable.unwrap_or(first);
            Finding::violation(Level::E3, flow.protocol.rule(), readable_text(flow, reveal)).in_packet(packet)
        }
        Nature::Opaque => {
            let name = if flow.protocol == Protocol::Other {
                "opaque, unknown protocol"
            } else {
                flow.protocol.name()
            };
            let shows = match flow.shows_in_words() {
                shows if shows.is_empty() => "shows nothing but that".to_owned(),
                shows => format!("shows {shows}"),
            };
            let text = format!("{}: {name}, {shows}; what it seals cannot be judged", flow.ends);
            Finding::gap(Level::E1, "flow.opaque", text).in_packet(first)
        }
        Nature::Unknown if flow.filling.is_some() => {
            let byte = flow.filling.unwrap_or_default();
            let text = format!(
                "{}: nine tenths of a direction are the byte 0x{byte:02x}: nobody sealed them",
                flow.ends
            );
            Finding::violation(Level::E3, "clear.filling", text).in_packet(first)
        }
        Nature::Unknown => {
            let known = match flow.protocol {
                Protocol::Other => String::new(),
                known => format!("{known}, "),
            };
            let shows = match flow.shows_in_words() {
                shows if shows.is_empty() => String::new(),
                shows => format!("shows {shows}, "),
            };
            let text = format!(
                "{}: {known}{shows}{} bytes that are neither readable nor known to be sealed",
                flow.ends, flow.bytes
            );
            Finding::gap(Level::E1, "flow.unknown", text).in_packet(first)
        }
    })
}

fn readable_text(flow: &FlowFinding, reveal: bool) -> String {
    let what = match flow.readable_in_words() {
        words if words.is_empty() => format!("{} bytes", flow.bytes),
        words => words,
    };
    let mut text = format!("{}: {} in clear: {what}", flow.ends, flow.protocol);
    if reveal {
        for secret in flow.secrets.iter().take(REVEALED_MAX) {
            text.push_str("; ");
            text.push_str(&secret.describe(true));
        }
        if flow.secrets.len() > REVEALED_MAX {
            text.push_str("; …");
        }
    }
    text
}
