//! The last walk: everything that is found out while the packets go by.

use std::collections::BTreeSet;

use crate::complete::{self, ClientTranscript};
use crate::content::{self, Content};
use crate::coverage::Coverage;
use crate::judge;
use crate::ledger::Ledger;
use crate::metadata;
use crate::opacity;
use crate::open::{KnownKeys, OpenedDatagram, Opening, SealedReport};
use crate::packet::Packet;
use crate::report::{CaptureSummary, Report};
use crate::reuse;
use crate::row::Row;
use crate::samples;
use crate::session::{Directory, Kind, Member, Pair, Recognised, Tracker};
use crate::source::{ReadError, Source};
use crate::survey::{Outlook, Survey};
use crate::verdict::{Finding, Level, Scope, Verdict};
use crate::{Options, canary};

/// The folds that judge.
pub(crate) struct Judging<'a> {
    tracker: Tracker<'a>,
    sealgram: &'a BTreeSet<Pair>,
    opening: Option<Opening>,
    without_keys: Directory,
    content: Content<'a>,
    ledger: Ledger,
    coverage: Coverage,
    opacity: opacity::Judge,
    reuse: reuse::Detector,
    known: KnownKeys,
    metadata: metadata::Observer,
    /// The first packet that lists versions which are none.
    odd_versions: Option<usize>,
    /// What the packet that comes next completes.
    completed: Option<Completed>,
}

/// A packet that was put together.
struct Completed {
    packet: Packet,
    member: Option<Member>,
    opened: Option<OpenedDatagram>,
}

impl<'a> Judging<'a> {
    pub(crate) fn new(outlook: &'a Outlook, opening: Option<Opening>, content: Content<'a>) -> Self {
        Self {
            tracker: outlook.tracker(),
            sealgram: &outlook.pairs_at_end,
            opening,
            without_keys: Directory::default(),
            content,
            ledger: Ledger::new(),
            coverage: Coverage::default(),
            opacity: opacity::Judge::new(),
            reuse: reuse::Detector::new(),
            known: KnownKeys::new(),
            metadata: metadata::Observer::new(),
            odd_versions: None,
            completed: None,
        }
    }

    /// Takes in a packet, or what was put together from packets before the one that completed it.
    pub(crate) fn take(&mut self, packet: &mut Packet, data: &[u8], rows: &mut dyn FnMut(&Row<'_>)) {
        packet.info = packet.dissection.describe();
        let (mut member, mut opened) = self.recognise(packet, data);
        let is_sealgram = packet.pair().is_some_and(|pair| self.sealgram.contains(&pair));
        self.content.take(packet, data, is_sealgram);
        self.take_samples(packet, data);
        if let Some(member) = member {
            self.known.take(member, packet.number, packet.datagram(data));
        }
        if judge::has_odd_versions(packet, data) {
            self.odd_versions.get_or_insert(packet.number);
        }
        if packet.is_whole() {
            self.completed = Some(Completed { packet: packet.clone(), member, opened });
            return;
        }
        self.ledger.take(packet);
        self.coverage.take(packet, data);
        if let Some(Completed { packet: whole, member: place, opened: said }) = self.completed.take() {
            let Packet { dissection, message, info, parts, .. } = whole;
            self.ledger.take_whole(&dissection.tree);
            (packet.dissection.protocol, packet.dissection.ends) = (dissection.protocol, dissection.ends);
            (packet.message, packet.info, packet.parts) = (message, info, parts);
            (member, opened) = (place, said);
        }
        let session = member.and_then(|member| self.tracker.sessions().get(member.session));
        let row = Row { packet, data, member, session, opened: opened.as_ref() };
        self.metadata.take(&row);
        rows(&row);
    }

    /// Finds the place of a packet among the sessions, and opens it.
    fn recognise(&mut self, packet: &mut Packet, data: &[u8]) -> (Option<Member>, Option<OpenedDatagram>) {
        let Self { tracker, opening, without_keys, .. } = self;
        let directory = opening.as_mut().map_or(without_keys, Opening::directory);
        let member = tracker.take(packet, data, directory);
        let Some(opening) = opening else { return (member, None) };
        opening.see(packet, data);
        let place = member.and_then(|member| Some((member, tracker.sessions().get(member.session)?)));
        let opened = place.and_then(|(member, session)| opening.take(member, session, packet, data));
        (member, opened)
    }

    /// Takes in what should look random.
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

    /// The report, but for its verdict.
    pub(crate) fn finish(
        self,
        survey: Survey,
        options: &Options,
        (source, sha256): (&Source, String),
        scope: Scope,
    ) -> Result<Report, ReadError> {
        let Self { tracker, mut opening, mut without_keys, .. } = self;
        let directory = opening.as_mut().map_or(&mut without_keys, Opening::directory);
        let Recognised { sessions, mut findings, .. } = tracker.finish(directory);
        findings.extend(judge::conformance(&sessions, &survey.flows));
        findings.extend(judge::flows(&survey.flows, survey.packets_of_other_flows));
        findings.extend(self.odd_versions.map(judge::odd_versions));
        let (opacity, reuse) = (self.opacity.finish(), self.reuse.finish());
        let metadata = self.metadata.finish();
        findings.extend(judge::opacity(&opacity, &reuse));
        findings.extend(self.known.finish());
        let (mut canary, watched, found) = self.content.finish(survey.file.packets)?;
        findings.extend(found);
        findings.extend(watched.iter().flat_map(|watched| content::judge(watched, options.show_secrets)));
        findings.extend(judge::canary(&canary));
        let sealed = opening.map(|opening| {
            let (sealed, found, counted) = opening.finish(&sessions);
            findings.extend(found);
            counted.report(&mut canary);
            sealed
        });
        if sealed.is_none() {
            findings.push(Finding::gap(Level::E4, "sealed.no-key-log", "no key log was given"));
        }
        let complete = options.transcript.as_ref().map(|reported| {
            let (complete, found) = complete(reported, sealed.as_ref(), &canary);
            findings.extend(found);
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
        let verdict = Verdict::weigh(&findings, Level::E0);
        let flows = survey.flows;
        Ok(Report {
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
            scope,
            findings,
            verdict,
        })
    }
}

/// Compares what was opened with what the clients reported.
fn complete(
    reported: &ClientTranscript,
    sealed: Option<&SealedReport>,
    canary: &canary::CanaryReport,
) -> (complete::CompleteReport, Vec<Finding>) {
    let opened = sealed.into_iter().flat_map(|sealed| sealed.transcripts.values());
    let (complete, mut found) = complete::compare(reported, opened);
    found.extend(complete::canaries(canary));
    (complete, found)
}
