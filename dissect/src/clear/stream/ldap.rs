//! LDAP (RFC 4511): simple binds, and what is searched.

use crate::bytes::count;
use crate::clear::der;
use crate::clear::protocol::Protocol;
use crate::clear::protocol::SecretKind::{Name, Password, Token as TokenSecret, User};
use crate::clear::sasl;
use crate::clear::shelf::Shelf;
use crate::clear::speaker::{Gather, Next, Role, Speaker, Token};
use crate::clear::stream::recognise::{Fit, either};
use crate::clear::stream::tls::Tls;

/// What is kept of one message, in bytes.
const MESSAGE_MAX_BYTES: usize = 8 << 10;
/// RFC 4511 section 4.14.1.
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

/// Reads LDAP.
#[derive(Debug, Default)]
pub(super) struct Ldap {
    halves: [Half; 2],
    tls_asked: bool,
}

#[derive(Debug, Default)]
struct Half {
    packet: usize,
    header: Vec<u8>,
    message: Option<Gather>,
}

/// Whether these are the first bytes of LDAP.
pub(super) fn fits(client: &[u8], server: &[u8]) -> Fit {
    either(message_fits(client), message_fits(server))
}

/// A sequence of a small number and an operation, whose tag is of the class "application".
fn message_fits(head: &[u8]) -> Fit {
    let Some(&first) = head.first() else { return Fit::More };
    if first != 0x30 {
        return Fit::No;
    }
    let Some((header, _)) = der::header(head) else {
        return if head.len() < 6 { Fit::More } else { Fit::No };
    };
    match head.get(header..).unwrap_or_default() {
        [] | [2] => Fit::More,
        [2, length, rest @ ..] if (1..=4).contains(length) => {
            rest.get(usize::from(*length)).map_or(Fit::More, |tag| Fit::when((0x42..=0x79).contains(tag)))
        }
        _ => Fit::No,
    }
}

impl Speaker for Ldap {
    fn protocol(&self) -> Protocol {
        Protocol::Ldap
    }

    fn wants(&self, role: Role) -> Token {
        let message = self.halves.get(role.index()).and_then(|half| half.message.as_ref());
        message.map_or(Token::Exactly(1), Gather::token)
    }

    fn hear(&mut self, role: Role, token: &[u8], shelf: &mut Shelf) -> Next {
        let Some(half) = self.halves.get_mut(role.index()) else { return Next::Stay };
        if let Some(message) = &mut half.message {
            if message.take(token) {
                let message = half.message.take().map(Gather::into_bytes).unwrap_or_default();
                shelf.packet = half.packet;
                return self.message(&message, shelf);
            }
            return Next::Stay;
        }
        if half.header.is_empty() {
            half.packet = shelf.packet;
        }
        half.header.extend_from_slice(token);
        if let Some((_, length)) =
            der::header(&half.header).filter(|(header, _)| *header == half.header.len())
        {
            half.header.clear();
            half.message = (length > 0).then(|| Gather::new(count(length), MESSAGE_MAX_BYTES));
        } else if half.header.len() > 5 || half.header.first() != Some(&0x30) {
            return Next::Stranger;
        }
        Next::Stay
    }

    fn missed(&mut self, role: Role, bytes: u64) -> bool {
        let Some(half) = self.halves.get_mut(role.index()) else { return false };
        let done = half.message.as_mut().and_then(|message| message.skip(bytes));
        if done == Some(true) {
            half.message = None;
        }
        done.is_some()
    }

    fn held_bytes(&self) -> usize {
        let messages = self.halves.iter().filter_map(|half| half.message.as_ref());
        size_of::<Self>() + messages.map(Gather::held_bytes).sum::<usize>()
    }
}

impl Ldap {
    fn message(&mut self, message: &[u8], shelf: &mut Shelf) -> Next {
        shelf.readable();
        let Some(operation) = der::elements(message).nth(1) else { return Next::Stay };
        let mut parts = der::elements(operation.value);
        match operation.tag {
            // Bind: version, name, and a password or a mechanism with its response.
            0x60 => {
                let Some(name) = parts.nth(1) else { return Next::Stay };
                shelf.secret(User, name.value);
                match parts.next() {
                    Some(password) if password.tag == 0x80 => shelf.secret(Password, password.value),
                    Some(sasl) if sasl.tag == 0xa3 => mechanism(sasl.value, shelf),
                    _ => {}
                }
            }
            // Search: where.
            0x63 => shelf.secret(Name, parts.next().map_or(&[][..], |base| base.value)),
            0x64 => shelf.secret(Name, parts.next().map_or(&[][..], |entry| entry.value)),
            0x77 => self.tls_asked = parts.next().is_some_and(|name| name.value == START_TLS),
            0x78 if self.tls_asked => {
                self.tls_asked = false;
                if parts.next().is_some_and(|code| code.value == [0]) {
                    return Next::Become(Box::new(Tls::default()));
                }
            }
            _ => {}
        }
        Next::Stay
    }
}

fn mechanism(credentials: &[u8], shelf: &mut Shelf) {
    let mut parts = der::elements(credentials);
    let (Some(mechanism), Some(response)) = (parts.next(), parts.next()) else { return };
    if mechanism.value.eq_ignore_ascii_case(b"PLAIN") {
        sasl::plain(response.value, shelf);
    } else {
        shelf.secret(TokenSecret, response.value);
    }
}
