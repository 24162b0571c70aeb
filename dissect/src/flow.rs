//! Who talks to whom: packets grouped by protocol and pair of endpoints.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::bytes::count;
use crate::dissection::{Endpoint, Protocol};
use crate::packet::Packet;

/// The packets from one endpoint to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Direction {
    /// Indices into the packets of the report, in file order.
    #[serde(skip)]
    pub packets: Vec<usize>,
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
}

impl Flow {
    /// Both directions, the initiator's first.
    #[must_use]
    pub const fn directions(&self) -> [&Direction; 2] {
        [&self.forward, &self.backward]
    }

    /// Number of packets in both directions.
    #[must_use]
    pub fn packet_count(&self) -> u64 {
        count(self.forward.packets.len() + self.backward.packets.len())
    }
}

/// Groups packets that have addresses, in the order of first appearance.
#[must_use]
pub fn group(packets: &[Packet]) -> Vec<Flow> {
    let mut flows: Vec<Flow> = Vec::new();
    let mut index: BTreeMap<(Protocol, Endpoint, Endpoint), usize> = BTreeMap::new();
    for (position, packet) in packets.iter().enumerate() {
        let Some((source, destination)) = packet.dissection.ends else { continue };
        let protocol = packet.dissection.protocol;
        let key = (protocol, source.min(destination), source.max(destination));
        let at = *index.entry(key).or_insert(flows.len());
        if at == flows.len() {
            flows.push(Flow {
                protocol,
                initiator: source,
                responder: destination,
                forward: Direction::default(),
                backward: Direction::default(),
                sealgram: false,
            });
        }
        let Some(flow) = flows.get_mut(at) else { continue };
        let direction = if flow.initiator == source { &mut flow.forward } else { &mut flow.backward };
        direction.packets.push(position);
        direction.payload_bytes += packet.dissection.payload.as_ref().map_or(0, |range| count(range.len()));
    }
    flows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissection::Dissection;

    #[test]
    fn both_directions_are_one_flow() {
        let end = |port| Endpoint { ip: [10, 0, 0, 1].into(), port: Some(port) };
        let packet = |source, destination| Packet {
            dissection: Dissection {
                protocol: Protocol::Udp,
                ends: Some((end(source), end(destination))),
                payload: Some(0..4),
                ..Dissection::default()
            },
            ..Packet::default()
        };
        let flows = group(&[packet(2, 1), packet(1, 2), packet(2, 1), packet(3, 1)]);
        assert_eq!(flows.len(), 2);
        assert_eq!(flows[0].initiator, end(2));
        assert_eq!(flows[0].forward.packets, [0, 2]);
        assert_eq!(flows[0].backward.packets, [1]);
        assert_eq!(flows[0].forward.payload_bytes, 8);
    }
}
