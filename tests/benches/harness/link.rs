//! The links of the races: those of the simulated network, without its rarer faults.

use core::time::Duration;
use sim::network::{Bottleneck, Link};
use sim::pipe::Pipe;

/// Half of a path with this round-trip time, which loses so many of 1000 packets and is as fast as one likes.
#[must_use]
pub(crate) fn of_rtt(rtt: Duration, loss_per_mille: u64) -> Link {
    Link { delay: rtt / 2, loss_per_mille, ..Link::GOOD }
}

/// The same with a rate, and a queue of one bandwidth-delay product.
#[must_use]
pub(crate) fn at_rate(link: Link, mbit_per_s: u64) -> Link {
    Link { bottleneck: Some(Bottleneck::new(mbit_per_s, 2 * link.delay)), ..link }
}

/// A pipe whose losses `seed` decides: the n-th packet that could be lost has the same fate whoever sent it.
#[must_use]
pub(crate) fn pipe(link: Link, seed: u64) -> Pipe {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    Pipe::new(link, bytes)
}
