//! How much gets through: one transfer alone, and two at one bottleneck.

use super::link::pipe;
use super::peers::{FIRST, Protocol, SECOND, World};
use super::stream_app::Service;
use core::time::Duration;
use sim::network::Link;
use spec::time::Instant;

/// What became of a transfer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Transfer {
    /// Bytes that arrived in order.
    pub(crate) bytes: u64,
    /// From the first datagram of the handshake to the last byte, or to the end of patience.
    pub(crate) time: Duration,
    /// Whether all of it arrived.
    pub(crate) is_complete: bool,
    /// Bytes on the wire in both directions.
    pub(crate) wire_bytes: u64,
}

impl Transfer {
    /// Bytes a second.
    #[must_use]
    pub(crate) fn goodput(&self) -> f64 {
        self.bytes as f64 / self.time.as_secs_f64()
    }
}

/// What is sent from the server to a client, as fast as it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bulk {
    /// So many bytes.
    pub(crate) bytes: u64,
    /// For so long at most.
    pub(crate) patience: Duration,
}

/// One transfer; whether it is told packet by packet to standard error.
#[must_use]
pub(crate) fn transfer(protocol: Protocol, bulk: Bulk, link: Link, seed: u64, is_traced: bool) -> Transfer {
    let Bulk { bytes, patience } = bulk;
    let mut world = World::new(protocol, Service::Bulk(bytes), seed);
    world.net.is_traced = is_traced;
    world.join(link);
    let until = Instant(0) + patience;
    let is_complete = world.net.run_until(until, |net| net.node(FIRST).bulk_received() >= bytes);
    Transfer {
        bytes: world.net.node(FIRST).bulk_received().min(bytes),
        time: world.net.now.since(Instant(0)),
        is_complete,
        wire_bytes: world.net.sent_bytes(),
    }
}

/// When the second of two transfers begins.
const SECOND_AFTER: Duration = Duration::from_secs(5);
/// Time for them to find a balance. They come closer only at losses, one step each time, and CUBIC's losses are `K` =
/// `cbrt(W_max * 0.3 / 0.4)` seconds apart whatever the round trip (RFC 9438 section 4.2): 9 s for the 1000 packets
/// that the 300 ms link and its queue hold. This is a dozen steps on it, and more on the others.
const BALANCE_TIME: Duration = Duration::from_secs(120);
/// Time in which what each gets is counted: several such steps, for between two of them neither has its mean.
const COUNT_TIME: Duration = Duration::from_secs(60);
/// Bytes of a full packet of whichever protocol, at least.
const PACKET_BYTES: u64 = 1480;

/// Two transfers of one protocol from one server share a line down; the second comes five seconds after the
/// first. The bytes a second of each, once they had time to find a balance.
///
/// Every packet is held up by a random time, up to what the bottleneck takes for one. Without it all delays are
/// multiples of that time, and whose packets find the queue full is decided once and for ever by the phase of the
/// flows: an artefact of simulators, with this cure (Floyd and Jacobson, "On Traffic Phase Effects in
/// Packet-Switched Gateways", 1992). It is the same for all protocols.
#[must_use]
pub(crate) fn share(protocol: Protocol, link: Link, seed: u64) -> [f64; 2] {
    let rate = link.bottleneck.expect("they share a line").bytes_per_s;
    let link = Link { jitter: Duration::from_micros(PACKET_BYTES * 1_000_000 / rate), ..link };
    let more_than_fits = rate * (SECOND_AFTER + BALANCE_TIME + COUNT_TIME).as_secs();
    let mut world = World::new(protocol, Service::Bulk(more_than_fits), seed);
    let down = world.net.lay(pipe(link, seed * 1000));
    let up = world.net.lay(pipe(Link { bottleneck: None, ..link }, seed * 1000 + 1));
    world.join_through(up, down);
    world.net.run(SECOND_AFTER);
    world.join_through(up, down);
    world.net.run(BALANCE_TIME);
    let received = |world: &World| [FIRST, SECOND].map(|at| world.net.node(at).bulk_received());
    let before = received(&world);
    world.net.run(COUNT_TIME);
    let after = received(&world);
    [0, 1].map(|flow| (after[flow] - before[flow]) as f64 / COUNT_TIME.as_secs_f64())
}
