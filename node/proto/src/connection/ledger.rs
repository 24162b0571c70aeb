//! Packets in flight and what each carried. A number is used once; content leaves by ACK or by loss, once.

use crate::content::Content;
use alloc::collections::VecDeque;
use spec::time::Instant;
use spec::wire::ack::Ack;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    InFlight,
    Acknowledged,
    Lost,
}

/// One packet: 24 bytes; its number is its place.
#[derive(Clone, Copy, Debug)]
struct SentPacket {
    sent: Instant,
    bytes: u16,
    contents: u16,
    is_eliciting: bool,
    state: State,
}

/// What an acknowledgement brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Acknowledged {
    /// When the highest newly acknowledged packet was sent.
    pub(super) sent: Instant,
    /// Whether that packet is the largest the ACK names: only then is it a sample of the round trip.
    pub(super) is_largest: bool,
    /// Whether any of them asked for it.
    pub(super) is_eliciting: bool,
}

/// The packets from the oldest in flight on.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Number of the first packet.
    base: u64,
    packets: VecDeque<SentPacket>,
    /// The contents of all packets, one after the other.
    contents: VecDeque<Content>,
    bytes_in_flight: usize,
    largest_acked: Option<u64>,
}

impl Ledger {
    pub(super) const fn bytes_in_flight(&self) -> usize {
        self.bytes_in_flight
    }

    /// Packets kept account of.
    pub(super) fn len(&self) -> usize {
        self.packets.len()
    }

    pub(super) const fn largest_acked(&self) -> Option<u64> {
        self.largest_acked
    }

    /// When the last packet still in flight that asks for an answer was sent.
    pub(super) fn last_eliciting_in_flight(&self) -> Option<Instant> {
        let waiting = |packet: &&SentPacket| packet.state == State::InFlight && packet.is_eliciting;
        self.packets.iter().rev().find(waiting).map(|packet| packet.sent)
    }

    /// Enters the next packet, whose contents were already pushed with [`push`](Self::push).
    pub(super) fn enter(&mut self, sent: Instant, bytes: usize, contents: usize, is_eliciting: bool) {
        let bytes = u16::try_from(bytes).unwrap_or(u16::MAX);
        let contents = u16::try_from(contents).unwrap_or(u16::MAX);
        self.packets.push_back(SentPacket { sent, bytes, contents, is_eliciting, state: State::InFlight });
        if is_eliciting {
            self.bytes_in_flight += usize::from(bytes);
        }
        self.pop_settled();
    }

    /// Adds a content to the packet that is being filled.
    pub(super) fn push(&mut self, content: Content) {
        self.contents.push_back(content);
    }

    /// Settles what `ack` names, and tells `delivered` each content that arrived. `None` when it names nothing
    /// new.
    pub(super) fn acknowledge(
        &mut self,
        ack: &Ack,
        mut delivered: impl FnMut(Content),
    ) -> Option<Acknowledged> {
        self.largest_acked = self.largest_acked.max(Some(ack.largest()));
        let mut result: Option<Acknowledged> = None;
        let mut at = 0;
        for index in 0..self.packets.len() {
            let number = self.base + index as u64;
            let packet = &mut self.packets[index];
            let contents = at..at + usize::from(packet.contents);
            at = contents.end;
            if packet.state == State::Acknowledged || !ack.ranges().iter().any(|r| r.contains(&number)) {
                continue;
            }
            if packet.state == State::InFlight && packet.is_eliciting {
                self.bytes_in_flight -= usize::from(packet.bytes);
            }
            packet.state = State::Acknowledged;
            self.contents.range(contents).for_each(|content| delivered(*content));
            result = Some(Acknowledged {
                sent: packet.sent,
                is_largest: number == ack.largest(),
                is_eliciting: packet.is_eliciting || result.is_some_and(|result| result.is_eliciting),
            });
        }
        self.pop_settled();
        result
    }

    /// Declares lost every packet in flight that `is_lost` says is, given its number and time, and appends
    /// what they carried to `lost`. Returns how many.
    pub(super) fn lose(
        &mut self,
        is_lost: impl Fn(u64, Instant) -> bool,
        lost: &mut VecDeque<Content>,
    ) -> u64 {
        let mut count = 0;
        let mut at = 0;
        for (index, packet) in self.packets.iter_mut().enumerate() {
            let contents = at..at + usize::from(packet.contents);
            at = contents.end;
            if packet.state != State::InFlight || !is_lost(self.base + index as u64, packet.sent) {
                continue;
            }
            packet.state = State::Lost;
            if packet.is_eliciting {
                self.bytes_in_flight -= usize::from(packet.bytes);
                count += 1;
            }
            lost.extend(self.contents.range(contents).filter(|content| is_worth_repeating(content)));
        }
        self.pop_settled();
        count
    }

    /// When the oldest packet in flight at or below `number` was sent.
    pub(super) fn oldest_in_flight(&self, number: u64) -> Option<Instant> {
        let count = usize::try_from((number + 1).saturating_sub(self.base)).unwrap_or(usize::MAX);
        let mut packets = self.packets.iter().take(count);
        packets.find(|packet| packet.state == State::InFlight).map(|packet| packet.sent)
    }

    /// Copies what the `packets` oldest packets in flight carried: they stay in flight.
    pub(super) fn oldest_contents(&self, packets: usize, out: &mut VecDeque<Content>) {
        let mut at = 0;
        let mut left = packets;
        for packet in &self.packets {
            let contents = at..at + usize::from(packet.contents);
            at = contents.end;
            if left > 0 && packet.state == State::InFlight && packet.is_eliciting {
                out.extend(self.contents.range(contents).filter(|content| is_worth_repeating(content)));
                left -= 1;
            }
        }
    }

    fn pop_settled(&mut self) {
        let settled = |packet: &SentPacket| packet.state != State::InFlight || !packet.is_eliciting;
        while self.packets.front().is_some_and(settled) {
            if let Some(packet) = self.packets.pop_front() {
                self.contents.drain(..usize::from(packet.contents));
                self.base += 1;
            }
        }
    }
}

/// An acknowledgement is made anew from what arrived; everything else is said again.
const fn is_worth_repeating(content: &Content) -> bool {
    !matches!(content, Content::Ack { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const fn stream(offset: u64) -> Content {
        Content::Stream { stream: 0, offset, len: 1 }
    }

    fn ledger(packets: u64) -> Ledger {
        let mut ledger = Ledger::default();
        for number in 0..packets {
            ledger.push(stream(number));
            ledger.enter(Instant(number), 100, 1, true);
        }
        ledger
    }

    fn acknowledge(ledger: &mut Ledger, low: u64, high: u64) -> Vec<Content> {
        let mut delivered = Vec::new();
        let ack = Ack::new(0, 0, core::iter::once((low, high))).unwrap();
        ledger.acknowledge(&ack, |content| delivered.push(content));
        delivered
    }

    #[test]
    fn content_leaves_by_ack_or_by_loss_once() {
        let mut ledger = ledger(5);
        assert_eq!(acknowledge(&mut ledger, 3, 4), [stream(3), stream(4)]);
        assert_eq!(acknowledge(&mut ledger, 3, 4), []);
        let mut lost = VecDeque::new();
        assert_eq!(ledger.lose(|number, _| number < 2, &mut lost), 2);
        assert_eq!(lost, [stream(0), stream(1)]);
        assert_eq!(ledger.bytes_in_flight(), 100);
        assert_eq!(ledger.lose(|number, _| number < 2, &mut lost), 0);
        assert_eq!(acknowledge(&mut ledger, 0, 4), [stream(2)]);
        assert_eq!((ledger.bytes_in_flight(), ledger.packets.len(), ledger.contents.len()), (0, 0, 0));
    }

    #[test]
    fn a_probe_copies_the_oldest_and_leaves_them_in_flight() {
        let mut ledger = ledger(4);
        acknowledge(&mut ledger, 1, 1);
        let mut copied = VecDeque::new();
        ledger.oldest_contents(2, &mut copied);
        assert_eq!(copied, [stream(0), stream(2)]);
        assert_eq!(ledger.bytes_in_flight(), 300);
    }
}
