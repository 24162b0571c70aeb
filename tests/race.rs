//! Our transport beside QUIC and TCP on the same simulated links, as far as it fits a test; the whole of it is
//! `cargo bench -p tests --bench transport`.

#[path = "benches/harness/mod.rs"]
mod harness;

use core::ops::Range;
use core::time::Duration;
use harness::bulk::{self, Bulk, Transfer};
use harness::handshake;
use harness::latency::{self, Lines, Outcome, Way};
use harness::link::{at_rate, of_rtt};
use harness::peers::Protocol;
use harness::stats::Times;

const RTT: Duration = Duration::from_millis(80);
/// The rate of a bottleneck.
const MBIT_PER_S: u64 = 20;
const BULK: Bulk = Bulk { bytes: 4_000_000, patience: Duration::from_secs(40) };

fn p99(protocol: Protocol, way: Way, link: sim::Link, seeds: Range<u64>) -> f64 {
    let mut all = Outcome::default();
    seeds.for_each(|seed| all.extend(latency::run(protocol, way, Lines::DENSE, link, seed, false)));
    assert!(all.bytes_per_line() > 100.0, "what is on the wire carries the lines");
    all.times().percentile(990)
}

#[test]
fn where_nothing_is_lost_a_line_takes_half_a_round_trip() {
    for protocol in Protocol::ALL {
        let outcome = latency::run(protocol, Way::Down, Lines::SPARSE, of_rtt(RTT, 0), 1, false);
        let (fastest, slowest) = (outcome.times().percentile(1), outcome.times().percentile(1000));
        assert_eq!((fastest, slowest), (40.0, 40.0), "{protocol}");
    }
}

#[test]
fn a_line_seldom_waits() {
    for loss in [100, 300] {
        let link = of_rtt(RTT, loss);
        for way in Way::ALL {
            let [ours, quic, tcp] = [Protocol::Ours, Protocol::Quic, Protocol::Tcp]
                .map(|protocol| p99(protocol, way, link, 1..6));
            assert!(ours <= 0.7 * quic, "{way} at {loss}: {ours} ms, and QUIC {quic} ms");
            assert!(ours <= 0.5 * tcp, "{way} at {loss}: {ours} ms, and TCP {tcp} ms");
        }
    }
}

#[test]
fn a_transfer_is_as_quick_as_over_quic() {
    // At 1 % it is a matter of luck when slow start ends: the bench has the patience for it.
    for loss in [0, 50] {
        let link = at_rate(of_rtt(RTT, loss), MBIT_PER_S);
        let one = |protocol, seed| {
            let transfer = bulk::transfer(protocol, BULK, link, seed, false);
            assert!(transfer.is_complete || transfer.wire_bytes > transfer.bytes);
            Transfer::goodput(&transfer)
        };
        let goodput = |protocol| (1..=4).map(|seed| one(protocol, seed)).sum::<f64>() / 4.0;
        let [ours, quic] = [Protocol::Ours, Protocol::Quic].map(goodput);
        assert!(ours >= 0.95 * quic, "at {loss}: {ours} bytes a second, and QUIC {quic}");
    }
}

#[test]
fn two_transfers_share_fairly() {
    // Where the line loses some by itself: what a full queue drops of two flows that run in step is no lottery.
    let link = at_rate(of_rtt(RTT, 10), MBIT_PER_S);
    let [first, second] = bulk::share(Protocol::Ours, link, 1);
    let fair = (first + second) / 2.0;
    assert!((first - fair).abs() <= 0.2 * fair, "{first} and {second} bytes a second");
}

#[test]
fn a_handshake_comes_about() {
    let times = |protocol, loss| {
        let run = |seed| handshake::run(protocol, of_rtt(RTT, loss), seed, false);
        Times::new((1..=400).map(run))
    };
    assert!(times(Protocol::Ours, 100).percentile(500) <= 2.0 * RTT.as_secs_f64() * 1000.0);
    let [ours, quic] = [Protocol::Ours, Protocol::Quic].map(|protocol| times(protocol, 300));
    let within = Duration::from_secs(10);
    assert!(ours.within(within) > 999.0, "{ours:?}");
    assert!(ours.within(within) >= quic.within(within), "{ours:?} {quic:?}");
}
