//! The keys and ids of a connection, in motion: epochs, and generations that a ratchet makes.
//!
//! ```text
//! generation g     sending ── mark, seal ──▶            open ──▶ receiving g
//!                     ▲                                  ▲
//!                     │ the peer's first packet of g + 1 │ id
//! generation g + 1 offered (the client only pings)       └─────▶ receiving g + 1
//! ```
//!
//! What an epoch or a generation leaves behind opens packets for three probe time-outs more, and is wiped.

mod identity;
mod policy;
mod receiving;
mod sending;

pub use policy::KeyPolicy;
pub(super) use receiving::Unsealed;

use alloc::vec::Vec;
use core::time::Duration;
use receiving::Receiving;
use sending::Sending;
use spec::discard::Discard;
use spec::key_schedule::Root;
use spec::limits::{FLIGHT_REPEAT, GENERATION_KEPT, KEPT_PROBE_TIMEOUTS};
use spec::seal::SealError;
use spec::time::Instant;
use spec::wire::frame::Side;
use spec::wire::short::{self, ConnectionId, ShortHeader};

/// The next generation, until a packet of the peer was opened under it.
#[derive(Debug)]
struct Offered {
    sending: Sending,
    /// Whether the client's PING is to leave now.
    is_due: bool,
    /// When it leaves again.
    ping_at: Option<Instant>,
    pause: Duration,
}

/// All keys and ids of one end of a session.
#[derive(Debug)]
pub(super) struct Keys {
    side: Side,
    policy: KeyPolicy,
    sending: Sending,
    offered: Option<Offered>,
    /// Oldest first: the generation we send under, the one before for a while, or the one offered.
    receiving: Vec<Receiving>,
}

impl Keys {
    pub(super) fn new(side: Side, root: Root, policy: KeyPolicy) -> Self {
        let receiving = Vec::from([Receiving::new(peer_of(side), &root, &policy)]);
        Self { side, policy, sending: Sending::new(side, root, &policy), offered: None, receiving }
    }

    // getters

    /// The root of the generation we send under.
    pub(super) const fn root(&self) -> &Root {
        &self.sending.root
    }

    pub(super) const fn generation(&self) -> u64 {
        self.sending.generation()
    }

    /// The epoch we send under.
    pub(super) const fn epoch(&self) -> u64 {
        self.sending.epoch()
    }

    /// The epoch the peer sends under, in its latest generation.
    pub(super) fn peer_epoch(&self) -> u64 {
        self.receiving.last().map_or(0, Receiving::epoch)
    }

    /// The id we send under.
    pub(super) const fn id(&self) -> ConnectionId {
        self.sending.ids.id()
    }

    pub(super) fn accepted_ids(&self) -> impl Iterator<Item = ConnectionId> + '_ {
        self.receiving.iter().flat_map(|generation| generation.ids.accepted())
    }

    /// Whether the next generation is made and not yet in use.
    pub(super) const fn is_ratcheting(&self) -> bool {
        self.offered.is_some()
    }

    /// Whether so many packets failed to open that the generation should end.
    pub(super) fn is_under_attack(&self) -> bool {
        //= spec/PROTOCOL.md#key-updates
        //# When 2^35 packets failed to open in a generation, the client begins a ratchet as soon as it may.
        self.receiving.last().is_none_or(|generation| generation.failed() >= self.policy.failed_ratchet)
    }

    // sending

    /// Epoch bits and connection id for packet `number`; `is_confirming` when it is to be the client's PING.
    pub(super) fn mark(
        &mut self,
        now: Instant,
        last_seen: Instant,
        number: u64,
        is_confirming: bool,
    ) -> (u8, ConnectionId) {
        match &mut self.offered {
            Some(offered) if is_confirming => return offered.sending.mark(now, last_seen, number),
            // What is acknowledged meanwhile may be a PING, which says nothing of the present key.
            Some(_) if self.side == Side::Client => {}
            _ => self.sending.update_if_due(now, &self.policy),
        }
        self.sending.mark(now, last_seen, number)
    }

    /// Seals what [`mark`](Self::mark) was asked for.
    pub(super) fn seal(
        &mut self,
        (now, pto): (Instant, Duration),
        is_confirming: bool,
        header: &ShortHeader,
        out: &mut Vec<u8>,
        start: usize,
    ) -> Result<(), SealError> {
        match &mut self.offered {
            Some(offered) if is_confirming => {
                offered.sending.seal(now, header, out, start)?;
                offered.pinged(now, pto);
                Ok(())
            }
            _ => self.sending.seal(now, header, out, start),
        }
    }

    /// Packet `largest` was acknowledged.
    pub(super) fn acknowledged(&mut self, largest: u64) {
        let may_be_ping = self.side == Side::Client && self.offered.is_some();
        if !may_be_ping {
            self.sending.acknowledged(largest);
        }
    }

    /// Takes the next id of ours from packet `number` on, as far as the peer is sure to accept it.
    pub(super) fn move_id(&mut self, number: u64) {
        self.sending.ids.move_on(number);
        if let Some(offered) = &mut self.offered {
            offered.sending.ids.move_on(number);
        }
    }

    /// Whether the client's PING under the next generation is to leave now.
    pub(super) fn is_confirm_due(&self) -> bool {
        self.offered.as_ref().is_some_and(|offered| offered.is_due)
    }

    // receiving

    /// Opens `datagram` in place; `largest` is the highest number opened so far.
    ///
    /// # Errors
    /// As [`spec::seal::Opener::open`], and [`Discard::UnknownConnection`].
    pub(super) fn open(
        &mut self,
        (now, pto): (Instant, Duration),
        datagram: &mut [u8],
        largest: Option<u64>,
    ) -> Result<Unsealed, Discard> {
        let id = short::connection_id(datagram).ok_or(Discard::Length)?;
        let kept = now + pto * KEPT_PROBE_TIMEOUTS;
        let found = self.receiving.iter_mut().rev().find_map(|generation| {
            let index = generation.ids.index(id)?;
            Some((index, generation))
        });
        let (index, generation) = found.ok_or(Discard::UnknownConnection)?;
        let result = generation.open(kept, index, datagram, largest);
        let opened = result.is_ok().then_some(generation.generation);
        match opened {
            Some(generation) => self.switch_to(generation, kept),
            None => self.receiving.retain(|generation| generation.failed() < self.policy.failed_max),
        }
        result
    }

    // the ratchet

    /// The root after the present one is made: its packets are opened from now on.
    pub(super) fn offer(&mut self, now: Instant, root: Root) {
        self.receiving.retain(|generation| generation.generation >= self.sending.generation());
        for generation in &mut self.receiving {
            generation.end_at(now + GENERATION_KEPT);
        }
        self.receiving.push(Receiving::new(peer_of(self.side), &root, &self.policy));
        self.offered = Some(Offered {
            sending: Sending::new(self.side, root, &self.policy),
            is_due: self.side == Side::Client,
            ping_at: None,
            pause: Duration::ZERO,
        });
    }

    /// The peer has sent under `generation`: if it is the one offered, everything is sent under it now.
    fn switch_to(&mut self, generation: u64, kept: Instant) {
        //= spec/PROTOCOL.md#ratchet
        //# An endpoint MUST send every packet under the next generation once it has opened one under it; with
        //# that its ratchet has ended.
        let Some(Offered { mut sending, .. }) =
            self.offered.take_if(|offered| offered.sending.generation() == generation)
        else {
            return;
        };
        if self.side == Side::Client {
            sending.heard();
        }
        //= spec/PROTOCOL.md#ratchet
        //# An endpoint MUST erase root and sending keys of a generation when it sends under the next.
        self.sending = sending;
        for earlier in self.receiving.iter_mut().filter(|earlier| earlier.generation < generation) {
            earlier.end_at(kept);
        }
    }

    // time

    pub(super) fn deadline(&self) -> Option<Instant> {
        let receiving = self.receiving.iter().filter_map(Receiving::deadline);
        receiving.chain(self.offered.as_ref().and_then(|offered| offered.ping_at)).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        //= spec/PROTOCOL.md#ratchet
        //# An endpoint MUST erase the receiving keys of a generation three probe time-outs after it sends under
        //# the next, and at the latest 60 seconds after it made the next root.
        self.receiving.retain(|generation| !generation.is_over(now));
        self.receiving.iter_mut().for_each(|generation| generation.handle_timeout(now));
        if let Some(offered) = &mut self.offered {
            offered.handle_timeout(now);
        }
    }
}

impl Offered {
    /// The PING has left: if nothing comes of it, it leaves again.
    fn pinged(&mut self, now: Instant, pto: Duration) {
        self.is_due = false;
        // The hub may have switched and let our present keys go: until it is heard, this is all that reaches it.
        self.pause = (self.pause * 2).min(FLIGHT_REPEAT).max(pto);
        self.ping_at = Some(now + self.pause);
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.ping_at.is_some_and(|at| at <= now) {
            self.ping_at = None;
            self.is_due = true;
        }
    }
}

const fn peer_of(side: Side) -> Side {
    match side {
        Side::Client => Side::Hub,
        Side::Hub => Side::Client,
    }
}
