//! How the connection is doing, in words and in JSON.

use node_proto::connection::{Metrics, Status};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

/// A connection seen from the address `local`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) status: Status,
    pub(super) local: SocketAddr,
}

impl Seen {
    /// In aligned plain words.
    pub(super) fn words(&self) -> String {
        let Status { path, is_validated, metrics, mtu_bytes, black_holes, generation, epoch, stats } =
            self.status;
        let Metrics { latest_rtt, smoothed_rtt, rtt_variation, least_rtt, .. } = metrics;
        let [smoothed, variation] = [smoothed_rtt, rtt_variation].map(millis);
        let [latest, least] = [latest_rtt, least_rtt].map(millis);
        let (lost, sent, spurious) = (stats.lost, stats.sent, stats.spurious);
        let window = match metrics.threshold_bytes {
            Some(bytes) => format!("{} bytes, slow start up to {bytes}", metrics.window_bytes),
            None => format!("{} bytes, slow start", metrics.window_bytes),
        };
        let shown = if is_validated { "" } else { ", being checked" };
        [
            ("round trip", format!("{smoothed:.1} ms ± {variation:.1}, last {latest:.1}, least {least:.1}")),
            ("lost", format!("{lost} of {sent} packets, {spurious} of these only late")),
            ("probes", format!("{} since the last answer, {} in all", metrics.probes, stats.probes)),
            ("window", window),
            ("in flight", format!("{} bytes", metrics.bytes_in_flight)),
            ("MTU", format!("{mtu_bytes} bytes of UDP payload, {black_holes} black holes met")),
            ("path", format!("{} to {}{shown}", self.local, path.remote)),
            ("keys", format!("epoch {epoch}, generation {generation}")),
        ]
        .map(|(name, value)| format!("{name:<11} {value}"))
        .join("\n")
    }

    /// The same for programs.
    pub(super) fn json(&self) -> Value {
        let Status { path, is_validated, metrics, mtu_bytes, black_holes, generation, epoch, stats } =
            self.status;
        json!({
            "event": "status",
            "connected": true,
            "rtt_ms": millis(metrics.smoothed_rtt),
            "rtt_variation_ms": millis(metrics.rtt_variation),
            "rtt_latest_ms": millis(metrics.latest_rtt),
            "rtt_least_ms": millis(metrics.least_rtt),
            "sent": stats.sent,
            "sent_bytes": stats.sent_bytes,
            "received": stats.received,
            "received_bytes": stats.received_bytes,
            "lost": stats.lost,
            "spurious": stats.spurious,
            "discarded": stats.discarded,
            "probes": metrics.probes,
            "probes_total": stats.probes,
            "window_bytes": metrics.window_bytes,
            "threshold_bytes": metrics.threshold_bytes,
            "in_flight_bytes": metrics.bytes_in_flight,
            "mtu_bytes": mtu_bytes,
            "black_holes": black_holes,
            "local": self.local.to_string(),
            "remote": path.remote.to_string(),
            "validated": is_validated,
            "epoch": epoch,
            "generation": generation,
        })
    }
}

/// Milliseconds to the microsecond.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use node_proto::connection::Stats;
    use node_proto::transmit::Path;

    fn seen() -> Seen {
        let path = Path::new("203.0.113.5:5555".parse().unwrap(), 0);
        let metrics = Metrics {
            latest_rtt: Duration::from_micros(43_210),
            smoothed_rtt: Duration::from_micros(41_057),
            rtt_variation: Duration::from_micros(1_900),
            least_rtt: Duration::from_micros(40_001),
            window_bytes: 14_520,
            threshold_bytes: Some(10_164),
            bytes_in_flight: 2_400,
            probes: 1,
        };
        let stats = Stats {
            sent: 412,
            sent_bytes: 98_304,
            received: 398,
            received_bytes: 301_056,
            lost: 3,
            spurious: 1,
            probes: 2,
            discarded: 4,
        };
        let status = Status {
            path,
            is_validated: true,
            metrics,
            mtu_bytes: 1452,
            black_holes: 0,
            generation: 7,
            epoch: 2,
            stats,
        };
        Seen { status, local: "192.168.1.20:49152".parse().unwrap() }
    }

    #[test]
    fn what_status_says() {
        insta::assert_snapshot!(seen().words());
        insta::assert_snapshot!(serde_json::to_string_pretty(&seen().json()).unwrap());
    }

    #[test]
    fn a_path_that_is_new_is_being_checked() {
        let mut seen = seen();
        seen.status.is_validated = false;
        assert!(seen.words().contains("203.0.113.5:5555, being checked"));
    }
}
