//! Numbers the streams of each transport protocol, and counts TCP's sequence numbers from their beginning.

use std::collections::BTreeMap;

use super::layer::Layer;
use super::seen::Seen;
use crate::bytes::Endian;
use crate::dissection::{Endpoint, Protocol};

/// Streams that are told apart; the packets of others have no stream number.
pub(crate) const STREAMS_MAX: usize = 100_000;

const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// Where a packet stands among the streams of its protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamPlace {
    /// The number of the stream, from 0 and for each protocol by itself, as tshark counts.
    pub(crate) index: u64,
    /// Whether the sender of the stream's first packet sent this one.
    pub(crate) is_forward: bool,
    /// TCP's sequence number, counted from the beginning of the stream.
    pub(crate) sequence: u32,
    /// TCP's acknowledgement, counted likewise.
    pub(crate) acknowledgement: u32,
}

/// The streams seen so far.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    known: BTreeMap<(Protocol, Endpoint, Endpoint), Stream>,
    udp: u64,
    tcp: u64,
    /// Whether there were more streams than are told apart.
    pub(crate) is_full: bool,
}

#[derive(Debug)]
struct Stream {
    index: u64,
    initiator: Endpoint,
    /// The sequence number that counts as 0, forward and backward.
    bases: [Option<u32>; 2],
}

impl Streams {
    /// The place of a packet; `None` for what has no ports.
    pub(crate) fn place(&mut self, seen: &Seen<'_>) -> Option<StreamPlace> {
        let (source, destination) = seen.packet.dissection.ends?;
        let protocol = seen.packet.dissection.protocol;
        let counter = match protocol {
            Protocol::Udp => &mut self.udp,
            Protocol::Tcp => &mut self.tcp,
            _ => return None,
        };
        source.port?;
        let key = (protocol, source.min(destination), source.max(destination));
        if !self.known.contains_key(&key) && self.known.len() >= STREAMS_MAX {
            self.is_full = true;
            return None;
        }
        let stream = self.known.entry(key).or_insert_with(|| {
            let index = *counter;
            *counter += 1;
            Stream { index, initiator: source, bases: [None; 2] }
        });
        let is_forward = stream.initiator == source;
        let mut place = StreamPlace { index: stream.index, is_forward, sequence: 0, acknowledgement: 0 };
        if let Some(header) = seen.headers(Layer::Tcp).last().and_then(|range| seen.data.get(range)) {
            stream.count(&mut place, header);
        }
        Some(place)
    }
}

impl Stream {
    /// As tshark counts: a SYN is number 0, and what is first of a stream whose SYN was missed is number 1.
    fn count(&mut self, place: &mut StreamPlace, header: &[u8]) {
        let word = |at| Endian::Big.u32(header, at).unwrap_or(0);
        let (sequence, acknowledgement) = (word(4), word(8));
        let flags = header.get(13).copied().unwrap_or(0);
        let [forward, backward] = &mut self.bases;
        let (own, other) = if place.is_forward { (forward, backward) } else { (backward, forward) };
        if flags & SYN != 0 {
            *own = Some(sequence);
        }
        let own = *own.get_or_insert(sequence.wrapping_sub(1));
        place.sequence = sequence.wrapping_sub(own);
        if flags & ACK != 0 {
            let other = *other.get_or_insert(acknowledgement.wrapping_sub(1));
            place.acknowledgement = acknowledgement.wrapping_sub(other);
        }
    }
}
