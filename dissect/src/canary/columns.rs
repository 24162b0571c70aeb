//! One direction as columns: byte j of each of its payloads, one below the other, from the front or from the end.

use super::detector::Detector;
use super::streams::Payload;
use super::view::{COLUMNS, Hit, LAST_COLUMNS, Origin, View};

/// Payloads that come together before they are searched.
const BATCH_ROWS: usize = 256;

/// From where columns are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Edge {
    #[default]
    Front,
    Back,
}

impl Edge {
    const fn columns(self) -> usize {
        match self {
            Self::Front => COLUMNS,
            Self::Back => LAST_COLUMNS,
        }
    }

    const fn view(self, column: usize) -> View {
        match self {
            Self::Front => View::Column(column),
            Self::Back => View::LastColumn(column),
        }
    }

    /// The bytes of a payload in the order of their columns.
    fn row(self, payload: &[u8]) -> Vec<u8> {
        match self {
            Self::Front => payload.iter().take(COLUMNS).copied().collect(),
            Self::Back => payload.iter().rev().take(LAST_COLUMNS).copied().collect(),
        }
    }
}

/// One end of a payload.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// Where it begins in the bytes kept.
    start: usize,
    len: usize,
    /// Length of the whole payload.
    payload_bytes: usize,
    origin: Origin,
}

/// One end of each of the last payloads.
#[derive(Debug, Default)]
pub(super) struct Columns {
    edge: Edge,
    bytes: Vec<u8>,
    rows: Vec<Row>,
    /// Rows at the beginning that were searched before.
    searched: usize,
}

impl Columns {
    pub(super) fn of(edge: Edge) -> Self {
        Self { edge, ..Self::default() }
    }

    pub(super) fn kept_bytes(&self) -> usize {
        self.bytes.capacity() + self.rows.capacity() * size_of::<Row>()
    }

    /// Adds the next payload, and searches when enough have come together.
    pub(super) fn take(&mut self, detector: &Detector, payload: Payload<'_>, found: &mut impl FnMut(Hit)) {
        let row = self.edge.row(payload.bytes);
        if row.is_empty() {
            return;
        }
        let (start, len, payload_bytes) = (self.bytes.len(), row.len(), payload.bytes.len());
        self.rows.push(Row { start, len, payload_bytes, origin: payload.origin });
        self.bytes.extend(row);
        if self.rows.len() - self.searched >= BATCH_ROWS {
            self.search(detector, found);
        }
    }

    /// Searches what has come together, and keeps what may still run on.
    pub(super) fn search(&mut self, detector: &Detector, found: &mut impl FnMut(Hit)) {
        if self.rows.len() > self.searched.max(1) {
            for column in 0..self.edge.columns() {
                self.search_column(column, detector, found);
            }
        }
        self.trim(detector.reach());
    }

    fn search_column(&self, column: usize, detector: &Detector, found: &mut impl FnMut(Hit)) {
        let reaching = || self.rows.iter().enumerate().filter(|(_, row)| row.len > column);
        let rows: Vec<&Row> = reaching().map(|(_, row)| row).collect();
        let fresh_from = reaching().take_while(|(number, _)| *number < self.searched).count();
        let bytes: Vec<u8> =
            rows.iter().filter_map(|row| self.bytes.get(row.start + column)).copied().collect();
        let view = self.edge.view(column);
        for sighting in detector.search(&bytes, view) {
            if sighting.end > fresh_from
                && let Some(row) = rows.get(sighting.at)
            {
                let at = match self.edge {
                    Edge::Front => column,
                    Edge::Back => row.payload_bytes.saturating_sub(column + 1),
                };
                let origin = row.origin.plus(at);
                found(Hit { needle: sighting.needle, view, origin, skipped: sighting.skipped });
            }
        }
    }

    /// Keeps a row as long as fewer rows than the longest sighting has bytes follow it in its last column.
    fn trim(&mut self, reach: usize) {
        let mut following = [0; COLUMNS];
        let mut kept = Vec::new();
        for row in self.rows.iter().rev() {
            let (own, _) = following.split_at_mut(row.len.min(COLUMNS));
            if own.last().is_some_and(|rows| *rows < reach) {
                kept.push(*row);
            }
            own.iter_mut().for_each(|rows| *rows += 1);
        }
        let mut bytes = Vec::new();
        self.rows = Vec::with_capacity(kept.len());
        for mut row in kept.into_iter().rev() {
            let range = row.start..row.start + row.len;
            row.start = bytes.len();
            bytes.extend_from_slice(self.bytes.get(range).unwrap_or_default());
            self.rows.push(row);
        }
        self.bytes = bytes;
        self.searched = self.rows.len();
    }
}
