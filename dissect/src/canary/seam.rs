//! One direction as a stream: the places where a payload goes on in the next one, behind a header of any length
//! up to a bound.

use super::detector::Detector;
use super::index::Found;
use super::streams::Payload;
use super::view::{Hit, Origin, SKIP_MAX, View};

/// Bytes that come together before they are searched: enough that the search is not all preparation.
const BATCH_BYTES: usize = 8 * 1024;

/// A part of a payload.
#[derive(Clone, Copy, Debug)]
struct Excerpt {
    /// Where it begins in the bytes kept.
    start: usize,
    len: usize,
    origin: Origin,
    /// Whether it is the end of a long payload, and not the beginning, of which headers are dropped. The bytes
    /// kept before it do not run on into it.
    is_end: bool,
    /// Whether the file does not have it in one piece, so that it must be searched within.
    is_pieced: bool,
}

impl Excerpt {
    /// Bytes that are left of it without so many bytes of header.
    const fn len_without(&self, skip: usize) -> usize {
        if self.is_end { self.len } else { self.len.saturating_sub(skip) }
    }
}

/// The parts of the last payloads from which text may run on, or into which it may.
#[derive(Debug, Default)]
pub(super) struct Seam {
    bytes: Vec<u8>,
    excerpts: Vec<Excerpt>,
    /// Excerpts at the beginning that were searched before.
    searched: usize,
    fresh_bytes: usize,
}

impl Seam {
    pub(super) fn kept_bytes(&self) -> usize {
        self.bytes.capacity() + self.excerpts.capacity() * size_of::<Excerpt>()
    }

    /// Adds what is needed of the next payload, and searches when enough has come together.
    pub(super) fn take(&mut self, detector: &Detector, payload: Payload<'_>, found: &mut impl FnMut(Hit)) {
        let len = payload.bytes.len();
        let reach = detector.reach();
        let head = reach + SKIP_MAX;
        if len == 0 {
            return;
        }
        if payload.is_in_file() && len > head + reach {
            self.push(payload, 0, head);
            self.push(payload, len - reach, len);
        } else {
            self.push(payload, 0, len);
        }
        if self.fresh_bytes >= BATCH_BYTES {
            self.search(detector, found);
        }
    }

    fn push(&mut self, payload: Payload<'_>, start: usize, end: usize) {
        let bytes = payload.bytes.get(start..end).unwrap_or_default();
        self.excerpts.push(Excerpt {
            start: self.bytes.len(),
            len: bytes.len(),
            origin: payload.origin.plus(start),
            is_end: start > 0,
            is_pieced: !payload.is_in_file(),
        });
        self.bytes.extend_from_slice(bytes);
        self.fresh_bytes += bytes.len();
    }

    /// Searches what has come together, without 0, 1, 2, … bytes of header, and keeps what may still run on.
    pub(super) fn search(&mut self, detector: &Detector, found: &mut impl FnMut(Hit)) {
        let runs_on = self.excerpts.len() > 1 || self.excerpts.iter().any(|excerpt| excerpt.is_pieced);
        if self.fresh_bytes > 0 && runs_on {
            for skip in 0..=SKIP_MAX {
                self.without(skip).search(detector, View::Stream { skip }, found);
            }
        }
        self.trim(detector.reach());
    }

    fn without(&self, skip: usize) -> Joined<'_> {
        let mut joined = Joined::default();
        for (number, excerpt) in self.excerpts.iter().enumerate() {
            if number == self.searched {
                joined.fresh_from = joined.bytes.len();
            }
            let len = excerpt.len_without(skip);
            if len > 0 {
                let end = excerpt.start + excerpt.len;
                joined.parts.push((joined.bytes.len(), excerpt));
                joined.bytes.extend_from_slice(self.bytes.get(end - len..end).unwrap_or_default());
            }
        }
        joined
    }

    /// Keeps an excerpt as long as fewer bytes than the longest sighting follow it, in any way of dropping headers.
    fn trim(&mut self, reach: usize) {
        let mut following = [0; SKIP_MAX + 1];
        let mut kept = Vec::new();
        for excerpt in self.excerpts.iter().rev() {
            // What drops most of the headers and leaves something of this excerpt has the least behind it.
            let most = if excerpt.is_end { SKIP_MAX } else { SKIP_MAX.min(excerpt.len.saturating_sub(1)) };
            if following.get(most).is_some_and(|bytes| *bytes < reach) {
                kept.push(*excerpt);
            }
            for (skip, bytes) in following.iter_mut().enumerate() {
                *bytes += excerpt.len_without(skip);
            }
            if excerpt.is_end || following.iter().all(|bytes| *bytes >= reach) {
                break;
            }
        }
        let mut bytes = Vec::new();
        self.excerpts = Vec::with_capacity(kept.len());
        for mut excerpt in kept.into_iter().rev() {
            let range = excerpt.start..excerpt.start + excerpt.len;
            excerpt.start = bytes.len();
            bytes.extend_from_slice(self.bytes.get(range).unwrap_or_default());
            self.excerpts.push(excerpt);
        }
        self.bytes = bytes;
        self.searched = self.excerpts.len();
        self.fresh_bytes = 0;
    }
}

/// Excerpts one behind the other.
#[derive(Debug, Default)]
struct Joined<'a> {
    bytes: Vec<u8>,
    /// Where each excerpt begins.
    parts: Vec<(usize, &'a Excerpt)>,
    /// Where the bytes begin that were not searched before.
    fresh_from: usize,
}

impl Joined<'_> {
    fn search(&self, detector: &Detector, view: View, found: &mut impl FnMut(Hit)) {
        for sighting in detector.search(&self.bytes, view) {
            if sighting.end > self.fresh_from
                && let Some(origin) = self.origin(&sighting)
            {
                found(Hit { needle: sighting.needle, view, origin, skipped: sighting.skipped });
            }
        }
    }

    /// Where a sighting stands, when the file does not show it: it goes on in another payload, or its payload was
    /// put together.
    fn origin(&self, sighting: &Found) -> Option<Origin> {
        let behind = self.parts.partition_point(|(start, _)| *start <= sighting.at);
        let (start, excerpt) = self.parts.get(behind.checked_sub(1)?)?;
        let later = self.parts.get(behind..).unwrap_or_default();
        let mut inside = later.iter().take_while(|(start, _)| *start < sighting.end);
        if !excerpt.is_pieced && !inside.any(|(_, excerpt)| !excerpt.is_end) {
            return None;
        }
        let end = later.first().map_or(self.bytes.len(), |(start, _)| *start);
        let dropped = excerpt.len - (end - start);
        Some(excerpt.origin.plus(dropped + sighting.at - start))
    }
}
