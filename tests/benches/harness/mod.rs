//! The same link, the same lines, three kinds of transport: ours, QUIC (quinn-proto) and TCP (smoltcp).
//!
//! | module | what it knows |
//! |---|---|
//! | [`link`] | delay, loss, rate and queue of one direction, as the simulated network has them |
//! | [`net`] | nodes, the links between them and virtual time |
//! | [`stream_app`] | the application above a byte stream: lines with a length, a relay, a bulk source |
//! | [`ours`], [`quic`], [`tcp`] | the peers as nodes |
//! | [`peers`] | who races, and a world for each |
//! | [`latency`], [`bulk`], [`handshake`] | the workloads |
//! | [`stats`] | percentiles |
//!
//! One seed decides everything that a link does, and the n-th packet of a lossy link meets the same fate whoever
//! sent it. Payload bytes of QUIC differ from run to run (its handshake draws keys of its own), sizes and times
//! do not.

pub(crate) mod bulk;
pub(crate) mod handshake;
pub(crate) mod latency;
pub(crate) mod link;
pub(crate) mod net;
pub(crate) mod ours;
pub(crate) mod peers;
pub(crate) mod quic;
pub(crate) mod stats;
pub(crate) mod stream_app;
pub(crate) mod tcp;
