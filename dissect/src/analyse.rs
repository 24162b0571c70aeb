//! The analysis from end to end: read, take apart, derive keys, recognise, search, open, judge.

use std::collections::BTreeSet;
use std::io::Read;

use crate::canary::{self, Canary};
use crate::complete::{self, ClientTranscript};
use crate::coverage;
use crate::flow;
use crate::judge;
use crate::ledger::Ledger;
use crate::opacity::{self, Sample};
use crate::open::{self, KeyLog};
use crate::packet::{self, Packet};
use crate::pcap::{Capture, ReadError};
use crate::report::{CaptureSummary, Report};
use crate::reuse::{Detector, ReuseReport};
use crate::session::{self, Directory, Kind, Recognised};
use crate::tree::{Class, Field};
use crate::verdict::{Finding, Level, Verdict};

/// What to do with a capture.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Secrets that may not be found.
    pub canaries: Vec<String>,
    /// The secrets of the sessions, as far as they are known.
    pub key_log: Option<KeyLog>,
    /// What the clients reported that was said.
    pub transcript: Option<ClientTranscript>,
    /// The level that the verdict requires; see [`Options::required`].
    pub require: Option<Level>,
}

impl Options {
    /// The level required: the one given, else E5 with a transcript, E4 with a key log, and E2 without.
    #[must_use]
    pub fn required(&self) -> Level {
        let usual = match (&self.key_log, &self.transcript) {
            (_, Some(_)) => Level::E5,
            (Some(_), None) => Level::E4,
            (None, None) => Level::E2,
        };
        self.require.unwrap_or(usual)
    }

    /// The texts given, and every secret of the key log.
    fn secrets(&self) -> Vec<Canary> {
        let texts = (1..).zip(&self.canaries).map(|(number, text)| Canary::text(number, text));
        texts.chain(self.key_log.iter().flat_map(KeyLog::canaries)).collect()
    }
}

/// Analyses a capture.
///
/// # Errors
/// [`ReadError`] when the source cannot be read or is no capture at all. Everything else, damage
/// included, is a matter of the report.
pub fn analyse(source: impl Read, options: &Options) -> Result<Report, ReadError> {
    let capture = Capture::read(source)?;
    let mut packets = packet::take_apart(&capture);
    let mut flows = flow::group(&packets);
    let mut opening = options.key_log.as_ref().map(|log| open::follow(log, &capture.bytes, &packets));
    let mut without_keys = Directory::default();
    let directory = opening.as_mut().map_or(&mut without_keys, open::Opening::directory);
    let Recognised { sessions, mut findings, pairs } =
        session::recognise(&capture.bytes, &mut packets, directory);
    for flow in &mut flows {
        let (low, high) = (flow.initiator.min(flow.responder), flow.initiator.max(flow.responder));
        flow.sealgram = pairs.contains(&(low, high));
    }
    findings.extend(judge::conformance(&sessions, &flows, &packets, &capture.bytes));

    let samples = samples(&capture.bytes, &packets);
    let opacity = opacity::judge(&samples, &first_bytes(&capture.bytes, &packets));
    let reuse = reuse(&samples, &capture.bytes, &packets);
    findings.extend(judge::opacity(&opacity, &reuse));

    let secrets = options.secrets();
    let mut canary = canary::search(&secrets, &capture, &packets, &flows);
    findings.extend(judge::canary(&canary));

    let sealed = opening.map(|opening| {
        let (sealed, found) = opening.open(&sessions, &capture.bytes, &mut packets);
        findings.extend(found);
        let plaintexts: Vec<&[u8]> =
            sealed.datagrams.iter().map(|datagram| datagram.plaintext.as_slice()).collect();
        canary::count_sealed(&mut canary, &secrets, &plaintexts);
        sealed
    });
    if sealed.is_none() {
        findings.push(Finding::gap(Level::E4, "sealed.no-key-log", "no key log was given"));
    }
    let complete = options.transcript.as_ref().map(|reported| {
        let opened = sealed.iter().flat_map(|sealed| sealed.transcripts.values());
        let (complete, found) = complete::compare(reported, opened);
        findings.extend(found.into_iter().chain(complete::canaries(&canary)));
        complete
    });
    if complete.is_none() {
        findings.push(complete::absent());
    }
    findings.push(Finding::gap(Level::E6, "compare.one-capture", "one capture alone compares with nothing"));
    let ledger = Ledger::of(&capture, &packets);
    findings.extend(coverage::check(&capture, &packets, &ledger));

    findings.sort_by(|a, b| {
        (a.severity, a.level, a.packet, a.rule).cmp(&(b.severity, b.level, b.packet, b.rule))
    });
    let verdict = Verdict::weigh(&findings, options.required());
    let capture = CaptureSummary::of(&capture, &packets);
    Ok(Report {
        capture,
        packets,
        flows,
        sessions,
        ledger,
        canary,
        opacity,
        reuse,
        sealed,
        complete,
        findings,
        verdict,
    })
}

/// The bytes that should look random: each run of sealed fields of a Sealgram datagram, each MAC, each key
/// share, and each attempt id and connection id once.
fn samples<'a>(bytes: &'a [u8], packets: &[Packet]) -> Vec<Sample<'a>> {
    let mut samples = Vec::new();
    for packet in packets {
        let Some(kind) = packet.message else { continue };
        let data = bytes.get(packet.data.clone()).unwrap_or_default();
        let mut add = |kind, range| {
            let bytes = data.get(range).unwrap_or_default();
            samples.push(Sample { packet: packet.number, kind, bytes });
        };
        let fields = packet.dissection.tree.fields();
        // A MAC stands alone: a repeated INIT may change its second MAC and nothing else.
        let joins = |a: &Field, b: &Field| {
            let sealed = |field: &Field| field.class.is_uniform() && field.class != Class::Mac;
            sealed(a) && sealed(b)
        };
        for run in fields.chunk_by(joins) {
            let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
            let range = first.start..last.range().end;
            match first.class {
                Class::Mac => add("mac", range),
                Class::KeyShare => add(opacity::KEY_SHARE, range),
                class if class.is_uniform() => add(kind, range),
                _ if matches!(first.name, "sealgram.attempt_id" | "sealgram.connection_id") => {
                    add("id", range)
                }
                _ => {}
            }
        }
    }
    samples
}

/// The first bytes of all different SHORT datagrams.
fn first_bytes(bytes: &[u8], packets: &[Packet]) -> Vec<u8> {
    let mut seen = BTreeSet::new();
    let short = packets.iter().filter(|packet| packet.message == Some(Kind::Short.name()));
    let datagrams = short.map(|packet| session::payload(bytes, packet));
    datagrams
        .filter(|datagram| seen.insert(*datagram))
        .filter_map(|datagram| datagram.first().copied())
        .collect()
}

/// Repetitions among samples, and among the datagrams they are from.
fn reuse(samples: &[Sample<'_>], bytes: &[u8], packets: &[Packet]) -> ReuseReport {
    let mut detector = Detector::new();
    for sample in samples {
        detector.take(sample);
    }
    for packet in packets.iter().filter(|packet| packet.message.is_some()) {
        detector.take_datagram(packet, bytes.get(packet.data.clone()).unwrap_or_default());
    }
    detector.finish()
}
