//! What rides where padding would stand: what is unacknowledged once more, an acknowledgement before it is due, and
//! now and then a frame that means nothing.

use super::{Packer, STREAM_HEADER_BYTES};
use crate::connection::Connection;
use crate::content::Content;
use spec::limits::{BUCKETS_BYTES, TAG_BYTES};
use spec::wire::frame::{Frame, grease};
use spec::wire::short::{self, NUMBER_START};

/// One in this many packets carries a GREASE frame, so that peers keep skipping what they do not know.
const GREASE_ONE_IN: u64 = 64;
/// Bytes of a content that is small enough to be repeated in passing.
const COPY_BYTES_MAX: usize = 320;
/// A round trip is so many times the age at which something is repeated in passing: sooner, the same gap in the
/// link would take both.
const COPY_AGE_PARTS: u32 = 4;
/// A datagram that grows by repetitions takes no more than one part of the window in this many.
const COPY_WINDOW_PARTS: usize = 3;

impl Packer<'_> {
    /// Bytes that padding would fill, or that the datagram may grow by while packets are being lost.
    fn remaining_for_copies(&self) -> usize {
        if !self.connection.recovery.is_lossy() {
            return self.padding();
        }
        // What is worth repeating must not close a small window to what is new.
        let part = self.connection.recovery.window_bytes() / COPY_WINDOW_PARTS;
        let most = short::longest_within(part).unwrap_or_default();
        let len = self.out.len() - self.start + TAG_BYTES;
        self.remaining().min(most.saturating_sub(len)).max(self.padding())
    }

    /// Bytes that padding would fill.
    fn padding(&self) -> usize {
        let len = self.out.len() - self.start - NUMBER_START;
        short::bucket(len).map_or(0, |bucket| bucket - len).min(self.remaining())
    }

    /// Something small of the owner's that is unacknowledged, to be said again in space that is to spare, and how
    /// many bytes that is. Whatever is written next counts as its repetition.
    pub fn poll_copy(&mut self) -> Option<(Content, usize)> {
        let space = self.remaining_for_copies().min(COPY_BYTES_MAX);
        let is_owners = |content: &Content| matches!(content, Content::Entries { .. });
        self.next_copy(is_owners).map(|content| (content, space))
    }

    fn next_copy(&mut self, is_fit: impl Fn(&Content) -> bool) -> Option<Content> {
        self.copies = 0;
        if !self.traits.is_eliciting || !self.may_elicit || self.connection.is_closing() {
            return None;
        }
        let Connection { recovery, .. } = &mut *self.connection;
        let before = self.now - recovery.rtt.smoothed() / COPY_AGE_PARTS;
        let (content, copies) = recovery.ledger.next_copy(before, self.contents, is_fit)?;
        self.copies = copies;
        Some(content)
    }

    /// An acknowledgement that is not due yet rides where padding would stand.
    pub(super) fn write_ack_in_passing(&mut self) {
        const BYTES_MAX: usize = 48;
        let is_owed = self.connection.received.is_owed() && !self.has_ack;
        if is_owed && self.padding() >= BYTES_MAX && self.connection.received.is_simple() {
            self.write_ack();
        }
    }

    /// Small pieces of streams that are unacknowledged ride along.
    pub(super) fn write_stream_copies(&mut self) {
        loop {
            let space = self.remaining_for_copies().min(COPY_BYTES_MAX).saturating_sub(STREAM_HEADER_BYTES);
            let is_small = |content: &Content| matches!(content, Content::Stream { len, .. } if usize::from(*len) <= space);
            let Some(Content::Stream { stream, offset, len }) = self.next_copy(is_small) else { break };
            self.write_stream(stream, offset, offset + u64::from(len));
        }
        self.copies = 0;
    }

    /// Now and then a frame that means nothing, where padding would stand anyway.
    pub(super) fn add_grease(&mut self) {
        let draw = self.connection.random.number();
        if draw.is_multiple_of(GREASE_ONE_IN) && self.remaining() > BUCKETS_BYTES[0] {
            let frame = Frame::Extension { kind: grease(draw >> 32 & 0xf), data: &draw.to_be_bytes()[..3] };
            frame.encode(self.out);
        }
    }
}
