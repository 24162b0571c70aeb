//! The steps of a connection in the words of qlog: draft-ietf-quic-qlog-quic-events.

use node_proto::connection::{Metrics, Step};
use node_proto::transmit::Path;
use qlog::events::quic::{
    ConnectionClosed, ConnectionStarted, KeyType, KeyUpdated, MigrationState, MigrationStateUpdated,
    MtuUpdated, PacketDropped, PacketHeader, PacketLost, PacketReceived, PacketSent, PacketType,
    RecoveryMetricsUpdated, TransportInitiator,
};
use qlog::events::{EventData, ExData, RawInfo, TupleEndpointInfo};
use spec::wire::frame::Side;
use std::net::IpAddr;
use std::time::Duration;

/// The event of a step, and what qlog has no word for; nothing for the end of a session.
pub(super) fn of(side: Side, step: &Step) -> Option<(EventData, ExData)> {
    let data = match *step {
        Step::Started { path } => {
            EventData::QuicConnectionStarted(ConnectionStarted { local: local(path), remote: remote(path) })
        }
        Step::Sent { number, bytes, .. } => EventData::QuicPacketSent(PacketSent {
            header: header(number),
            raw: Some(raw(bytes)),
            ..PacketSent::default()
        }),
        Step::Received { number, bytes } => EventData::QuicPacketReceived(PacketReceived {
            header: header(number),
            raw: Some(raw(bytes)),
            ..PacketReceived::default()
        }),
        Step::Dropped { bytes } => {
            EventData::QuicPacketDropped(PacketDropped { raw: Some(raw(bytes)), ..PacketDropped::default() })
        }
        Step::Lost { number } => {
            EventData::QuicPacketLost(PacketLost { header: Some(header(number)), ..PacketLost::default() })
        }
        Step::Metrics(metrics) => EventData::QuicMetricsUpdated(recovery(&metrics)),
        Step::Mtu { bytes } => EventData::QuicMtuUpdated(MtuUpdated {
            old: None,
            new: u32::try_from(bytes).unwrap_or(u32::MAX),
            done: None,
        }),
        Step::Moved { path } => migration(MigrationState::MigrationStarted, path),
        Step::Validated { path } => migration(MigrationState::MigrationComplete, path),
        Step::Keys { generation, .. } => EventData::QuicKeyUpdated(KeyUpdated {
            key_type: if side == Side::Hub { KeyType::Server1RttSecret } else { KeyType::Client1RttSecret },
            key_phase: Some(generation),
            ..KeyUpdated::default()
        }),
        Step::Closed { reason, by_peer } => EventData::QuicConnectionClosed(ConnectionClosed {
            initiator: Some(if by_peer { TransportInitiator::Remote } else { TransportInitiator::Local }),
            connection_error: None,
            application_error: None,
            error_code: None,
            internal_code: None,
            reason: Some(reason.name().to_owned()),
            trigger: None,
        }),
        Step::Ended => return None,
    };
    Some((data, more(step)))
}

fn more(step: &Step) -> ExData {
    match step {
        Step::Sent { is_eliciting, .. } => {
            ExData::from([("is_eliciting".to_owned(), (*is_eliciting).into())])
        }
        Step::Keys { epoch, .. } => ExData::from([("epoch".to_owned(), (*epoch).into())]),
        _ => ExData::new(),
    }
}

fn header(number: u64) -> PacketHeader {
    PacketHeader { packet_type: PacketType::OneRtt, packet_number: Some(number), ..PacketHeader::default() }
}

fn raw(bytes: usize) -> RawInfo {
    RawInfo { length: Some(bytes as u64), ..RawInfo::default() }
}

fn recovery(metrics: &Metrics) -> RecoveryMetricsUpdated {
    RecoveryMetricsUpdated {
        min_rtt: Some(millis(metrics.least_rtt)),
        smoothed_rtt: Some(millis(metrics.smoothed_rtt)),
        latest_rtt: Some(millis(metrics.latest_rtt)),
        rtt_variance: Some(millis(metrics.rtt_variation)),
        pto_count: Some(u16::try_from(metrics.probes).unwrap_or(u16::MAX)),
        congestion_window: Some(metrics.window_bytes as u64),
        bytes_in_flight: Some(metrics.bytes_in_flight as u64),
        ssthresh: metrics.threshold_bytes.map(|bytes| bytes as u64),
        ..RecoveryMetricsUpdated::default()
    }
}

/// Milliseconds, the unit of qlog.
fn millis(time: Duration) -> f32 {
    time.as_secs_f32() * 1000.0
}

fn migration(new: MigrationState, path: Path) -> EventData {
    EventData::QuicMigrationStateUpdated(MigrationStateUpdated {
        new,
        tuple_remote: Some(remote(path)),
        tuple_local: path.local.map(|ip| endpoint(ip, None)),
        ..MigrationStateUpdated::default()
    })
}

fn remote(path: Path) -> TupleEndpointInfo {
    endpoint(path.remote.ip(), Some(path.remote.port()))
}

fn local(path: Path) -> TupleEndpointInfo {
    path.local.map_or_else(nowhere, |ip| endpoint(ip, None))
}

fn endpoint(ip: IpAddr, port: Option<u16>) -> TupleEndpointInfo {
    match ip {
        IpAddr::V4(ip) => TupleEndpointInfo { ip_v4: Some(ip.to_string()), port_v4: port, ..nowhere() },
        IpAddr::V6(ip) => TupleEndpointInfo { ip_v6: Some(ip.to_string()), port_v6: port, ..nowhere() },
    }
}

const fn nowhere() -> TupleEndpointInfo {
    TupleEndpointInfo { ip_v4: None, port_v4: None, ip_v6: None, port_v6: None, connection_ids: None }
}
