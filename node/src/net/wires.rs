//! The sockets of one loop, and what wakes it.

use super::DATAGRAMS_PER_TURN;
use crate::capture::{Capture, Direction};
use crate::failure::{Context, Failure};
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token, Waker};
use node_proto::transmit::Path;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Duration;

const WAKER: Token = Token(usize::MAX);
/// No datagram of ours is longer, and what is longer is not ours.
const RECEIVE_BYTES: usize = 2048;

/// Lets another thread hand something to a loop and wake it.
#[derive(Debug)]
pub struct Mailbox<T> {
    sender: SyncSender<T>,
    waker: Arc<Waker>,
}

impl<T> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), waker: Arc::clone(&self.waker) }
    }
}

impl<T> Mailbox<T> {
    /// Hands over `item`, and waits while the mailbox is full; `false` when the loop is gone.
    #[must_use]
    pub fn put(&self, item: T) -> bool {
        self.sender.send(item).is_ok() && self.waker.wake().is_ok()
    }
}

/// Sockets, a poll and a capture.
#[derive(Debug)]
pub struct Wires {
    poll: Poll,
    events: Events,
    waker: Arc<Waker>,
    sockets: Vec<UdpSocket>,
    locals: Vec<SocketAddr>,
    peer: Option<SocketAddr>,
    capture: Option<Capture>,
    buffer: Vec<u8>,
    /// Sockets that may hold more: mio tells once.
    readable: Vec<bool>,
    was_refused: bool,
}

impl Wires {
    /// A loop over `sockets`, which do not block.
    ///
    /// # Errors
    /// When the operating system has no poll to give.
    pub fn new(sockets: Vec<std::net::UdpSocket>, capture: Option<Capture>) -> Result<Self, Failure> {
        let poll = Poll::new().context("cannot wait for sockets")?;
        let waker = Waker::new(poll.registry(), WAKER).context("cannot wait for threads")?;
        let locals = sockets.iter().map(std::net::UdpSocket::local_addr).collect::<Result<_, _>>();
        let peer = sockets.first().and_then(|socket| socket.peer_addr().ok());
        let mut sockets: Vec<UdpSocket> = sockets.into_iter().map(UdpSocket::from_std).collect();
        for (index, socket) in sockets.iter_mut().enumerate() {
            poll.registry()
                .register(socket, Token(index), Interest::READABLE)
                .context("cannot wait for a socket")?;
        }
        Ok(Self {
            poll,
            events: Events::with_capacity(64),
            waker: Arc::new(waker),
            locals: locals.context("a socket has no address")?,
            peer,
            capture,
            buffer: vec![0; RECEIVE_BYTES],
            readable: vec![true; sockets.len()],
            sockets,
            was_refused: false,
        })
    }

    /// The addresses of the sockets.
    #[must_use]
    pub fn locals(&self) -> &[SocketAddr] {
        &self.locals
    }

    /// A mailbox of this loop that holds `capacity` items, and where its items arrive.
    #[must_use]
    pub fn mailbox<T>(&self, capacity: usize) -> (Mailbox<T>, Receiver<T>) {
        let (sender, receiver) = mpsc::sync_channel(capacity);
        (Mailbox { sender, waker: Arc::clone(&self.waker) }, receiver)
    }

    /// Puts another socket in the place of the only one: the way to the peer may lead elsewhere by now.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn replace(&mut self, socket: std::net::UdpSocket) -> Result<(), Failure> {
        let local = socket.local_addr().context("a socket has no address")?;
        let mut socket = UdpSocket::from_std(socket);
        let registry = self.poll.registry();
        registry.register(&mut socket, Token(0), Interest::READABLE).context("cannot wait for a socket")?;
        (self.sockets, self.locals, self.readable) = (vec![socket], vec![local], vec![true]);
        Ok(())
    }

    /// Whether the peer's port was found closed since this was last asked.
    pub fn take_refusal(&mut self) -> bool {
        std::mem::take(&mut self.was_refused)
    }

    /// Waits until a socket is readable, a mailbox has something, or `timeout` passes.
    ///
    /// # Errors
    /// When waiting itself fails.
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<(), Failure> {
        let timeout = if self.readable.contains(&true) { Some(Duration::ZERO) } else { timeout };
        match self.poll.poll(&mut self.events, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::new(format!("cannot wait for sockets: {error}"))),
        }
        for event in &self.events {
            if let Some(readable) = self.readable.get_mut(event.token().0) {
                *readable = true;
            }
        }
        Ok(())
    }

    /// Gives each datagram that has arrived to `take`, so many a turn.
    pub fn receive(&mut self, mut take: impl FnMut(Path, &mut [u8])) {
        for index in 0..self.sockets.len() {
            for _ in 0..DATAGRAMS_PER_TURN {
                if !self.readable[index] {
                    break;
                }
                self.receive_one(index, &mut take);
            }
        }
        self.flush_capture();
    }

    fn receive_one(&mut self, index: usize, take: &mut impl FnMut(Path, &mut [u8])) {
        let (len, remote) = match self.sockets[index].recv_from(&mut self.buffer) {
            Ok(received) => received,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.readable[index] = false;
                return;
            }
            // News of a datagram sent earlier, such as that its port is closed.
            Err(error) => {
                self.was_refused |= error.kind() == ErrorKind::ConnectionRefused;
                return;
            }
        };
        if let Some(capture) = &mut self.capture {
            let written = capture.write(Direction::In, self.locals[index], remote, &self.buffer[..len]);
            self.check_capture(written);
        }
        take(Path::new(remote, index), &mut self.buffer[..len]);
    }

    /// Sends a datagram. What the kernel does not take counts as lost, and loss is what the protocol is for.
    pub fn send(&mut self, path: Path, datagram: &[u8]) {
        let Some(socket) = self.sockets.get(path.socket) else { return };
        let sent = match self.peer {
            Some(_) => socket.send(datagram),
            None => socket.send_to(datagram, path.remote),
        };
        match sent {
            Ok(_) => self.capture_sent(path, datagram),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => self.was_refused = true,
            Err(error) => ::log::debug!("a datagram to {} was not sent: {error}", path.remote),
        }
    }

    fn capture_sent(&mut self, path: Path, datagram: &[u8]) {
        if let Some(capture) = &mut self.capture {
            let written = capture.write(Direction::Out, self.locals[path.socket], path.remote, datagram);
            self.check_capture(written);
        }
    }

    /// Hands the capture to the operating system, so that a killed process loses none of it.
    pub fn flush_capture(&mut self) {
        if let Some(capture) = &mut self.capture {
            let flushed = capture.flush();
            self.check_capture(flushed);
        }
    }

    fn check_capture(&mut self, written: std::io::Result<()>) {
        if let Err(error) = written {
            ::log::error!("the capture ends here: {error}");
            self.capture = None;
        }
    }
}
