//! What one system call brought: several buffers, each with a run of datagrams of one length.

use mio::net::UdpSocket;
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSocketState};
use std::io::{self, IoSliceMut};

/// A run that the kernel put together (GRO) is no longer than the longest UDP payload.
const BUFFER_BYTES: usize = 1 << 16;

/// Datagrams that were received and not yet taken.
#[derive(Debug)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
    metas: [RecvMeta; BATCH_SIZE],
    /// Buffers that hold something.
    filled: usize,
    /// The buffer whose turn it is, and how much of it was taken.
    at: usize,
    offset: usize,
}

impl Inbox {
    pub(super) fn new() -> Self {
        Self {
            // Pages that no datagram ever reaches cost nothing.
            bytes: vec![0; BATCH_SIZE * BUFFER_BYTES],
            metas: [RecvMeta::default(); BATCH_SIZE],
            filled: 0,
            at: 0,
            offset: 0,
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.at >= self.filled
    }

    /// Receives as much as one system call gives, over what was there.
    pub(super) fn fill(&mut self, io: &UdpSocket, state: &UdpSocketState) -> io::Result<()> {
        (self.filled, self.at, self.offset) = (0, 0, 0);
        let mut buffers = self.bytes.chunks_mut(BUFFER_BYTES);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(buffers.next().unwrap_or_default()));
        self.filled = io.try_io(|| state.recv(io.into(), &mut slices, &mut self.metas))?;
        Ok(())
    }

    /// The next datagram, and how it came.
    pub(super) fn next(&mut self) -> Option<(RecvMeta, &mut [u8])> {
        if self.is_empty() {
            return None;
        }
        let meta = *self.metas.get(self.at)?;
        let begin = self.offset;
        let end = (begin + meta.stride.max(1)).min(meta.len);
        let buffer = self.bytes.chunks_mut(BUFFER_BYTES).nth(self.at)?;
        (self.at, self.offset) = if end == meta.len { (self.at + 1, 0) } else { (self.at, end) };
        Some((meta, buffer.get_mut(begin..end)?))
    }
}
