//! The client's side of ratchets: when one begins, and what becomes of the hub's half.

use crate::connection::{Connection, KeyPolicy};
use crate::random::Random;
use alloc::vec::Vec;
use spec::discard::Discard;
use spec::handshake::KeyPair;
use spec::handshake::kem::KemCiphertext;
use spec::key_schedule::Root;
use spec::limits::KEY_BYTES;
use spec::ratchet::Request;
use spec::time::Instant;

/// The ratchets of one session: one at a time.
#[derive(Debug)]
pub(super) struct Ratchet {
    policy: KeyPolicy,
    asked: Option<Request>,
    /// When the next begins.
    next: Instant,
    /// The earliest it may begin, whatever the need.
    not_before: Instant,
    /// When one has ML-KEM in it again.
    next_kem: Instant,
}

impl Ratchet {
    pub(super) fn new(now: Instant, policy: KeyPolicy) -> Self {
        let (next, next_kem) = (now + policy.ratchet_every, now + policy.kem_every);
        Self { policy, asked: None, next, not_before: now, next_kem }
    }

    /// When the next ratchet begins; `None` while one is under way or nothing more is said.
    pub(super) fn deadline(&self, connection: &Connection) -> Option<Instant> {
        //= spec/PROTOCOL.md#ratchet
        //# The client MUST NOT send RATCHET_REQ before it has read WELCOME, before the last ratchet has ended, or
        //# less than 120 seconds after the last RATCHET_RSP.
        if self.asked.is_some() || connection.is_ratcheting() || connection.is_closing() {
            return None;
        }
        let wanted = if connection.is_under_attack() { self.not_before } else { self.next };
        Some(wanted.max(self.not_before))
    }

    /// Begins a ratchet: RATCHET_REQ for the hub.
    pub(super) fn begin(&mut self, now: Instant, random: &mut Random) -> Vec<u8> {
        let with_kem = self.next_kem <= now;
        if with_kem {
            self.next_kem = now + self.policy.kem_every;
        }
        let seed = with_kem.then(|| random.secret());
        let request = Request::new(random.secret(), seed.as_ref());
        let mut bytes = Vec::new();
        request.message().encode(&mut bytes);
        self.asked = Some(request);
        bytes
    }

    /// Takes RATCHET_RSP: the root after `root`.
    ///
    /// # Errors
    /// [`Discard`] when it is not the answer to a request, or not a right one: the session is to be closed.
    pub(super) fn finish(
        &mut self,
        now: Instant,
        root: &Root,
        own: &KeyPair,
        hub_key: &[u8; KEY_BYTES],
        (ephemeral, ciphertext): (&[u8; KEY_BYTES], Option<&KemCiphertext>),
    ) -> Result<Root, Discard> {
        let request = self.asked.take().ok_or(Discard::WrongState)?;
        self.not_before = now + self.policy.ratchet_answer * 2;
        self.next = now + self.policy.ratchet_every;
        request.finish(root, own, hub_key, (ephemeral, ciphertext))
    }
}
