//! What people and fate do to a world.

use crate::world::World;
use crate::{ClientId, Link};
use core::time::Duration;
use node_proto::client::{Client, Target};
use node_proto::log::LOBBY;

/// Someone's machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The hub's.
    Hub,
    /// A client's.
    Client(ClientId),
}

/// One direction of a client's link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the hub.
    Up,
    /// To the client.
    Down,
}

/// One thing done to a world. What makes no sense at the moment, such as to kill the dead, is not done.
#[expect(clippy::large_enum_variant, reason = "few acts are planned at a time, and each is a plain value")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// A person says a line of so many bytes, in the lobby or to one other.
    Say {
        /// Who.
        from: ClientId,
        /// To whom; `None` is the lobby.
        to: Option<ClientId>,
        /// Bytes of the line.
        bytes: usize,
    },
    /// The hub's process is killed.
    KillHub,
    /// It is started again.
    StartHub,
    /// A client's process is killed.
    KillClient(ClientId),
    /// It is started again.
    StartClient(ClientId),
    /// The NAT in front of a client forgets: the hub sees another port, then another address. The client is not told.
    Remap(ClientId),
    /// A client finds itself behind another address, and knows.
    Rebind(ClientId),
    /// Nothing happens on a machine for so long; then all its timers are late. What was sent to it waits.
    Sleep(Whose, Duration),
    /// A machine's clock leaps ahead.
    Leap(Whose, Duration),
    /// Nothing passes in one direction for so long.
    Cut(ClientId, Direction, Duration),
    /// A client's links become others, up and down.
    Relink(ClientId, Link, Link),
    /// The log commits nothing for so long.
    Refuse(Duration),
    /// Each commit takes so long from now on.
    Slow(Duration),
}

impl World {
    /// Does `act`.
    pub fn perform(&mut self, act: Act) {
        self.tell(|| format!("{act:?}"));
        match act {
            Act::Say { from, to, bytes } => self.person_says(from, to, bytes),
            Act::KillHub if self.hub.is_some() => self.kill_hub(),
            Act::StartHub if self.hub.is_none() => self.start_hub(),
            Act::KillClient(id) if self.runs(id) => self.kill_client(id),
            Act::StartClient(id) if !self.runs(id) => self.start_client(id),
            Act::Rebind(id) if self.runs(id) => self.rebind(id),
            Act::KillHub | Act::StartHub => {}
            Act::KillClient(_) | Act::StartClient(_) | Act::Rebind(_) => {}
            Act::Remap(id) => self.remap(id),
            Act::Sleep(whose, time) => self.sleep(whose, time),
            Act::Leap(whose, time) => self.leap(whose, time),
            Act::Cut(id, direction, time) => self.cut(id, direction, time),
            Act::Relink(id, up, down) => self.nodes[id.0].links = Some((up, down)),
            Act::Refuse(time) => self.refuse(time),
            Act::Slow(time) => self.slow(time),
        }
    }

    fn runs(&self, id: ClientId) -> bool {
        self.nodes[id.0].client.is_some()
    }

    fn person_says(&mut self, from: ClientId, to: Option<ClientId>, bytes: usize) {
        if !self.nodes[from.0].client.as_ref().is_some_and(|client| !client.is_done() && client.has_room()) {
            return;
        }
        let target = to
            .filter(|to| *to != from)
            .map_or(Target::Room(LOBBY), |to| Target::Direct(self.nodes[to.0].name().to_owned()));
        let mut text = format!("{} at {} ", from.0, self.now.0);
        text.extend(core::iter::repeat_n('x', bytes.saturating_sub(text.len())));
        self.say_to(from, target, &text);
    }

    /// Faults stop: links are long and fast as before and nothing else, whoever was killed or asleep is back.
    pub fn heal(&mut self) {
        self.refuse(Duration::ZERO);
        self.slow(crate::store::COMMIT_TIME);
        (self.up, self.down) = (self.up.healed(), self.down.healed());
        self.mend();
        if self.hub.is_none() {
            self.start_hub();
        }
        for index in 0..self.nodes.len() {
            self.perform(Act::StartClient(ClientId(index)));
        }
    }

    /// Whether a client has given up for good.
    #[must_use]
    pub fn is_over(&self, id: ClientId) -> bool {
        self.nodes[id.0].client.as_ref().is_some_and(Client::is_done)
    }
}
