//! The path MTU on a link that loses packets, and on one that swallows the long ones.

use super::*;
use crate::random::Random;
use alloc::collections::VecDeque;

const ROUND_TRIP: Duration = Duration::from_millis(60);
const PROBE_TIMEOUT: Duration = Duration::from_millis(150);
const TICK: Duration = Duration::from_millis(5);
const WINDOW_PACKETS: usize = 20;

/// What a sender has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Traffic {
    /// Full datagrams.
    Bulk,
    /// Half of them full, half of them short.
    Mixed,
}

#[derive(Clone, Copy, Debug)]
struct Packet {
    number: u64,
    bytes: usize,
    sent: Instant,
    arrives: bool,
    is_settled: bool,
}

/// A sender with the packet threshold and probe time-outs, and a link.
struct World {
    mtu: Mtu,
    now: Instant,
    traffic: Traffic,
    link_bytes: usize,
    loss_percent: u64,
    random: Random,
    packets: VecDeque<Packet>,
    next_number: u64,
    largest_acked: Option<u64>,
    longest_acked: usize,
    heard: Instant,
    suspicions: u64,
}

impl World {
    fn new(seed: u8, traffic: Traffic, link_bytes: usize, loss_percent: u64) -> Self {
        let now = Instant(0);
        Self {
            mtu: Mtu::new(now),
            now,
            traffic,
            link_bytes,
            loss_percent,
            random: Random::new([seed; 32]),
            packets: VecDeque::new(),
            next_number: 0,
            largest_acked: None,
            longest_acked: 0,
            heard: now,
            suspicions: 0,
        }
    }

    fn tick(&mut self) {
        let was_suspected = self.mtu.is_suspected();
        self.now = self.now + TICK;
        self.hear();
        self.lose();
        while self.packets.front().is_some_and(|packet| packet.is_settled) {
            self.packets.pop_front();
        }
        self.speak();
        self.suspicions += u64::from(!was_suspected && self.mtu.is_suspected());
    }

    fn hear(&mut self) {
        for packet in &mut self.packets {
            if packet.arrives && !packet.is_settled && self.now >= packet.sent + ROUND_TRIP {
                packet.is_settled = true;
                self.mtu.on_acknowledged(self.now, packet.number, packet.bytes);
                self.largest_acked = self.largest_acked.max(Some(packet.number));
                self.longest_acked = self.longest_acked.max(packet.bytes);
                self.heard = self.now;
            }
        }
    }

    fn lose(&mut self) {
        let largest = self.largest_acked.unwrap_or(0);
        for packet in &mut self.packets {
            if !packet.is_settled && packet.number + 3 <= largest {
                packet.is_settled = true;
                self.mtu.on_lost(self.now, packet.number, packet.bytes);
            }
        }
    }

    fn speak(&mut self) {
        if let Some(bytes) = self.mtu.probe_size(self.now) {
            self.mtu.probe_sent(self.now, self.next_number, PROBE_TIMEOUT);
            return self.send(bytes);
        }
        let in_flight = self.packets.iter().filter(|packet| !packet.is_settled).count();
        if in_flight < WINDOW_PACKETS {
            let is_short = self.traffic == Traffic::Mixed && self.random.number().is_multiple_of(2);
            let bytes = if is_short { 132 } else { self.mtu.size() };
            //= spec/PROTOCOL.md#path-mtu
            //= type=test
            //# A sender MUST NOT send a datagram of more than 1200 bytes, except to find out whether it arrives,
            //# before one of that length or more was acknowledged on the path.
            assert!(bytes <= self.longest_acked.max(1200), "{bytes} bytes, and nobody knows that they pass");
            self.send(bytes);
        } else if self.now.since(self.heard) >= PROBE_TIMEOUT {
            // More than one, as a lone one would leave its predecessors within the packet threshold.
            (0..4).for_each(|_| self.send(FLOOR_BYTES));
            self.heard = self.now;
        }
    }

    fn send(&mut self, bytes: usize) {
        let is_lost = self.random.number() % 100 < self.loss_percent;
        let arrives = bytes <= self.link_bytes && !is_lost;
        let (number, sent) = (self.next_number, self.now);
        self.packets.push_back(Packet { number, bytes, sent, arrives, is_settled: false });
        self.next_number += 1;
    }

    /// Ticks until `is_done`; how long that took.
    fn until(&mut self, most: Duration, is_done: impl Fn(&Mtu) -> bool) -> Duration {
        let began = self.now;
        while !is_done(&self.mtu) {
            assert!(self.now.since(began) < most, "not within {most:?}: {:?}", self.mtu);
            self.tick();
        }
        self.now.since(began)
    }
}

#[test]
fn one_probe_finds_the_longest() {
    let mut world = World::new(1, Traffic::Mixed, 1452, 0);
    assert_eq!(world.mtu.size(), 1200);
    let took = world.until(Duration::from_secs(1), |mtu| mtu.size() == 1452);
    assert!(took <= ROUND_TRIP + TICK * 2, "{took:?}");
    assert_eq!(world.mtu.deadline(), None);
}

#[test]
fn the_search_ends_at_what_the_link_carries() {
    for (link, size) in [(1200, 1200), (1231, 1200), (1232, 1232), (1300, 1232), (1431, 1372), (1432, 1432)] {
        let mut world = World::new(2, Traffic::Mixed, link, 0);
        // At most four lengths, three probes each, and none sooner than a probe time-out after the last.
        world.until(PROBE_TIMEOUT * 14, |mtu| !mtu.is_searching());
        assert_eq!(world.mtu.size(), size, "{link}");
        let again = world.mtu.deadline().unwrap();
        assert!((599..=600).contains(&again.since(world.now).as_secs()));
        world.link_bytes = 1500;
        world.until(Duration::from_secs(602), |mtu| mtu.size() == 1452);
    }
}

/// A million packets each time: thousands of suspicions, soon lifted, and no black hole.
#[test]
fn loss_alone_is_never_a_black_hole() {
    for loss_percent in [30, 50] {
        let mut world = World::new(3, Traffic::Mixed, 1452, loss_percent);
        let (mut ticks, mut shortened) = (0u32, 0u32);
        while world.next_number < 1_000_000 {
            world.tick();
            ticks += 1;
            shortened += u32::from(world.mtu.is_suspected());
        }
        assert_eq!(world.mtu.black_holes(), 0);
        // The test would prove nothing if runs of losses did not happen.
        assert!(world.suspicions > 1000, "{}", world.suspicions);
        assert!(shortened * 10 < ticks, "{shortened} of {ticks}");
        world.until(Duration::from_secs(10), |mtu| mtu.size() == 1452);
    }
}

#[test]
fn a_burst_of_any_length_is_a_suspicion_at_most() {
    let mut mtu = Mtu::new(Instant(0));
    mtu.probe_sent(Instant(0), 0, PROBE_TIMEOUT);
    mtu.on_acknowledged(Instant(1), 0, 1452);
    mtu.on_acknowledged(Instant(2), 1001, 132);
    for number in 1..=1000 {
        assert!(!mtu.on_lost(Instant(2), number, 1452));
    }
    assert_eq!((mtu.size(), mtu.black_holes()), (1200, 0));
    assert_eq!(mtu.probe_size(Instant(0) + PROBE_TIMEOUT), Some(1452));
    // A single delivery outweighs all of them, and the length is back.
    mtu.on_acknowledged(Instant(3), 1002, 1452);
    assert_eq!(mtu.size(), 1452);
}

#[test]
fn losses_before_a_delivery_of_that_length_do_not_count() {
    let mut mtu = Mtu::new(Instant(0));
    mtu.on_acknowledged(Instant(1), 50, 1452);
    mtu.on_acknowledged(Instant(1), 51, 132);
    (1..50).for_each(|number| assert!(!mtu.on_lost(Instant(2), number, 1452)));
    assert_eq!(mtu.size(), 1452);
    // Nor do those after which nothing short arrived: the path may be dead, not narrow.
    (52..99).for_each(|number| assert!(!mtu.on_lost(Instant(2), number, 1452)));
    assert_eq!(mtu.size(), 1452);
    // What is shorter than the lost ones does not speak for them.
    mtu.on_acknowledged(Instant(3), 200, 132);
    mtu.on_acknowledged(Instant(3), 201, 1232);
    (100..103).for_each(|number| assert!(!mtu.on_lost(Instant(3), number, 1372)));
    assert_eq!(mtu.size(), 1200);
}

#[test]
fn a_path_that_narrows_is_followed_within_a_few_round_trips() {
    for traffic in [Traffic::Mixed, Traffic::Bulk] {
        for loss_percent in [0, 10] {
            let mut world = World::new(4, traffic, 1500, loss_percent);
            world.until(Duration::from_secs(5), |mtu| mtu.size() == 1452);
            (0..200).for_each(|_| world.tick());
            world.link_bytes = 1300;
            let took = world.until(Duration::from_secs(5), |mtu| mtu.size() < 1300);
            assert!(took <= ROUND_TRIP * 8, "{took:?}");
            world.until(Duration::from_secs(10), |mtu| mtu.black_holes() == 1);
            assert_eq!(world.mtu.size(), 1200);
            // After a minute it finds what the link carries, and when that is mended, the rest.
            let took = world.until(Duration::from_secs(65), |mtu| mtu.size() == 1232);
            assert!(took >= Duration::from_secs(60));
            world.link_bytes = 1500;
            world.until(Duration::from_secs(605), |mtu| mtu.size() == 1452);
            assert_eq!(world.mtu.black_holes(), 1);
        }
    }
}

#[test]
fn a_path_mended_under_suspicion_is_used_at_once() {
    let mut world = World::new(5, Traffic::Bulk, 1500, 0);
    world.until(Duration::from_secs(5), |mtu| mtu.size() == 1452);
    world.link_bytes = 1300;
    world.until(Duration::from_secs(5), |mtu| mtu.size() == 1200);
    world.link_bytes = 1500;
    let took = world.until(Duration::from_secs(5), |mtu| mtu.size() == 1452);
    assert!(took <= PROBE_TIMEOUT * 2 + ROUND_TRIP, "{took:?}");
    assert_eq!(world.mtu.black_holes(), 0);
}

#[test]
fn another_path_is_searched_anew_and_old_packets_say_nothing_of_it() {
    let mut mtu = Mtu::new(Instant(0));
    mtu.probe_sent(Instant(0), 7, PROBE_TIMEOUT);
    mtu.reset(Instant(1), 8);
    mtu.on_acknowledged(Instant(2), 7, 1452);
    assert_eq!(mtu.size(), 1200);
    assert_eq!(mtu.probe_size(Instant(2)), Some(1452));
    mtu.probe_sent(Instant(2), 8, PROBE_TIMEOUT);
    assert_eq!(mtu.probe_size(Instant(9_000_000)), None, "one at a time");
    assert!(mtu.on_lost(Instant(9_000_000), 8, 1452));
    assert_eq!(mtu.probe_size(Instant(9_000_000)), Some(1452));
    // Late, but it arrived.
    mtu.on_acknowledged(Instant(9_000_001), 8, 1452);
    assert_eq!(mtu.size(), 1452);
}
