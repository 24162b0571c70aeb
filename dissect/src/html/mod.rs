//! The report as one page that needs nothing else: no script, no network, no font from elsewhere.
//!
//! Everything that a capture says is escaped by the template and has lost its control characters before.

mod picture;
mod plot;

use std::collections::BTreeMap;
use std::io::{self, Write};

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use picture::Picture;

use crate::excerpt::Excerpts;
use crate::opacity::{approximate, entropy};
use crate::render::sanitise;
use crate::report::Report;
use crate::session::Session;
use crate::tree::Class;
use crate::verdict::{Finding, Severity};
use picture::Point;
use plot::{Axis, Mark, Part};

/// Sessions that the timeline shows.
const SESSIONS_SHOWN: usize = 24;
/// Findings that are listed.
const FINDINGS_SHOWN: usize = 200;
/// Lengths that the columns tell apart; of more, the rarest are put together.
const LENGTHS_SHOWN: usize = 14;
/// Nothing may be loaded, and nothing may run.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Writes the page.
///
/// # Errors
/// Whatever writing to `out` yields.
pub fn write(
    report: &Report,
    picture: &Picture,
    excerpts: &Excerpts,
    out: &mut impl Write,
) -> io::Result<()> {
    out.write_all(page(report, picture, excerpts).into_string().as_bytes())
}

fn page(report: &Report, picture: &Picture, excerpts: &Excerpts) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "dissect: " (report.verdict.outcome.name()) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                h1 { "What this capture shows" }
                (verdict(report))
                h2 { "Every byte" }
                (ledger(report))
                @if !picture.points.is_empty() {
                    h2 { "When" }
                    (timeline(report, picture))
                    h2 { "How long" }
                    (lengths(picture))
                    h2 { "How random" }
                    (randomness(picture))
                    p class="note" { (chosen(picture)) }
                }
                h2 { "What was found" }
                (findings(report, excerpts))
                @if !report.sessions.is_empty() {
                    h2 { "Sessions" }
                    (sessions(&report.sessions))
                }
                h2 { "What this rests on" }
                (basis(report))
            }
        }
    }
}

fn verdict(report: &Report) -> Markup {
    let verdict = &report.verdict;
    let name = verdict.outcome.name();
    let reached =
        verdict.reached.map_or("no level".to_owned(), |level| format!("level {level} ({})", level.name()));
    html! {
        div class={ "verdict " (name.to_lowercase()) } {
            b { (name) }
            p { "reached " (reached) ", required " (verdict.required.to_string()) " (" (verdict.required.name()) ")" }
        }
        p {
            (report.capture.file.packets) " packets, " (report.capture.file_len) " bytes, SHA-256 "
            code { (report.capture.sha256) }
        }
    }
}

fn ledger(report: &Report) -> Markup {
    let is_captured = |class: &&Class| !matches!(class, Class::FileMeta | Class::Missing);
    let parts: Vec<Part<'_>> = Class::ALL
        .iter()
        .filter(is_captured)
        .map(|class| Part { name: class.name(), amount: report.ledger.bytes(*class) })
        .filter(|part| part.amount > 0)
        .collect();
    let [missing, unknown] = [Class::Missing, Class::Unparsed].map(|class| report.ledger.bytes(class));
    html! {
        (plot::bar("bytes of the capture by what they are", &parts))
        p { (report.ledger.captured) " bytes were captured; " (unknown) " could not be understood, " (missing) " are missing." }
    }
}

/// Seconds since the first point; the places of packets where the file has no times.
fn moments(points: &[Point]) -> (impl Fn(&Point) -> f64, &'static str) {
    let first = points.iter().filter_map(|point| point.time_ns).min();
    let is_timed = points.iter().all(|point| point.time_ns.is_some());
    let at = move |point: &Point| match point.time_ns.zip(first).filter(|_| is_timed) {
        Some((time, first)) => seconds(time.saturating_sub(first)),
        None => approximate(point.packet),
    };
    (at, if is_timed { "seconds" } else { "packet" })
}

#[expect(clippy::cast_precision_loss, reason = "a drawing needs no more than 53 bits")]
fn seconds(nanoseconds: i128) -> f64 {
    nanoseconds as f64 / 1e9
}

fn words(point: &Point) -> String {
    let side = if point.from_client { "client" } else { "hub" };
    format!("packet {}, {side}, {} bytes", point.packet, point.bytes)
}

fn timeline(report: &Report, picture: &Picture) -> Markup {
    let (at, label) = moments(&picture.points);
    let last = picture.points.iter().map(&at).fold(0.0, f64::max);
    let first = picture.points.iter().map(&at).fold(f64::INFINITY, f64::min);
    let mark = |point: &Point| Mark {
        x: at(point),
        y: if point.from_client { 0.0 } else { 1.0 },
        class: match (point.is_handshake, point.from_client) {
            (true, _) => "handshake",
            (false, true) => "client",
            (false, false) => "hub",
        },
        words: words(point),
    };
    let of_session = |(index, session): (usize, &Session)| {
        let own = picture.points.iter().filter(|point| point.session == index);
        (sanitise(&session.client.to_string()), own.map(mark).collect())
    };
    let rows: Vec<(String, Vec<Mark>)> =
        report.sessions.iter().enumerate().take(SESSIONS_SHOWN).map(of_session).collect();
    html! {
        (plot::rows("datagrams over time", Axis { from: first, to: last, label }, &rows))
        (sides())
        @if report.sessions.len() > SESSIONS_SHOWN {
            p class="note" { "and " (report.sessions.len() - SESSIONS_SHOWN) " more sessions" }
        }
    }
}

fn sides() -> Markup {
    html! {
        ul class="legend" {
            li { span class="key c1" {} "client, above" }
            li { span class="key c3" {} "hub, below" }
            li { span class="key c4" {} "handshake" }
        }
    }
}

/// How many datagrams of each length either side sent.
fn lengths(picture: &Picture) -> Markup {
    let mut counts: BTreeMap<usize, [u64; 2]> = BTreeMap::new();
    for point in &picture.points {
        counts.entry(point.bytes).or_default()[usize::from(!point.from_client)] += 1;
    }
    let mut common: Vec<(usize, [u64; 2])> = counts.into_iter().collect();
    common.sort_by_key(|(_, [client, hub])| std::cmp::Reverse(client + hub));
    let rest = common.split_off(common.len().min(LENGTHS_SHOWN));
    common.sort_unstable();
    let mut columns: Vec<(String, [u64; 2])> =
        common.into_iter().map(|(bytes, both)| (bytes.to_string(), both)).collect();
    if !rest.is_empty() {
        let sum = |side: usize| rest.iter().map(|(_, both)| both[side]).sum();
        columns.push(("others".into(), [sum(0), sum(1)]));
    }
    plot::columns("datagrams by length", "bytes of a datagram", &columns)
}

/// Entropy over length, with the line that random bytes follow.
fn randomness(picture: &Picture) -> Markup {
    let longest = picture.points.iter().map(|point| point.bytes).max().unwrap_or(0).max(1);
    let mark = |point: &Point| Mark {
        x: approximate(point.bytes),
        y: point.entropy_bits,
        class: if point.from_client { "client" } else { "hub" },
        words: format!("{}, {:.2} bits a byte", words(point), point.entropy_bits),
    };
    let marks: Vec<Mark> = picture.points.iter().map(mark).collect();
    let lengths = (1..=60).map(|step| (longest * step).div_ceil(60).max(1));
    let line: Vec<(f64, f64)> = lengths.map(|len| (approximate(len), entropy::of_random(len))).collect();
    let x = Axis { from: 0.0, to: approximate(longest), label: "bytes of a datagram" };
    html! {
        (plot::scatter("entropy by length", x, Axis { from: 0.0, to: 8.0, label: "bits a byte" }, &marks, &line))
        p class="note" {
            "The dashed line is what random bytes of that length have in the mean. Entropy decides nothing here: \
             the verdict rests on the evidence below."
        }
    }
}

fn chosen(picture: &Picture) -> String {
    if picture.stride == 1 {
        format!("The plots show all {} datagrams of the sessions.", picture.seen)
    } else {
        format!("The plots show every {}th of {} datagrams of the sessions.", picture.stride, picture.seen)
    }
}

fn findings(report: &Report, excerpts: &Excerpts) -> Markup {
    let name = |severity| match severity {
        Severity::Violation => "violation",
        Severity::Gap => "gap",
        Severity::Note => "note",
    };
    let row = |finding: &Finding| {
        html! {
            tr {
                td class=(name(finding.severity)) { (name(finding.severity)) }
                td { (finding.level.to_string()) }
                td { code { (finding.rule) } }
                td { @if let Some(packet) = finding.packet { (packet) } }
                td {
                    (sanitise(&finding.text))
                    @if let Some(bytes) = finding.packet.and_then(|packet| excerpts.get(&packet)) {
                        details { summary { "bytes" } pre class="hex" { (hex_dump(bytes)) } }
                    }
                }
            }
        }
    };
    html! {
        @if report.findings.is_empty() { p { "Nothing." } } @else {
            table {
                tr { th {} th { "level" } th { "rule" } th { "packet" } th { "what" } }
                @for finding in report.findings.iter().take(FINDINGS_SHOWN) { (row(finding)) }
            }
        }
        @if excerpts.values().flatten().any(Option::is_none) {
            p class="note" { "Two dots stand for a byte that may be secret; --show-secrets shows it." }
        }
        @if report.findings.len() > FINDINGS_SHOWN {
            p class="note" { "and " (report.findings.len() - FINDINGS_SHOWN) " more" }
        }
    }
}

/// Sixteen bytes a line: offset, hexadecimal, and what is printable; two dots for a byte that is withheld.
fn hex_dump(bytes: &[Option<u8>]) -> String {
    let line = |(index, line): (usize, &[Option<u8>])| {
        let hex = |byte: &Option<u8>| byte.map_or(".. ".to_owned(), |byte| format!("{byte:02x} "));
        let hex: String = line.iter().map(hex).collect();
        let printable = |byte: &Option<u8>| byte.filter(u8::is_ascii_graphic).map_or('.', char::from);
        let text: String = line.iter().map(printable).collect();
        format!("{:04x}  {hex:<48} {text}\n", index * 16)
    };
    bytes.chunks(16).enumerate().map(line).collect()
}

fn sessions(sessions: &[Session]) -> Markup {
    html! {
        table {
            tr { th { "attempt" } th { "client" } th { "hub" } th { "stage" } th { "datagrams" } }
            @for session in sessions.iter().take(FINDINGS_SHOWN) {
                tr {
                    td { code { (session.attempt()) } }
                    td { (session.client.to_string()) }
                    td { (session.hub.to_string()) }
                    td { (format!("{:?}", session.stage)) }
                    td { (session.client_datagrams) " up, " (session.hub_datagrams) " down" }
                }
            }
        }
    }
}

fn basis(report: &Report) -> Markup {
    html! {
        p { "It is assumed that:" }
        ul { @for assumption in &report.verdict.assumptions { li { (assumption) } } }
        p { "No capture shows:" }
        ul { @for missing in &report.verdict.not_shown { li { (missing) } } }
        p class="note" { "dissect " (env!("CARGO_PKG_VERSION")) }
    }
}
