//! One direction as columns: byte j of each of its payloads, one below the other.

use super::detector::Detector;
use super::streams::Payload;
use super::view::{COLUMNS, Hit, Origin, View};

/// Payloads that come together before they are searched.
const BATCH_ROWS: usize = 256;

/// The beginning of a payload.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// Where it begins in the bytes kept.
    start: usize,
    len: usize,
    origin: Origin,
}

/// The beginnings of the last payloads.
#[derive(Debug, Default)]
pub(super) struct Columns {
    bytes: Vec<u8>,
    rows: Vec<Row>,
    /// Rows at the beginning that were searched before.
    searched: usize,
}

impl Columns {
    pub(super) fn kept_bytes(&self) -> usize {
        self.bytes.capacity() + self.rows.capacity() * size_of::<Row>()
    }

    /// Adds the next payload, and searches when enough have come together.
    pub(super) fn take(&mut self, detector: &Detector, payload: Payload<'_>, found: &mut impl FnMut(Hit)) {
        let beginning = payload.bytes.get(..COLUMNS).unwrap_or(payload.bytes);
        if beginning.is_empty() {
            return;
        }
        let (start, len) = (self.bytes.len(), beginning.len());
        self.rows.push(Row { start, len, origin: payload.origin });
        self.bytes.extend_from_slice(beginning);
        if self.rows.len() - self.searched >= BATCH_ROWS {
            self.search(detector, found);
        }
    }

    /// Searches what has come together, and keeps what may still run on.
    pub(super) fn search(&mut self, detector: &Detector, found: &mut impl FnMut(Hit)) {
        if self.rows.len() > self.searched {
            for column in 0..COLUMNS {
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
        let view = View::Column(column);
        for sighting in detector.search(&bytes, view) {
            if sighting.end > fresh_from
                && let Some(row) = rows.get(sighting.at)
            {
                let origin = row.origin.plus(column);
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
