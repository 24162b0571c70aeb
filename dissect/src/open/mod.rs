//! Opens what a key log allows, and verifies it: level E4.
//!
//! The handshake is followed from the logged Diffie–Hellman and KEM results, so that the keys of the
//! session are derived here and not believed; then every SHORT datagram is opened, sealed again and
//! compared, epoch by epoch and generation by generation. The roots of later generations are not derived:
//! no key log says what went into them. Controls show that the verification can fail: a wrong key and single
//! flipped bits must.

mod follow;
mod generation;
mod known;
mod numbers;
mod order;
mod short;
mod summary;
mod transcript;

use std::collections::{BTreeMap, BTreeSet};
use std::{fmt, iter};

use serde::Serialize;
use spec::key_log::{Label, LoggedSession};
use spec::key_schedule::Root;
use spec::wire::frame::{Frames, Side};
use spec::wire::long::AttemptId;

pub(crate) use known::KnownKeys;
pub use spec::key_log::KeyLogError;
pub use transcript::{LogEntry, Submitted, Transcript};

use crate::canary::{Canary, Sealed};
use crate::packet::Packet;
use crate::session::{Directory, Kind, Member, Session, Stage, hex};
use crate::verdict::{Finding, Findings, Level};
use numbers::Numbers;

/// Bytes of what was said that are kept for the transcripts of all sessions.
const TRANSCRIPT_BYTES_MAX: usize = 32 << 20;
/// Datagrams under unknown ids that are listed until it is known what they mean.
const STRANGERS_MAX: usize = 1_000;

/// The secrets of a key log, by attempt.
#[derive(Clone, Debug, Default)]
pub struct KeyLog(BTreeMap<AttemptId, LoggedSession>);

impl KeyLog {
    /// Reads the text of a key log.
    ///
    /// # Errors
    /// [`KeyLogError`] with the first line that is broken.
    pub fn parse(text: &str) -> Result<Self, KeyLogError> {
        spec::key_log::parse(text).map(Self)
    }

    /// The attempts that it has secrets of.
    pub(crate) fn attempts(&self) -> BTreeSet<AttemptId> {
        self.0.keys().copied().collect()
    }

    /// Adds the lines of another key log. The hub and its client log the same secrets of a session, and
    /// either log may lack some of them.
    pub fn merge(&mut self, other: Self) {
        // What was read from lines can be written as lines and read again.
        let text = format!("{}{}", self.lines(), other.lines());
        self.0 = spec::key_log::parse(&text).unwrap_or(other.0);
    }

    /// The secrets as the lines of a key log.
    fn lines(&self) -> String {
        let of = |(attempt, session): (&AttemptId, &LoggedSession)| -> String {
            let line = |(label, secret): (Label, &spec::secret::Secret<32>)| {
                format!("{} {} {}\n", label.as_str(), hex(&attempt.0), hex(secret.expose()))
            };
            session.all().map(line).collect()
        };
        self.0.iter().map(of).collect()
    }

    /// Whether it holds no secret at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every secret as something that may not be found on the wire. The handshake hash is none.
    pub(crate) fn canaries(&self) -> Vec<Canary> {
        let of = |(attempt, session): (&AttemptId, &LoggedSession)| -> Vec<Canary> {
            let canary = |(label, secret): (Label, &spec::secret::Secret<32>)| {
                Canary::key(format!("{} of attempt {}", label.as_str(), hex(&attempt.0)), secret.expose())
            };
            session.all().filter(|(label, _)| *label != Label::Hash).map(canary).collect()
        };
        self.0.iter().flat_map(of).collect()
    }
}

/// One datagram in clear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenedDatagram {
    /// Number of its packet.
    pub packet: usize,
    /// The attempt id of its session, in hexadecimal.
    pub attempt_id: String,
    /// Whether the client sent it.
    pub from_client: bool,
    /// Its packet number and what names its key; `None` for the handshake.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// Its frames, one line each; what is text is quoted.
    pub frames: Vec<String>,
    /// The sealed bytes in clear.
    #[serde(skip)]
    pub plaintext: Vec<u8>,
    /// The packet that was the same datagram, if one was; then what it says is not said again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeats: Option<usize>,
    /// Bytes in them that people wrote, and not how it travels.
    #[serde(skip)]
    pub said_bytes: usize,
}

/// Where a packet stands among those of its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The whole packet number.
    pub number: u64,
    /// How many ratchets led to its key.
    pub generation: u64,
    /// How many key updates of that generation did.
    pub epoch: u64,
    /// The first byte of the datagram without its mask.
    #[serde(skip)]
    pub first: u8,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.generation, self.epoch) {
            (0, 0) => write!(f, "#{}", self.number),
            (generation, epoch) => write!(f, "#{} (generation {generation}, epoch {epoch})", self.number),
        }
    }
}

/// What the key log opened.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SealedReport {
    /// Sealed datagrams of the sessions: INIT, RESP, FIN and SHORT.
    pub sealed: u64,
    /// Those whose tags verified.
    pub verified: u64,
    /// Those of attempts that were given up before keys were made, and answers that were not used: nothing
    /// is logged for them.
    pub abandoned: u64,
    /// SHORT datagrams that were sealed again and gave the same bytes.
    pub resealed: u64,
    /// SHORT datagrams that were opened.
    pub opened_short: u64,
    /// Packets that repeat one already opened.
    pub repeated: u64,
    /// Sessions whose keys were derived from the handshake here.
    pub derived: u64,
    /// Key updates after which something was opened.
    pub updates: u64,
    /// Ratchets after which something was opened: their roots are those of the log, and derived by nobody.
    pub ratchets: u64,
    /// Deliberate falsifications tried.
    pub controls: u64,
    /// Those that failed to open, as they must.
    pub controls_rejected: u64,
    /// What was said in each session, by attempt id in hexadecimal.
    pub transcripts: BTreeMap<String, Transcript>,
}

/// Verifies the handshakes of sessions that were recognised without keys, and derives their keys. `search` counts
/// secrets in what is opened.
pub(crate) fn follow(log: &KeyLog, sessions: &[Session], search: Sealed) -> Opening {
    let mut opening = Opening { search, ..Opening::default() };
    for (index, session) in sessions.iter().enumerate() {
        let Some(secrets) = log.0.get(&session.attempt_id) else {
            opening.without_secrets(index, session);
            continue;
        };
        if let Some(root) = follow::follow(index, sessions, secrets, &mut opening) {
            let roots: Vec<Root> = iter::once(root.clone()).chain(secrets.later_roots(&root)).collect();
            opening.generations.insert(session.attempt_id, roots.len());
            opening.keys.add(index, session, &roots);
        }
    }
    opening
}

/// The report while it is being made.
#[derive(Default)]
pub(crate) struct Opening {
    keys: short::Keys,
    first_seen: short::FirstSeen,
    numbers: Numbers,
    report: SealedReport,
    findings: Findings,
    search: Sealed,
    /// What is known of the handshakes, by the place of their session.
    handshakes: BTreeMap<usize, follow::Verified>,
    /// The sessions that were given up before there were keys.
    given_up: BTreeSet<usize>,
    /// What the FINs say, by the number of their packets.
    fins: BTreeMap<usize, OpenedDatagram>,
    /// How many generations of a session have a root.
    generations: BTreeMap<AttemptId, usize>,
    /// Violations that are none if the log lacks a generation.
    strangers: Vec<(AttemptId, Finding)>,
    transcripts: BTreeMap<AttemptId, transcript::Builder>,
    transcript_bytes: usize,
}

impl Opening {
    /// The connection ids of the sessions whose keys were derived.
    pub(crate) const fn directory(&mut self) -> &mut Directory {
        &mut self.keys.directory
    }

    /// Takes note of a packet that may be of any session or of none.
    pub(crate) fn see(&mut self, packet: &Packet, data: &[u8]) {
        self.first_seen.take(packet, packet.datagram(data));
    }

    /// Opens a datagram of a session and refines its fields; what it says, unless it was captured before.
    pub(crate) fn take(
        &mut self,
        member: Member,
        session: &Session,
        packet: &mut Packet,
        data: &[u8],
    ) -> Option<OpenedDatagram> {
        let datagram = packet.datagram(data);
        if member.kind == Kind::Short {
            return self.open(member, session, packet, datagram);
        }
        if !is_handshake(member.kind) {
            return None;
        }
        if let Some(verified) = self.handshakes.remove(&member.session) {
            verified.judge(session, member.kind, datagram, packet.number, self);
            self.handshakes.insert(member.session, verified);
        } else {
            self.report.sealed += 1;
            self.report.abandoned += u64::from(self.given_up.contains(&member.session));
        }
        self.fins.remove(&packet.number)
    }

    /// A session that the log does not know. An attempt that was given up early has no secrets to log.
    fn without_secrets(&mut self, index: usize, session: &Session) {
        if session.stage < Stage::Finished {
            self.given_up.insert(index);
            let text =
                format!("attempt {} was given up: its secrets are not in the key log", session.attempt());
            self.findings.push(Finding::note(Level::E4, "sealed.abandoned", text));
        } else {
            let text = format!("the key log has no secrets of attempt {}", session.attempt());
            self.findings.push(Finding::gap(Level::E4, "sealed.no-secrets", text));
        }
    }

    /// Takes in the frames of one datagram.
    fn opened(
        &mut self,
        packet: usize,
        session: &Session,
        side: Side,
        place: Option<Place>,
        plaintext: &[u8],
    ) -> OpenedDatagram {
        self.search.take(plaintext);
        let mut opened = OpenedDatagram {
            packet,
            attempt_id: session.attempt(),
            from_client: side == Side::Client,
            place,
            frames: Vec::new(),
            plaintext: plaintext.to_vec(),
            repeats: None,
            said_bytes: 0,
        };
        let frames = match Frames::parse(plaintext, side) {
            Ok(frames) => frames,
            Err(error) => {
                let text = format!("the sealed frames do not decode: {error}");
                self.violation("sealed.frames", packet, text.clone());
                opened.frames.push(text);
                return opened;
            }
        };
        let builder = self.transcripts.entry(session.attempt_id).or_default();
        for frame in frames.iter() {
            if self.transcript_bytes < TRANSCRIPT_BYTES_MAX {
                self.transcript_bytes += builder.take(side, &frame);
            }
            opened.frames.push(summary::frame(&frame));
            opened.said_bytes += summary::said_bytes(&frame);
        }
        opened
    }

    fn stranger(&mut self, attempt: AttemptId, finding: Finding) {
        if self.strangers.len() < STRANGERS_MAX {
            self.strangers.push((attempt, finding));
        }
    }

    fn violation(&mut self, rule: &'static str, packet: usize, text: impl Into<String>) {
        self.findings.push(Finding::violation(Level::E4, rule, text).in_packet(packet));
    }

    /// An id that the keys do not give is of another generation when there was one more ratchet than the log has
    /// roots: then nobody can tell.
    fn judge_strangers(&mut self) {
        for (attempt, finding) in std::mem::take(&mut self.strangers) {
            let ratchets = self.transcripts.get(&attempt).map_or(0, transcript::Builder::ratchets);
            let generations = self.generations.get(&attempt).copied().unwrap_or(0);
            self.findings.push(if ratchets < generations && !self.is_cut() {
                finding
            } else {
                let text = format!("{}; the key log lacks the root of a generation", finding.text);
                Finding { packet: finding.packet, ..Finding::gap(Level::E4, "sealed.no-generation", text) }
            });
        }
    }

    /// Whether there was no room for all that was said.
    const fn is_cut(&self) -> bool {
        self.transcript_bytes >= TRANSCRIPT_BYTES_MAX
    }

    /// What did not fit into memory.
    fn bounds(&mut self) {
        let mut gap = |level, rule, text| self.findings.push(Finding::gap(level, rule, text));
        if self.transcript_bytes >= TRANSCRIPT_BYTES_MAX {
            gap(Level::E5, "sealed.transcript-long", "more was said than is kept: the transcripts are cut");
        }
        if self.numbers.is_full {
            gap(Level::E4, "sealed.numbers-many", "more packet numbers than can be remembered and compared");
        }
        if self.keys.directory.is_full() {
            gap(Level::E4, "sealed.ids-many", "more connection ids than can be derived beforehand");
        }
    }

    /// The report on all `sessions`, recognised with the [`directory`](Self::directory).
    pub(crate) fn finish(mut self, sessions: &[Session]) -> (SealedReport, Vec<Finding>, Sealed) {
        self.judge_strangers();
        self.bounds();
        (self.report.updates, self.report.ratchets) = self.keys.changes(sessions);
        let report = &mut self.report;
        report.transcripts = self
            .transcripts
            .into_iter()
            .map(|(attempt, builder)| (hex(&attempt.0), builder.finish()))
            .collect();
        let unverified = report.sealed.saturating_sub(report.verified + report.abandoned);
        if unverified > 0 {
            let text = format!("{unverified} sealed datagrams were not verified");
            self.findings.push(Finding::gap(Level::E4, "sealed.unverified", text));
        }
        if report.opened_short == 0 {
            let text = "the key log opened no datagram of this capture";
            self.findings.push(Finding::gap(Level::E4, "sealed.nothing", text));
        } else if report.controls == 0 || report.controls_rejected != report.controls {
            let text = format!(
                "{} of {} falsifications were noticed: the verification itself is not sound",
                report.controls_rejected, report.controls
            );
            self.findings.push(Finding::gap(Level::E0, "sealed.control", text));
        }
        (self.report, self.findings.finish(), self.search)
    }
}

/// Whether datagrams of this kind are sealed in the handshake, under keys the log may derive.
const fn is_handshake(kind: Kind) -> bool {
    matches!(kind, Kind::Init(_) | Kind::Resp | Kind::Fin)
}
