//! What a connection did, for those who want to watch it: a qlog, a test.

use crate::transmit::Path;
use alloc::collections::VecDeque;
use core::time::Duration;
use spec::close::CloseReason;
use spec::time::Instant;

/// Steps kept until somebody asks; the oldest go first.
const STEPS_MAX: usize = 4096;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The handshake is done.
    Started {
        /// The way to the peer.
        path: Path,
    },
    /// A packet was sealed.
    Sent {
        /// Its number.
        number: u64,
        /// Length of its datagram.
        bytes: usize,
        /// Whether it asks for an acknowledgement.
        is_eliciting: bool,
    },
    /// A packet was opened and accepted.
    Received {
        /// Its number.
        number: u64,
        /// Length of its datagram.
        bytes: usize,
    },
    /// A datagram was dropped.
    Dropped {
        /// Its length.
        bytes: usize,
    },
    /// A packet of ours counts as lost.
    Lost {
        /// Its number.
        number: u64,
    },
    /// What loss recovery and congestion control know changed.
    Metrics(Metrics),
    /// Longer or shorter datagrams than before are used.
    Mtu {
        /// Bytes of the longest.
        bytes: usize,
    },
    /// The peer is at another address.
    Moved {
        /// The way to it.
        path: Path,
    },
    /// The address the peer is at was shown to be its own.
    Validated {
        /// The way to it.
        path: Path,
    },
    /// We seal with other keys.
    Keys {
        /// Their generation.
        generation: u64,
        /// Their epoch.
        epoch: u64,
    },
    /// CLOSE was said or heard.
    Closed {
        /// Why.
        reason: CloseReason,
        /// Whether the peer said it.
        by_peer: bool,
    },
    /// The session is no more; this is its last step.
    Ended,
}

/// What loss recovery and congestion control know of a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// The latest round-trip time.
    pub latest_rtt: Duration,
    /// The smoothed round-trip time.
    pub smoothed_rtt: Duration,
    /// Its mean deviation.
    pub rtt_variation: Duration,
    /// The least round-trip time, before the first sample zero.
    pub least_rtt: Duration,
    /// The congestion window.
    pub window_bytes: usize,
    /// The slow-start threshold; `None` while there is none.
    pub threshold_bytes: Option<usize>,
    /// Bytes that are neither acknowledged nor lost.
    pub bytes_in_flight: usize,
    /// Probe time-outs since the last acknowledgement.
    pub probes: u32,
}

/// The steps nobody has asked for yet, when anybody wants them.
#[derive(Debug, Default)]
pub(super) struct Trace {
    steps: Option<VecDeque<(Instant, Step)>>,
    /// Generation and epoch of the last packet that was sealed.
    keys: (u64, u64),
}

impl Trace {
    pub(super) fn enable(&mut self) {
        self.steps.get_or_insert_default();
    }

    /// Notes a step, which is worked out only when somebody watches.
    pub(super) fn note(&mut self, now: Instant, step: impl FnOnce() -> Step) {
        let Some(steps) = &mut self.steps else { return };
        if steps.len() >= STEPS_MAX {
            steps.pop_front();
        }
        steps.push_back((now, step()));
    }

    pub(super) fn poll(&mut self) -> Option<(Instant, Step)> {
        self.steps.as_mut()?.pop_front()
    }

    /// A packet was sealed with the keys of `generation` and `epoch`, which is news when the last was not.
    pub(super) fn sealed(&mut self, now: Instant, generation: u64, epoch: u64) {
        if core::mem::replace(&mut self.keys, (generation, epoch)) != (generation, epoch) {
            self.note(now, || Step::Keys { generation, epoch });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_keys_are_told_once() {
        let mut trace = Trace::default();
        trace.enable();
        for (generation, epoch) in [(0, 0), (0, 1), (0, 1), (1, 0), (1, 0)] {
            trace.sealed(Instant(7), generation, epoch);
        }
        assert_eq!(trace.poll(), Some((Instant(7), Step::Keys { generation: 0, epoch: 1 })));
        assert_eq!(trace.poll(), Some((Instant(7), Step::Keys { generation: 1, epoch: 0 })));
        assert_eq!(trace.poll(), None);
    }
}
