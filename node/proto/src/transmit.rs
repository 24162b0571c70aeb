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
