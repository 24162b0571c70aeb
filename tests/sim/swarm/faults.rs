//! Which kinds of faults a world has, and how bad and when they are.

use super::draw::Draw;
use crate::ClientId;
use crate::acts::{Act, Direction, Whose};
use crate::network::{Bottleneck, Burst, Link};
use core::time::Duration;

/// The kinds of faults that are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Faults {
    loss: bool,
    bursts: bool,
    duplicates: bool,
    reordering: bool,
    damage: bool,
    jitter: bool,
    queues: bool,
    short_mtu: bool,
    hub_crashes: bool,
    client_crashes: bool,
    /// The NAT forgets: clients are not told.
    remaps: bool,
    /// Clients change their address, and know.
    rebinds: bool,
    cuts: bool,
    sleeps: bool,
    leaps: bool,
    log_refuses: bool,
    log_is_slow: bool,
}

/// A time and what happens then.
type Planned = (Duration, Act);

impl Faults {
    /// Each kind is on in one world of three; in one of sixteen, none is.
    pub(super) fn draw(draw: &mut Draw) -> Self {
        if draw.one_in(16) {
            return Self::default();
        }
        let mut on = || draw.one_in(3);
        Self {
            loss: on(),
            bursts: on(),
            duplicates: on(),
            reordering: on(),
            damage: on(),
            jitter: on(),
            queues: on(),
            short_mtu: on(),
            hub_crashes: on(),
            client_crashes: on(),
            remaps: on(),
            rebinds: on(),
            cuts: on(),
            sleeps: on(),
            leaps: on(),
            log_refuses: on(),
            log_is_slow: on(),
        }
    }

    /// All that moves, and losses and damage in half of the worlds.
    pub(super) fn motion(draw: &mut Draw) -> Self {
        let moves = Self { short_mtu: true, hub_crashes: true, remaps: true, leaps: true, ..Self::default() };
        Self { loss: draw.one_in(2), damage: draw.one_in(2), reordering: draw.one_in(2), ..moves }
    }

    /// The links of a client, up and down.
    pub(super) fn links(&self, draw: &mut Draw) -> (Link, Link) {
        let delay = draw.time(1, 100);
        (self.link(draw, delay), self.link(draw, delay))
    }

    fn link(&self, draw: &mut Draw, delay: Duration) -> Link {
        let mut up_to = |is_on: bool, most: u64| if is_on { 1 + draw.below(most) } else { 0 };
        let loss_per_mille = up_to(self.loss, 300);
        let duplicate_per_mille = up_to(self.duplicates, 200);
        let reorder_per_mille = up_to(self.reordering, 300);
        let flip_per_mille = up_to(self.damage, 50);
        let burst = Burst {
            begins_per_mille: up_to(self.bursts, 50),
            ends_per_mille: 50 + draw.below(300),
            loss_per_mille: 500 + draw.below(501),
        };
        let bottleneck = Bottleneck {
            bytes_per_s: 40_000 << draw.below(6),
            queue_bytes: 5000 + draw.below(60_000),
            mark_above_bytes: draw.one_in(2).then(|| draw.below(20_000)),
        };
        let mtus = [1200, 1280, 1400, 1452, 1472];
        Link {
            delay,
            jitter: if self.jitter { draw.time(0, 60) } else { Duration::ZERO },
            loss_per_mille,
            burst: self.bursts.then_some(burst),
            duplicate_per_mille,
            reorder_per_mille,
            reorder_by: draw.time(1, 200),
            flip_per_mille,
            mtu_bytes: if self.short_mtu { draw.of(&mtus) } else { usize::MAX },
            bottleneck: self.queues.then_some(bottleneck),
        }
    }

    /// What happens to `clients` clients and their hub in `time`.
    pub(super) fn acts(&self, draw: &mut Draw, clients: usize, time: Duration) -> Vec<Planned> {
        let mut acts = Vec::new();
        if self.hub_crashes {
            acts.extend(crashes(draw, time, Act::KillHub, Act::StartHub));
        }
        for id in (0..clients).map(ClientId) {
            if self.client_crashes && draw.one_in(2) {
                acts.extend(crashes(draw, time, Act::KillClient(id), Act::StartClient(id)));
            }
            if self.remaps && draw.one_in(2) {
                acts.extend(remaps(draw, id, time));
            }
            acts.extend(self.of_client(draw, id, time));
        }
        acts.extend(self.of_machines(draw, clients, time));
        acts
    }

    fn of_client(&self, draw: &mut Draw, id: ClientId, time: Duration) -> Vec<Planned> {
        let mut acts = Vec::new();
        if self.rebinds {
            some(draw, time, &mut acts, |_| Act::Rebind(id));
        }
        if self.cuts {
            some(draw, time, &mut acts, |draw| {
                Act::Cut(id, draw.of(&[Direction::Up, Direction::Down]), draw.time(50, 4000))
            });
        }
        // A way that changes: another length, other losses, another MTU.
        if self.short_mtu {
            some(draw, time, &mut acts, |draw| {
                let (up, down) = self.links(draw);
                Act::Relink(id, up, down)
            });
        }
        acts
    }

    fn of_machines(&self, draw: &mut Draw, clients: usize, time: Duration) -> Vec<Planned> {
        let mut acts = Vec::new();
        let whose = |draw: &mut Draw| match draw.index(clients + 1) {
            0 => Whose::Hub,
            client => Whose::Client(ClientId(client - 1)),
        };
        if self.sleeps {
            some(draw, time, &mut acts, |draw| Act::Sleep(whose(draw), draw.time(10, 5000)));
        }
        if self.leaps {
            some(draw, time, &mut acts, |draw| {
                let most_ms = draw.of(&[100, 3000, 60_000, 3_600_000]);
                Act::Leap(whose(draw), draw.time(1, most_ms))
            });
        }
        if self.log_refuses {
            some(draw, time, &mut acts, |draw| Act::Refuse(draw.time(1, 1500)));
        }
        if self.log_is_slow {
            some(draw, time, &mut acts, |draw| Act::Slow(draw.time(1, 800)));
        }
        acts
    }
}

/// One to four acts of a kind.
fn some(draw: &mut Draw, time: Duration, acts: &mut Vec<Planned>, act: impl Fn(&mut Draw) -> Act) {
    for _ in 0..=draw.index(4) {
        let at = draw.within(time);
        acts.push((at, act(draw)));
    }
}

fn crashes(draw: &mut Draw, time: Duration, kill: Act, start: Act) -> Vec<Planned> {
    let mut acts = Vec::new();
    for _ in 0..=draw.index(3) {
        let at = draw.within(time);
        let back = at + draw.time(1, 2500);
        acts.extend([(at, kill), (back.min(time), start)]);
    }
    acts
}

/// A NAT that forgets every 50 to 1000 milliseconds for a part of the time.
fn remaps(draw: &mut Draw, id: ClientId, time: Duration) -> Vec<Planned> {
    let every = draw.time(50, 1000);
    let (mut at, until) = (draw.within(time), draw.within(time));
    let mut acts = Vec::new();
    while at < until {
        acts.push((at, Act::Remap(id)));
        at += every;
    }
    acts
}
