//! Feeds both directions of a stream to the reader of its protocol, token by token.

use super::protocol::{Nature, Protocol};
use super::shelf::Shelf;
use super::speaker::{ENDLESS, Next, Role, Speaker, Token};
use super::tokens::{Cut, Partial};

/// A stream whose protocol is known, or known to be unknown.
#[derive(Debug)]
pub(super) struct Conversation {
    speaker: Box<dyn Speaker>,
    client_is_initiator: bool,
    partials: [Partial; 2],
    /// Directions that cannot be read on because of a hole.
    lost: [bool; 2],
}

/// What to do with the bytes that a conversation did not use.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// There are none.
    Nothing,
    /// A tunnel begins: this many bytes at the end of the input belong to another protocol.
    Recognise(usize),
}

impl Conversation {
    pub(super) fn new(speaker: Box<dyn Speaker>, client_is_initiator: bool) -> Self {
        Self { speaker, client_is_initiator, partials: Default::default(), lost: [false; 2] }
    }

    fn role(&self, from_initiator: bool) -> Role {
        if from_initiator == self.client_is_initiator { Role::Client } else { Role::Server }
    }

    fn partial(&mut self, role: Role) -> &mut Partial {
        let [client, server] = &mut self.partials;
        match role {
            Role::Client => client,
            Role::Server => server,
        }
    }

    /// Bytes in the order of the stream.
    pub(super) fn take(
        &mut self,
        shelf: &mut Shelf,
        from_initiator: bool,
        packet: usize,
        bytes: &[u8],
    ) -> Rest {
        let role = self.role(from_initiator);
        let mut input = bytes;
        while !input.is_empty() {
            (shelf.packet, shelf.from_initiator) = (packet, from_initiator);
            if self.is_lost(role) {
                shelf.weigh(input);
                return Rest::Nothing;
            }
            let wanted = self.speaker.wants(role);
            if let Some((earlier, begun)) = self.partial(role).outdated(wanted) {
                if let Rest::Recognise(_) = self.take(shelf, from_initiator, earlier, &begun) {
                    return Rest::Recognise(input.len());
                }
                continue;
            }
            let next = match self.partial(role).cut(wanted, packet, &mut input) {
                Cut::Incomplete => return Rest::Nothing,
                Cut::Direct(token) => self.hear(shelf, role, token),
                Cut::Gathered => {
                    let (first, token) = self.partial(role).finish();
                    shelf.packet = first;
                    self.hear(shelf, role, &token)
                }
            };
            if next {
                return Rest::Recognise(input.len());
            }
        }
        Rest::Nothing
    }

    /// Hands a token over; `true` when a tunnel begins.
    fn hear(&mut self, shelf: &mut Shelf, role: Role, token: &[u8]) -> bool {
        shelf.protocol = self.speaker.protocol();
        match self.speaker.hear(role, token, shelf) {
            Next::Stay => {}
            Next::Become(speaker) => {
                self.speaker.end(shelf);
                self.speaker = speaker;
            }
            Next::Stranger => {
                shelf.weigh(token);
                self.speaker = Box::new(Stranger);
            }
            Next::Recognise => {
                self.speaker.end(shelf);
                return true;
            }
        }
        false
    }

    fn is_lost(&self, role: Role) -> bool {
        let [client, server] = self.lost;
        match role {
            Role::Client => client,
            Role::Server => server,
        }
    }

    /// Bytes that are not in the capture.
    pub(super) fn miss(&mut self, from_initiator: bool, bytes: u64) {
        let role = self.role(from_initiator);
        let line = matches!(self.speaker.wants(role), Token::Line | Token::Tag);
        if !self.speaker.missed(role, bytes) {
            let [client, server] = &mut self.lost;
            match role {
                Role::Client => *client = true,
                Role::Server => *server = true,
            }
        } else if line {
            self.partial(role).lose();
        }
    }

    /// Nothing more will come.
    pub(super) fn end(&mut self, shelf: &mut Shelf) {
        for role in [Role::Client, Role::Server] {
            if let Some((packet, line)) = self.partial(role).last_line() {
                shelf.packet = packet;
                shelf.from_initiator = (role == Role::Client) == self.client_is_initiator;
                self.hear(shelf, role, &line);
            }
        }
        shelf.protocol = self.speaker.protocol();
        self.speaker.end(shelf);
    }

    pub(super) fn protocol(&self) -> Protocol {
        self.speaker.protocol()
    }

    pub(super) fn nature(&self) -> Nature {
        self.speaker.nature()
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.speaker.held_bytes() + self.partials.iter().map(Partial::held_bytes).sum::<usize>()
    }
}

/// No protocol that is known: the bytes are weighed as text.
#[derive(Debug)]
pub(super) struct Stranger;

impl Speaker for Stranger {
    fn protocol(&self) -> Protocol {
        Protocol::Other
    }

    fn wants(&self, _role: Role) -> Token {
        ENDLESS
    }

    fn hear(&mut self, _role: Role, token: &[u8], shelf: &mut Shelf) -> Next {
        shelf.weigh(token);
        Next::Stay
    }

    fn missed(&mut self, _role: Role, _bytes: u64) -> bool {
        true
    }

    fn nature(&self) -> Nature {
        Nature::Unknown
    }
}
