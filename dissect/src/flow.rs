//! Who talks to whom: packets grouped by protocol and pair of endpoints.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::bytes::count;
use crate::dissection::{Endpoint, Protocol};
use crate::packet::Packet;

/// Flows that are told apart; packets of further ones are counted together.
pub const FLOWS_MAX: usize = 65_536;

/// The packets from one endpoint to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Direction {
    /// Number of packets.
    pub packet_count: u64,
    /// Bytes of payload.
    pub payload_bytes: u64,
}

/// All packets between two endpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flow {
    /// The protocol both ends speak.
    pub protocol: Protocol,
    /// The sender of the first packet.
    pub initiator: Endpoint,
    /// Its receiver.
    pub responder: Endpoint,
    /// From the initiator.
    pub forward: Direction,
    /// To the initiator.
    pub backward: Direction,
    /// Whether a Sealgram session was found in it.
    pub sealgram: bool,
    /// Packets that look like SHORT datagrams of Sealgram.
    #[serde(skip)]
    pub(crate) short_like: u64,
}

impl Flow {
    const fn new(protocol: Protocol, initiator: Endpoint, responder: Endpoint) -> Self {
        const NONE: Direction = Direction { packet_count: 0, payload_bytes: 0 };
        Self { protocol, initiator, responder, forward: NONE, backward: NONE, sealgram: false, short_like: 0 }
    }

    /// Number of packets in both directions.
    #[must_use]
    pub const fn packet_count(&self) -> u64 {
        self.forward.packet_count + self.backward.packet_count
    }

    /// Bytes of payload in both directions.
    #[must_use]
    pub const fn payload_bytes(&self) -> u64 {
        self.forward.payload_bytes + self.backward.payload_bytes
    }

    /// The two ends, the lower one first.
    #[must_use]
    pub fn pair(&self) -> (Endpoint, Endpoint) {
        (self.initiator.min(self.responder), self.initiator.max(self.responder))
    }
}

/// The flows of a capture, in the order of first appearance.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    flows: Vec<Flow>,
    index: BTreeMap<(Protocol, Endpoint, Endpoint), usize>,
    /// Packets of flows for which there was no room.
    pub(crate) passed_over: u64,
}

impl Flows {
    /// Counts a packet with addresses; `looks_short` says whether it looks like a SHORT datagram.
    pub(crate) fn take(&mut self, packet: &Packet, looks_short: bool) {
        let Some((source, destination)) = packet.dissection.ends else { return };
        let protocol = packet.dissection.protocol;
        let key = (protocol, source.min(destination), source.max(destination));
        let at = match self.index.get(&key) {
            Some(at) => *at,
            None if self.flows.len() >= FLOWS_MAX => {
                self.passed_over += 1;
                return;
            }
            None => {
                self.index.insert(key, self.flows.len());
                self.flows.push(Flow::new(protocol, source, destination));
                self.flows.len() - 1
            }
        };
        let Some(flow) = self.flows.get_mut(at) else { return };
        flow.short_like += u64::from(looks_short);
        let direction = if flow.initiator == source { &mut flow.forward } else { &mut flow.backward };
        direction.packet_count += 1;
        direction.payload_bytes += packet.dissection.payload.as_ref().map_or(0, |range| count(range.len()));
    }

    pub(crate) fn finish(self) -> Vec<Flow> {
        self.flows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissection::Dissection;

    fn packet(source: u16, destination: u16) -> Packet {
        let end = |port| Endpoint { ip: [10, 0, 0, 1].into(), port: Some(port) };
        Packet {
            dissection: Dissection {
                protocol: Protocol::Udp,
                ends: Some((end(source), end(destination))),
                payload: Some(0..4),
                ..Dissection::default()
            },
            ..Packet::default()
        }
    }

    #[test]
    fn both_directions_are_one_flow() {
        let mut flows = Flows::default();
        for (source, destination) in [(2, 1), (1, 2), (2, 1), (3, 1)] {
            flows.take(&packet(source, destination), false);
        }
        let flows = flows.finish();
        assert_eq!(flows.len(), 2);
        assert_eq!(flows[0].initiator.port, Some(2));
        assert_eq!((flows[0].forward.packet_count, flows[0].backward.packet_count), (2, 1));
        assert_eq!(flows[0].payload_bytes(), 12);
    }

    #[test]
    fn beyond_the_last_flow_that_has_room_packets_are_counted() {
        let mut flows = Flows::default();
        for source in 0..=u16::MAX {
            flows.take(&packet(source, 1), false);
        }
        for destination in [2, 3, 3] {
            flows.take(&packet(0, destination), false);
        }
        assert_eq!((flows.passed_over, flows.finish().len()), (3, FLOWS_MAX));
    }
}
