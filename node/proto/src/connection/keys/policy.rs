//! How long keys are used.

use core::time::Duration;
use spec::limits::{
    FAILED_OPENS_MAX, FAILED_OPENS_RATCHET, KEM_RATCHET_TIME, RATCHET_ANSWER_TIME, RATCHET_TIME,
    SEALED_PER_KEY_MAX, UPDATE_BYTES, UPDATE_PACKETS, UPDATE_TIME,
};

/// When keys are changed, and when they end: the numbers of PROTOCOL.md, or smaller ones that a test reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    /// Packets under one key after which a sender moves to the next epoch.
    pub update_packets: u64,
    /// Bytes under one key after which a sender moves to the next epoch.
    pub update_bytes: u64,
    /// Time under one key after which a sender moves to the next epoch.
    pub update_after: Duration,
    /// Time after which the client begins a ratchet.
    pub ratchet_every: Duration,
    /// Time after which a ratchet has an ML-KEM secret in it.
    pub kem_every: Duration,
    /// Time in which the hub answers one ratchet; the client waits twice as long.
    pub ratchet_answer: Duration,
    /// Packets that may be sealed under one key.
    pub sealed_max: u64,
    /// Packets that fail to open in a generation before the client begins a ratchet.
    pub failed_ratchet: u64,
    /// Packets that may fail to open in a generation.
    pub failed_max: u64,
}

impl Default for KeyPolicy {
    fn default() -> Self {
        Self {
            update_packets: UPDATE_PACKETS,
            update_bytes: UPDATE_BYTES,
            update_after: UPDATE_TIME,
            ratchet_every: RATCHET_TIME,
            kem_every: KEM_RATCHET_TIME,
            ratchet_answer: RATCHET_ANSWER_TIME,
            sealed_max: SEALED_PER_KEY_MAX,
            failed_ratchet: FAILED_OPENS_RATCHET,
            failed_max: FAILED_OPENS_MAX,
        }
    }
}
