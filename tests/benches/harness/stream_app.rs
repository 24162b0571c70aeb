//! The application above a byte stream, the same over QUIC and TCP: lines behind a length of two bytes.
//!
//! A client's first frame is empty, a hello, and so is the answer to it.

use super::net::Address;
use std::collections::{BTreeMap, VecDeque};

/// Bytes that a bulk source keeps ready in front of the transport.
const CHUNK_BYTES: usize = 65_536;

/// What a server is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Lines end here and begin here.
    Lines,
    /// Each line goes on at once to every other client.
    Relay,
    /// So many bytes to each client.
    Bulk(u64),
}

/// Whose application it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Server,
    Client,
}

#[derive(Debug, Default)]
struct Peer {
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    bulk_left: u64,
}

/// One host's application.
#[derive(Debug)]
pub(crate) struct StreamApp {
    side: Side,
    service: Service,
    peers: BTreeMap<Address, Peer>,
    lines: VecDeque<String>,
    is_ready: bool,
    bulk_received: u64,
}

impl StreamApp {
    /// A server's.
    #[must_use]
    pub(crate) const fn server(service: Service) -> Self {
        Self::new(Side::Server, service)
    }

    /// A client's.
    #[must_use]
    pub(crate) const fn client(service: Service) -> Self {
        Self::new(Side::Client, service)
    }

    const fn new(side: Side, service: Service) -> Self {
        Self {
            side,
            service,
            peers: BTreeMap::new(),
            lines: VecDeque::new(),
            is_ready: false,
            bulk_received: 0,
        }
    }

    /// Whether the hello was answered.
    #[must_use]
    pub(crate) const fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// Bytes of bulk that arrived.
    #[must_use]
    pub(crate) const fn bulk_received(&self) -> u64 {
        self.bulk_received
    }

    /// There is a stream to `peer`.
    pub(crate) fn connected(&mut self, peer: Address) {
        let known = self.peers.entry(peer).or_default();
        if self.side == Side::Client {
            frame(&mut known.outgoing, "");
        }
    }

    /// Bytes came from `peer`.
    pub(crate) fn received(&mut self, peer: Address, bytes: &[u8]) {
        if self.is_ready && matches!(self.service, Service::Bulk(_)) {
            self.bulk_received += bytes.len() as u64;
            return;
        }
        self.peers.entry(peer).or_default().incoming.extend_from_slice(bytes);
        while let Some(line) = self.next_frame(peer) {
            self.take(peer, line);
            if self.is_ready && matches!(self.service, Service::Bulk(_)) {
                let rest = self.peers.get_mut(&peer).map(|peer| std::mem::take(&mut peer.incoming));
                self.bulk_received += rest.map_or(0, |rest| rest.len() as u64);
            }
        }
    }

    fn next_frame(&mut self, peer: Address) -> Option<String> {
        let incoming = &mut self.peers.get_mut(&peer)?.incoming;
        let (len, rest) = incoming.split_first_chunk::<2>()?;
        let end = usize::from(u16::from_be_bytes(*len));
        let line = String::from_utf8_lossy(rest.get(..end)?).into_owned();
        incoming.drain(..2 + end);
        Some(line)
    }

    fn take(&mut self, from: Address, line: String) {
        if line.is_empty() {
            return self.greeted(from);
        }
        if self.side == Side::Server && self.service == Service::Relay {
            for (address, peer) in &mut self.peers {
                if *address != from {
                    frame(&mut peer.outgoing, &line);
                }
            }
        } else {
            self.lines.push_back(line);
        }
    }

    fn greeted(&mut self, from: Address) {
        self.is_ready = true;
        let Some(peer) = self.peers.get_mut(&from) else { return };
        if self.side == Side::Server {
            // The server itself receives no bulk.
            self.is_ready = false;
            frame(&mut peer.outgoing, "");
            if let Service::Bulk(bytes) = self.service {
                peer.bulk_left = bytes;
            }
        }
    }

    /// A line for everyone.
    pub(crate) fn say(&mut self, line: &str) {
        self.peers.values_mut().for_each(|peer| frame(&mut peer.outgoing, line));
    }

    /// The next line that arrived.
    pub(crate) fn poll_line(&mut self) -> Option<String> {
        self.lines.pop_front()
    }

    /// What the transport may take to `peer`.
    pub(crate) fn outgoing(&mut self, peer: Address) -> &[u8] {
        let Some(peer) = self.peers.get_mut(&peer) else { return &[] };
        if peer.outgoing.len() < CHUNK_BYTES {
            let more = usize::try_from(peer.bulk_left).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES));
            peer.outgoing.resize(peer.outgoing.len() + more, b'b');
            peer.bulk_left -= more as u64;
        }
        &peer.outgoing
    }

    /// The transport took so many bytes.
    pub(crate) fn sent(&mut self, peer: Address, bytes: usize) {
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.outgoing.drain(..bytes);
        }
    }
}

fn frame(out: &mut Vec<u8>, line: &str) {
    let len = u16::try_from(line.len()).expect("a line is short");
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(line.as_bytes());
}
