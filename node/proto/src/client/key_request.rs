//! Asking an open hub for its key. What it answers proves nothing: a person compares the fingerprint.

use crate::random::Random;
use alloc::vec::Vec;
use core::time::Duration;
use spec::VERSION;
use spec::discard::Discard;
use spec::gate::Gate;
use spec::limits::{FLIGHT_REPEAT, KEY_BYTES, LONG_BODY_BYTES};
use spec::time::Instant;
use spec::wire::long::{AttemptId, Long, LongKind};

/// Requests whose answers are still taken.
const RECENT: usize = 16;

/// A question for a hub's key, repeated until it is answered.
#[derive(Debug)]
pub struct KeyRequest {
    gate: Gate,
    random: Random,
    recent: Vec<AttemptId>,
    next: Instant,
    pause: Duration,
}

impl KeyRequest {
    /// A question first asked at `now`; `seed` is 32 random bytes.
    #[must_use]
    pub fn new(now: Instant, seed: [u8; 32]) -> Self {
        let (gate, random) = (Gate::for_strangers(), Random::new(seed));
        Self { gate, random, recent: Vec::new(), next: now, pause: FLIGHT_REPEAT }
    }

    /// When to ask again.
    #[must_use]
    pub const fn poll_timeout(&self) -> Instant {
        self.next
    }

    /// The next KEYREQ, when it is time for one. A hub answers each only once, so none is sent twice.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        if now < self.next {
            return None;
        }
        self.next = now + self.pause;
        self.pause = (self.pause * 2).min(Duration::from_secs(1));
        let attempt = AttemptId(self.random.array());
        if self.recent.len() == RECENT {
            self.recent.remove(0);
        }
        self.recent.push(attempt);
        let body = self.random.array::<LONG_BODY_BYTES>();
        let reserved = self.random.reserved();
        Some(self.gate.build(LongKind::KeyReq, 0, reserved, VERSION, attempt, &body))
    }

    /// The key in an answer to one of our questions.
    ///
    /// # Errors
    /// [`Discard`] for anything else.
    pub fn handle_datagram(&self, datagram: &[u8]) -> Result<[u8; KEY_BYTES], Discard> {
        let long = Long::parse(datagram)?;
        if long.kind != LongKind::Key || !self.recent.contains(&long.attempt) {
            return Err(Discard::UnknownConnection);
        }
        self.gate.check_mac1(&long)?;
        long.body.first_chunk().copied().ok_or(Discard::Length)
    }
}
