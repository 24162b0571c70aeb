//! POP3 (RFC 1939, AUTH of RFC 5034, STLS of RFC 2595).

use crate::clear::protocol::Protocol;
use crate::clear::protocol::SecretKind::{Message, Password, Proof, User};
use crate::clear::sasl::Sasl;
use crate::clear::shelf::Shelf;
use crate::clear::speaker::{Next, Role, Speaker, Token};
use crate::clear::stream::recognise::{Fit, either};
use crate::clear::stream::tls::Tls;
use crate::clear::text::{first_word, is_one_of, words};

/// What is kept of one message, in bytes.
const MAIL_MAX_BYTES: usize = 1024;

/// Reads POP3.
#[derive(Debug, Default)]
pub(super) struct Pop3 {
    tls_asked: bool,
    sasl: Sasl,
    /// A message was asked for, and its text comes after the next `+OK`.
    mail_asked: bool,
    mail: Option<(usize, Vec<u8>)>,
}

/// Whether these are the first bytes of POP3.
pub(super) fn fits(client: &[u8], server: &[u8]) -> Fit {
    either(Fit::by_lines(client, client_line), Fit::by_lines(server, server_line))
}

fn client_line(line: &[u8]) -> Fit {
    let word = first_word(line).0;
    if is_one_of(word, &["APOP", "STLS", "UIDL"]) {
        Fit::Yes
    } else if is_one_of(word, &["USER", "PASS", "CAPA", "AUTH", "QUIT", "STAT", "LIST", "NOOP"]) {
        Fit::More
    } else {
        Fit::No
    }
}

fn server_line(line: &[u8]) -> Fit {
    if matches!(first_word(line).0, b"+OK" | b"-ERR") { Fit::Yes } else { Fit::No }
}

impl Speaker for Pop3 {
    fn protocol(&self) -> Protocol {
        Protocol::Pop3
    }

    fn wants(&self, _role: Role) -> Token {
        Token::Line
    }

    fn hear(&mut self, role: Role, line: &[u8], shelf: &mut Shelf) -> Next {
        match role {
            Role::Client => self.command(line, shelf),
            Role::Server if self.mail.is_some() => self.mail_line(line, shelf),
            Role::Server if line.starts_with(b"+OK") => {
                if std::mem::take(&mut self.tls_asked) {
                    return Next::Become(Box::new(Tls::default()));
                }
                if std::mem::take(&mut self.mail_asked) {
                    self.mail = Some((shelf.packet, Vec::new()));
                }
            }
            Role::Server if line.starts_with(b"-ERR") => {
                (self.tls_asked, self.mail_asked, self.sasl) = (false, false, Sasl::None);
            }
            Role::Server => {}
        }
        Next::Stay
    }

    fn end(&mut self, shelf: &mut Shelf) {
        if let Some((packet, text)) = self.mail.take() {
            shelf.secret_in(packet, Message, text);
        }
    }

    fn held_bytes(&self) -> usize {
        256 + self.mail.as_ref().map_or(0, |(_, text)| text.capacity())
    }
}

impl Pop3 {
    fn command(&mut self, line: &[u8], shelf: &mut Shelf) {
        if self.sasl != Sasl::None {
            self.sasl = self.sasl.respond(line, shelf);
            return;
        }
        let (command, rest) = first_word(line);
        match command.to_ascii_uppercase().as_slice() {
            b"USER" => shelf.secret(User, rest),
            b"PASS" => shelf.secret(Password, rest),
            b"APOP" => {
                let mut words = words(rest);
                shelf.secret(User, words.next().unwrap_or_default());
                shelf.secret(Proof, words.next().unwrap_or_default());
            }
            b"AUTH" if !rest.is_empty() => {
                let (mechanism, initial) = first_word(rest);
                self.sasl = Sasl::begin(mechanism);
                if !initial.is_empty() && initial != b"=" {
                    self.sasl = self.sasl.respond(initial, shelf);
                }
            }
            b"STLS" => self.tls_asked = true,
            b"RETR" | b"TOP" => self.mail_asked = true,
            _ => {}
        }
    }

    fn mail_line(&mut self, line: &[u8], shelf: &mut Shelf) {
        if line == b"." {
            self.end(shelf);
        } else if let Some((_, text)) = &mut self.mail
            && text.len() + line.len() < MAIL_MAX_BYTES
        {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
    }
}
