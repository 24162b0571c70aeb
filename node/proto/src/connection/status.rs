//! How a connection is doing, for a person.

use super::trace::Metrics;
use crate::transmit::Path;

/// Counters of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Packets sealed.
    pub sent: u64,
    /// Bytes of datagrams sealed.
    pub sent_bytes: u64,
    /// Packets opened and accepted.
    pub received: u64,
    /// Bytes of datagrams opened and accepted.
    pub received_bytes: u64,
    /// Packets of ours that counted as lost.
    pub lost: u64,
    /// Of these, packets that had arrived after all.
    pub spurious: u64,
    /// Probe time-outs.
    pub probes: u64,
    /// Datagrams dropped, for whatever reason.
    pub discarded: u64,
}

/// How a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The way to the peer.
    pub path: Path,
    /// Whether the peer was shown to be there.
    pub is_validated: bool,
    /// Round trips and congestion.
    pub metrics: Metrics,
    /// Bytes of the longest datagram in use.
    pub mtu_bytes: usize,
    /// Times that longer datagrams passed and then did so no longer.
    pub black_holes: u64,
    /// The generation of the keys we seal with.
    pub generation: u64,
    /// Their epoch.
    pub epoch: u64,
    /// Counters.
    pub stats: Stats,
}
