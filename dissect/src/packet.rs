//! A packet of the capture: where it stands in the file, when it was captured, and what its headers say.

use std::ops::Range;

use crate::bytes::count;
use crate::dissection::{Dissection, Endpoint, Protocol};
use crate::link;
use crate::pcap::Record;
use crate::reassembly::fragments::Whole;

/// One captured packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// Its number in the file, from 1.
    pub number: usize,
    /// Nanoseconds since 1970, where the file says.
    pub time_ns: Option<i128>,
    /// Its interface, counted over all sections of the file.
    pub interface: Option<usize>,
    /// The LINKTYPE_ number of that interface.
    pub link_type: Option<u16>,
    /// Bytes of frame check sequence at its end.
    pub fcs_len: usize,
    /// Where its captured bytes stand in the file.
    pub data: Range<usize>,
    /// Its length on the wire, in bytes.
    pub original_len: u64,
    /// What its headers say.
    pub dissection: Dissection,
    /// The Sealgram message it is, such as `INIT`; `None` for everything else.
    pub message: Option<&'static str>,
    /// A line about its content, for people.
    pub info: String,
    /// The numbers of the packets it was put together from, if it was.
    pub parts: Vec<usize>,
}

impl Packet {
    /// Takes a record apart.
    #[must_use]
    pub fn of(record: &Record<'_>) -> Self {
        let dissection = match record.link_type {
            Some(link_type) => link::dissect(link_type, record.fcs_len, record.data),
            None => Dissection::unreadable(record.data.len()),
        };
        let start = usize::try_from(record.offset).unwrap_or(usize::MAX);
        Self {
            number: record.number,
            time_ns: record.time_ns,
            interface: record.interface,
            link_type: record.link_type,
            fcs_len: record.fcs_len,
            data: start..start.saturating_add(record.data.len()),
            original_len: record.original_len,
            dissection,
            message: None,
            info: String::new(),
            parts: Vec::new(),
        }
    }

    /// What fragments were put together to. Its bytes are no range of the file: they begin behind the IP header,
    /// and so do the offsets of its fields. Number and time are those of the fragment that completed it.
    #[must_use]
    pub fn whole(last: &Self, whole: &Whole) -> Self {
        Self {
            number: last.number,
            time_ns: last.time_ns,
            interface: last.interface,
            data: 0..whole.bytes.len(),
            original_len: count(whole.bytes.len()),
            dissection: whole.dissect(),
            parts: whole.packets.clone(),
            ..Self::default()
        }
    }

    /// Whether it was put together from fragments, so that its bytes are no range of the file.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Where the payload stands in the file.
    #[must_use]
    pub fn payload_in_file(&self) -> Option<Range<usize>> {
        let payload = self.dissection.payload.as_ref()?;
        Some(self.data.start + payload.start..self.data.start + payload.end)
    }

    /// The UDP datagram it carries, given its captured bytes; empty for other packets.
    #[must_use]
    pub fn datagram<'a>(&self, data: &'a [u8]) -> &'a [u8] {
        if self.dissection.protocol != Protocol::Udp {
            return &[];
        }
        let payload = self.dissection.payload.clone();
        payload.and_then(|range| data.get(range)).unwrap_or_default()
    }

    /// The two ends of a UDP packet, the lower one first.
    #[must_use]
    pub fn pair(&self) -> Option<(Endpoint, Endpoint)> {
        let (source, destination) = self.dissection.ends?;
        let is_udp = self.dissection.protocol == Protocol::Udp;
        is_udp.then(|| (source.min(destination), source.max(destination)))
    }

    /// Bytes that were on the wire and are not in the file.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.original_len.saturating_sub(count(self.data.len()))
    }
}
