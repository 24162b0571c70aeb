//! Time goes by.

use super::agenda::Event;
use super::{World, hub_address};
use crate::ClientId;
use crate::acts::Act;
use core::time::Duration;
use node_proto::transmit::{Arrival, Path};
use spec::time::Instant;

/// Things that may happen in one moment: an endpoint that always wants something more hangs.
const STEPS_AT_ONCE_MAX: u32 = 20_000;
/// Things that may happen in a world at all.
const STEPS_MAX: u64 = 50_000_000;

/// Fails instead of hanging.
#[derive(Debug, Default)]
pub(super) struct Guard {
    moment: Instant,
    at_once: u32,
    steps: u64,
}

impl Guard {
    /// Counts a step; `false` when there were too many.
    fn count(&mut self, now: Instant) -> bool {
        if now > self.moment {
            (self.moment, self.at_once) = (now, 0);
        }
        self.at_once += 1;
        self.steps += 1;
        self.at_once <= STEPS_AT_ONCE_MAX && self.steps <= STEPS_MAX
    }
}

impl World {
    /// Runs for `time`.
    pub fn run(&mut self, time: Duration) {
        let until = self.now + time;
        self.touch_all();
        while self.step(until) {}
        self.now = until;
    }

    /// Runs until `is_done`, for at most `most`; whether it became so.
    pub fn run_until(&mut self, most: Duration, is_done: impl Fn(&Self) -> bool) -> bool {
        let until = self.now + most;
        self.touch_all();
        while !is_done(self) {
            if !self.step(until) {
                self.now = until;
                return is_done(self);
            }
        }
        true
    }

    /// Has `act` happen in `after`.
    pub fn plan(&mut self, after: Duration, act: Act) {
        self.agenda.put(self.now + after, Event::Act(act));
    }

    /// Things that happened so far.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.guard.steps
    }

    /// The test may have done anything with anybody.
    pub(super) fn touch_all(&mut self) {
        self.hub_machine.is_touched = true;
        self.nodes.iter_mut().for_each(|node| node.machine.is_touched = true);
    }

    /// Lets the next thing happen, unless it lies beyond `until`.
    fn step(&mut self, until: Instant) -> bool {
        self.drain();
        let Some(at) = self.agenda.next_at().into_iter().chain(self.next_alarm()).min() else { return false };
        if at > until {
            return false;
        }
        self.now = self.now.max(at);
        assert!(self.guard.count(self.now), "{}: too much happens: {}", self.place(), self.alarms());
        match self.agenda.take(self.now) {
            Some(event) => self.happen(event),
            None => self.ring(),
        }
        true
    }

    /// Prints what happens, if anybody wants to know.
    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        if self.tells {
            println!("{:>12.3?}  {}", self.now.since(Instant(0)), what());
        }
    }

    /// Which world and when, for whoever has to find it again.
    pub(super) fn place(&self) -> String {
        format!("seed {} after {:?}", self.seed, self.now.since(Instant(0)))
    }

    /// Who wants to be woken, and why.
    fn alarms(&self) -> String {
        let hub = self.hub.as_ref().and_then(node_proto::Hub::poll_timeout);
        let clients: Vec<_> = self
            .nodes
            .iter()
            .map(|node| node.client.as_ref().and_then(node_proto::Client::poll_timeout))
            .collect();
        format!("hub {hub:?}, clients {clients:?}")
    }

    fn next_alarm(&self) -> Option<Instant> {
        let machines = self.nodes.iter().map(|node| &node.machine).chain([&self.hub_machine]);
        machines.filter_map(|machine| machine.rings_at()).min()
    }

    /// Every alarm that is due goes off.
    fn ring(&mut self) {
        let is_due = |alarm: Option<Instant>| alarm.is_some_and(|at| at <= self.now);
        if let Some(hub) = self.hub.as_mut().filter(|_| is_due(self.hub_machine.rings_at())) {
            self.hub_machine.is_touched = true;
            hub.handle_timeout(self.hub_machine.clock(self.now));
        }
        for node in self.nodes.iter_mut().filter(|node| is_due(node.machine.rings_at())) {
            node.machine.is_touched = true;
            if let Some(client) = &mut node.client {
                client.handle_timeout(node.machine.clock(self.now));
            }
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::ToHub { .. } | Event::Replies { .. } if self.hub_machine.is_asleep(self.now) => {
                self.agenda.put(self.hub_machine.wakes, event);
            }
            Event::ToHub { from, mut datagram, ecn } => {
                self.hub_machine.is_touched = true;
                if let Some(hub) = &mut self.hub {
                    let arrival = Arrival { path: Path::new(from, 0), ecn };
                    let now = self.hub_machine.clock(self.now);
                    // What the hub drops it drops without a word.
                    let _: Result<(), _> = hub.handle_datagram(now, arrival, &mut datagram);
                }
            }
            Event::ToClient { to, .. } => {
                if let Some(index) = self.nodes.iter().position(|node| node.address == to) {
                    self.reach_client(ClientId(index), event);
                }
            }
            Event::Log { incarnation } if incarnation == self.incarnation => self.log_works(),
            Event::Replies { incarnation, replies } if incarnation == self.incarnation => {
                self.hub_machine.is_touched = true;
                let now = self.hub_machine.clock(self.now);
                if let Some(hub) = &mut self.hub {
                    replies.into_iter().for_each(|reply| hub.handle_reply(now, reply));
                }
            }
            Event::Log { .. } | Event::Replies { .. } => {}
            Event::Wake => self.touch_all(),
            Event::Act(act) => self.perform(act),
        }
    }

    fn reach_client(&mut self, id: ClientId, event: Event) {
        let node = &mut self.nodes[id.0];
        if node.machine.is_asleep(self.now) {
            return self.agenda.put(node.machine.wakes, event);
        }
        let (Event::ToClient { mut datagram, ecn, .. }, Some(client)) = (event, &mut node.client) else {
            return;
        };
        node.machine.is_touched = true;
        let arrival = Arrival { path: Path::new(hub_address(), 0), ecn };
        let _: Result<(), _> = client.handle_datagram(node.machine.clock(self.now), arrival, &mut datagram);
    }

    /// The log commits what gathered since it last did. What it answers reaches the hub a moment later: a hub that
    /// is killed in between has committed what it never hears of.
    fn log_works(&mut self) {
        let heads: Vec<_> = self.store.rooms().map(|room| (room, self.store.head(room))).collect();
        let replies = self.store.work(self.now);
        self.look_at_log(&heads);
        let incarnation = self.incarnation;
        self.agenda.put(self.now + ANSWER_TIME, Event::Replies { incarnation, replies });
    }
}

/// Time from a commit to the moment the hub hears of it.
const ANSWER_TIME: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_that_stands_still_is_noticed() {
        let mut guard = Guard::default();
        assert!((0..STEPS_AT_ONCE_MAX).all(|_| guard.count(Instant(1))));
        assert!(!guard.count(Instant(1)));
        assert!(guard.count(Instant(2)));
    }
}
