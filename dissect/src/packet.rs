//! A packet of the capture: where it stands in the file, when it was captured, and what its headers say.

use std::ops::Range;

use crate::bytes::count;
use crate::dissection::Dissection;
use crate::link;
use crate::pcap::{Capture, Record};

/// One captured packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// Its number in the file, from 1.
    pub number: usize,
    /// Nanoseconds since 1970, where the file says.
    pub time_ns: Option<i128>,
    /// Index of its interface among those of the capture.
    pub interface: Option<usize>,
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
}

impl Packet {
    /// Where the payload stands in the file.
    #[must_use]
    pub fn payload_in_file(&self) -> Option<Range<usize>> {
        let payload = self.dissection.payload.as_ref()?;
        Some(self.data.start + payload.start..self.data.start + payload.end)
    }

    /// Bytes that were on the wire and are not in the file.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.original_len.saturating_sub(count(self.data.len()))
    }
}

/// Takes every record of a capture apart.
#[must_use]
pub fn take_apart(capture: &Capture) -> Vec<Packet> {
    let interface = |record: &Record| record.interface.and_then(|index| capture.interfaces.get(index));
    let dissect = |(index, record): (usize, &Record)| {
        let data = capture.data(record);
        let dissection = match interface(record) {
            Some(interface) => link::dissect(interface.link_type, interface.fcs_len, data),
            None => Dissection::unreadable(data.len()),
        };
        Packet {
            number: index + 1,
            time_ns: record.time_ns,
            interface: record.interface,
            data: record.data.clone(),
            original_len: record.original_len,
            info: dissection.describe(),
            dissection,
            message: None,
        }
    };
    capture.records.iter().enumerate().map(dissect).collect()
}
