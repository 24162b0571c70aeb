//! Two endpoints and everything that may happen to what they send.

use super::end::{Breach, End, Fault, Filling};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use stateright::{Model, Property};

/// How often each misfortune may happen in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Misfortunes {
    /// A packet is lost.
    pub(super) losses: u8,
    /// A packet arrives twice.
    pub(super) duplicates: u8,
    /// A time-out passes although something is still on its way.
    pub(super) early_timeouts: u8,
    /// A number is left out.
    pub(super) left_out: u8,
}

/// What is modelled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scenario {
    /// What each end says.
    pub(super) lines: [&'static [u8]; 2],
    /// Stream bytes a packet may have room for.
    pub(super) rooms_bytes: &'static [usize],
    /// Whether packets may repeat in passing what is unacknowledged.
    pub(super) has_copies: bool,
    pub(super) misfortunes: Misfortunes,
    pub(super) fault: Fault,
}

/// One state of the model.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    ends: [End; 2],
    /// What is on its way to each end: number to payload.
    ways: [BTreeMap<u64, Vec<u8>>; 2],
    left: Misfortunes,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// An end sends its next packet, and it `arrives` or is lost: when it is lost, nobody can tell.
    Send { from: usize, how: Filling, arrives: bool },
    /// A packet arrives; it may do so again when it `stays`.
    Deliver { to: usize, number: u64, stays: bool },
    /// Something sent earlier than something acknowledged has waited long enough.
    LossTimeout { at: usize },
    /// Nothing was heard for long.
    ProbeTimeout { at: usize },
    /// The oldest packet that counts as lost is forgotten.
    Forget { at: usize },
}

impl World {
    /// Whether nothing is on its way and nobody has anything to send: only time can pass.
    fn is_still(&self) -> bool {
        self.ways.iter().all(BTreeMap::is_empty)
            && self.ends.iter().all(|end| !end.owes_ack() && !end.has_to_say())
    }

    fn may_time_out(&self) -> bool {
        self.left.early_timeouts > 0 || self.is_still()
    }

    fn is_done(&self, scenario: &Scenario) -> bool {
        let [first, second] = &self.ends;
        let heard = first.read == scenario.lines[1] && second.read == scenario.lines[0];
        heard && first.is_settled() && second.is_settled()
    }

    fn sends(&self, scenario: &Scenario, from: usize, actions: &mut Vec<Action>) {
        let mut send = |how| {
            actions.push(Action::Send { from, how, arrives: true });
            if self.left.losses > 0 {
                actions.push(Action::Send { from, how, arrives: false });
            }
        };
        let plain = Filling { room_bytes: 0, has_copies: false, leaves_out: false };
        if self.ends[from].owes_ack() {
            send(plain);
        }
        if !self.ends[from].has_to_say() {
            return;
        }
        for room_bytes in scenario.rooms_bytes.iter().copied() {
            let how = Filling { room_bytes, ..plain };
            send(how);
            if scenario.has_copies {
                send(Filling { has_copies: true, ..how });
            }
            if self.left.left_out > 0 {
                send(Filling { leaves_out: true, ..how });
            }
        }
    }

    fn ways(&self, to: usize, actions: &mut Vec<Action>) {
        for number in self.ways[to].keys().copied() {
            actions.push(Action::Deliver { to, number, stays: false });
            if self.left.duplicates > 0 {
                actions.push(Action::Deliver { to, number, stays: true });
            }
        }
    }

    fn timeouts(&self, at: usize, actions: &mut Vec<Action>) {
        if !self.may_time_out() {
            return;
        }
        let end = &self.ends[at];
        if end.loss_may_time_out() {
            actions.push(Action::LossTimeout { at });
        }
        if end.may_probe() {
            actions.push(Action::ProbeTimeout { at });
        }
        if end.ledger.forgets_at().is_some() {
            actions.push(Action::Forget { at });
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Send { from, how, arrives } => {
                self.left.left_out -= u8::from(how.leaves_out);
                self.left.losses -= u8::from(!arrives);
                let packet = self.ends[from].fill(how);
                self.ways[1 - from].extend(packet.filter(|_| arrives));
            }
            Action::Deliver { to, number, stays: true } => {
                self.left.duplicates -= 1;
                let payload = self.ways[to][&number].clone();
                self.ends[to].receive(number, &payload);
            }
            Action::Deliver { to, number, stays: false } => {
                let payload = self.ways[to].remove(&number).unwrap();
                self.ends[to].receive(number, &payload);
            }
            Action::LossTimeout { at } => self.pass_time(at, End::time_out_loss),
            Action::ProbeTimeout { at } => self.pass_time(at, End::probe),
            Action::Forget { at } => self.pass_time(at, End::forget_lost),
        }
    }

    fn pass_time(&mut self, at: usize, timeout: impl FnOnce(&mut End)) {
        if !self.is_still() {
            self.left.early_timeouts -= 1;
        }
        timeout(&mut self.ends[at]);
    }

    fn is_free_of(&self, breach: Breach) -> bool {
        self.ends.iter().all(|end| end.breach != Some(breach))
    }

    fn some_packet_is_lost_but_on_its_way(&self) -> bool {
        let late = |to: usize| self.ways[to].keys().any(|number| self.ends[1 - to].ledger.is_lost(*number));
        late(0) || late(1)
    }
}

impl Model for Scenario {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let ends = self.lines.map(|line| End::new(line, self.fault));
        alloc::vec![World { ends, ways: Default::default(), left: self.misfortunes }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for side in [0, 1] {
            world.sends(self, side, actions);
            world.ways(side, actions);
            world.timeouts(side, actions);
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        next.act(action);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        alloc::vec![
            Property::always("a packet is accepted once", |_, world: &World| {
                world.is_free_of(Breach::AcceptedTwice)
            }),
            Property::always("an ACK names what arrived", |_, world: &World| {
                world.is_free_of(Breach::AcknowledgedNothing)
            }),
            Property::always("an honest peer is not refused", |_, world: &World| {
                world.is_free_of(Breach::RefusedPeer)
            }),
            Property::always("bytes arrive once, in order, as they were sent", |scenario, world: &World| {
                (0..2).all(|side| scenario.lines[1 - side].starts_with(&world.ends[side].read))
            }),
            Property::always("no byte is forgotten", |scenario: &Self, world: &World| {
                (0..2).all(|side| !world.ends[side].has_forgotten(scenario.lines[side]))
            }),
            Property::always("bytes in flight are those of the packets in flight", |_, world: &World| {
                world.ends.iter().all(|end| end.ledger.bytes_in_flight() == end.ledger.counted_bytes())
            }),
            Property::always("a number is used once", |_, world: &World| {
                world.ends.iter().all(End::numbers_agree)
            }),
            Property::always(
                "a run ends when everything arrived and is settled",
                |scenario, world: &World| {
                    let mut actions = Vec::new();
                    scenario.actions(world, &mut actions);
                    !actions.is_empty() || world.is_done(scenario)
                }
            ),
            Property::sometimes(
                "everything arrives in spite of every misfortune",
                |scenario, world: &World| { world.left == Misfortunes::default() && world.is_done(scenario) }
            ),
            Property::sometimes("a packet that counts as lost is on its way", |_, world: &World| {
                world.some_packet_is_lost_but_on_its_way()
            }),
            Property::sometimes("a content is on its way twice", |_, world: &World| {
                world.ends.iter().any(End::has_copies_in_flight)
            }),
        ]
    }
}
