//! A qlog of each session, for the tools that draw what a transport did: draft-ietf-quic-qlog-main-schema, as
//! a sequence of JSON records (RFC 7464). Numbers and addresses only: never a key, never what was said.

mod event;

use crate::clock::{self, Clock};
use crate::failure::{Context, Failure};
use node_proto::connection::Step;
use qlog::events::{Event, QUIC_URI};
use qlog::{CommonFields, QLOGFILESEQ_URI, QlogSeq, ReferenceTime, SQLOG_EXT, TraceSeq};
use qlog::{VantagePoint, VantagePointType};
use spec::time::Instant;
use spec::wire::frame::Side;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What stands before each record (RFC 7464 section 2.2).
const RECORD_SEPARATOR: u8 = 0x1e;
/// Files that are open at a time: a process may not have many more, and the log needs some.
const FILES_MAX: usize = 256;

/// A folder of qlog files, one for each session.
#[derive(Debug)]
pub struct Qlog {
    folder: PathBuf,
    side: Side,
    /// What people's clocks showed when ours showed zero.
    zero: Duration,
    files: BTreeMap<u64, Sink>,
}

#[derive(Debug)]
struct Sink {
    file: File,
    /// Whole records.
    pending: Vec<u8>,
    is_over: bool,
}

impl Qlog {
    /// Uses `folder`, and makes it if it is missing; `clock` is the one that steps are timed with.
    ///
    /// # Errors
    /// When no file can be made in it.
    pub fn open(folder: &Path, side: Side, clock: &Clock) -> Result<Self, Failure> {
        let shown = folder.display();
        let zero = clock::unix_time().0.saturating_sub(clock.now().0 / 1000);
        let qlog = Self {
            folder: folder.to_owned(),
            side,
            zero: Duration::from_millis(zero),
            files: BTreeMap::new(),
        };
        std::fs::create_dir_all(folder)
            .and_then(|()| qlog.create(Instant(0)))
            .and_then(|(path, file)| {
                drop(file);
                std::fs::remove_file(path)
            })
            .context(format!("cannot write qlog files in {shown}"))
            .map_err(|failure| failure.advise("--qlog with a folder you may write to"))?;
        Ok(qlog)
    }

    /// Notes what `session` did at `at`.
    pub fn note(&mut self, session: u64, at: Instant, step: &Step) {
        if matches!(step, Step::Started { .. }) && self.files.len() < FILES_MAX {
            match self.start(at) {
                Ok(sink) => drop(self.files.insert(session, sink)),
                Err(error) => ::log::error!("a session has no qlog: {error}"),
            }
        }
        let Some(sink) = self.files.get_mut(&session) else { return };
        match event::of(self.side, step) {
            Some((data, more)) => sink.record(&Event::with_time_ex(millis(at), data, more)),
            None => sink.is_over = true,
        }
    }

    /// Hands whole records to the operating system: a process that is killed leaves no half of one.
    pub fn flush(&mut self) {
        self.files.retain(|_, sink| match sink.file.write_all(&sink.pending) {
            Ok(()) => {
                sink.pending.clear();
                !sink.is_over
            }
            Err(error) => {
                ::log::error!("a qlog ends here: {error}");
                false
            }
        });
    }

    fn start(&self, at: Instant) -> io::Result<Sink> {
        let (_, file) = self.create(at)?;
        let mut sink = Sink { file, pending: Vec::new(), is_over: false };
        sink.record(&self.header());
        Ok(sink)
    }

    /// A new file with the time in its name, so that they are listed in their order.
    fn create(&self, at: Instant) -> io::Result<(PathBuf, File)> {
        let side = if self.side == Side::Hub { "hub" } else { "client" };
        let mut millis = (self.zero + Duration::from_micros(at.0)).as_millis();
        loop {
            let path = self.folder.join(format!("{millis}-{side}{SQLOG_EXT}"));
            match OpenOptions::new().create_new(true).append(true).open(&path) {
                Ok(file) => return Ok((path, file)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => millis += 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn header(&self) -> QlogSeq {
        let wall_clock: SystemTime = UNIX_EPOCH + self.zero;
        let common_fields = CommonFields {
            protocol_types: Some(vec!["SEALGRAM".to_owned()]),
            reference_time: ReferenceTime::new_monotonic(Some(wall_clock)),
            ..CommonFields::default()
        };
        let ty = if self.side == Side::Hub { VantagePointType::Server } else { VantagePointType::Client };
        let vantage_point = VantagePoint { ty, ..VantagePoint::default() };
        let schemas = vec![QUIC_URI.to_owned()];
        QlogSeq {
            file_schema: QLOGFILESEQ_URI.to_owned(),
            serialization_format: "JSON-SEQ".to_owned(),
            title: Some("Sealgram".to_owned()),
            description: None,
            trace: TraceSeq::new(None, None, Some(common_fields), Some(vantage_point), schemas),
        }
    }
}

impl Sink {
    fn record(&mut self, record: &impl serde::Serialize) {
        let whole = self.pending.len();
        self.pending.push(RECORD_SEPARATOR);
        match serde_json::to_writer(&mut self.pending, record) {
            Ok(()) => self.pending.push(b'\n'),
            Err(error) => {
                ::log::error!("a step has no record: {error}");
                self.pending.truncate(whole);
            }
        }
    }
}

/// Milliseconds, the unit of qlog.
fn millis(at: Instant) -> f64 {
    Duration::from_micros(at.0).as_secs_f64() * 1000.0
}
