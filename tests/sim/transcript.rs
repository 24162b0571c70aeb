//! What a client showed a person, in its order.

use node_proto::client::ClientEvent;
use node_proto::log::RoomId;
use spec::wire::entry::{Entry, EntryKind};

/// One line on a screen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// The room.
    pub room: RoomId,
    /// Its number there.
    pub sequence: u64,
    /// What it is.
    pub kind: EntryKind,
    /// Who.
    pub name: String,
    /// What.
    pub text: String,
}

/// The line an event shows, if it shows one.
#[must_use]
pub fn line(event: &ClientEvent) -> Option<Line> {
    let ClientEvent::Entry { room, sequence, entry } = event else { return None };
    let entry = Entry::decode(entry).ok()?;
    Some(Line {
        room: *room,
        sequence: sequence.0,
        kind: entry.kind,
        name: entry.name.to_owned(),
        text: String::from_utf8_lossy(entry.body).into_owned(),
    })
}
