//! That everyone has everything once the faults have stopped.

use super::Violation;
use super::rooms::Rooms;
use crate::ClientId;
use crate::world::World;
use core::time::Duration;
use node_proto::log::{HUB_ROOM, LOBBY};

/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(100);

impl World {
    /// Runs until everyone has everything: connected, outboxes empty, every screen at the end of its rooms.
    ///
    /// # Errors
    /// [`Violation::NotSettled`] when that is not so `within` the time, [`Violation::Lost`] when the log has lost
    /// what it committed.
    pub fn settle(&mut self, within: Duration) -> Result<Duration, Violation> {
        let since = self.now;
        let mut before = String::new();
        while let Some(what) = self.unsettled() {
            if what != before {
                self.tell(|| format!("faults have stopped, and {what}"));
                before.clone_from(&what);
            }
            if self.now.since(since) >= within {
                return Err(Violation::NotSettled { seconds: within.as_secs(), what });
            }
            self.tell(|| self.connections());
            self.run(EVERY);
        }
        match self.first_lost() {
            Some((room, sequence)) => Err(Violation::Lost { room: room.0, sequence: sequence.0 }),
            None => Ok(self.now.since(since)),
        }
    }

    /// How the connections of the clients are doing.
    fn connections(&self) -> String {
        let sessions = self.nodes.iter().map(|node| node.client.as_ref()?.connection());
        let status =
            sessions.map(|session| session.map(|session| (session.status(), session.poll_timeout())));
        format!("    {:?}", status.collect::<Vec<_>>())
    }

    /// What is missing until everyone has everything.
    #[must_use]
    pub fn unsettled(&self) -> Option<String> {
        if self.hub.is_none() {
            return Some("the hub does not run".to_owned());
        }
        let rooms = Rooms::of(self.store().entries(HUB_ROOM));
        for (index, node) in self.nodes.iter().enumerate() {
            let Some(client) = &node.client else { return Some(format!("client {index} does not run")) };
            if !client.is_connected() {
                let over = if client.is_done() { " and has given up" } else { "" };
                return Some(format!("client {index} is not connected{over}"));
            }
            if client.unstored() > 0 {
                return Some(format!("{} lines of client {index} are not stored", client.unstored()));
            }
            let resume = client.resume().unwrap_or_default();
            for room in rooms.directs_of(node.name()).chain([LOBBY]) {
                let (head, read) = (self.store().head(room), resume.rooms.get(&room));
                if read != Some(&head) {
                    return Some(format!(
                        "client {index} has read {read:?} of room {} and not {head:?}",
                        room.0
                    ));
                }
                if self
                    .checks
                    .as_ref()
                    .is_some_and(|checks| checks.lines.is_behind(ClientId(index), room, head))
                {
                    return Some(format!("client {index} does not show the end of room {}", room.0));
                }
            }
        }
        let runs =
            |id: ClientId, starts| self.nodes[id.0].client.is_some() && self.nodes[id.0].starts() == starts;
        let forgotten = self.checks.as_ref().and_then(|checks| checks.lines.forgotten(runs));
        forgotten.map(|text| format!("nobody told the author what became of {text:.40}"))
    }
}
