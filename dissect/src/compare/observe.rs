//! What an observer has of one capture: the datagrams of its sessions, by kind and direction.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{DefaultHasher, Hasher as _};

use spec::wire::short::{ConnectionId, connection_id};

use crate::analyse::{Options, examine};
use crate::session::{Kind, Stage};
use crate::source::{ReadError, Source};

/// Datagrams of one kind and direction that are kept of a capture; further ones are counted.
const KEPT: usize = 1_024;
/// Datagrams remembered, to leave out those that come again.
const REMEMBERED: usize = 1 << 18;
/// Where the connection id of a SHORT datagram stands.
const ID: std::ops::Range<usize> = 1..9;

/// A kind of datagrams that go in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stream {
    /// What they are.
    pub kind: Kind,
    /// Who sends them.
    pub from_client: bool,
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = if self.from_client { "client" } else { "hub" };
        match self.kind {
            Kind::Init(fragment) => write!(f, "INIT {}/2 of the {who}", u32::from(fragment) + 1),
            kind => write!(f, "{} of the {who}", kind.name()),
        }
    }
}

/// What was observed of one capture, in bounded memory.
#[derive(Debug, Default)]
pub struct Observed {
    pub(super) established: u64,
    streams: BTreeMap<Stream, Series>,
    seen: BTreeSet<u64>,
}

/// The different datagrams of one stream.
#[derive(Debug, Default)]
pub(super) struct Series {
    /// How many there were.
    pub(super) count: u64,
    /// Their bytes.
    pub(super) bytes: u64,
    /// Nanoseconds between the first and the last.
    pub(super) span_ns: i128,
    first_ns: Option<i128>,
    /// The first of them.
    pub(super) kept: Vec<Vec<u8>>,
    /// Connection ids in order of appearance.
    pub(super) ids: Vec<ConnectionId>,
}

impl Observed {
    /// Reads a capture.
    ///
    /// # Errors
    /// [`ReadError`] when it cannot be read or is no capture.
    pub fn read(source: &Source) -> Result<Self, ReadError> {
        let mut observed = Self::default();
        let report = examine(source, &Options::default(), &(), &mut |row| {
            if let Some(member) = row.member {
                let stream = Stream { kind: member.kind, from_client: member.from_client };
                observed.take(stream, row.packet.time_ns, row.packet.datagram(row.data));
            }
        })?;
        let sessions = report.sessions.iter();
        let established = sessions.filter(|session| session.stage == Stage::Established).count();
        observed.established = crate::bytes::count(established);
        Ok(observed)
    }

    /// Takes in a datagram; one that comes again is left out, for when it does depends on the network.
    pub fn take(&mut self, stream: Stream, time_ns: Option<i128>, payload: &[u8]) {
        let mut hasher = DefaultHasher::new();
        hasher.write(payload);
        if self.seen.len() >= REMEMBERED {
            self.seen.clear();
        }
        if !self.seen.insert(hasher.finish()) {
            return;
        }
        let series = self.streams.entry(stream).or_default();
        series.count += 1;
        series.bytes += crate::bytes::count(payload.len());
        if let Some(now) = time_ns {
            let first = *series.first_ns.get_or_insert(now);
            series.span_ns = series.span_ns.max(now.saturating_sub(first));
        }
        if series.kept.len() >= KEPT {
            return;
        }
        series.kept.push(payload.to_vec());
        if let Some(id) = connection_id(payload).filter(|_| stream.kind == Kind::Short)
            && !series.ids.contains(&id)
        {
            series.ids.push(id);
        }
    }

    pub(super) fn streams(&self) -> impl Iterator<Item = Stream> + '_ {
        self.streams.keys().copied()
    }

    pub(super) fn series(&self, stream: Stream) -> Option<&Series> {
        self.streams.get(&stream)
    }
}

/// The datagrams of a stream in the captures of A beside those in the captures of B, in their order.
#[derive(Debug, Default)]
pub(super) struct Pairs<'a> {
    pub(super) datagrams: Vec<(&'a [u8], &'a [u8])>,
    pub(super) ids: Vec<(ConnectionId, ConnectionId)>,
}

impl Pairs<'_> {
    pub(super) fn len(&self) -> usize {
        self.datagrams.len()
    }
}

pub(super) fn pairs<'a>(a: &'a [Observed], b: &'a [Observed], stream: Stream) -> Pairs<'a> {
    let mut pairs = Pairs::default();
    for (a, b) in a.iter().zip(b) {
        let (Some(a), Some(b)) = (a.series(stream), b.series(stream)) else { continue };
        pairs.datagrams.extend(a.kept.iter().map(Vec::as_slice).zip(b.kept.iter().map(Vec::as_slice)));
        pairs.ids.extend(a.ids.iter().copied().zip(b.ids.iter().copied()));
    }
    pairs
}

/// Whether a byte of a datagram of this stream is compared among all datagrams; a connection id is the same in
/// many of them.
pub(super) fn is_own(stream: Stream, column: usize) -> bool {
    stream.kind != Kind::Short || !ID.contains(&column)
}
