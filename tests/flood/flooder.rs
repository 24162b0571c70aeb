//! Forged INITs, so many a second, from many addresses.

use node::clock::Clock;
use node_proto::random::Random;
use quinn_udp::{Transmit, UdpSocketState};
use spec::VERSION;
use spec::limits::LONG_DATAGRAM_BYTES;
use spec::wire::long::{AttemptId, LongKind, build};
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

/// Different datagrams; a hub keeps nothing of any of them.
const DATAGRAMS: usize = 54 * 64;
/// Addresses they come from, in as many networks.
const SOURCES: u8 = 32;

/// A thread that floods until it is stopped.
#[derive(Debug)]
pub(crate) struct Flooder {
    stop: Sender<()>,
    thread: JoinHandle<u64>,
}

impl Flooder {
    /// Sends `per_second` datagrams a second to `hub`, in runs of `run` that the kernel takes apart.
    pub(crate) fn start(hub: SocketAddr, per_second: u64, run: usize) -> Self {
        let datagrams = forge();
        let sockets: Vec<(UdpSocket, UdpSocketState)> = (0..SOURCES).map(source).collect();
        let (stop, stopped) = mpsc::channel();
        let flood = move || {
            let clock = Clock::start();
            let mut sent = 0;
            let runs = datagrams.chunks_exact(run * LONG_DATAGRAM_BYTES);
            for (contents, (socket, state)) in runs.cycle().zip(sockets.iter().cycle()) {
                let ahead = Duration::from_micros(sent * 1_000_000 / per_second);
                let wait = ahead.saturating_sub(Duration::from_micros(clock.now().0));
                // It is not waited for less than a timer can: then several runs leave at once.
                let is_stopped = if wait > Duration::from_micros(100) {
                    !matches!(stopped.recv_timeout(wait), Err(mpsc::RecvTimeoutError::Timeout))
                } else {
                    !matches!(stopped.try_recv(), Err(mpsc::TryRecvError::Empty))
                };
                if is_stopped {
                    break;
                }
                let segment_size = (run > 1).then_some(LONG_DATAGRAM_BYTES);
                let transmit = Transmit { destination: hub, ecn: None, contents, segment_size, src_ip: None };
                state.try_send(socket.into(), &transmit).unwrap();
                sent += run as u64;
            }
            sent * 1_000_000 / clock.now().0
        };
        Self { stop, thread: std::thread::spawn(flood) }
    }

    /// Stops it; how many datagrams a second the kernel took.
    pub(crate) fn stop(self) -> u64 {
        self.stop.send(()).unwrap();
        self.thread.join().unwrap()
    }
}

fn source(number: u8) -> (UdpSocket, UdpSocketState) {
    let socket = UdpSocket::bind((std::net::Ipv4Addr::new(127, number, 7, 1), 0)).unwrap();
    let state = UdpSocketState::new((&socket).into()).unwrap();
    socket.set_nonblocking(false).unwrap();
    (socket, state)
}

/// The form and the version are right; all the rest is random.
fn forge() -> Vec<u8> {
    let mut random = Random::new([7; 32]);
    let mut datagrams = Vec::with_capacity(DATAGRAMS * LONG_DATAGRAM_BYTES);
    for number in 0..DATAGRAMS {
        let body: [u8; 1155] = random.array();
        let attempt = AttemptId(random.array());
        datagrams.extend(build(LongKind::Init, number % 2, random.reserved(), VERSION, attempt, &body));
        datagrams.extend(random.array::<32>());
    }
    datagrams
}
