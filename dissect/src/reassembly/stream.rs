//! TCP streams (RFC 9293) as an observer sees them: the bytes of each direction in order, each with the packet it
//! came in, and every place where the capture does not tell what was said.
//!
//! Nothing that was captured is left out: a connection whose beginning is missing is read from where it is met, FIN
//! and RST are told and stop nothing, and numbers that jump are followed once a second segment confirms them.

mod half;

use std::collections::BTreeMap;

use half::Half;

use crate::dissection::{Endpoint, Segment};

/// Bytes that wait for others before them, of one direction; then the gap is told.
pub const WAITING_BYTES: usize = 256 << 10;
/// Bytes already told, of one direction, that are kept to compare what is sent again.
pub const KEPT_BYTES: usize = 16 << 10;
/// Memory for the bytes of all directions together.
pub const MEMORY_BYTES: usize = 8 << 20;
/// Directions that are followed at a time.
pub const DIRECTIONS_MAX: usize = 16 << 10;
/// A segment farther from the one expected belongs to another connection, or to nobody: more than windows of real
/// connections span.
pub const JUMP_BYTES: u64 = 16 << 20;

/// Sender and receiver.
pub type Ends = (Endpoint, Endpoint);

/// What happens in one direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// Bytes from here on are of another stream than those before; `whole` if its first byte is known to be.
    Start {
        /// Whether a SYN was seen.
        whole: bool,
    },
    /// The next bytes.
    Bytes {
        /// What was said.
        bytes: &'a [u8],
        /// The number of the packet it was said in.
        packet: usize,
    },
    /// So many bytes were sent here that are not in the capture.
    Gap {
        /// Their number.
        bytes: u64,
    },
    /// Bytes were sent again, and are others: two observers may have read two texts.
    Conflict {
        /// Number of bytes that differ.
        bytes: u64,
        /// The number of the packet that says otherwise.
        packet: usize,
    },
    /// The sender has nothing more to say, or breaks the connection off.
    End {
        /// Whether by RST.
        reset: bool,
    },
}

/// What of all streams did not go in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Segments with bytes or a flag that says something.
    pub segments: u64,
    /// Bytes sent again and the same.
    pub repeated_bytes: u64,
    /// Bytes sent again that differ.
    pub different_bytes: u64,
    /// Bytes sent again, or before the beginning, that could not be compared: those before them are not kept.
    pub unknown_bytes: u64,
    /// Bytes known to be sent that are not in the capture.
    pub missing_bytes: u64,
    /// Segments whose numbers fit no stream; their bytes are in none.
    pub stray_segments: u64,
}

/// Puts the streams of a capture together.
#[derive(Debug, Default)]
pub struct Streams {
    halves: BTreeMap<Ends, Half>,
    /// By the time of their last segment: the tickets of all directions, and of those that hold bytes.
    recent: BTreeMap<u64, Ends>,
    holding: BTreeMap<u64, Ends>,
    next_ticket: u64,
    held_bytes: usize,
    tally: Tally,
}

impl Streams {
    /// Takes the next segment of the capture with what it carries, and tells what that makes known of any stream.
    pub fn take(
        &mut self,
        ends: Ends,
        segment: Segment,
        bytes: &[u8],
        packet: usize,
        tell: &mut impl FnMut(&Ends, Event<'_>),
    ) {
        const SPEAKING: u16 = Segment::SYN | Segment::FIN | Segment::RST;
        if bytes.is_empty() && segment.flags & SPEAKING == 0 {
            return;
        }
        self.tally.segments += 1;
        let mut half = self.detach(&ends).unwrap_or_default();
        half.take(segment, bytes, packet, &mut self.tally, &mut |event| tell(&ends, event));
        self.attach(ends, half);
        while self.halves.len() > DIRECTIONS_MAX {
            let Some(oldest) = self.recent.first_key_value().map(|(_, ends)| *ends) else { break };
            self.end(&oldest, tell);
        }
        while self.held_bytes > MEMORY_BYTES {
            let Some(oldest) = self.holding.first_key_value().map(|(_, ends)| *ends) else { break };
            self.release(&oldest, tell);
        }
    }

    /// Tells what is left, at the end of the capture.
    #[must_use]
    pub fn finish(mut self, tell: &mut impl FnMut(&Ends, Event<'_>)) -> Tally {
        while let Some(ends) = self.halves.first_key_value().map(|(ends, _)| *ends) {
            self.end(&ends, tell);
        }
        self.tally
    }

    /// Forgets a direction; what waits in it is told.
    fn end(&mut self, ends: &Ends, tell: &mut impl FnMut(&Ends, Event<'_>)) {
        if let Some(mut half) = self.detach(ends) {
            half.flush(&mut self.tally, &mut |event| tell(ends, event));
        }
    }

    /// Frees the memory of a direction; it can go on.
    fn release(&mut self, ends: &Ends, tell: &mut impl FnMut(&Ends, Event<'_>)) {
        if let Some(mut half) = self.detach(ends) {
            half.flush(&mut self.tally, &mut |event| tell(ends, event));
            half.forget();
            let ticket = half.ticket;
            self.attach_as(ticket, *ends, half);
        }
    }

    fn detach(&mut self, ends: &Ends) -> Option<Half> {
        let half = self.halves.remove(ends)?;
        self.recent.remove(&half.ticket);
        self.holding.remove(&half.ticket);
        self.held_bytes -= half.held_bytes();
        Some(half)
    }

    fn attach(&mut self, ends: Ends, half: Half) {
        self.next_ticket += 1;
        self.attach_as(self.next_ticket, ends, half);
    }

    fn attach_as(&mut self, ticket: u64, ends: Ends, mut half: Half) {
        half.ticket = ticket;
        self.recent.insert(ticket, ends);
        if half.held_bytes() > 0 {
            self.holding.insert(ticket, ends);
        }
        self.held_bytes += half.held_bytes();
        self.halves.insert(ends, half);
    }
}

#[cfg(test)]
mod tests;
