//! QUIC: quinn-proto with its defaults, a stream each way.

use super::net::{Address, Node, Packet};
use super::stream_app::{Service, StreamApp};
use bytes::BytesMut;
use core::net::SocketAddr;
use core::time::Duration;
use node_proto::transmit::Ecn;
use quinn_proto::congestion::{CubicConfig, NewRenoConfig};
use quinn_proto::crypto::rustls::QuicServerConfig;
use quinn_proto::{
    ClientConfig, ConnectionHandle, ConnectionId, DatagramEvent, Dir, EcnCodepoint, Endpoint, EndpointConfig,
    Event, ServerConfig, StreamEvent, StreamId, Transmit, TransportConfig,
};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use spec::time::Instant;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, LazyLock};

/// Bytes of IPv4 and UDP headers.
const HEADER_BYTES: usize = 28;

/// A certificate for the name `hub` and its Ed25519 key, for this purpose only: they protect nothing.
static CERTIFICATE: &[u8] = include_bytes!("certificate.der");
static KEY: &[u8] = include_bytes!("key.der");

/// What the library calls the start of time.
#[expect(clippy::disallowed_methods, reason = "the library's points in time have no other origin")]
static START: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);

fn to_theirs(at: Instant) -> std::time::Instant {
    *START + Duration::from_micros(at.0)
}

/// Rounded up: a deadline has passed when it is acted on.
fn to_ours(at: std::time::Instant) -> Instant {
    let nanos = at.saturating_duration_since(*START).as_nanos();
    Instant(u64::try_from(nanos.div_ceil(1000)).unwrap_or(u64::MAX))
}

/// A congestion controller of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Congestion {
    /// Its default.
    Cubic,
    /// NewReno.
    NewReno,
}

impl Congestion {
    fn transport(self) -> Arc<TransportConfig> {
        let mut transport = TransportConfig::default();
        match self {
            Self::Cubic => {
                transport.congestion_controller_factory(Arc::new(CubicConfig::default()));
            }
            Self::NewReno => {
                transport.congestion_controller_factory(Arc::new(NewRenoConfig::default()));
            }
        }
        Arc::new(transport)
    }
}

fn socket(address: Address) -> SocketAddr {
    let host = u8::try_from(address + 1).expect("a net is small");
    SocketAddr::from(([10, 0, 0, host], 4433))
}

fn address(socket: SocketAddr) -> Address {
    match socket {
        SocketAddr::V4(socket) => usize::from(socket.ip().octets()[3]) - 1,
        SocketAddr::V6(_) => Address::MAX,
    }
}

fn packet(transmit: &Transmit, out: &[u8]) -> Packet {
    let ecn = match transmit.ecn {
        None => Ecn::NotEct,
        Some(EcnCodepoint::Ect0) => Ecn::Ect0,
        Some(EcnCodepoint::Ect1) => Ecn::Ect1,
        Some(EcnCodepoint::Ce) => Ecn::Ce,
    };
    Packet { bytes: out[..transmit.size].to_vec(), ecn }
}

const fn mark(ecn: Ecn) -> Option<EcnCodepoint> {
    match ecn {
        Ecn::NotEct => None,
        Ecn::Ect0 => Some(EcnCodepoint::Ect0),
        Ecn::Ect1 => Some(EcnCodepoint::Ect1),
        Ecn::Ce => Some(EcnCodepoint::Ce),
    }
}

struct Connection {
    peer: Address,
    inner: quinn_proto::Connection,
    stream: Option<StreamId>,
}

/// A host that speaks QUIC.
pub(crate) struct QuicNode {
    endpoint: Endpoint,
    connections: BTreeMap<ConnectionHandle, Connection>,
    answers: VecDeque<(Address, Packet)>,
    app: StreamApp,
}

fn endpoint(seed: u64, server: Option<ServerConfig>) -> Endpoint {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let mut config = EndpointConfig::default();
    config.rng_seed(Some(bytes));
    Endpoint::new(Arc::new(config), server.map(Arc::new), true, None)
}

impl QuicNode {
    /// A server.
    #[must_use]
    pub(crate) fn server(seed: u64, congestion: Congestion, service: Service) -> Self {
        let certificate = CertificateDer::from(CERTIFICATE);
        let key = PrivateKeyDer::try_from(KEY).expect("the key is in this folder");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("the provider has TLS 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("the certificate belongs to the key");
        let crypto = QuicServerConfig::try_from(tls).expect("the provider has the initial cipher suite");
        let mut config = ServerConfig::with_crypto(Arc::new(crypto));
        config.transport_config(congestion.transport());
        Self::new(endpoint(seed, Some(config)), StreamApp::server(service))
    }

    /// A client that begins to connect to the server at `server`.
    #[must_use]
    pub(crate) fn client(
        now: Instant,
        seed: u64,
        congestion: Congestion,
        server: Address,
        service: Service,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(CERTIFICATE)).expect("the certificate is in this folder");
        let mut config = ClientConfig::with_root_certificates(Arc::new(roots)).expect("there is a root");
        config.transport_config(congestion.transport());
        config.initial_dst_cid_provider(Arc::new(move || ConnectionId::new(&seed.to_be_bytes())));
        let mut node = Self::new(endpoint(seed, None), StreamApp::client(service));
        let connecting = node.endpoint.connect(to_theirs(now), config, socket(server), "hub");
        let (handle, inner) = connecting.expect("the configuration is sound");
        node.connections.insert(handle, Connection { peer: server, inner, stream: None });
        node
    }

    const fn new(endpoint: Endpoint, app: StreamApp) -> Self {
        Self { endpoint, connections: BTreeMap::new(), answers: VecDeque::new(), app }
    }

    fn handle_event(&mut self, now: Instant, event: DatagramEvent, mut out: Vec<u8>) {
        match event {
            DatagramEvent::ConnectionEvent(handle, event) => {
                if let Some(connection) = self.connections.get_mut(&handle) {
                    connection.inner.handle_event(event);
                }
            }
            DatagramEvent::NewConnection(incoming) => {
                let peer = address(incoming.remote_address());
                out.clear();
                match self.endpoint.accept(incoming, to_theirs(now), &mut out, None) {
                    Ok((handle, inner)) => {
                        self.connections.insert(handle, Connection { peer, inner, stream: None });
                    }
                    Err(error) => self.answer(error.response, &out),
                }
            }
            DatagramEvent::Response(transmit) => self.answer(Some(transmit), &out),
        }
    }

    fn answer(&mut self, transmit: Option<Transmit>, out: &[u8]) {
        if let Some(transmit) = transmit {
            self.answers.push_back((address(transmit.destination), packet(&transmit, out)));
        }
    }

    /// Lets connections, endpoint and application tell each other what happened.
    fn work(&mut self) {
        for (handle, connection) in &mut self.connections {
            while let Some(event) = connection.inner.poll_endpoint_events() {
                if let Some(event) = self.endpoint.handle_event(*handle, event) {
                    connection.inner.handle_event(event);
                }
            }
            connection.read(&mut self.app);
        }
        // All have been read before the first writes, so that a relay's line leaves at once.
        for connection in self.connections.values_mut() {
            connection.write(&mut self.app);
        }
    }
}

impl Connection {
    fn read(&mut self, app: &mut StreamApp) {
        while let Some(event) = self.inner.poll() {
            match event {
                Event::Connected => {
                    self.stream = self.inner.streams().open(Dir::Uni);
                    app.connected(self.peer);
                }
                Event::Stream(StreamEvent::Opened { .. } | StreamEvent::Readable { .. }) => {
                    while let Some(id) = self.inner.streams().accept(Dir::Uni) {
                        self.read_stream(id, app);
                    }
                    if let Event::Stream(StreamEvent::Readable { id }) = event {
                        self.read_stream(id, app);
                    }
                }
                _ => {}
            }
        }
    }

    fn read_stream(&mut self, id: StreamId, app: &mut StreamApp) {
        let mut stream = self.inner.recv_stream(id);
        let Ok(mut chunks) = stream.read(true) else { return };
        while let Ok(Some(chunk)) = chunks.next(usize::MAX) {
            app.received(self.peer, &chunk.bytes);
        }
        let _: quinn_proto::ShouldTransmit = chunks.finalize();
    }

    fn write(&mut self, app: &mut StreamApp) {
        let Some(stream) = self.stream else { return };
        while !app.outgoing(self.peer).is_empty() {
            let Ok(written) = self.inner.send_stream(stream).write(app.outgoing(self.peer)) else { return };
            app.sent(self.peer, written);
        }
    }
}

impl Node for QuicNode {
    fn handle_packet(&mut self, now: Instant, from: Address, packet: Packet) {
        let mut out = Vec::new();
        let bytes = BytesMut::from(&packet.bytes[..]);
        let mark = mark(packet.ecn);
        let event = self.endpoint.handle(to_theirs(now), socket(from), None, mark, bytes, &mut out);
        if let Some(event) = event {
            self.handle_event(now, event, out);
        }
        self.work();
    }

    fn handle_timeout(&mut self, now: Instant) {
        for connection in self.connections.values_mut() {
            connection.inner.handle_timeout(to_theirs(now));
        }
        self.work();
    }

    fn say(&mut self, _now: Instant, line: &str) {
        self.app.say(line);
        self.work();
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<(Address, Packet)> {
        if let Some(answer) = self.answers.pop_front() {
            return Some(answer);
        }
        for connection in self.connections.values_mut() {
            let mut out = Vec::new();
            if let Some(transmit) = connection.inner.poll_transmit(to_theirs(now), 1, &mut out) {
                return Some((address(transmit.destination), packet(&transmit, &out)));
            }
        }
        None
    }

    fn poll_timeout(&mut self, _now: Instant) -> Option<Instant> {
        let timeouts = self.connections.values_mut().filter_map(|known| known.inner.poll_timeout());
        timeouts.map(to_ours).min()
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

    fn header_bytes(&self) -> usize {
        HEADER_BYTES
    }
}
