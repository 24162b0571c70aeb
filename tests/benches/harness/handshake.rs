//! How long it takes until the server has answered the first thing that a client could say.
//!
//! For ours that is the answer to FIN, which carries the client's first words; over QUIC and TCP it is the answer
//! to a line that leaves as soon as the transport takes one. Each needs two round trips where nothing is lost.

use super::peers::{FIRST, Protocol, World};
use super::stream_app::Service;
use core::time::Duration;
use sim::network::Link;
use spec::time::Instant;

/// Time after which nobody waits any longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The time of one handshake; `None` when it did not come about.
#[must_use]
pub(crate) fn run(protocol: Protocol, link: Link, seed: u64, is_traced: bool) -> Option<Duration> {
    let mut world = World::new(protocol, Service::Lines, seed);
    world.net.is_traced = is_traced;
    world.join(link);
    let is_ready = world.net.run_until(Instant(0) + PATIENCE, |net| net.node(FIRST).is_ready());
    is_ready.then(|| world.net.now.since(Instant(0)))
}
