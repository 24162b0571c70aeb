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
pub(super) struct Trace(Option<VecDeque<(Instant, Step)>>);

impl Trace {
    pub(super) fn enable(&mut self) {
        self.0.get_or_insert_default();
    }

    /// Notes a step, which is worked out only when somebody watches.
    pub(super) fn note(&mut self, now: Instant, step: impl FnOnce() -> Step) {
        let Some(steps) = &mut self.0 else { return };
        if steps.len() >= STEPS_MAX {
            steps.pop_front();
        }
        steps.push_back((now, step()));
    }

    pub(super) fn poll(&mut self) -> Option<(Instant, Step)> {
        self.0.as_mut()?.pop_front()
    }
}
