//! One direction of a connection.

use super::{Event, JUMP_BYTES, KEPT_BYTES, Tally, WAITING_BYTES};
use crate::bytes::count;
use crate::dissection::Segment;
use crate::reassembly::pieces::{Overlap, Pieces, Run};

/// Runs that wait, at most: small ones cost more than their bytes.
const WAITING_RUNS: usize = 1_024;
/// Added to the first sequence number, so that numbers before it are no less than zero.
const BASE: u64 = 1 << 32;

/// Where a direction is in its sequence numbers, which are counted on beyond 32 bits.
#[derive(Debug, Default)]
pub(super) struct Half {
    pub(super) ticket: u64,
    /// The number of the byte to be told next; `None` before the first segment.
    next: Option<u64>,
    /// The number behind the SYN, where one was seen.
    first: Option<u64>,
    /// What has arrived and waits for bytes before it.
    waiting: Pieces,
    /// The last bytes told.
    kept: Vec<u8>,
    /// Where the FIN stands, if it is still to be told.
    end: Option<u64>,
    /// Where the last segment that fits nothing ended.
    stray_end: Option<u32>,
}

impl Half {
    /// Bytes that this direction keeps in memory.
    pub(super) fn held_bytes(&self) -> usize {
        self.waiting.cost_bytes() + self.kept.len()
    }

    /// Gives up comparing what is sent again.
    pub(super) fn forget(&mut self) {
        self.kept = Vec::new();
    }

    pub(super) fn take(
        &mut self,
        segment: Segment,
        bytes: &[u8],
        packet: usize,
        tally: &mut Tally,
        tell: &mut impl FnMut(Event<'_>),
    ) {
        let syn = segment.has(Segment::SYN);
        // The SYN takes a number of its own (RFC 9293, section 3.4).
        let number = segment.sequence.wrapping_add(u32::from(syn));
        let Some((at, next)) = self.place(number, syn, bytes.len(), tally, tell) else { return };
        let end = at + count(bytes.len());
        if end > next {
            self.add(at, next, bytes, packet, tally, tell);
        } else if bytes.len() != 1 || end != next {
            // Only what is no probe whether the other end is there: its one byte may be garbage (RFC 9293,
            // section 3.8.4).
            self.compare(at, next, bytes, packet, tally, tell);
        }
        if segment.has(Segment::FIN) && end >= self.next.unwrap_or(0) {
            self.end = Some(end);
        }
        self.tell_waiting(tally, tell);
        if segment.has(Segment::RST) && at >= next {
            self.flush(tally, tell);
            tell(Event::End { reset: true });
        }
    }

    /// Where a segment stands, and where the stream is; `None` for one that fits nowhere.
    fn place(
        &mut self,
        number: u32,
        syn: bool,
        len: usize,
        tally: &mut Tally,
        tell: &mut impl FnMut(Event<'_>),
    ) -> Option<(u64, u64)> {
        let Some(next) = self.next else { return Some(self.start(number, syn, tell)) };
        let at = extended(number, next);
        if syn && self.first != Some(at) {
            // Other ports would be usual; the connection before is over.
            self.flush(tally, tell);
            return Some(self.start(number, syn, tell));
        }
        if at.abs_diff(next) <= JUMP_BYTES {
            self.stray_end = None;
            return Some((at, next));
        }
        let end = number.wrapping_add(u32::try_from(len).unwrap_or(0));
        let is_confirmed = len > 0 && self.stray_end.replace(end) == Some(number);
        if !is_confirmed {
            tally.stray_segments += 1;
            return None;
        }
        self.flush(tally, tell);
        if at < next {
            return Some(self.start(number, syn, tell));
        }
        self.skip_to(at, tally, tell);
        Some((at, self.next.unwrap_or(at)))
    }

    fn start(&mut self, number: u32, syn: bool, tell: &mut impl FnMut(Event<'_>)) -> (u64, u64) {
        let at = BASE + u64::from(number);
        *self = Self { ticket: self.ticket, next: Some(at), first: syn.then_some(at), ..Self::default() };
        tell(Event::Start { whole: syn });
        (at, at)
    }

    /// Adds a segment that brings something new.
    fn add(
        &mut self,
        at: u64,
        next: u64,
        bytes: &[u8],
        packet: usize,
        tally: &mut Tally,
        tell: &mut impl FnMut(Event<'_>),
    ) {
        let known = usize::try_from(next.saturating_sub(at)).unwrap_or(usize::MAX);
        let (old, new) = bytes.split_at_checked(known).unwrap_or((bytes, &[]));
        self.compare(at, next, old, packet, tally, tell);
        if at <= next && self.waiting.runs() == 0 {
            self.tell_bytes(new, packet, tell);
        } else {
            let overlap = self.waiting.insert(at.max(next), new, packet);
            account(overlap, packet, tally, tell);
        }
    }

    /// Compares bytes that were told already with those that are kept.
    fn compare(
        &self,
        at: u64,
        next: u64,
        bytes: &[u8],
        packet: usize,
        tally: &mut Tally,
        tell: &mut impl FnMut(Event<'_>),
    ) {
        let kept_from = next - count(self.kept.len());
        let unknown = usize::try_from(kept_from.saturating_sub(at)).unwrap_or(usize::MAX).min(bytes.len());
        tally.unknown_bytes += count(unknown);
        let index = usize::try_from(at.saturating_sub(kept_from)).unwrap_or(usize::MAX);
        let kept = self.kept.get(index..).unwrap_or_default();
        account(Overlap::of(kept, bytes.get(unknown..).unwrap_or_default()), packet, tally, tell);
    }

    /// Tells what has become next, and gives up gaps where too much waits behind them.
    fn tell_waiting(&mut self, tally: &mut Tally, tell: &mut impl FnMut(Event<'_>)) {
        self.tell_next(tell);
        while self.waiting.len() > WAITING_BYTES || self.waiting.runs() > WAITING_RUNS {
            self.tell_gap(tally, tell);
        }
    }

    /// Tells everything that waits, and the gaps between.
    pub(super) fn flush(&mut self, tally: &mut Tally, tell: &mut impl FnMut(Event<'_>)) {
        while self.waiting.runs() > 0 || self.end.is_some() {
            self.tell_gap(tally, tell);
        }
    }

    fn tell_gap(&mut self, tally: &mut Tally, tell: &mut impl FnMut(Event<'_>)) {
        match self.waiting.first().into_iter().chain(self.end).min() {
            Some(at) => self.skip_to(at, tally, tell),
            None => return,
        }
        self.tell_next(tell);
    }

    fn skip_to(&mut self, at: u64, tally: &mut Tally, tell: &mut impl FnMut(Event<'_>)) {
        let bytes = at.saturating_sub(self.next.unwrap_or(at));
        if bytes > 0 {
            tally.missing_bytes += bytes;
            tell(Event::Gap { bytes });
            self.kept.clear();
            self.next = Some(at);
        }
    }

    fn tell_next(&mut self, tell: &mut impl FnMut(Event<'_>)) {
        while let Some(next) = self.next {
            let first = self.waiting.first().filter(|first| *first <= next);
            if let Some(Run { bytes, packet }) = first.and_then(|first| self.waiting.pop(first)) {
                self.tell_bytes(&bytes, packet, tell);
            } else if self.end.is_some_and(|end| end <= next) {
                self.end = None;
                tell(Event::End { reset: false });
                // The FIN takes a number of its own, too.
                self.next = Some(next + 1);
                self.kept.clear();
            } else {
                return;
            }
        }
    }

    fn tell_bytes(&mut self, bytes: &[u8], packet: usize, tell: &mut impl FnMut(Event<'_>)) {
        if bytes.is_empty() {
            return;
        }
        tell(Event::Bytes { bytes, packet });
        self.next = self.next.map(|next| next + count(bytes.len()));
        self.kept.extend_from_slice(bytes);
        // Twice as much may gather, so that few bytes are moved.
        if self.kept.len() > 2 * KEPT_BYTES {
            self.kept.drain(..self.kept.len() - KEPT_BYTES);
        }
    }
}

/// A sequence number, counted on from the one that is nearest to `near`.
fn extended(number: u32, near: u64) -> u64 {
    let low = u32::try_from(near & u64::from(u32::MAX)).unwrap_or(0);
    let distance = number.wrapping_sub(low).cast_signed();
    near.saturating_add_signed(distance.into())
}

fn account(overlap: Overlap, packet: usize, tally: &mut Tally, tell: &mut impl FnMut(Event<'_>)) {
    tally.repeated_bytes += overlap.equal;
    tally.different_bytes += overlap.different;
    if overlap.different > 0 {
        tell(Event::Conflict { bytes: overlap.different, packet });
    }
}
