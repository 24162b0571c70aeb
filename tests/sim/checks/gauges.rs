//! Bytes in flight, and every queue a peer can fill.

use super::Violation;
use crate::ClientId;
use crate::plant::{Gauge, Plant};
use node_proto::connection::{Connection, Stats};
use node_proto::{Client, Hub};
use spec::limits::{
    DATAGRAM_BYTES_MAX, ENTRIES_HOLD_BYTES_MAX, HALF_OPEN_MAX, REASSEMBLY_BYTES_MAX, REASSEMBLY_GAPS_MAX,
};
use std::collections::BTreeMap;

/// Packets a probe time-out may send beyond the window (RFC 9002 section 6.2.4).
const PROBE_PACKETS: u64 = 2;
/// Packets a connection keeps account of.
const PACKETS_MAX: usize = 2048;
/// Lines an outbox holds.
const OUTBOX_LINES_MAX: usize = 1000;
/// What holding an entry costs beyond its bytes, for as many as fit the datagram that came last.
const ENTRY_COSTS_BYTES: usize = 4096;

/// Names a connection: whose it is, and which of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Hub(u64),
    Client(ClientId),
}

/// What a connection was seen to have in flight.
#[derive(Clone, Copy, Debug)]
struct Seen {
    in_flight: usize,
    allowed: usize,
    probes: u64,
    sent: u64,
}

/// What every connection had in flight when it was last looked at.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    seen: BTreeMap<Key, Seen>,
}

impl Gauges {
    pub(super) fn hub(
        &mut self,
        hub: &Hub,
        mut plant: Option<&mut (dyn Plant + 'static)>,
    ) -> Result<(), Violation> {
        let most = 2 * HALF_OPEN_MAX;
        weigh(&mut plant, Gauge { what: "half-open handshakes", held: hub.half_open_count(), most })?;
        for (id, connection) in hub.connections() {
            self.connection(Key::Hub(id), connection, &mut plant)?;
        }
        Ok(())
    }

    pub(super) fn client(
        &mut self,
        id: ClientId,
        client: &Client,
        mut plant: Option<&mut (dyn Plant + 'static)>,
    ) -> Result<(), Violation> {
        let (held, most) = (client.unstored(), OUTBOX_LINES_MAX);
        weigh(&mut plant, Gauge { what: "lines in an outbox", held, most })?;
        let (held, most) = (client.held_bytes(), ENTRIES_HOLD_BYTES_MAX + ENTRY_COSTS_BYTES);
        weigh(&mut plant, Gauge { what: "bytes of entries before their turn", held, most })?;
        match client.connection() {
            Some(connection) => self.connection(Key::Client(id), connection, &mut plant),
            None => Ok(()),
        }
    }

    fn connection(
        &mut self,
        key: Key,
        connection: &Connection,
        plant: &mut Option<&mut (dyn Plant + 'static)>,
    ) -> Result<(), Violation> {
        let held = connection.held();
        let packets = Gauge { what: "packets kept account of", held: held.packets, most: PACKETS_MAX };
        let bytes = Gauge { what: "bytes of streams", held: held.stream_bytes, most: REASSEMBLY_BYTES_MAX };
        let gaps = Gauge { what: "gaps in streams", held: held.stream_gaps, most: REASSEMBLY_GAPS_MAX };
        for gauge in [packets, bytes, gaps] {
            weigh(plant, gauge)?;
        }
        self.flight(key, connection, plant)
    }

    /// What is in flight grows up to the window and no further, but for probes; a window that shrinks below it does
    /// not call anything back.
    fn flight(
        &mut self,
        key: Key,
        connection: &Connection,
        plant: &mut Option<&mut (dyn Plant + 'static)>,
    ) -> Result<(), Violation> {
        let status = connection.status();
        let (metrics, Stats { probes, sent, .. }) = (status.metrics, status.stats);
        // Another connection in the same place counts from the beginning.
        let before = self.seen.get(&key).filter(|seen| seen.sent <= sent && seen.probes <= probes);
        let (new_probes, base) =
            before.map_or((probes, 0), |seen| (probes - seen.probes, seen.allowed.min(seen.in_flight)));
        let allowed = metrics.window_bytes.max(base) + probe_bytes(new_probes);
        // Probes that were allowed before may leave now.
        let most = allowed + probe_bytes(1);
        let gauge = Gauge { what: "bytes in flight", held: metrics.bytes_in_flight, most };
        let Gauge { held: in_flight, .. } = plant.as_mut().map_or(gauge, |plant| plant.gauge(gauge));
        if in_flight > most {
            return Err(Violation::WindowExceeded { in_flight, allowed: most });
        }
        self.seen.insert(key, Seen { in_flight, allowed, probes, sent });
        Ok(())
    }
}

fn probe_bytes(probes: u64) -> usize {
    usize::try_from(probes * PROBE_PACKETS).unwrap_or(usize::MAX).saturating_mul(DATAGRAM_BYTES_MAX)
}

fn weigh(plant: &mut Option<&mut (dyn Plant + 'static)>, gauge: Gauge) -> Result<(), Violation> {
    let Gauge { what, held, most } = plant.as_mut().map_or(gauge, |plant| plant.gauge(gauge));
    if held > most { Err(Violation::QueueExceeded { what, held, most }) } else { Ok(()) }
}
