//! Telnet (RFC 854): a character a packet or a line, with its options stripped.
//!
//! What is typed is told apart by the prompt it follows: nothing in the protocol marks a password.

use crate::clear::protocol::Protocol;
use crate::clear::protocol::SecretKind::{Command, Message, Password, User};
use crate::clear::shelf::Shelf;
use crate::clear::speaker::{ENDLESS, Next, Role, Speaker, Token};
use crate::clear::stream::recognise::Fit;
use crate::clear::text::contains;

const IAC: u8 = 255;
const SUBNEGOTIATION: u8 = 250;
const SUBNEGOTIATION_END: u8 = 240;
/// What is kept of one line, in bytes.
const LINE_MAX_BYTES: usize = 512;
/// The end of the server's line that is looked at for a prompt, in bytes.
const PROMPT_MAX_BYTES: usize = 64;
/// What is kept of one option's value, in bytes.
const OPTION_MAX_BYTES: usize = 128;

/// Whether one end negotiates options, right away or behind some text.
pub(super) fn negotiates(client: &[u8], server: &[u8]) -> Fit {
    match (negotiation(client), negotiation(server)) {
        (Fit::Yes, _) | (_, Fit::Yes) => Fit::Yes,
        // Text does not contradict, it only has to be waited for.
        (Fit::No, _) | (_, Fit::No) => Fit::No,
        _ if client.is_empty() && server.is_empty() => Fit::More,
        _ if client.first() == Some(&IAC) || server.first() == Some(&IAC) => Fit::More,
        _ => Fit::No,
    }
}

fn negotiation(head: &[u8]) -> Fit {
    let Some(at) = memchr::memchr(IAC, head) else {
        return if head.iter().all(|byte| is_typed(*byte)) { Fit::More } else { Fit::No };
    };
    if !head.iter().take(at).all(|byte| is_typed(*byte)) {
        return Fit::No;
    }
    head.get(at + 1).map_or(Fit::More, |command| Fit::when((SUBNEGOTIATION..IAC).contains(command)))
}

/// Whether a server asks for a name or password, without options.
pub(super) fn prompts(client: &[u8], server: &[u8]) -> Fit {
    let prompt = ["ogin:", "assword:", "sername:"].iter().any(|prompt| contains(server, prompt));
    match text(client, server) {
        Fit::No => Fit::No,
        _ if prompt => Fit::Yes,
        more => more,
    }
}

/// Whether it could be any text typed.
pub(super) fn text(client: &[u8], server: &[u8]) -> Fit {
    let typed = client.iter().chain(server).all(|byte| is_typed(*byte) || *byte == IAC);
    if typed { Fit::More } else { Fit::No }
}

const fn is_typed(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n' | 0 | 7 | 8 | 27 | 127)
}

/// Where the reader is among the options (RFC 854, RFC 855).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Data,
    Command,
    Option,
    Subnegotiation,
    SubnegotiationCommand,
}

/// One direction.
#[derive(Debug, Default)]
struct Half {
    state: State,
    packet: usize,
    line: Vec<u8>,
    option: Vec<u8>,
}

/// Reads Telnet.
#[derive(Debug, Default)]
pub(super) struct Telnet {
    halves: [Half; 2],
    /// What the server asked for when the client began its line.
    asked: Option<Asked>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    User,
    Password,
    Command,
}

impl Half {
    /// A byte of data, or `None` for a byte of an option.
    fn strip(&mut self, byte: u8, shelf: &mut Shelf) -> Option<u8> {
        let (next, data) = match (self.state, byte) {
            (State::Data, IAC) => (State::Command, None),
            (State::Data, byte) => (State::Data, Some(byte)),
            (State::Command, IAC) => (State::Data, Some(IAC)),
            (State::Command, SUBNEGOTIATION) => {
                self.option.clear();
                (State::Subnegotiation, None)
            }
            (State::Command, 251..) => (State::Option, None),
            (State::Command | State::Option, _) => (State::Data, None),
            (State::Subnegotiation, IAC) => (State::SubnegotiationCommand, None),
            (State::SubnegotiationCommand, SUBNEGOTIATION_END) => {
                option(&self.option, shelf);
                (State::Data, None)
            }
            (State::Subnegotiation | State::SubnegotiationCommand, byte) => {
                if self.option.len() < OPTION_MAX_BYTES {
                    self.option.push(byte);
                }
                (State::Subnegotiation, None)
            }
        };
        self.state = next;
        data
    }

    fn push(&mut self, byte: u8, shelf: &Shelf) {
        if self.line.is_empty() {
            self.packet = shelf.packet;
        }
        if self.line.len() < LINE_MAX_BYTES {
            self.line.push(byte);
        }
    }
}

/// What options say: the terminal (RFC 1091) and variables such as USER (RFC 1572).
fn option(option: &[u8], shelf: &mut Shelf) {
    match option {
        [24, 0, terminal @ ..] => shelf.show("terminal", terminal),
        [39, 0 | 2, variables @ ..] => {
            for variable in variables.split(|byte| matches!(byte, 0 | 3)) {
                let Some((name, value)) = crate::clear::text::split_once(variable, 1) else { continue };
                if name == b"USER" {
                    shelf.secret(User, value);
                } else {
                    shelf.secret(crate::clear::protocol::SecretKind::Name, value);
                }
            }
        }
        _ => {}
    }
}

impl Speaker for Telnet {
    fn protocol(&self) -> Protocol {
        Protocol::Telnet
    }

    fn wants(&self, _role: Role) -> Token {
        ENDLESS
    }

    fn hear(&mut self, role: Role, bytes: &[u8], shelf: &mut Shelf) -> Next {
        for &byte in bytes {
            let Some(half) = self.halves.get_mut(role.index()) else { continue };
            if let Some(byte) = half.strip(byte, shelf) {
                match role {
                    Role::Client => self.typed(byte, shelf),
                    Role::Server => self.printed(byte, shelf),
                }
            }
        }
        Next::Stay
    }

    fn missed(&mut self, _role: Role, _bytes: u64) -> bool {
        true
    }

    fn end(&mut self, shelf: &mut Shelf) {
        shelf.from_initiator = !shelf.from_initiator;
        self.line_typed(shelf);
        shelf.from_initiator = !shelf.from_initiator;
        self.line_printed(shelf);
    }

    fn held_bytes(&self) -> usize {
        size_of::<Self>()
            + self.halves.iter().map(|half| half.line.capacity() + half.option.capacity()).sum::<usize>()
    }
}

impl Telnet {
    /// What the end of the server's line asks for.
    fn prompt(&self) -> Asked {
        let [_, server] = &self.halves;
        let end = server.line.get(server.line.len().saturating_sub(PROMPT_MAX_BYTES)..).unwrap_or_default();
        if contains(end, "assword") || contains(end, "passphrase") {
            Asked::Password
        } else if contains(end, "ogin:") || contains(end, "sername") {
            Asked::User
        } else {
            Asked::Command
        }
    }

    fn typed(&mut self, byte: u8, shelf: &mut Shelf) {
        match byte {
            b'\r' | b'\n' => self.line_typed(shelf),
            8 | 127 => {
                let [client, _] = &mut self.halves;
                client.line.pop();
            }
            0 => {}
            _ => {
                if self.asked.is_none() {
                    self.asked = Some(self.prompt());
                }
                let [client, _] = &mut self.halves;
                client.push(byte, shelf);
            }
        }
    }

    fn line_typed(&mut self, shelf: &mut Shelf) {
        let [client, _] = &mut self.halves;
        let line = std::mem::take(&mut client.line);
        let kind = match self.asked.take() {
            Some(Asked::Password) => Password,
            Some(Asked::User) => User,
            Some(Asked::Command) | None => Command,
        };
        shelf.secret_in(client.packet, kind, line);
    }

    fn printed(&mut self, byte: u8, shelf: &mut Shelf) {
        if matches!(byte, b'\r' | b'\n') {
            self.line_printed(shelf);
        } else if byte != 0 {
            let [_, server] = &mut self.halves;
            server.push(byte, shelf);
        }
    }

    fn line_printed(&mut self, shelf: &mut Shelf) {
        let [_, server] = &mut self.halves;
        let line = std::mem::take(&mut server.line);
        shelf.secret_in(server.packet, Message, line.trim_ascii());
    }
}
