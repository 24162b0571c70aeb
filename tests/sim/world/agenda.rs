//! What is going to happen: events by time, and by the order they were put in.

use crate::acts::Act;
use core::cmp::{Ordering, Reverse};
use core::net::SocketAddr;
use node_proto::log::Reply;
use node_proto::transmit::Ecn;
use spec::time::Instant;
use std::collections::BinaryHeap;

/// Something that happens to the world.
#[expect(clippy::large_enum_variant, reason = "an event is moved twice: onto the agenda and off it")]
#[derive(Debug)]
pub(super) enum Event {
    /// A datagram reaches the hub.
    ToHub { from: SocketAddr, datagram: Vec<u8>, ecn: Ecn },
    /// A datagram reaches whoever has the address by then.
    ToClient { to: SocketAddr, datagram: Vec<u8>, ecn: Ecn },
    /// The log gets to work on what the hub of this incarnation asked.
    Log { incarnation: u64 },
    /// What the log answered reaches the hub of this incarnation.
    Replies { incarnation: u64, replies: Vec<Reply> },
    /// A sleeping machine wakes.
    Wake,
    /// What the test has planned.
    Act(Act),
}

#[derive(Debug)]
struct Entry {
    at: Instant,
    number: u64,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// All events to come.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    events: BinaryHeap<Reverse<Entry>>,
    next: u64,
}

impl Agenda {
    pub(super) fn put(&mut self, at: Instant, event: Event) {
        self.next += 1;
        self.events.push(Reverse(Entry { at, number: self.next, event }));
    }

    /// When the next event happens.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.events.peek().map(|Reverse(entry)| entry.at)
    }

    /// The next event, if it happens at or before `now`.
    pub(super) fn take(&mut self, now: Instant) -> Option<Event> {
        self.next_at().filter(|at| *at <= now)?;
        self.events.pop().map(|Reverse(entry)| entry.event)
    }
}
