//! What befalls machines, links and the log.

use super::World;
use super::agenda::Event;
use crate::ClientId;
use crate::acts::{Direction, Whose};
use core::time::Duration;
use node_proto::log::{RoomId, Seq};

impl World {
    /// The NAT in front of a client gives it another address, and nobody is told.
    pub fn remap(&mut self, id: ClientId) {
        self.nodes[id.0].remap();
    }

    /// Nothing happens on a machine for `time`.
    pub fn sleep(&mut self, whose: Whose, time: Duration) {
        self.drain();
        let wakes = self.now + time;
        let machine = self.machine(whose);
        machine.wakes = machine.wakes.max(wakes);
        self.agenda.put(wakes, Event::Wake);
    }

    /// The clock of a machine leaps ahead.
    pub fn leap(&mut self, whose: Whose, time: Duration) {
        self.drain();
        let now = self.now;
        let machine = self.machine(whose);
        machine.ahead += time;
        machine.alarm = machine.alarm.map(|at| (at - time).max(now));
    }

    fn machine(&mut self, whose: Whose) -> &mut super::Machine {
        match whose {
            Whose::Hub => &mut self.hub_machine,
            Whose::Client(id) => &mut self.nodes[id.0].machine,
        }
    }

    /// Nothing passes in one direction of a client's link for `time`.
    pub fn cut(&mut self, id: ClientId, direction: Direction, time: Duration) {
        let (now, node) = (self.now, &mut self.nodes[id.0]);
        let pipe = if direction == Direction::Up { &mut node.up } else { &mut node.down };
        pipe.cut(now..now + time);
    }

    /// The log refuses everything for `time`.
    pub fn refuse(&mut self, time: Duration) {
        self.store.refuses_until = self.now + time;
    }

    /// Each commit takes `time` from now on.
    pub const fn slow(&mut self, time: Duration) {
        self.store.commit_time = time;
    }

    /// The first entry that was committed and is gone.
    pub(crate) fn first_lost(&mut self) -> Option<(RoomId, Seq)> {
        self.store.first_lost()
    }

    /// Nobody sleeps, nothing is cut, and every link has lost its faults.
    pub(crate) fn mend(&mut self) {
        self.hub_machine.wakes = self.now;
        for node in &mut self.nodes {
            node.machine.wakes = self.now;
            node.links = node.links.map(|(up, down)| (up.healed(), down.healed()));
            node.up.mend();
            node.down.mend();
        }
        self.touch_all();
    }
}
