//! Goes through a capture packet by packet and keeps what the next packet needs of those before it.

use super::conversation::Conversations;
use super::seen::{Context, Seen};
use super::stream::{STREAMS_MAX, Streams};
use super::time::Clock;
use crate::packet::Packet;

/// What is remembered between packets; bounded, whatever the capture.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    clock: Clock,
    streams: Streams,
    conversations: Conversations,
}

impl Walk {
    /// The next packet.
    pub(crate) fn see<'a>(&mut self, packet: &'a Packet, data: &'a [u8], context: Context<'a>) -> Seen<'a> {
        let mut seen = Seen::new(packet, data, context);
        self.clock.now_ns = packet.time_ns;
        self.clock.first_ns = self.clock.first_ns.or(packet.time_ns);
        seen.clock = self.clock;
        self.clock.previous_ns = packet.time_ns.or(self.clock.previous_ns);
        seen.stream = self.streams.place(&seen);
        seen.said = context.opened.map(|opened| self.conversations.take(opened)).unwrap_or_default();
        seen
    }

    /// The packet passed the filter.
    pub(crate) fn shown(&mut self, seen: &Seen<'_>) {
        self.clock.displayed_ns = seen.clock.now_ns.or(self.clock.displayed_ns);
    }

    /// What was left out because it was too much, in sentences.
    pub(crate) fn limits(&self) -> Vec<String> {
        let mut limits = Vec::new();
        if self.streams.is_full {
            limits.push(format!(
                "more than {STREAMS_MAX} streams: packets of later ones have no stream number"
            ));
        }
        if self.conversations.is_full {
            limits.push("too many sessions at a time: what some of them say was not put together".to_owned());
        }
        limits
    }
}
