//! What a capture holds, as text: packets, sessions, what was said, and other traffic.

use std::io::{self, Write};

use super::{sanitise, seconds};
use crate::dissection::Endpoint;
use crate::packet::Packet;
use crate::report::Report;
use crate::session::{Kind, Session};
use crate::verdict::Scope;

/// Writes all tables but that of the packets.
pub(super) fn tables(report: &Report, out: &mut impl Write) -> io::Result<()> {
    sessions(report, out)?;
    transcripts(report, out)?;
    flows(report, out)
}

/// The heads of the columns of packets.
pub(super) fn packet_head(out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:>6}  {:>14}  {:<25}  {:<25}  {:>6}  {:<8}  info",
        "number", "time", "source", "destination", "length", "type"
    )
}

/// One packet, at its time since `start`.
pub(super) fn packet_row(packet: &Packet, start: i128, out: &mut impl Write) -> io::Result<()> {
    let end = |pick: fn(&(Endpoint, Endpoint)) -> Endpoint| {
        packet.dissection.ends.as_ref().map_or(String::from("-"), |ends| pick(ends).to_string())
    };
    let time = packet.time_ns.map_or(String::from("-"), |time| seconds(time.saturating_sub(start)));
    writeln!(
        out,
        "{:>6}  {:>14}  {:<25}  {:<25}  {:>6}  {:<8}  {}",
        packet.number,
        time,
        end(|ends| ends.0),
        end(|ends| ends.1),
        packet.original_len,
        packet.message.unwrap_or("-"),
        sanitise(&packet.info),
    )
}

fn sessions(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for (number, session) in (0..).zip(&report.sessions) {
        writeln!(
            out,
            "session {number}: client {} and hub {}, attempt {}, {}",
            session.client,
            session.hub,
            session.attempt(),
            session.stage.described(),
        )?;
        writeln!(out, "  handshake   {}", handshake(session))?;
        let (client, hub) = (session.client_datagrams, session.hub_datagrams);
        writeln!(out, "  afterwards  {client} datagrams of the client, {hub} of the hub")?;
    }
    if !report.sessions.is_empty() {
        writeln!(out)?;
    }
    Ok(())
}

/// The first packet of each handshake message, and how often it was repeated.
fn handshake(session: &Session) -> String {
    let mut steps: Vec<String> = Vec::new();
    for kind in [Kind::Init(0), Kind::Init(1), Kind::Retry, Kind::Version, Kind::Resp, Kind::Fin] {
        let Some(step) = session.handshake.get(&kind) else { continue };
        let repeats = match step.count {
            0 | 1 => String::new(),
            times => format!(" and {} repeats", times - 1),
        };
        steps.push(format!("{} (packet {}{repeats})", kind.label(), step.first_packet));
    }
    if steps.is_empty() { String::from("none in the capture") } else { steps.join(", ") }
}

/// What the key log opened, in the words of the people.
fn transcripts(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for (attempt, transcript) in report.sealed.iter().flat_map(|sealed| &sealed.transcripts) {
        writeln!(out, "in clear, attempt {attempt}:")?;
        for line in &transcript.control {
            writeln!(out, "  control    {}", sanitise(line))?;
        }
        for message in &transcript.submitted {
            writeln!(
                out,
                "  submitted  room {}: {} {}",
                message.room,
                message.kind,
                sanitise(&message.text)
            )?;
        }
        for entry in &transcript.entries {
            writeln!(
                out,
                "  entry      room {} number {}: {} of {}: {}",
                entry.room,
                entry.sequence,
                entry.kind,
                sanitise(&entry.name),
                sanitise(&entry.text)
            )?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn flows(report: &Report, out: &mut impl Write) -> io::Result<()> {
    const SHOWN: usize = 20;
    let foreign: Vec<_> = report.flows.iter().filter(|flow| !flow.sealgram).collect();
    if foreign.is_empty() {
        return Ok(());
    }
    let extent = match report.scope {
        Scope::Sessions => "searched for secrets and judged no further",
        Scope::All => "judged flow by flow",
    };
    writeln!(out, "other traffic in the capture, {extent}:")?;
    for flow in foreign.iter().take(SHOWN) {
        writeln!(
            out,
            "  {:<12} {} and {}: {} packets",
            flow.protocol.to_string(),
            flow.initiator,
            flow.responder,
            flow.packet_count()
        )?;
    }
    if foreign.len() > SHOWN {
        writeln!(out, "  and {} more flows", foreign.len() - SHOWN)?;
    }
    writeln!(out)
}
