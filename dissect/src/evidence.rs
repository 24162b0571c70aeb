//! What is gathered of Sealgram datagrams for level E2.

use std::collections::BTreeSet;

use crate::opacity::{self, OpacityReport, Sample};
use crate::packet::Packet;
use crate::reuse::{self, ReuseReport};
use crate::samples;
use crate::session::Kind;

/// Samples of all sealed bytes.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    samples: Vec<(usize, &'static str, Vec<u8>)>,
    first_bytes: Vec<u8>,
    seen: BTreeSet<(Option<String>, Vec<u8>)>,
    identical: u64,
}

impl Evidence {
    pub(crate) fn take(&mut self, packet: &Packet, data: &[u8]) {
        if packet.message.is_none() {
            return;
        }
        samples::of(packet, data, |sample| {
            self.samples.push((sample.packet, sample.kind, sample.bytes.to_vec()));
        });
        let datagram = packet.datagram(data);
        let ends = packet.dissection.ends.map(|(from, to)| format!("{from} {to}"));
        self.identical += u64::from(!self.seen.insert((ends, datagram.to_vec())));
        if packet.message == Some(Kind::Short.name()) && self.seen.insert((None, datagram.to_vec())) {
            self.first_bytes.extend(datagram.first());
        }
    }

    pub(crate) fn finish(self) -> (OpacityReport, ReuseReport) {
        let samples: Vec<Sample<'_>> = self
            .samples
            .iter()
            .map(|(packet, kind, bytes)| Sample { packet: *packet, kind, bytes })
            .collect();
        (opacity::judge(&samples, &self.first_bytes), reuse::detect(&samples, self.identical))
    }
}
