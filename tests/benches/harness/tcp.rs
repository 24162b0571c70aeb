//! TCP: smoltcp with Nagle's algorithm off, CUBIC and delayed acknowledgements; no TLS above it.
//!
//! It has no selective acknowledgements and no round-trip time-out below a second (RFC 6298), as a TCP by the
//! book; the Linux one, which has more, is raced with real processes.

use super::net::{Address, Node, Packet};
use super::stream_app::{Service, StreamApp};
use node_proto::transmit::Ecn;
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp::{CongestionControl, Socket, SocketBuffer};
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};
use spec::time::Instant;
use std::collections::VecDeque;

const PORT: u16 = 5555;
/// Bytes of an IP packet, as on Ethernet.
const MTU_BYTES: usize = 1500;
/// More than the bandwidth-delay product of every link that is raced on.
const BULK_BUFFER_BYTES: usize = 1 << 22;
/// More than all the lines of a run.
const LINES_BUFFER_BYTES: usize = 1 << 17;

/// The packets of one host, in and out.
#[derive(Debug, Default)]
struct Wire {
    incoming: VecDeque<Vec<u8>>,
    outgoing: VecDeque<Vec<u8>>,
}

struct Receive(Vec<u8>);
struct Send<'a>(&'a mut VecDeque<Vec<u8>>);

impl RxToken for Receive {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(&self.0)
    }
}

impl TxToken for Send<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        let mut packet = vec![0; len];
        let result = write(&mut packet);
        self.0.push_back(packet);
        result
    }
}

impl Device for Wire {
    type RxToken<'a> = Receive;
    type TxToken<'a> = Send<'a>;

    fn receive(&mut self, _now: smoltcp::time::Instant) -> Option<(Receive, Send<'_>)> {
        self.incoming.pop_front().map(|packet| (Receive(packet), Send(&mut self.outgoing)))
    }

    fn transmit(&mut self, _now: smoltcp::time::Instant) -> Option<Send<'_>> {
        Some(Send(&mut self.outgoing))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = MTU_BYTES;
        capabilities
    }
}

fn to_theirs(now: Instant) -> smoltcp::time::Instant {
    smoltcp::time::Instant::from_micros(i64::try_from(now.0).unwrap_or(i64::MAX))
}

fn ip(address: Address) -> IpAddress {
    IpAddress::v4(10, 0, 0, u8::try_from(address + 1).expect("a net is small"))
}

/// Whose packet it is: the last byte of the destination of an IPv4 header.
fn destination(packet: &[u8]) -> Option<Address> {
    packet.get(19).map(|host| usize::from(*host) - 1)
}

/// One connection.
#[derive(Debug)]
struct Connection {
    socket: SocketHandle,
    peer: Option<Address>,
}

/// A host that speaks TCP.
pub(crate) struct TcpNode {
    wire: Wire,
    interface: Interface,
    sockets: SocketSet<'static>,
    connections: Vec<Connection>,
    app: StreamApp,
}

impl TcpNode {
    /// A server at `own` for so many clients.
    #[must_use]
    pub(crate) fn server(now: Instant, seed: u64, own: Address, clients: usize, service: Service) -> Self {
        let mut node = Self::new(now, seed, own, StreamApp::server(service));
        for _ in 0..clients {
            let mut socket = socket(service);
            socket.listen(PORT).expect("the port is free");
            let socket = node.sockets.add(socket);
            node.connections.push(Connection { socket, peer: None });
        }
        node
    }

    /// A client at `own` that begins to connect to the server at `server`.
    #[must_use]
    pub(crate) fn client(now: Instant, seed: u64, own: Address, server: Address, service: Service) -> Self {
        let mut node = Self::new(now, seed, own, StreamApp::client(service));
        let mut socket = socket(service);
        socket
            .connect(node.interface.context(), (ip(server), PORT), 40_000)
            .expect("the socket is new and the address sound");
        let socket = node.sockets.add(socket);
        node.connections.push(Connection { socket, peer: None });
        node
    }

    fn new(now: Instant, seed: u64, own: Address, app: StreamApp) -> Self {
        let mut wire = Wire::default();
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = seed;
        let mut interface = Interface::new(config, &mut wire, to_theirs(now));
        interface.update_ip_addrs(|known| {
            known.push(IpCidr::new(ip(own), 24)).expect("there is space for one address");
        });
        Self { wire, interface, sockets: SocketSet::new(Vec::new()), connections: Vec::new(), app }
    }

    /// Lets sockets and application take from each other, until neither has more.
    fn work(&mut self, now: Instant) {
        self.interface.poll(to_theirs(now), &mut self.wire, &mut self.sockets);
        for connection in &mut self.connections {
            connection.read(self.sockets.get_mut(connection.socket), &mut self.app);
        }
        for connection in &self.connections {
            connection.write(self.sockets.get_mut(connection.socket), &mut self.app);
        }
        self.interface.poll(to_theirs(now), &mut self.wire, &mut self.sockets);
    }
}

fn socket(service: Service) -> Socket<'static> {
    let is_bulk = matches!(service, Service::Bulk(_));
    let bytes = if is_bulk { BULK_BUFFER_BYTES } else { LINES_BUFFER_BYTES };
    let buffer = || SocketBuffer::new(vec![0; bytes]);
    let mut socket = Socket::new(buffer(), buffer());
    socket.set_nagle_enabled(false);
    socket.set_congestion_control(CongestionControl::Cubic);
    socket
}

impl Connection {
    fn read(&mut self, socket: &mut Socket<'_>, app: &mut StreamApp) {
        if self.peer.is_none() && socket.may_send() {
            self.peer = socket.remote_endpoint().map(|remote| match remote.addr {
                IpAddress::Ipv4(remote) => usize::from(remote.octets()[3]) - 1,
            });
            if let Some(peer) = self.peer {
                app.connected(peer);
            }
        }
        let Some(peer) = self.peer else { return };
        while socket.can_recv() {
            let received = socket.recv(|bytes| {
                app.received(peer, bytes);
                (bytes.len(), ())
            });
            if received.is_err() {
                return;
            }
        }
    }

    fn write(&self, socket: &mut Socket<'_>, app: &mut StreamApp) {
        let Some(peer) = self.peer else { return };
        while socket.can_send() && !app.outgoing(peer).is_empty() {
            let Ok(written) = socket.send_slice(app.outgoing(peer)) else { return };
            app.sent(peer, written);
        }
    }
}

impl Node for TcpNode {
    fn handle_packet(&mut self, now: Instant, _from: Address, packet: Packet) {
        self.wire.incoming.push_back(packet.bytes);
        self.work(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.work(now);
    }

    fn say(&mut self, now: Instant, line: &str) {
        self.app.say(line);
        self.work(now);
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<(Address, Packet)> {
        if self.wire.outgoing.is_empty() {
            self.interface.poll(to_theirs(now), &mut self.wire, &mut self.sockets);
        }
        let bytes = self.wire.outgoing.pop_front()?;
        Some((destination(&bytes)?, Packet { bytes, ecn: Ecn::NotEct }))
    }

    fn poll_timeout(&mut self, now: Instant) -> Option<Instant> {
        let at = self.interface.poll_at(to_theirs(now), &self.sockets)?;
        Some(Instant(u64::try_from(at.total_micros()).unwrap_or(0)))
    }

    fn poll_line(&mut self) -> Option<String> {
        self.app.poll_line()
    }

    fn is_ready(&self) -> bool {
        self.app.is_ready()
    }

    fn bulk_received(&self) -> u64 {
        self.app.bulk_received()
    }

    /// What is carried are whole IP packets.
    fn header_bytes(&self) -> usize {
        0
    }
}
