//! The ways to the peer: the one in use, and the one before it until the new one has proved itself.

use super::rtt::Rtt;
use crate::random::Random;
use crate::transmit::Path;
use core::time::Duration;
use spec::limits::{CHALLENGES_MAX, UNPROVEN_FACTOR};
use spec::time::Instant;
use spec::wire::short::ConnectionId;

/// Bytes of a SHORT datagram with a question or an answer about a path.
pub(super) const CHALLENGE_DATAGRAM_BYTES: usize = 93;

/// A question whether the client is at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    data: [u8; 8],
    asked: u32,
    next_at: Instant,
}

impl Challenge {
    fn new(now: Instant, random: &mut Random) -> Self {
        Self { data: random.array(), asked: 0, next_at: now }
    }

    /// When the question is to be put again; `None` once it was put often enough.
    fn due_at(&self) -> Option<Instant> {
        (self.asked < CHALLENGES_MAX).then_some(self.next_at)
    }

    /// Whether it was put often enough, and not answered.
    fn is_over(&self, now: Instant) -> bool {
        self.due_at().is_none() && self.next_at <= now
    }

    /// The question, when it is due at `now`; it is repeated after `pto`.
    fn take(&mut self, now: Instant, pto: Duration) -> Option<[u8; 8]> {
        if self.due_at()? > now {
            return None;
        }
        self.asked += 1;
        self.next_at = now + pto;
        Some(self.data)
    }
}

/// A way that was shown to lead to the peer, or is yet to be.
#[derive(Clone, Copy, Debug)]
struct Way {
    path: Path,
    is_valid: bool,
    received_bytes: u64,
    sent_bytes: u64,
    challenge: Option<Challenge>,
    /// The generation and the id that was last sent under there.
    id: Option<PathId>,
}

/// A connection id of ours and the generation it belongs to.
pub(super) type PathId = (u64, ConnectionId);

impl Way {
    const fn new(path: Path, is_valid: bool) -> Self {
        Self { path, is_valid, received_bytes: 0, sent_bytes: 0, challenge: None, id: None }
    }

    /// Bytes that may be sent there.
    fn budget_bytes(&self) -> usize {
        //= spec/PROTOCOL.md#paths
        //# To an address that is not valid a hub MUST NOT send more than three times the bytes that came from it
        //# in packets that opened.
        if self.is_valid {
            return usize::MAX;
        }
        let allowed = self.received_bytes.saturating_mul(UNPROVEN_FACTOR).saturating_sub(self.sent_bytes);
        usize::try_from(allowed).unwrap_or(usize::MAX)
    }

    fn answer(&mut self, data: [u8; 8]) -> bool {
        let is_right = self.challenge.is_some_and(|challenge| challenge.asked > 0 && challenge.data == data);
        if is_right {
            self.challenge = None;
        }
        is_right
    }
}

/// How far apart two paths are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Another port: most likely the same link behind the same NAT.
    Port,
    /// Another address.
    Address,
}

/// The path in use and the one before.
#[derive(Debug)]
pub(super) struct Paths {
    active: Way,
    before: Option<Way>,
}

impl Paths {
    /// The path that completed the handshake, and so is the peer's.
    pub(super) const fn new(path: Path) -> Self {
        Self { active: Way::new(path, true), before: None }
    }

    pub(super) const fn active(&self) -> Path {
        self.active.path
    }

    pub(super) const fn is_valid(&self) -> bool {
        self.active.is_valid
    }

    /// Bytes that may be sent on the path in use.
    pub(super) fn budget_bytes(&self) -> usize {
        self.active.budget_bytes()
    }

    /// A packet opened that came on `path`. Whoever is heard from there and has not answered is asked again: the
    /// questions may be lost, and without an answer the path stays narrow.
    pub(super) fn received(&mut self, now: Instant, path: Path, bytes: usize, random: &mut Random) {
        if let Some(way) = self.way_mut(path) {
            way.received_bytes += bytes as u64;
        }
        let is_unanswered = self.active.challenge.is_some_and(|challenge| challenge.is_over(now));
        if self.active.path == path && !self.active.is_valid && is_unanswered {
            self.active.challenge = Some(Challenge::new(now, random));
        }
    }

    /// A datagram was sent on `path`.
    pub(super) fn sent(&mut self, path: Path, bytes: usize) {
        if let Some(way) = self.way_mut(path) {
            way.sent_bytes += bytes as u64;
        }
    }

    fn way_mut(&mut self, path: Path) -> Option<&mut Way> {
        if self.active.path == path {
            return Some(&mut self.active);
        }
        self.before.as_mut().filter(|way| way.path == path)
    }

    /// The peer is at `path` now: both ways are asked whether it is there. On the one before, `id` was in use.
    pub(super) fn move_to(&mut self, now: Instant, path: Path, id: PathId, random: &mut Random) -> Move {
        let known = self.before.take().filter(|before| before.path == path);
        let new = known.unwrap_or(Way::new(path, false));
        let old = core::mem::replace(&mut self.active, new);
        if !self.active.is_valid {
            self.active.challenge = Some(Challenge::new(now, random));
        }
        self.before = Some(Way { challenge: Some(Challenge::new(now, random)), id: Some(id), ..old });
        if old.path.remote.ip() == path.remote.ip() { Move::Port } else { Move::Address }
    }

    /// The peer is not heard on the path in use: it may be where it was before.
    pub(super) fn ask_before(&mut self, now: Instant, random: &mut Random) {
        if let Some(before) = &mut self.before
            && before.challenge.is_none_or(|challenge| challenge.due_at().is_none())
        {
            before.challenge = Some(Challenge::new(now, random));
        }
    }

    /// An answer came; whether it shows that the path in use is the peer's.
    pub(super) fn answered(&mut self, data: [u8; 8]) -> bool {
        if self.active.answer(data) {
            self.active.is_valid = true;
            return true;
        }
        if let Some(before) = &mut self.before {
            before.is_valid |= before.answer(data);
        }
        false
    }

    /// The question for the path in use, when it is due.
    pub(super) fn take_challenge(&mut self, now: Instant, pto: Duration) -> Option<[u8; 8]> {
        self.active.challenge.as_mut()?.take(now, pto)
    }

    /// The question for the path before, when it is due and may be sent there, and the id to send it under.
    pub(super) fn take_challenge_before(
        &mut self,
        now: Instant,
        pto: Duration,
    ) -> Option<(Path, PathId, [u8; 8])> {
        let before =
            self.before.as_mut().filter(|before| before.budget_bytes() >= CHALLENGE_DATAGRAM_BYTES)?;
        let data = before.challenge.as_mut()?.take(now, pto)?;
        Some((before.path, before.id?, data))
    }

    /// Whether a question is due.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.deadline().is_some_and(|at| at <= now)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        // An address is asked only within what came from it.
        let ways = [Some(&self.active), self.before.as_ref()].into_iter().flatten();
        let ways = ways.filter(|way| way.budget_bytes() >= CHALLENGE_DATAGRAM_BYTES);
        let challenges = ways.filter_map(|way| way.challenge.as_ref());
        challenges.filter_map(Challenge::due_at).min()
    }
}

/// The time within which an answer is expected, on a path whose round trip is not known yet.
pub(super) fn challenge_timeout(rtt: &Rtt) -> Duration {
    rtt.probe_timeout().min(Rtt::default().probe_timeout())
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::SocketAddr;

    const PTO: Duration = Duration::from_millis(100);
    const ID: PathId = (0, ConnectionId([7; 8]));

    fn path(port: u16) -> Path {
        Path::new(SocketAddr::from(([192, 0, 2, 1], port)), 0)
    }

    fn moved() -> (Paths, Random) {
        let (mut paths, mut random) = (Paths::new(path(1)), Random::new([1; 32]));
        assert_eq!(paths.move_to(Instant(0), path(2), ID, &mut random), Move::Port);
        (paths, random)
    }

    #[test]
    fn a_new_address_gets_three_times_what_came_from_it() {
        //= spec/PROTOCOL.md#paths
        //= type=test
        //# To an address that is not valid a hub MUST NOT send more than three times the bytes that came from it
        //# in packets that opened.
        let (mut paths, mut random) = moved();
        assert_eq!(paths.budget_bytes(), 0);
        paths.received(Instant(0), path(2), 100, &mut random);
        paths.sent(path(2), 120);
        assert_eq!(paths.budget_bytes(), 180);
        let data = paths.take_challenge(Instant(0), PTO).unwrap();
        assert!(!paths.answered([0; 8]) && paths.answered(data));
        assert!(paths.is_valid() && paths.budget_bytes() == usize::MAX);
        assert!(!paths.answered(data), "an answer counts once");
    }

    #[test]
    fn both_addresses_are_asked_three_times() {
        let (mut paths, mut random) = moved();
        paths.received(Instant(0), path(2), 1000, &mut random);
        for round in 0..3 {
            let now = Instant(100_000 * round);
            assert!(paths.is_due(now));
            assert!(paths.take_challenge(now, PTO).is_some());
            assert_eq!(paths.take_challenge_before(now, PTO).unwrap().0, path(1));
            assert!(paths.take_challenge(now, PTO).is_none());
        }
        assert_eq!(paths.deadline(), None);
        // Nobody answered, and somebody is there.
        paths.received(Instant(250_000), path(2), 100, &mut random);
        assert_eq!(paths.deadline(), None, "the last question may still be answered");
        paths.received(Instant(300_000), path(2), 100, &mut random);
        assert!(paths.take_challenge(Instant(300_000), PTO).is_some());
    }

    #[test]
    fn who_comes_back_is_known() {
        let (mut paths, mut random) = moved();
        assert!(!paths.is_valid());
        let elsewhere = Path::new("198.51.100.1:1".parse().unwrap(), 0);
        assert_eq!(paths.move_to(Instant(1), path(1), ID, &mut random), Move::Port);
        assert!(paths.is_valid());
        assert_eq!(paths.move_to(Instant(2), elsewhere, ID, &mut random), Move::Address);
    }
}
