//! One of the crowd: what it says, what it has read, and whether that is what everyone reads.

use node_proto::Client;
use node_proto::client::{ClientEvent, Target};
use node_proto::log::LOBBY;
use spec::time::Instant;
use spec::wire::entry::{Entry, EntryKind};
use std::hash::{DefaultHasher, Hasher};

/// A client and what it has read.
pub(crate) struct Member {
    pub(crate) client: Client,
    /// Whether something happened since its datagrams were last asked for.
    pub(crate) is_touched: bool,
    /// When it wants to be woken.
    pub(crate) alarm: Option<Instant>,
    number: u32,
    /// Lines it said, and may say.
    said: u32,
    lines: u32,
    is_connected: bool,
    /// The next line of each member.
    next: Vec<u32>,
    read: u64,
    /// Everything it has read, in its order.
    digest: DefaultHasher,
}

impl Member {
    /// Member `number` of `all`, who says `lines`.
    pub(crate) fn new(client: Client, number: u32, all: u32, lines: u32) -> Self {
        Self {
            client,
            is_touched: true,
            alarm: None,
            number,
            said: 0,
            lines,
            is_connected: false,
            next: vec![0; usize::try_from(all).unwrap()],
            read: 0,
            digest: DefaultHasher::new(),
        }
    }

    /// Whether it was greeted.
    pub(crate) const fn is_connected(&self) -> bool {
        self.is_connected
    }

    /// Whether it has read every line there will be.
    pub(crate) fn has_read_all(&self) -> bool {
        self.read == self.next.len() as u64 * u64::from(self.lines)
    }

    /// Lines it has read.
    pub(crate) const fn read(&self) -> u64 {
        self.read
    }

    /// Stands for everything it has read, in its order.
    pub(crate) fn digest(&self) -> u64 {
        self.digest.finish()
    }

    /// Says its next line, when the hub has stored the one before.
    pub(crate) fn speak(&mut self) {
        if self.said < self.lines && self.client.unstored() == 0 {
            let line = format!("{} {} {}", self.number, self.said, "·".repeat(40));
            self.client.say(Target::Room(LOBBY), EntryKind::Text, &line).unwrap();
            self.said += 1;
            self.is_touched = true;
        }
    }

    /// Looks at what it was told.
    pub(crate) fn listen(&mut self) {
        while let Some(event) = self.client.poll_event() {
            match event {
                ClientEvent::Connected { .. } => self.is_connected = true,
                ClientEvent::Refused { reason, .. } => panic!("{}: refused: {reason:?}", self.number),
                ClientEvent::Closed { reason, text, .. } => println!("closed: {reason:?} {text}"),
                ClientEvent::Silent => println!("silent: the hub is not heard by {}", self.number),
                ClientEvent::Entry { sequence, entry, .. } => self.take(sequence.0, &entry),
                _ => {}
            }
        }
    }

    fn take(&mut self, sequence: u64, entry: &[u8]) {
        let entry = Entry::decode(entry).unwrap();
        if entry.kind != EntryKind::Text {
            return;
        }
        let mut words = std::str::from_utf8(entry.body).unwrap().split(' ');
        let mut number = || words.next().unwrap().parse::<u32>().unwrap();
        let (author, line) = (number(), number());
        let next = &mut self.next[usize::try_from(author).unwrap()];
        assert_eq!(line, *next, "{}: the lines of {author}, once and in order", self.number);
        *next += 1;
        self.read += 1;
        self.digest.write_u64(sequence);
        self.digest.write(entry.body);
    }
}
