//! MySQL and PostgreSQL (version 3): log-ins and queries.

use crate::clear::hello::vector;
use crate::clear::protocol::Protocol;
use crate::clear::protocol::SecretKind::{Command, Name, Password, Proof, User};
use crate::clear::shelf::Shelf;
use crate::clear::speaker::{Gather, Next, Role, Speaker, Token};
use crate::clear::stream::recognise::{Fit, either};
use crate::clear::stream::tls::Tls;

/// What is kept of one packet, in bytes.
const PACKET_MAX_BYTES: usize = 8 << 10;
/// MySQL, CLIENT_SSL and CLIENT_CONNECT_WITH_DB.
const CLIENT_SSL: u32 = 0x800;
const CLIENT_CONNECT_WITH_DB: u32 = 0x8;
/// PostgreSQL, SSLRequest in place of a version.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f];

/// A packet under way in one direction.
type Slot = Option<(usize, Gather)>;

/// Takes a part of the packet; the whole one when it is complete.
fn take(slot: &mut Slot, token: &[u8]) -> Option<(usize, Vec<u8>)> {
    let (_, packet) = slot.as_mut()?;
    if !packet.take(token) {
        return None;
    }
    slot.take().map(|(number, packet)| (number, packet.into_bytes()))
}

fn skip(slot: &mut Slot, bytes: u64) -> bool {
    let Some((_, packet)) = slot else { return false };
    let done = packet.skip(bytes);
    if done == Some(true) {
        *slot = None;
    }
    done.is_some()
}

fn held_bytes(slots: &[Slot; 2]) -> usize {
    256 + slots.iter().flatten().map(|(_, packet)| packet.held_bytes()).sum::<usize>()
}

/// Up to the next zero byte.
fn zero_ended<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (value, behind) = crate::clear::text::split_once(rest, 0)?;
    *rest = behind;
    Some(value)
}

/// Reads MySQL.
#[derive(Debug, Default)]
pub(super) struct MySql {
    slots: [Slot; 2],
    greeted: bool,
    logged_in: bool,
}

/// Whether these are the first bytes of MySQL: the server greets with protocol 10 and a version in digits.
pub(super) fn mysql_fits(client: &[u8], server: &[u8]) -> Fit {
    // The client's first packet has the number 1.
    let client = match client.get(2..4) {
        Some(end) => Fit::when(end == [0, 1]),
        None => Fit::More,
    };
    let server = match server {
        [_, 0, 0, 0, 10, version, ..] => Fit::when(version.is_ascii_digit()),
        [_, rest @ ..] => {
            let common = rest.len().min(4);
            if rest.get(..common) == [0, 0, 0, 10].get(..common) { Fit::More } else { Fit::No }
        }
        [] => Fit::More,
    };
    if client == Fit::No { Fit::No } else { server }
}

impl Speaker for MySql {
    fn protocol(&self) -> Protocol {
        Protocol::MySql
    }

    fn wants(&self, role: Role) -> Token {
        let slot = self.slots.get(role.index()).and_then(Option::as_ref);
        slot.map_or(Token::Exactly(4), |(_, packet)| packet.token())
    }

    fn hear(&mut self, role: Role, token: &[u8], shelf: &mut Shelf) -> Next {
        let Some(slot) = self.slots.get_mut(role.index()) else { return Next::Stay };
        if slot.is_none() {
            let [low, middle, high, _] = *token else { return Next::Stranger };
            let length = u64::from(u32::from_le_bytes([low, middle, high, 0]));
            *slot = (length > 0).then(|| (shelf.packet, Gather::new(length, PACKET_MAX_BYTES)));
            return Next::Stay;
        }
        let Some((number, packet)) = take(slot, token) else { return Next::Stay };
        shelf.packet = number;
        match role {
            Role::Server if !self.greeted => {
                self.greeted = true;
                let mut rest = packet.get(1..).unwrap_or_default();
                shelf.show("version", zero_ended(&mut rest).unwrap_or_default());
            }
            Role::Server => {}
            Role::Client if !self.logged_in => {
                self.logged_in = true;
                let flags = packet.first_chunk::<4>().map_or(0, |flags| u32::from_le_bytes(*flags));
                if flags & CLIENT_SSL != 0 && packet.len() == 32 {
                    return Next::Become(Box::new(Tls::default()));
                }
                let _ = log_in(&packet, flags, shelf);
            }
            Role::Client => {
                if let [3 | 22, query @ ..] = packet.as_slice() {
                    shelf.secret(Command, query);
                }
            }
        }
        Next::Stay
    }

    fn missed(&mut self, role: Role, bytes: u64) -> bool {
        self.slots.get_mut(role.index()).is_some_and(|slot| skip(slot, bytes))
    }

    fn held_bytes(&self) -> usize {
        held_bytes(&self.slots)
    }
}

/// HandshakeResponse41. `None` when it ends too early.
fn log_in(packet: &[u8], flags: u32, shelf: &mut Shelf) -> Option<()> {
    let mut rest = packet.get(32..)?;
    shelf.secret(User, zero_ended(&mut rest)?);
    // Its length may take several bytes; such long answers do not occur in a first log-in.
    shelf.secret(Proof, vector(&mut rest, 1)?);
    if flags & CLIENT_CONNECT_WITH_DB != 0 {
        shelf.secret(Name, zero_ended(&mut rest)?);
    }
    Some(())
}

/// Reads PostgreSQL.
#[derive(Debug, Default)]
pub(super) struct PostgreSql {
    slots: [Slot; 2],
    kinds: [u8; 2],
    started: bool,
    tls_asked: bool,
    /// Whether the password asked for comes as it is.
    plain: bool,
}

/// Whether these are the first bytes of PostgreSQL.
pub(super) fn postgresql_fits(client: &[u8], server: &[u8]) -> Fit {
    let start = match client.get(4..8) {
        Some(version) => Fit::when(version == [0, 3, 0, 0] && client.starts_with(&[0, 0])),
        None => Fit::by_prefix(client, &[0, 0]).or(|| Fit::No),
    };
    let start = if start == Fit::Yes && client.len() < 8 { Fit::More } else { start };
    let client = Fit::by_prefix(client, &SSL_REQUEST).or(|| start);
    let server = server.first().map_or(Fit::More, |first| Fit::when(b"SNRE".contains(first)));
    match (client, server) {
        (Fit::More, Fit::Yes) => Fit::More,
        (client, server) => either(client, server),
    }
}

impl Speaker for PostgreSql {
    fn protocol(&self) -> Protocol {
        Protocol::PostgreSql
    }

    fn wants(&self, role: Role) -> Token {
        if let Some((_, packet)) = self.slots.get(role.index()).and_then(Option::as_ref) {
            return packet.token();
        }
        match role {
            Role::Client if !self.started => Token::Exactly(8),
            Role::Server if self.tls_asked => Token::Exactly(1),
            _ => Token::Exactly(5),
        }
    }

    fn hear(&mut self, role: Role, token: &[u8], shelf: &mut Shelf) -> Next {
        let (Some(slot), Some(kind)) = (self.slots.get_mut(role.index()), self.kinds.get_mut(role.index()))
        else {
            return Next::Stay;
        };
        if slot.is_some() {
            let kind = *kind;
            if let Some((number, packet)) = take(slot, token) {
                shelf.packet = number;
                self.packet(role, kind, &packet, shelf);
            }
            return Next::Stay;
        }
        if role == Role::Server && self.tls_asked {
            self.tls_asked = false;
            return if token == b"S" { Next::Become(Box::new(Tls::default())) } else { Next::Stay };
        }
        let length = if role == Role::Client && !self.started {
            if token == SSL_REQUEST {
                self.tls_asked = true;
                return Next::Stay;
            }
            self.started = true;
            *kind = 0;
            token.first_chunk::<4>().and_then(|length| u32::from_be_bytes(*length).checked_sub(8))
        } else {
            *kind = token.first().copied().unwrap_or(0);
            token.last_chunk::<4>().and_then(|length| u32::from_be_bytes(*length).checked_sub(4))
        };
        let Some(length) = length else { return Next::Stranger };
        *slot = (length > 0).then(|| (shelf.packet, Gather::new(u64::from(length), PACKET_MAX_BYTES)));
        Next::Stay
    }

    fn missed(&mut self, role: Role, bytes: u64) -> bool {
        self.slots.get_mut(role.index()).is_some_and(|slot| skip(slot, bytes))
    }

    fn held_bytes(&self) -> usize {
        held_bytes(&self.slots)
    }
}

impl PostgreSql {
    fn packet(&mut self, role: Role, kind: u8, body: &[u8], shelf: &mut Shelf) {
        let mut rest = body;
        match (role, kind) {
            (Role::Client, 0) => {
                while let (Some(name), Some(value)) = (zero_ended(&mut rest), zero_ended(&mut rest)) {
                    match name {
                        b"user" => shelf.secret(User, value),
                        b"database" => shelf.secret(Name, value),
                        _ => {}
                    }
                }
            }
            // AuthenticationCleartextPassword is number 3.
            (Role::Server, b'R') => self.plain = body.first_chunk::<4>() == Some(&[0, 0, 0, 3]),
            (Role::Client, b'p') => {
                let kind = if self.plain { Password } else { Proof };
                shelf.secret(kind, zero_ended(&mut rest).unwrap_or(body));
            }
            (Role::Client, b'Q') => shelf.secret(Command, zero_ended(&mut rest).unwrap_or(body)),
            (Role::Client, b'P') => {
                let _ = zero_ended(&mut rest);
                shelf.secret(Command, zero_ended(&mut rest).unwrap_or_default());
            }
            _ => {}
        }
    }
}
