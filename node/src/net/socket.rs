//! One UDP socket: runs of datagrams in few system calls, congestion marks and our own addresses both ways.

use super::inbox::Inbox;
use crate::failure::{Context, Failure};
use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use node_proto::transmit::{Arrival, Ecn, Path, Transmit};
use quinn_udp::{EcnCodepoint, UdpSocketState};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The longest UDP payload over IPv4, and so the longest run of datagrams in one call.
const RUN_BYTES_MAX: usize = 65_507;
/// Elsewhere a connected socket takes no address, and so no mark either.
const NAMES_PEER: bool = cfg!(any(target_os = "linux", target_os = "android", windows));

/// A socket, and what it has received.
#[derive(Debug)]
pub(super) struct Socket {
    io: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
    is_connected: bool,
    /// Each datagram is sent alone, as observers of this machine are to see it.
    pub(super) is_observed: bool,
    inbox: Inbox,
    /// It may hold more: mio tells once.
    pub(super) is_readable: bool,
    /// The peer's port was found closed.
    pub(super) was_refused: bool,
    /// There is no way from here any more.
    pub(super) is_cut: bool,
}

impl Socket {
    /// Takes a socket into use: don't-fragment, marks, addresses, offloads.
    pub(super) fn new(io: std::net::UdpSocket) -> Result<Self, Failure> {
        let local = io.local_addr().context("a socket has no address")?;
        let is_connected = io.peer_addr().is_ok();
        let state = UdpSocketState::new((&io).into()).context("cannot use a socket")?;
        Ok(Self {
            io: UdpSocket::from_std(io),
            state,
            local,
            is_connected,
            is_observed: false,
            inbox: Inbox::new(),
            is_readable: true,
            was_refused: false,
            is_cut: false,
        })
    }

    pub(super) const fn local(&self) -> SocketAddr {
        self.local
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.io, token, Interest::READABLE)
    }

    /// Room to send is waited for only while there is none: it is news after every datagram otherwise.
    pub(super) fn watch_room(&mut self, registry: &Registry, token: Token, wanted: bool) -> io::Result<()> {
        let readable = Interest::READABLE;
        registry.reregister(
            &mut self.io,
            token,
            if wanted { readable | Interest::WRITABLE } else { readable },
        )
    }

    /// The next datagram, and the way it came as socket `index`; nothing when there is none at the moment.
    pub(super) fn receive(&mut self, index: usize) -> Option<(Arrival, &mut [u8])> {
        if self.inbox.is_empty() {
            match self.inbox.fill(&self.io, &self.state) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.is_readable = false,
                // News of a datagram sent earlier, such as that its port is closed.
                Err(error) => self.was_refused |= error.kind() == ErrorKind::ConnectionRefused,
            }
        }
        let is_anywhere = self.local.ip().is_unspecified();
        let (meta, datagram) = self.inbox.next()?;
        let local = meta.dst_ip.filter(|ip| is_anywhere && is_one_host(*ip));
        let path = Path { remote: meta.addr, socket: index, local };
        Some((Arrival { path, ecn: mark_of(meta.ecn) }, datagram))
    }

    /// Sends the datagrams in `bytes` and tells `sent` of each that the kernel took. What it refuses is lost, and
    /// loss is what the protocol is for: a datagram longer than the link takes (EMSGSIZE) answers a search for
    /// the path's MTU. Returns how many bytes were dealt with; for the rest there is no room before the socket
    /// is writable.
    pub(super) fn send(&mut self, transmit: &Transmit, bytes: &[u8], mut sent: impl FnMut(&[u8])) -> usize {
        let segment_bytes = transmit.segment_bytes.max(1);
        let mut done = 0;
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            let run = rest.get(..self.run_bytes(segment_bytes)).unwrap_or(rest);
            match self.send_run(transmit, run) {
                Ok(()) => run.chunks(segment_bytes).for_each(&mut sent),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // Segmentation was refused and is off from now on: the same again, one by one.
                Err(_) if run.len() > self.run_bytes(segment_bytes) => continue,
                Err(error) => self.note(transmit.path, &error),
            }
            done += run.len();
        }
        done
    }

    /// Bytes that one call sends.
    fn run_bytes(&self, segment_bytes: usize) -> usize {
        let most = RUN_BYTES_MAX / segment_bytes;
        let is_alone = self.is_observed || !self.is_named();
        let segments = if is_alone { 1 } else { self.state.max_gso_segments().min(most) };
        segments.max(1) * segment_bytes
    }

    const fn is_named(&self) -> bool {
        NAMES_PEER || !self.is_connected
    }

    fn send_run(&self, transmit: &Transmit, run: &[u8]) -> io::Result<()> {
        if !self.is_named() {
            return self.io.send(run).map(drop);
        }
        self.try_send(transmit, run)
    }

    fn try_send(&self, transmit: &Transmit, run: &[u8]) -> io::Result<()> {
        let transmit = quinn_udp::Transmit {
            destination: transmit.path.remote,
            ecn: mark(transmit.ecn),
            contents: run,
            segment_size: (transmit.segment_bytes < run.len()).then_some(transmit.segment_bytes),
            src_ip: transmit.path.local,
        };
        self.io.try_io(|| self.state.try_send((&self.io).into(), &transmit))
    }

    fn note(&mut self, path: Path, error: &io::Error) {
        ::log::debug!("datagrams to {} were not sent: {error}", path.remote);
        match error.kind() {
            ErrorKind::ConnectionRefused => self.was_refused = true,
            ErrorKind::AddrNotAvailable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::HostUnreachable => self.is_cut |= self.is_connected,
            _ => {}
        }
    }
}

/// What was sent to many hosts is not answered from their common address. The kernel refuses that as if it knew
/// nothing of runs and marks, and then all others would have to do without.
fn is_one_host(ip: IpAddr) -> bool {
    !ip.is_multicast() && ip != IpAddr::V4(Ipv4Addr::BROADCAST)
}

const fn mark(ecn: Ecn) -> Option<EcnCodepoint> {
    match ecn {
        Ecn::NotEct => None,
        Ecn::Ect0 => Some(EcnCodepoint::Ect0),
        Ecn::Ect1 => Some(EcnCodepoint::Ect1),
        Ecn::Ce => Some(EcnCodepoint::Ce),
    }
}

const fn mark_of(ecn: Option<EcnCodepoint>) -> Ecn {
    match ecn {
        None => Ecn::NotEct,
        Some(EcnCodepoint::Ect0) => Ecn::Ect0,
        Some(EcnCodepoint::Ect1) => Ecn::Ect1,
        Some(EcnCodepoint::Ce) => Ecn::Ce,
    }
}
