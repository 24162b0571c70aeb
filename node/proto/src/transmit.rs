//! Where datagrams go.

use core::net::SocketAddr;

/// A way between two endpoints: the peer's address, and which of our sockets reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    /// The peer.
    pub remote: SocketAddr,
    /// Index of the local socket, as the shell counts them.
    pub socket: usize,
}

/// One datagram to send; its bytes are in the buffer given to `poll_transmit`.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Where it goes.
    pub path: Path,
}

/// The ECN field of an IP header (RFC 3168 section 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ecn {
    /// The sender does not take part.
    #[default]
    NotEct,
    /// The sender takes part, first codepoint: what we send.
    Ect0,
    /// The sender takes part, second codepoint: never sent by us.
    Ect1,
    /// A router on the way is congested.
    Ce,
}
