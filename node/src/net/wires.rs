//! The sockets of one loop, and what wakes it.

use super::DATAGRAMS_PER_TURN;
use super::socket::Socket;
use crate::capture::{Capture, Direction};
use crate::failure::{Context, Failure};
use mio::{Events, Poll, Token, Waker};
use node_proto::transmit::{Arrival, Path, Transmit};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Duration;

const WAKER: Token = Token(usize::MAX);

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
    sockets: Vec<Socket>,
    locals: Vec<SocketAddr>,
    capture: Option<Capture>,
    /// What a socket has no room for.
    waiting: Option<(Transmit, Vec<u8>)>,
}

impl Wires {
    /// A loop over `sockets`, which do not block.
    ///
    /// # Errors
    /// When the operating system has no poll to give.
    pub fn new(sockets: Vec<std::net::UdpSocket>, capture: Option<Capture>) -> Result<Self, Failure> {
        let poll = Poll::new().context("cannot wait for sockets")?;
        let waker = Waker::new(poll.registry(), WAKER).context("cannot wait for threads")?;
        let mut sockets = sockets.into_iter().map(Socket::new).collect::<Result<Vec<_>, _>>()?;
        for (index, socket) in sockets.iter_mut().enumerate() {
            socket.register(poll.registry(), Token(index)).context("cannot wait for a socket")?;
            // Whoever captures here may compare with another tool, and runs that the kernel takes apart only later
            // look like one long datagram to it.
            socket.is_observed = capture.is_some();
        }
        Ok(Self {
            poll,
            events: Events::with_capacity(64),
            waker: Arc::new(waker),
            locals: sockets.iter().map(Socket::local).collect(),
            sockets,
            capture,
            waiting: None,
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
        let mut socket = Socket::new(socket)?;
        socket.is_observed = self.capture.is_some();
        socket.register(self.poll.registry(), Token(0)).context("cannot wait for a socket")?;
        (self.locals, self.sockets, self.waiting) = (vec![socket.local()], vec![socket], None);
        Ok(())
    }

    /// Whether the peer's port was found closed since this was last asked.
    pub fn take_refusal(&mut self) -> bool {
        self.sockets.iter_mut().any(|socket| std::mem::take(&mut socket.was_refused))
    }

    /// Whether the way to the peer was found to be gone since this was last asked.
    pub fn take_cut(&mut self) -> bool {
        self.sockets.iter_mut().any(|socket| std::mem::take(&mut socket.is_cut))
    }

    /// Waits until a socket is readable, a mailbox has something, or `timeout` passes.
    ///
    /// # Errors
    /// When waiting itself fails.
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<(), Failure> {
        let has_more = self.sockets.iter().any(|socket| socket.is_readable);
        let timeout = if has_more { Some(Duration::ZERO) } else { timeout };
        match self.poll.poll(&mut self.events, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::new(format!("cannot wait for sockets: {error}"))),
        }
        let mut has_room = false;
        for event in &self.events {
            let Some(socket) = self.sockets.get_mut(event.token().0) else { continue };
            socket.is_readable |= event.is_readable() || event.is_error();
            has_room |= event.is_writable();
        }
        if has_room {
            self.send_waiting();
        }
        Ok(())
    }

    /// Gives each datagram that has arrived to `take`, so many a turn.
    pub fn receive(&mut self, mut take: impl FnMut(Arrival, &mut [u8])) {
        for index in 0..self.sockets.len() {
            for _ in 0..DATAGRAMS_PER_TURN {
                if !self.receive_one(index, &mut take) {
                    break;
                }
            }
        }
        self.flush_capture();
    }

    fn receive_one(&mut self, index: usize, take: &mut impl FnMut(Arrival, &mut [u8])) -> bool {
        let Some(socket) = self.sockets.get_mut(index) else { return false };
        let bound = socket.local();
        let Some((arrival, datagram)) = socket.receive(index) else { return false };
        if let Some(capture) = &mut self.capture {
            let local = ours(arrival.path, bound);
            let written = capture.write(Direction::In, local, arrival.path.remote, datagram);
            check(&mut self.capture, written);
        }
        take(arrival, datagram);
        true
    }

    /// Whether there is room for more. Without it nothing is to be sent that can wait.
    #[must_use]
    pub const fn has_room(&self) -> bool {
        self.waiting.is_none()
    }

    /// Sends the datagrams in `bytes`. What the kernel has no room for leaves when it has; what is sent before
    /// that counts as lost.
    pub fn send(&mut self, transmit: &Transmit, bytes: &[u8]) {
        if !self.has_room() {
            return;
        }
        let rest = self.send_some(transmit, bytes);
        if !rest.is_empty() {
            self.waiting = Some((*transmit, rest.to_vec()));
            self.watch_room(transmit, true);
        }
    }

    /// What there is no room for.
    fn send_some<'b>(&mut self, transmit: &Transmit, bytes: &'b [u8]) -> &'b [u8] {
        let Some(socket) = self.sockets.get_mut(transmit.path.socket) else { return &[] };
        let (local, remote) = (ours(transmit.path, socket.local()), transmit.path.remote);
        let done = socket.send(transmit, bytes, |datagram| {
            if let Some(capture) = &mut self.capture {
                let written = capture.write(Direction::Out, local, remote, datagram);
                check(&mut self.capture, written);
            }
        });
        bytes.get(done..).unwrap_or_default()
    }

    fn send_waiting(&mut self) {
        let Some((transmit, bytes)) = self.waiting.take() else { return };
        let rest = self.send_some(&transmit, &bytes);
        if rest.is_empty() {
            self.watch_room(&transmit, false);
        } else {
            self.waiting = Some((transmit, rest.to_vec()));
        }
    }

    fn watch_room(&mut self, transmit: &Transmit, wanted: bool) {
        let index = transmit.path.socket;
        let Some(socket) = self.sockets.get_mut(index) else { return };
        if let Err(error) = socket.watch_room(self.poll.registry(), Token(index), wanted) {
            ::log::error!("cannot wait for room to send: {error}");
            self.waiting = None;
        }
    }

    /// Hands the capture to the operating system, so that a killed process loses none of it.
    pub fn flush_capture(&mut self) {
        if let Some(capture) = &mut self.capture {
            let flushed = capture.flush();
            check(&mut self.capture, flushed);
        }
    }
}

/// The address of ours that a path uses, on a socket that is `bound`.
fn ours(path: Path, bound: SocketAddr) -> SocketAddr {
    SocketAddr::new(path.local.unwrap_or(bound.ip()), bound.port())
}

fn check(capture: &mut Option<Capture>, written: std::io::Result<()>) {
    if let Err(error) = written {
        ::log::error!("the capture ends here: {error}");
        *capture = None;
    }
}
