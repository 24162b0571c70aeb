//! Packets in flight and what each carried. A number is used once; content leaves by ACK or by loss, once.

#[cfg(test)]
mod view;

use super::congestion::persistent::LostRun;
use crate::content::Content;
use alloc::collections::VecDeque;
use core::time::Duration;
use spec::time::Instant;
use spec::wire::ack::Ack;

/// Times a content may be repeated before anybody knows that it was lost.
const COPIES_MAX: u8 = 3;
/// How long a packet that counts as lost is remembered before the round trip is known: it may arrive after all.
const LOST_KEPT_FIRST: Duration = Duration::from_secs(1);

/// Packets beyond which none that is lost is remembered: what is on its way needs the room.
const LOST_KEPT_PACKETS: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum State {
    InFlight,
    Acknowledged,
    Lost,
    /// The number was left out.
    LeftOut,
}

/// What a packet is to loss recovery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Traits {
    /// It asks for an acknowledgement.
    pub(super) is_eliciting: bool,
    /// It left with the mark ECT(0).
    pub(super) is_marked: bool,
    /// It finds out how long a datagram may be: its loss means nothing else.
    pub(super) is_mtu_probe: bool,
}

/// One packet; its number is its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct SentPacket {
    sent: Instant,
    /// Place of its first content, counted from the first of all.
    first_content: u64,
    bytes: u16,
    contents: u16,
    traits: Traits,
    /// Whether its bytes count as in flight on the present path.
    is_counted: bool,
    state: State,
}

/// A content, and how it fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Carried {
    content: Content,
    /// How often it was repeated before it was known to be lost.
    copies: u8,
    /// It arrived in another packet.
    is_settled: bool,
}

/// A packet as its fate is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    /// Its number.
    pub(super) number: u64,
    /// When it was sent.
    pub(super) sent: Instant,
    /// Length of its datagram.
    pub(super) bytes: usize,
    /// What it was.
    pub(super) traits: Traits,
    /// Whether it was in flight on the present path.
    pub(super) is_counted: bool,
    /// Whether it had counted as lost.
    pub(super) was_lost: bool,
}

/// What an acknowledgement says of the round trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    /// When the largest packet it names was sent, when that is news.
    pub(super) sent: Option<Instant>,
    /// Whether any packet it brings news of asked for it.
    pub(super) is_eliciting: bool,
}

/// An ACK named a number that was left out: its sender did not receive what it acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Optimistic;

/// The packets from the oldest in flight on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ledger {
    /// Number of the first packet.
    base: u64,
    packets: VecDeque<SentPacket>,
    /// Place of the first content kept.
    contents_base: u64,
    /// The contents of all packets, one after the other.
    contents: VecDeque<Carried>,
    bytes_in_flight: usize,
    largest_acked: Option<u64>,
    lost_kept: Duration,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            base: 0,
            packets: VecDeque::new(),
            contents_base: 0,
            contents: VecDeque::new(),
            bytes_in_flight: 0,
            largest_acked: None,
            lost_kept: LOST_KEPT_FIRST,
        }
    }
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
        let waiting = |packet: &&SentPacket| packet.state == State::InFlight && packet.traits.is_eliciting;
        self.packets.iter().rev().find(waiting).map(|packet| packet.sent)
    }

    /// Lost packets are remembered for `time`.
    pub(super) const fn keep_lost(&mut self, time: Duration) {
        self.lost_kept = time;
    }

    // sending

    /// Enters the next packet, whose contents were already pushed with [`push`](Self::push).
    pub(super) fn enter(&mut self, sent: Instant, bytes: usize, contents: usize, traits: Traits) {
        let packet_bytes = u16::try_from(bytes).unwrap_or(u16::MAX);
        let end = self.contents_base + self.contents.len() as u64;
        self.packets.push_back(SentPacket {
            sent,
            first_content: end - contents as u64,
            bytes: packet_bytes,
            contents: u16::try_from(contents).unwrap_or(u16::MAX),
            traits,
            is_counted: traits.is_eliciting,
            state: State::InFlight,
        });
        if traits.is_eliciting {
            self.bytes_in_flight += usize::from(packet_bytes);
        }
        self.pop_settled(sent);
    }

    /// Leaves out the next number.
    pub(super) fn leave_out(&mut self, now: Instant) {
        self.packets.push_back(SentPacket {
            sent: now,
            first_content: self.contents_base + self.contents.len() as u64,
            bytes: 0,
            contents: 0,
            traits: Traits::default(),
            is_counted: false,
            state: State::LeftOut,
        });
    }

    /// Adds a content to the packet that is being filled; `copies` says how often it was repeated by now.
    pub(super) fn push(&mut self, content: Content, copies: u8) {
        self.contents.push_back(Carried { content, copies, is_settled: false });
    }

    /// From here on another path is used: what is on its way on the old one is no measure of the new.
    pub(super) fn forget_path(&mut self) {
        self.packets.iter_mut().for_each(|packet| packet.is_counted = false);
        self.bytes_in_flight = 0;
    }

    // acknowledgement

    /// What `ack` says of the round trip; changes nothing.
    pub(super) fn sample(&self, ack: &Ack) -> Sample {
        let mut is_eliciting = false;
        let mut sent = None;
        for (number, packet) in self.named(ack) {
            if matches!(packet.state, State::InFlight | State::Lost) {
                is_eliciting |= packet.traits.is_eliciting;
                sent = sent.or((number == ack.largest()).then_some(packet.sent));
            }
        }
        Sample { sent, is_eliciting }
    }

    fn named<'a>(&'a self, ack: &'a Ack) -> impl Iterator<Item = (u64, &'a SentPacket)> {
        let end = self.base + self.packets.len() as u64;
        let numbers = ack.ranges().iter().flat_map(move |range| {
            let (low, high) = ((*range.start()).max(self.base), (*range.end()).min(end.saturating_sub(1)));
            low..(high + 1).max(low)
        });
        numbers.filter_map(|number| Some((number, self.packets.get(self.place(number)?)?)))
    }

    fn place(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.base)?).ok()
    }

    /// Settles what `ack` names: `delivered` is told each content that arrived, `settled` each packet.
    ///
    /// # Errors
    /// [`Optimistic`]; nothing changed.
    pub(super) fn acknowledge(
        &mut self,
        now: Instant,
        ack: &Ack,
        mut delivered: impl FnMut(Content),
        mut settled: impl FnMut(Packet),
    ) -> Result<(), Optimistic> {
        //= spec/PROTOCOL.md#acknowledgements
        //# An endpoint MUST close the session with VIOLATION when an ACK names a number that it left out beside an
        //# ack-eliciting packet in flight.
        if self.named(ack).any(|(_, packet)| packet.state == State::LeftOut) {
            return Err(Optimistic);
        }
        self.largest_acked = self.largest_acked.max(Some(ack.largest()));
        let end = self.base + self.packets.len() as u64;
        for range in ack.ranges() {
            let high = (*range.end() + 1).min(end);
            for number in (*range.start()).max(self.base)..high {
                if let Some(packet) = self.settle(number, &mut delivered) {
                    settled(packet);
                }
            }
        }
        self.pop_settled(now);
        Ok(())
    }

    fn settle(&mut self, number: u64, delivered: &mut impl FnMut(Content)) -> Option<Packet> {
        let place = self.place(number)?;
        let packet = self.packets.get_mut(place)?;
        if packet.state == State::Acknowledged {
            return None;
        }
        let was_lost = packet.state == State::Lost;
        packet.state = State::Acknowledged;
        let told = tell(number, packet, was_lost);
        if core::mem::take(&mut packet.is_counted) {
            self.bytes_in_flight -= usize::from(packet.bytes);
        }
        let contents = contents_of(packet, self.contents_base);
        for at in contents {
            let carried = self.contents[at];
            delivered(carried.content);
            if carried.copies > 0 {
                let same = |other: &&mut Carried| other.copies > 0 && other.content == carried.content;
                self.contents.iter_mut().filter(same).for_each(|other| other.is_settled = true);
            }
        }
        Some(told)
    }

    // loss

    /// Declares lost every packet in flight that `is_lost` says is, given its number and time; what it carried
    /// is appended to `lost`, unless it arrived or is on its way in another packet. `told` hears of each packet
    /// that asks for an acknowledgement.
    pub(super) fn lose(
        &mut self,
        now: Instant,
        is_lost: impl Fn(u64, Instant) -> bool,
        lost: &mut VecDeque<Content>,
        mut told: impl FnMut(Packet),
    ) {
        for place in 0..self.packets.len() {
            let number = self.base + place as u64;
            let packet = &mut self.packets[place];
            if packet.state != State::InFlight || !is_lost(number, packet.sent) {
                continue;
            }
            packet.state = State::Lost;
            let packet = *packet;
            self.packets[place].is_counted = false;
            if packet.is_counted {
                self.bytes_in_flight -= usize::from(packet.bytes);
            }
            for at in contents_of(&packet, self.contents_base) {
                if is_worth_repeating(&self.contents[at]) && !self.is_on_its_way(&self.contents[at]) {
                    lost.push_back(self.contents[at].content);
                }
            }
            if packet.traits.is_eliciting {
                told(tell(number, &packet, false));
            }
        }
        self.pop_settled(now);
    }

    /// Whether a content that was repeated is in another packet that may still arrive.
    fn is_on_its_way(&self, carried: &Carried) -> bool {
        carried.copies > 0
            && self.packets.iter().filter(|packet| packet.state == State::InFlight).any(|packet| {
                let mut contents = self.contents.range(contents_of(packet, self.contents_base));
                contents.any(|other| other.content == carried.content)
            })
    }

    /// When the oldest packet in flight at or below `number` was sent.
    pub(super) fn oldest_in_flight(&self, number: u64) -> Option<Instant> {
        let count = usize::try_from((number + 1).saturating_sub(self.base)).unwrap_or(usize::MAX);
        let mut packets = self.packets.iter().take(count);
        packets.find(|packet| packet.state == State::InFlight).map(|packet| packet.sent)
    }

    /// Tells `run` of every packet that asks for an acknowledgement, in the order of their numbers: which is lost,
    /// and which arrived or may still.
    pub(super) fn tell_losses(&self, run: &mut LostRun) {
        let measures = |packet: &&SentPacket| packet.traits.is_eliciting && !packet.traits.is_mtu_probe;
        for packet in self.packets.iter().filter(measures) {
            match packet.state {
                State::Lost => run.lost(packet.sent),
                _ => run.arrived(),
            }
        }
    }

    // repeating

    /// Copies what the `packets` oldest packets in flight carried: they stay in flight.
    pub(super) fn oldest_contents(&mut self, packets: usize, out: &mut VecDeque<Content>) {
        let waiting = |packet: &&SentPacket| packet.state == State::InFlight && packet.traits.is_eliciting;
        for packet in self.packets.iter().filter(waiting).take(packets) {
            for at in contents_of(packet, self.contents_base) {
                let carried = &mut self.contents[at];
                if is_worth_repeating(carried) && !out.contains(&carried.content) {
                    carried.copies = carried.copies.max(1);
                    out.push_back(carried.content);
                }
            }
        }
    }

    /// The oldest content that was sent before `before` and may be repeated in passing, and how often it will
    /// have been; it counts as repeated from now on. The packet being filled has `written` contents already, and
    /// carries none twice.
    pub(super) fn next_copy(
        &mut self,
        before: Instant,
        written: usize,
        is_fit: impl Fn(&Content) -> bool,
    ) -> Option<(Content, u8)> {
        let open = self.contents.len().saturating_sub(written);
        let waiting = |packet: &&SentPacket| packet.state == State::InFlight && packet.sent <= before;
        let in_flight = self.packets.iter().take_while(|packet| packet.sent <= before).filter(waiting);
        for packet in in_flight {
            for at in contents_of(packet, self.contents_base) {
                let carried = self.contents[at];
                let is_here = self.contents.range(open..).any(|other| other.content == carried.content);
                let may_be = is_worth_repeating(&carried) && carried.copies < COPIES_MAX;
                if may_be && !is_here && is_fit(&carried.content) {
                    let (content, copies) = (carried.content, carried.copies + 1);
                    let same = |other: &&mut Carried| other.content == content;
                    self.contents.iter_mut().filter(same).for_each(|other| other.copies = copies);
                    return Some((content, copies));
                }
            }
        }
        None
    }

    fn pop_settled(&mut self, now: Instant) {
        while let Some(packet) = self.packets.front() {
            let is_over = match packet.state {
                State::InFlight => !packet.traits.is_eliciting,
                State::Acknowledged => true,
                State::Lost => packet.sent + self.lost_kept <= now || self.packets.len() > LOST_KEPT_PACKETS,
                // It stays as long as an acknowledgement could name it beside its neighbour.
                State::LeftOut => self
                    .packets
                    .get(1)
                    .is_some_and(|next| next.state != State::InFlight || !next.traits.is_eliciting),
            };
            if !is_over {
                return;
            }
            let contents = usize::from(packet.contents);
            self.contents.drain(..contents);
            self.contents_base += contents as u64;
            self.packets.pop_front();
            self.base += 1;
        }
    }
}

fn contents_of(packet: &SentPacket, base: u64) -> core::ops::Range<usize> {
    let first = usize::try_from(packet.first_content - base).unwrap_or(usize::MAX);
    first..first + usize::from(packet.contents)
}

fn tell(number: u64, packet: &SentPacket, was_lost: bool) -> Packet {
    Packet {
        number,
        sent: packet.sent,
        bytes: usize::from(packet.bytes),
        traits: packet.traits,
        is_counted: packet.is_counted,
        was_lost,
    }
}

/// An acknowledgement is made anew from what arrived; what arrived elsewhere is done with; the rest is said
/// again.
const fn is_worth_repeating(carried: &Carried) -> bool {
    !carried.is_settled && !matches!(carried.content, Content::Ack { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const ELICITING: Traits = Traits { is_eliciting: true, is_marked: false, is_mtu_probe: false };

    const fn stream(offset: u64) -> Content {
        Content::Stream { stream: 0, offset, len: 1 }
    }

    fn ledger(packets: u64) -> Ledger {
        let mut ledger = Ledger::default();
        for number in 0..packets {
            ledger.push(stream(number), 0);
            ledger.enter(Instant(number), 100, 1, ELICITING);
        }
        ledger
    }

    fn acknowledge(ledger: &mut Ledger, low: u64, high: u64) -> Vec<Content> {
        let mut delivered = Vec::new();
        let ack = Ack::new(0, 0, core::iter::once((low, high))).unwrap();
        ledger.acknowledge(Instant(9), &ack, |content| delivered.push(content), |_| {}).unwrap();
        delivered
    }

    fn lose_below(ledger: &mut Ledger, number: u64) -> (u64, VecDeque<Content>) {
        let (mut count, mut lost) = (0, VecDeque::new());
        ledger.lose(Instant(9), |at, _| at < number, &mut lost, |_| count += 1);
        (count, lost)
    }

    #[test]
    fn content_leaves_by_ack_or_by_loss_once() {
        let mut ledger = ledger(5);
        assert_eq!(acknowledge(&mut ledger, 3, 4), [stream(3), stream(4)]);
        assert_eq!(acknowledge(&mut ledger, 3, 4), []);
        assert_eq!(lose_below(&mut ledger, 2), (2, [stream(0), stream(1)].into()));
        assert_eq!(ledger.bytes_in_flight(), 100);
        assert_eq!(lose_below(&mut ledger, 2), (0, VecDeque::new()));
        assert_eq!(acknowledge(&mut ledger, 2, 4), [stream(2)]);
        assert_eq!(ledger.bytes_in_flight(), 0);
    }

    #[test]
    fn a_lost_packet_that_arrives_is_told_and_forgotten_in_time() {
        let mut ledger = ledger(2);
        lose_below(&mut ledger, 1);
        let ack = Ack::new(0, 0, core::iter::once((0, 1))).unwrap();
        let mut settled = Vec::new();
        ledger.acknowledge(Instant(9), &ack, |_| {}, |packet| settled.push(packet.was_lost)).unwrap();
        assert_eq!(settled, [true, false]);
        assert_eq!((ledger.len(), ledger.contents.len()), (0, 0));
        let mut ledger = Ledger::default();
        ledger.enter(Instant(0), 100, 0, ELICITING);
        lose_below(&mut ledger, 1);
        assert_eq!(ledger.len(), 1);
        ledger.enter(Instant(2_000_000), 100, 0, ELICITING);
        assert_eq!(ledger.len(), 1);
    }

    #[test]
    fn a_burst_of_losses_does_not_fill_it() {
        let mut ledger = ledger(1500);
        lose_below(&mut ledger, 1490);
        assert_eq!(ledger.len(), LOST_KEPT_PACKETS);
    }

    #[test]
    fn who_acknowledges_a_number_left_out_is_found_out() {
        let mut ledger = ledger(2);
        ledger.leave_out(Instant(2));
        ledger.enter(Instant(3), 100, 0, ELICITING);
        let ack = |low, high| Ack::new(0, 0, core::iter::once((low, high))).unwrap();
        assert_eq!(ledger.acknowledge(Instant(9), &ack(0, 3), |_| {}, |_| {}), Err(Optimistic));
        assert_eq!(ledger.acknowledge(Instant(9), &ack(0, 1), |_| {}, |_| {}), Ok(()));
        assert_eq!(ledger.acknowledge(Instant(9), &ack(2, 3), |_| {}, |_| {}), Err(Optimistic));
        assert_eq!(ledger.acknowledge(Instant(9), &ack(3, 3), |_| {}, |_| {}), Ok(()));
        assert_eq!(ledger.len(), 0);
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

    #[test]
    fn what_is_on_its_way_twice_is_lost_when_both_are() {
        let mut ledger = ledger(2);
        let (content, copies) = ledger.next_copy(Instant(0), 0, |_| true).unwrap();
        assert_eq!((content, copies), (stream(0), 1));
        ledger.push(content, copies);
        ledger.enter(Instant(2), 100, 1, ELICITING);
        assert_eq!(lose_below(&mut ledger, 2), (2, [stream(1)].into()));
        assert_eq!(lose_below(&mut ledger, 3), (1, [stream(0)].into()));
    }

    #[test]
    fn what_arrived_in_a_copy_is_not_said_again() {
        let mut ledger = ledger(2);
        let (content, copies) = ledger.next_copy(Instant(0), 0, |_| true).unwrap();
        ledger.push(content, copies);
        ledger.enter(Instant(2), 100, 1, ELICITING);
        assert_eq!(acknowledge(&mut ledger, 2, 2), [stream(0)]);
        assert_eq!(lose_below(&mut ledger, 2), (2, [stream(1)].into()));
    }

    #[test]
    fn a_content_is_repeated_three_times_at_most() {
        let mut ledger = ledger(1);
        for copies in 1..=3 {
            assert_eq!(ledger.next_copy(Instant(9), 0, |_| true), Some((stream(0), copies)));
        }
        assert_eq!(ledger.next_copy(Instant(9), 0, |_| true), None);
        let mut ledger = self::ledger(1);
        ledger.push(stream(0), 1);
        assert_eq!(ledger.next_copy(Instant(9), 1, |_| true), None, "and once in a packet");
    }
}
