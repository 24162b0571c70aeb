//! Where datagrams come from and go to.

use core::net::{IpAddr, SocketAddr};

/// A way between two endpoints: the peer's address, which of our sockets reaches it, and the address of ours
/// that the peer used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    /// The peer.
    pub remote: SocketAddr,
    /// Index of the local socket, as the shell counts them.
    pub socket: usize,
    /// Our address, when the shell knows it: a host with several answers from the one it was asked at.
    pub local: Option<IpAddr>,
}

impl Path {
    /// The way to `remote` over socket `socket`, from whichever address of ours the routing table chooses.
    #[must_use]
    pub const fn new(remote: SocketAddr, socket: usize) -> Self {
        Self { remote, socket, local: None }
    }
}

/// The congestion mark of an IP packet (RFC 3168 section 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ecn {
    /// The sender does not take part, or the mark is not known.
    #[default]
    NotEct,
    /// The sender takes part: ECT(0).
    Ect0,
    /// The sender takes part: ECT(1).
    Ect1,
    /// A queue on the way was congested.
    Ce,
}

/// How a datagram arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The way it came.
    pub path: Path,
    /// Its congestion mark.
    pub ecn: Ecn,
}

impl From<Path> for Arrival {
    fn from(path: Path) -> Self {
        Self { path, ecn: Ecn::NotEct }
    }
}

/// Datagrams to send to one recipient; their bytes are in the buffer given to `poll_transmit`.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Where they go.
    pub path: Path,
    /// The congestion mark they carry.
    pub ecn: Ecn,
    /// Length in bytes of each datagram but the last, which may be shorter.
    pub segment_bytes: usize,
}

impl Transmit {
    /// One datagram of `len` bytes.
    pub const fn one(path: Path, len: usize) -> Self {
        Self { path, ecn: Ecn::NotEct, segment_bytes: len }
    }

    /// The datagrams in `out`, in their order.
    pub fn datagrams<'a>(&self, out: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        out.chunks(self.segment_bytes.max(1))
    }
}
