//! Who races, and a world for each.

use super::link::pipe;
use super::net::{Address, Net, Node};
use super::ours::{ClientNode, HubNode, Keys};
use super::quic::{Congestion, QuicNode};
use super::stream_app::Service;
use super::tcp::TcpNode;
use core::fmt;
use core::time::Duration;
use sim::network::Link;
use spec::time::Instant;

/// The server of every world.
pub(crate) const SERVER: Address = 0;
/// The first client of every world.
pub(crate) const FIRST: Address = 1;
/// The second client of a world that has two.
pub(crate) const SECOND: Address = 2;

/// A transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Protocol {
    /// The hub and clients of this repository.
    Ours,
    /// quinn-proto with CUBIC, its default.
    Quic,
    /// quinn-proto with NewReno.
    QuicReno,
    /// smoltcp's TCP with CUBIC.
    Tcp,
}

impl Protocol {
    /// All of them, ours first.
    pub(crate) const ALL: [Self; 4] = [Self::Ours, Self::Quic, Self::QuicReno, Self::Tcp];

    const fn congestion(self) -> Congestion {
        match self {
            Self::QuicReno => Congestion::NewReno,
            _ => Congestion::Cubic,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ours => "ours",
            Self::Quic => "quinn",
            Self::QuicReno => "quinn NewReno",
            Self::Tcp => "smoltcp",
        })
    }
}

/// A server and its clients, as a seed makes them.
pub(crate) struct World {
    /// The hosts and the links.
    pub(crate) net: Net,
    protocol: Protocol,
    service: Service,
    seed: u64,
    keys: Keys,
    clients: usize,
}

impl World {
    /// A world with a server for at most two clients.
    #[must_use]
    pub(crate) fn new(protocol: Protocol, service: Service, seed: u64) -> Self {
        let mut keys = Keys::new(seed);
        let (mut net, now) = (Net::new(), Instant(0));
        let server: Box<dyn Node> = match protocol {
            Protocol::Ours => Box::new(HubNode::new(&mut keys, service)),
            Protocol::Quic | Protocol::QuicReno => {
                Box::new(QuicNode::server(seed, protocol.congestion(), service))
            }
            Protocol::Tcp => Box::new(TcpNode::server(now, seed, SERVER, 2, service)),
        };
        net.add(server);
        Self { net, protocol, service, seed, keys, clients: 0 }
    }

    /// A world in which so many clients, each behind a link of its own, are connected and at rest. Nothing is
    /// lost before; what the link loses, it loses from now on.
    ///
    /// # Panics
    /// When clients cannot connect over a link that loses nothing.
    #[must_use]
    pub(crate) fn connected(
        protocol: Protocol,
        service: Service,
        clients: usize,
        link: Link,
        seed: u64,
    ) -> Self {
        let mut world = Self::new(protocol, service, seed);
        for _ in 0..clients {
            world.join(Link { loss_per_mille: 0, ..link });
        }
        let is_ready = |net: &Net| (FIRST..=clients).all(|client| net.node(client).is_ready());
        let in_time = world.net.run_until(Instant(10_000_000), is_ready);
        assert!(in_time, "{protocol} connects where nothing is lost");
        world.net.run(SETTLE_TIME);
        world.net.set_loss(link.loss_per_mille);
        world
    }

    /// Another client begins to connect, behind a link of its own.
    pub(crate) fn join(&mut self, link: Link) -> Address {
        let up = self.net.lay(pipe(link, self.pipe_seed(0)));
        let down = self.net.lay(pipe(link, self.pipe_seed(1)));
        self.join_through(up, down)
    }

    /// Another client begins to connect, through pipes that others may use as well.
    pub(crate) fn join_through(&mut self, up: usize, down: usize) -> Address {
        let (now, own) = (self.net.now, self.clients + 1);
        let seed = self.seed + own as u64;
        let client: Box<dyn Node> = match self.protocol {
            Protocol::Ours => {
                let name = if own == FIRST { "ann" } else { "bob" };
                Box::new(ClientNode::new(now, &mut self.keys, SERVER, name, self.service))
            }
            Protocol::Quic | Protocol::QuicReno => {
                Box::new(QuicNode::client(now, seed, self.protocol.congestion(), SERVER, self.service))
            }
            Protocol::Tcp => Box::new(TcpNode::client(now, seed, own, SERVER, self.service)),
        };
        assert_eq!(self.net.add(client), own, "clients come after the server");
        self.net.route(own, SERVER, up);
        self.net.route(SERVER, own, down);
        self.clients += 1;
        own
    }

    /// The same for every protocol, another for every pipe.
    const fn pipe_seed(&self, direction: u64) -> u64 {
        self.seed * 1000 + self.clients as u64 * 2 + direction
    }
}

/// Time for what follows a handshake, such as greetings and a search for the path's MTU.
const SETTLE_TIME: Duration = Duration::from_secs(2);
