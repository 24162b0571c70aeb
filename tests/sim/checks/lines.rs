//! What was said, what the log made of it, and what every screen shows.

use super::Violation;
use super::rooms::Rooms;
use crate::ClientId;
use crate::store::Store;
use node_proto::client::ClientEvent;
use node_proto::log::{HUB_ROOM, LOBBY, RoomId, Seq};
use spec::wire::entry::{Entry, EntryKind, MessageId};
use std::collections::BTreeMap;

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Its author knows nothing yet.
    Open,
    /// Its author was told that it is stored.
    Stored,
    /// Its author was told that it is not.
    Refused,
}

/// A line a person said.
#[derive(Debug)]
struct Said {
    client: ClientId,
    /// Which of the client's programs it was said to.
    starts: u32,
    /// How many lines were said before.
    place: usize,
    text: String,
    place_in_log: Option<(RoomId, Seq)>,
    fate: Fate,
}

/// All lines and screens.
#[derive(Debug, Default)]
pub(super) struct Lines {
    said: BTreeMap<MessageId, Said>,
    /// The next entry of each room on each screen.
    next: BTreeMap<(ClientId, RoomId), Seq>,
    /// The last line of a program in a room, by when it was said.
    latest: BTreeMap<(ClientId, u32, RoomId), usize>,
    names: BTreeMap<ClientId, String>,
    rooms: Rooms,
    stored: usize,
}

impl Lines {
    pub(super) fn joined(&mut self, client: ClientId, name: &str) {
        self.names.insert(client, name.to_owned());
    }

    pub(super) fn said(&mut self, id: MessageId, client: ClientId, starts: u32, text: &str) {
        let (place, text) = (self.said.len(), text.to_owned());
        let (place_in_log, fate) = (None, Fate::Open);
        self.said.insert(id, Said { client, starts, place, text, place_in_log, fate });
    }

    /// Another log: its numbers begin anew, and what was stored in the old one is forgotten by intent.
    pub(super) fn begin_log(&mut self) {
        self.next.clear();
        self.latest.clear();
        self.rooms = Rooms::default();
        self.said.retain(|_, said| said.fate == Fate::Open);
        self.said.values_mut().for_each(|said| said.place_in_log = None);
    }

    pub(super) const fn stored(&self) -> usize {
        self.stored
    }

    /// A room that a screen does not show to its end, `head`.
    pub(super) fn is_behind(&self, client: ClientId, room: RoomId, head: Seq) -> bool {
        // Who joins a quiet lobby has been shown nothing of it yet.
        let next = self.next.get(&(client, room)).copied();
        next.map_or(room != LOBBY && head != Seq(0), |next| next != head.next())
    }

    /// A line of a program that still runs whose author was never told what became of it.
    pub(super) fn forgotten(&self, runs: impl Fn(ClientId, u32) -> bool) -> Option<&str> {
        let mut open = self.said.values().filter(|said| said.fate == Fate::Open);
        open.find(|said| runs(said.client, said.starts)).map(|said| said.text.as_str())
    }

    /// The log has committed an entry: texts are committed once, as they were said, and in the order they were said.
    pub(super) fn committed(&mut self, room: RoomId, sequence: Seq, entry: &[u8]) -> Result<(), Violation> {
        if room == HUB_ROOM {
            self.rooms.apply(sequence, entry);
        }
        let Ok(entry) = Entry::decode(entry) else { return Ok(()) };
        if entry.kind != EntryKind::Text || entry.author == 0 {
            return Ok(());
        }
        let (room_number, sequence_number) = (room.0, sequence.0);
        let unsaid = Violation::Unsaid { room: room_number, sequence: sequence_number };
        let said =
            self.said.get_mut(&entry.id).filter(|said| said.text.as_bytes() == entry.body).ok_or(unsaid)?;
        let client = said.client.0;
        if said.place_in_log.replace((room, sequence)).is_some() {
            return Err(Violation::Doubled { client, room: room_number, sequence: sequence_number });
        }
        let latest = self.latest.entry((said.client, said.starts, room)).or_default();
        if said.place < *latest {
            return Err(Violation::Overtaken { client, room: room_number, sequence: sequence_number });
        }
        *latest = said.place.max(*latest);
        Ok(())
    }

    /// A client shows something.
    pub(super) fn event(
        &mut self,
        client: ClientId,
        event: &ClientEvent,
        store: &Store,
    ) -> Result<(), Violation> {
        match event {
            ClientEvent::Entry { room, sequence, entry } => {
                self.entry(client, *room, *sequence, entry, store)
            }
            ClientEvent::Stored { id, room, sequence } => self.reported_stored(client, id, *room, *sequence),
            ClientEvent::Refused { id, .. } => {
                if let Some(said) = self.said.get_mut(id) {
                    said.fate = Fate::Refused;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Each screen shows what the log holds, once, in its order, without gaps.
    fn entry(
        &mut self,
        client: ClientId,
        room: RoomId,
        sequence: Seq,
        entry: &[u8],
        store: &Store,
    ) -> Result<(), Violation> {
        let (client_number, room_number, shown) = (client.0, room.0, sequence.0);
        if self.names.get(&client).is_some_and(|name| self.rooms.is_for_others(room, name)) {
            return Err(Violation::Overheard { client: client_number, room: room_number });
        }
        // A newcomer to the lobby begins with what happens next; a room for two is read from its start.
        let first = if room == LOBBY { sequence } else { Seq(1) };
        let next = self.next.entry((client, room)).or_insert(first);
        if *next != sequence {
            let expected = next.0;
            return Err(Violation::Disorder { client: client_number, room: room_number, shown, expected });
        }
        *next = sequence.next();
        if store.entry(room, sequence) != Some(entry) {
            return Err(Violation::Invented { client: client_number, room: room_number, sequence: shown });
        }
        Ok(())
    }

    fn reported_stored(
        &mut self,
        client: ClientId,
        id: &MessageId,
        room: RoomId,
        sequence: Seq,
    ) -> Result<(), Violation> {
        let (client_number, room_number, number) = (client.0, room.0, sequence.0);
        let not_stored = Violation::NotStored { client: client_number, room: room_number, sequence: number };
        // A line that was said before anybody watched is none of ours.
        let Some(said) = self.said.get_mut(id) else { return Ok(()) };
        if said.place_in_log != Some((room, sequence)) || said.client != client || said.fate != Fate::Open {
            return Err(not_stored);
        }
        said.fate = Fate::Stored;
        self.stored += 1;
        Ok(())
    }
}
