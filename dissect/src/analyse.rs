//! The analysis from end to end: look, recognise, derive keys, and then judge packet by packet.

use std::io::Read;
use std::panic::resume_unwind;
use std::thread;

use crate::canary::{self, Canary, CanaryReport, Sealed};
use crate::complete::{self, ClientTranscript};
use crate::coverage::Coverage;
use crate::flow::Flow;
use crate::judge;
use crate::ledger::Ledger;
use crate::metadata;
use crate::opacity;
use crate::open::{KeyLog, KnownKeys, Opening};
use crate::packet::Packet;
use crate::progress::Progress;
use crate::report::{CaptureSummary, Report};
use crate::reuse;
use crate::row::Row;
use crate::samples;
use crate::session::{Directory, Kind, Recognised, Tracker};
use crate::source::{DECOMPRESSED_BYTES_MAX, ReadError, Source};
use crate::survey::{Outlook, Survey};
use crate::verdict::{Finding, Level, Scope, Verdict};
use crate::walk::walk;

/// What to do with a capture.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Secrets that may not be found.
    pub canaries: Vec<Canary>,
    /// The secrets of the sessions, as far as they are known.
    pub key_log: Option<KeyLog>,
    /// What the clients reported that was said.
    pub transcript: Option<ClientTranscript>,
    /// The level that the verdict requires; see [`Options::required`].
    pub require: Option<Level>,
    /// Which flows are judged.
    pub scope: Scope,
}

impl Options {
    /// The key log given and the one inside the file as one.
    fn with_keys_of(&self, file: &str) -> (Self, Option<Finding>) {
        let mut options = self.clone();
        if file.is_empty() {
            return (options, None);
        }
        match KeyLog::parse(file) {
            Ok(log) => {
                options.key_log.get_or_insert_default().merge(log);
                (options, None)
            }
            Err(error) => {
                let text = format!("the key log inside the file cannot be read: {error}");
                (options, Some(Finding::gap(Level::E4, "capture.key-log", text)))
            }
        }
    }

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

    /// The canaries given, and every secret of the key log.
    fn secrets(&self) -> Vec<Canary> {
        let given = (1..).zip(&self.canaries).map(|(number, canary)| canary.clone().numbered(number));
        given.chain(self.key_log.iter().flat_map(KeyLog::canaries)).collect()
    }
}

/// Judges a capture that is read to its end first.
///
/// # Errors
/// See [`examine`].
pub fn analyse(input: impl Read, options: &Options) -> Result<Report, ReadError> {
    examine(&Source::spool(input, DECOMPRESSED_BYTES_MAX, &())?, options, &(), &mut |_| {})
}

/// Judges a capture. Each packet is handed to `rows` as soon as all is known of it, in the order of the file.
///
/// # Errors
/// [`ReadError`] when the source cannot be read or is no capture at all. Everything else, damage
/// included, is a matter of the report.
pub fn examine(
    source: &Source,
    options: &Options,
    progress: &dyn Progress,
    rows: &mut dyn FnMut(&Row<'_>),
) -> Result<Report, ReadError> {
    let (survey, sha256) = at_once(|| Survey::take(source, progress), || source.sha256());
    let (mut survey, sha256) = (survey?, sha256?);
    let (options, fault) = options.with_keys_of(&survey.file.key_log);
    let secrets = options.secrets();
    let (outlook, opening) =
        Outlook::of(source, &survey, options.key_log.as_ref(), Sealed::new(&secrets), progress)?;
    for flow in &mut survey.flows {
        flow.sealgram = outlook.pairs_at_end.contains(&flow.pair());
    }
    let mut judging = Judging::new(outlook.tracker(), opening);
    walk(source, "judging", progress, |packet, data| judging.take(packet, data, rows))?;
    let canary = canary::search(&secrets, source, progress)?;
    let mut report = judging.finish(survey, canary, sha256, source, options.transcript.as_ref());
    report.findings.extend(fault);
    report.findings.sort_by(|a, b| {
        (a.severity, a.level, a.packet, a.rule, &a.text)
            .cmp(&(b.severity, b.level, b.packet, b.rule, &b.text))
    });
    report.verdict = Verdict::weigh(&report.findings, options.required());
    Ok(report)
}

/// Does the second beside the first, in a thread of its own.
fn at_once<A, B: Send>(first: impl FnOnce() -> A, second: impl FnOnce() -> B + Send) -> (A, B) {
    thread::scope(|scope| {
        let second = scope.spawn(second);
        let first = first();
        (first, second.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

/// Everything that is being found out while the packets go by.
struct Judging<'a> {
    tracker: Tracker<'a>,
    opening: Option<Opening>,
    without_keys: Directory,
    ledger: Ledger,
    coverage: Coverage,
    opacity: opacity::Judge,
    reuse: reuse::Detector,
    metadata: metadata::Observer,
    known: KnownKeys,
    /// The first packet that lists versions which are none.
    odd_versions: Option<usize>,
}

impl<'a> Judging<'a> {
    fn new(tracker: Tracker<'a>, opening: Option<Opening>) -> Self {
        Self {
            tracker,
            opening,
            without_keys: Directory::default(),
            ledger: Ledger::new(),
            coverage: Coverage::default(),
            opacity: opacity::Judge::new(),
            reuse: reuse::Detector::new(),
            metadata: metadata::Observer::new(),
            known: KnownKeys::new(),
            odd_versions: None,
        }
    }

    fn take(&mut self, packet: &mut Packet, data: &[u8], rows: &mut dyn FnMut(&Row<'_>)) {
        packet.info = packet.dissection.describe();
        let Self { tracker, opening, without_keys, .. } = self;
        let directory = opening.as_mut().map_or(without_keys, Opening::directory);
        let member = tracker.take(packet, data, directory);
        let mut opened = None;
        if let Some(opening) = opening {
            opening.see(packet, data);
            let session = member.and_then(|member| Some((member, tracker.sessions().get(member.session)?)));
            opened = session.and_then(|(member, session)| opening.take(member, session, packet, data));
        }
        self.ledger.take(packet);
        self.coverage.take(packet, data);
        self.take_samples(packet, data);
        if let Some(member) = member {
            self.known.take(member, packet.number, packet.datagram(data));
        }
        if judge::has_odd_versions(packet, data) {
            self.odd_versions.get_or_insert(packet.number);
        }
        let row = Row { packet, data, member, opened: opened.as_ref() };
        self.metadata.take(&row);
        rows(&row);
    }

    /// What should look random.
    fn take_samples(&mut self, packet: &Packet, data: &[u8]) {
        if packet.message.is_none() {
            return;
        }
        let mut is_new = false;
        samples::of(packet, data, |sample| {
            is_new |= self.opacity.take(&sample) && Some(sample.kind) == packet.message;
            self.reuse.take(&sample);
        });
        let first = packet.datagram(data).first().filter(|_| packet.message == Some(Kind::Short.name()));
        if let Some(first) = first.filter(|_| is_new) {
            self.opacity.take_first_byte(*first);
        }
        self.reuse.take_datagram(packet, data);
    }

    fn finish(
        self,
        survey: Survey,
        mut canary: CanaryReport,
        sha256: String,
        source: &Source,
        transcript: Option<&ClientTranscript>,
    ) -> Report {
        let (opacity, reuse) = (self.opacity.finish(), self.reuse.finish());
        let metadata = self.metadata.finish();
        let Self { tracker, mut opening, mut without_keys, .. } = self;
        let directory = opening.as_mut().map_or(&mut without_keys, Opening::directory);
        let Recognised { sessions, mut findings, .. } = tracker.finish(directory);
        findings.extend(judge::conformance(&sessions, &survey.flows));
        findings.extend(judge::flows(&survey.flows, survey.packets_of_other_flows));
        findings.extend(self.odd_versions.map(judge::odd_versions));
        findings.extend(judge::opacity(&opacity, &reuse));
        findings.extend(self.known.finish());
        findings.extend(judge::canary(&canary));
        let sealed = opening.map(|opening| {
            let (sealed, found, counted) = opening.finish(&sessions);
            findings.extend(found);
            counted.finish(&mut canary);
            sealed
        });
        if sealed.is_none() {
            findings.push(Finding::gap(Level::E4, "sealed.no-key-log", "no key log was given"));
        }
        let complete = transcript.map(|reported| {
            let opened = sealed.iter().flat_map(|sealed| sealed.transcripts.values());
            let (complete, found) = complete::compare(reported, opened);
            findings.extend(found.into_iter().chain(complete::canaries(&canary)));
            complete
        });
        if complete.is_none() {
            findings.push(complete::absent());
        }
        findings.push(Finding::gap(
            Level::E6,
            "compare.one-capture",
            "one capture alone compares with nothing",
        ));
        let ledger = self.ledger.finish(source.len());
        let truncated = self.coverage.truncated;
        findings.extend(self.coverage.finish(&survey.file, &ledger));
        let (file_len, given_len) = (source.len(), source.given_len());
        let capture = CaptureSummary { file: survey.file, file_len, given_len, sha256, truncated };
        let flows: Vec<Flow> = survey.flows;
        let verdict = Verdict::weigh(&findings, Level::E0);
        Report {
            capture,
            flows,
            sessions,
            ledger,
            canary,
            opacity,
            reuse,
            metadata,
            sealed,
            complete,
            findings,
            verdict,
        }
    }
}
