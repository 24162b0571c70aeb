//! Fragments of IPv4 (RFC 791) and IPv6 (RFC 8200) packets, put together by the time of the capture.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use super::pieces::Pieces;
use crate::bytes::count;
use crate::dissection::{Dissection, Endpoint};
use crate::network;

/// How long the fragments of a packet are waited for: RFC 8200, section 4.5.
pub const WAIT_NS: i128 = 60_000_000_000;
/// The longest packet fragments make: RFC 791, section 3.1.
pub const PACKET_MAX_BYTES: u64 = 65_535;
/// Fragments of one packet. 65,535 bytes in the smallest datagrams a network must carry (RFC 791: 68 bytes) are
/// 1,366; more is an attack on the memory of whoever puts them together.
pub const PIECES_MAX: usize = 2_048;
/// Memory for all packets together.
pub const MEMORY_BYTES: usize = 16 << 20;
/// What a packet costs beside its pieces, roughly.
const PACKET_COST_BYTES: usize = 256;

/// Which packet a fragment is part of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The sender.
    pub source: IpAddr,
    /// The receiver.
    pub destination: IpAddr,
    /// The identification.
    pub id: u32,
    /// The protocol, of IPv4, where it belongs to the key.
    pub protocol: Option<u8>,
}

/// A fragment.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Where its first byte stands.
    pub offset: usize,
    /// Whether this is not the last.
    pub more: bool,
    /// The protocol of what was cut.
    pub protocol: u8,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Whether the capture has fewer bytes of it than were sent.
    pub cut: bool,
    /// The number of the packet it came in.
    pub packet: usize,
}

/// The fragment that a packet is, if it is one; `data` are its captured bytes.
#[must_use]
pub fn part<'a>(packet: &Dissection, data: &'a [u8], number: usize) -> Option<(Key, Part<'a>)> {
    let (source, destination) = packet.ends?;
    let fragment = packet.fragment.as_ref()?;
    let key = Key {
        source: source.ip,
        destination: destination.ip,
        id: fragment.id,
        protocol: source.ip.is_ipv4().then_some(fragment.protocol),
    };
    let part = Part {
        offset: fragment.offset,
        more: fragment.more,
        protocol: fragment.protocol,
        bytes: data.get(fragment.data.clone())?,
        cut: fragment.cut,
        packet: number,
    };
    Some((key, part))
}

/// A packet that was put together: what stood behind its IP header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Sender and receiver, without ports.
    pub ends: (Endpoint, Endpoint),
    /// The protocol of its bytes.
    pub protocol: u8,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The numbers of the packets it came in, in the order of their bytes.
    pub packets: Vec<usize>,
}

impl Whole {
    /// What its headers say; offsets are those of `bytes`.
    #[must_use]
    pub fn dissect(&self) -> Dissection {
        network::reassembled(self.ends, self.protocol, &self.bytes)
    }
}

/// Why fragments are not put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// So many bytes that were sent twice differ: what the receiver read is not known.
    Overlap(u64),
    /// A fragment that is empty, too long, or in a place where none can be.
    Size,
    /// More pieces than a sound packet has.
    Pieces,
    /// The capture does not have all of a fragment.
    Cut,
}

impl Fault {
    /// The rule of the finding.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Overlap(_) => "ip.fragment-overlap",
            Self::Size => "ip.fragment-size",
            Self::Pieces => "ip.fragment-pieces",
            Self::Cut => "ip.fragment-cut",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overlap(bytes) => {
                write!(
                    f,
                    "fragments overlap, and {bytes} of their common bytes differ: the packet is not judged"
                )
            }
            Self::Size => f.write_str("a fragment with a length or place that no sound packet has"),
            Self::Pieces => write!(f, "a packet in more than {PIECES_MAX} fragments"),
            Self::Cut => f.write_str("a fragment that the capture cut short"),
        }
    }
}

/// What came of a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Others are missing.
    Waiting,
    /// It was the last missing one.
    Whole(Whole),
    /// It repeats bytes of a packet that is whole already.
    Repeated,
    /// It cannot be put together with the others; they and those to come are given up.
    Refused(Fault),
    /// Others of its packet were refused before.
    GivenUp,
}

/// What all fragments of a capture came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Fragments.
    pub fragments: u64,
    /// Packets put together.
    pub whole: u64,
    /// Bytes that arrived more than once and were the same.
    pub repeated_bytes: u64,
    /// Packets refused.
    pub refused: u64,
    /// Packets of which fragments were missing when their time was over, or the memory was full, or the capture
    /// ended.
    pub unfinished: u64,
    /// The number of the first packet that belongs to one of those.
    pub first_unfinished: Option<usize>,
}

/// Puts fragments together.
#[derive(Debug, Default)]
pub struct Fragments {
    packets: BTreeMap<Key, Packet>,
    /// By age: the tickets of all packets.
    order: BTreeMap<u64, Key>,
    next_ticket: u64,
    memory_bytes: usize,
    /// Of the last fragment that had a time.
    now_ns: i128,
    tally: Tally,
}

#[derive(Debug)]
struct Packet {
    ticket: u64,
    since_ns: i128,
    first_number: usize,
    pieces: Pieces,
    /// Of the first fragment.
    protocol: u8,
    /// Where the last fragment ends.
    end: Option<u64>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Whole,
    Refused,
}

impl Fragments {
    /// Takes the next fragment of the capture; `time_ns` is when it was captured.
    pub fn take(&mut self, key: Key, part: &Part<'_>, time_ns: Option<i128>) -> Outcome {
        self.tally.fragments += 1;
        self.now_ns = time_ns.unwrap_or(self.now_ns);
        self.expire();
        if self.packets.get(&key).is_some_and(|packet| packet.is_other_than(part)) {
            // The packet is whole: this is another one that uses its identification again.
            self.remove(&key);
        }
        let (since_ns, ticket) = (self.now_ns, self.next_ticket);
        let packet = self.packets.entry(key.clone()).or_insert_with(|| Packet::new(ticket, since_ns, part));
        if packet.ticket == ticket {
            self.next_ticket += 1;
            self.order.insert(ticket, key.clone());
            self.memory_bytes += PACKET_COST_BYTES;
        }
        let before = packet.pieces.cost_bytes();
        let (outcome, repeated_bytes) = packet.take(&key, part);
        let after = packet.pieces.cost_bytes();
        self.memory_bytes = self.memory_bytes + after - before;
        self.tally.repeated_bytes += repeated_bytes;
        self.tally.whole += u64::from(matches!(outcome, Outcome::Whole(_)));
        self.tally.refused += u64::from(matches!(outcome, Outcome::Refused(_)));
        while self.memory_bytes > MEMORY_BYTES && self.remove_oldest() {}
        outcome
    }

    /// What all fragments came to, at the end of the capture.
    #[must_use]
    pub fn finish(mut self) -> Tally {
        while self.remove_oldest() {}
        self.tally
    }

    /// Gives up packets whose time is over.
    fn expire(&mut self) {
        let deadline_ns = self.now_ns.saturating_sub(WAIT_NS);
        while let Some(key) = self.order.first_key_value().map(|(_, key)| key.clone()) {
            if self.packets.get(&key).is_some_and(|packet| packet.since_ns >= deadline_ns) {
                return;
            }
            self.remove(&key);
        }
    }

    fn remove_oldest(&mut self) -> bool {
        let Some(key) = self.order.first_key_value().map(|(_, key)| key.clone()) else { return false };
        self.remove(&key);
        true
    }

    fn remove(&mut self, key: &Key) {
        let Some(packet) = self.packets.remove(key) else { return };
        self.order.remove(&packet.ticket);
        self.memory_bytes -= packet.pieces.cost_bytes() + PACKET_COST_BYTES;
        if packet.state == State::Waiting {
            self.tally.unfinished += 1;
            self.tally.first_unfinished.get_or_insert(packet.first_number);
        }
    }
}

impl Packet {
    fn new(ticket: u64, since_ns: i128, part: &Part<'_>) -> Self {
        Self {
            ticket,
            since_ns,
            first_number: part.packet,
            pieces: Pieces::default(),
            protocol: part.protocol,
            end: None,
            state: State::Waiting,
        }
    }

    /// Whether this is whole, and the fragment none of it.
    fn is_other_than(&self, part: &Part<'_>) -> bool {
        if self.state != State::Whole {
            return false;
        }
        self.pieces.compare(count(part.offset), part.bytes).equal != count(part.bytes.len())
    }

    /// Adds a fragment; also how many of its bytes were there already.
    fn take(&mut self, key: &Key, part: &Part<'_>) -> (Outcome, u64) {
        match self.state {
            State::Whole => return (Outcome::Repeated, count(part.bytes.len())),
            State::Refused => return (Outcome::GivenUp, 0),
            State::Waiting => {}
        }
        match self.add(part) {
            Err(fault) => {
                self.state = State::Refused;
                self.pieces = Pieces::default();
                (Outcome::Refused(fault), 0)
            }
            Ok(repeated_bytes) if self.end == Some(count(self.pieces.len())) => {
                self.state = State::Whole;
                (Outcome::Whole(self.whole(key)), repeated_bytes)
            }
            Ok(repeated_bytes) => (Outcome::Waiting, repeated_bytes),
        }
    }

    fn add(&mut self, part: &Part<'_>) -> Result<u64, Fault> {
        if part.cut {
            return Err(Fault::Cut);
        }
        let offset = count(part.offset);
        let end = offset + count(part.bytes.len());
        // Offsets count units of eight bytes, so that all but the last fragment are as long.
        let is_sound =
            !part.bytes.is_empty() && end <= PACKET_MAX_BYTES && (!part.more || end.is_multiple_of(8));
        let known_end = if part.more { self.end } else { Some(*self.end.get_or_insert(end)) };
        let fits = known_end.is_none_or(|known| if part.more { end < known } else { end == known });
        if !is_sound || !fits || known_end.is_some_and(|known| self.pieces.end() > known) {
            return Err(Fault::Size);
        }
        let overlap = self.pieces.insert(offset, part.bytes, part.packet);
        if part.offset == 0 {
            self.protocol = part.protocol;
        }
        match overlap.different {
            0 if self.pieces.runs() > PIECES_MAX => Err(Fault::Pieces),
            0 => Ok(overlap.equal),
            different => Err(Fault::Overlap(different)),
        }
    }

    fn whole(&self, key: &Key) -> Whole {
        let end = |ip| Endpoint { ip, port: None };
        let runs = || self.pieces.iter().map(|(_, run)| run);
        Whole {
            ends: (end(key.source), end(key.destination)),
            protocol: self.protocol,
            bytes: runs().flat_map(|run| &run.bytes).copied().collect(),
            packets: runs().map(|run| run.packet).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
