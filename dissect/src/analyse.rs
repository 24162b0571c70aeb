//! The analysis from end to end: look, recognise, derive keys, and then judge packet by packet.

use std::io::Read;
use std::panic::resume_unwind;
use std::thread;

use crate::canary::{Canary, Sealed};
use crate::complete::ClientTranscript;
use crate::content::Content;
use crate::judging::Judging;
use crate::open::KeyLog;
use crate::progress::Progress;
use crate::report::Report;
use crate::row::Row;
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
    /// Whether what others say in clear is told word for word.
    pub show_secrets: bool,
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

/// Judges a capture that is read to its end first, without its packets.
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
    let scope = if outlook.has_session { options.scope } else { Scope::All };
    let content = Content::new(source, &secrets, scope == Scope::All);
    let mut judging = Judging::new(&outlook, opening, content);
    walk(source, "judging", progress, |packet, data| judging.take(packet, data, rows))?;
    let mut report = judging.finish(survey, &options, (source, sha256), scope)?;
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
