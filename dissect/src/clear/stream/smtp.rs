//! SMTP (RFC 5321, AUTH of RFC 4954, STARTTLS of RFC 3207).

use crate::clear::protocol::Protocol;
use crate::clear::protocol::SecretKind::{Address, Message};
use crate::clear::sasl::Sasl;
use crate::clear::shelf::Shelf;
use crate::clear::speaker::{Gather, Next, Role, Speaker, Token};
use crate::clear::stream::recognise::{Fit, either};
use crate::clear::stream::tls::Tls;
use crate::clear::text::{after, first_word, is_one_of, number, starts_with, words};

/// What is kept of one message, in bytes.
const MAIL_MAX_BYTES: usize = 1024;

/// Reads SMTP.
#[derive(Debug, Default)]
pub(super) struct Smtp {
    tls_asked: bool,
    sasl: Sasl,
    mail: Option<Mail>,
    chunk: Option<Gather>,
}

/// A message under way.
#[derive(Debug)]
struct Mail {
    packet: usize,
    text: Vec<u8>,
}

/// Whether these are the first bytes of SMTP.
pub(super) fn fits(client: &[u8], server: &[u8]) -> Fit {
    either(Fit::by_lines(client, client_line), Fit::by_lines(server, server_line))
}

fn client_line(line: &[u8]) -> Fit {
    let hello = is_one_of(first_word(line).0, &["EHLO", "HELO", "LHLO"]);
    let mail = starts_with(line, "MAIL FROM:") || starts_with(line, "RCPT TO:");
    if hello || mail { Fit::Yes } else { Fit::No }
}

fn server_line(line: &[u8]) -> Fit {
    let (code, behind) = line.split_at(line.len().min(3));
    let reply = code.len() == 3 && code.iter().all(u8::is_ascii_digit);
    if reply && matches!(behind.first(), None | Some(b' ' | b'-')) { Fit::More } else { Fit::No }
}

impl Speaker for Smtp {
    fn protocol(&self) -> Protocol {
        Protocol::Smtp
    }

    fn wants(&self, role: Role) -> Token {
        match (&self.chunk, role) {
            (Some(chunk), Role::Client) => chunk.token(),
            _ => Token::Line,
        }
    }

    fn hear(&mut self, role: Role, token: &[u8], shelf: &mut Shelf) -> Next {
        if role == Role::Server {
            return self.reply(token, shelf);
        }
        if let Some(chunk) = &mut self.chunk {
            if chunk.take(token) {
                let text = self.chunk.take().map(Gather::into_bytes).unwrap_or_default();
                shelf.secret(Message, text);
            }
        } else if self.mail.is_some() {
            self.mail_line(token, shelf);
        } else if self.sasl != Sasl::None {
            self.sasl = self.sasl.respond(token, shelf);
        } else {
            self.command(token, shelf);
        }
        Next::Stay
    }

    fn missed(&mut self, role: Role, bytes: u64) -> bool {
        match (&mut self.chunk, role) {
            (Some(chunk), Role::Client) => {
                let done = chunk.skip(bytes);
                if done == Some(true) {
                    self.chunk = None;
                }
                done.is_some()
            }
            _ => true,
        }
    }

    fn end(&mut self, shelf: &mut Shelf) {
        if let Some(mail) = self.mail.take() {
            shelf.secret_in(mail.packet, Message, mail.text);
        }
    }

    fn held_bytes(&self) -> usize {
        256 + self.mail.as_ref().map_or(0, |mail| mail.text.capacity())
            + self.chunk.as_ref().map_or(0, Gather::held_bytes)
    }
}

impl Smtp {
    fn reply(&mut self, line: &[u8], shelf: &mut Shelf) -> Next {
        if line.starts_with(b"220") {
            if self.tls_asked {
                return Next::Become(Box::new(Tls::default()));
            }
            shelf.show("banner", line.get(4..).unwrap_or_default());
        }
        if matches!(line.first(), Some(b'4' | b'5')) {
            // Refused: what comes is no message, no response and no TLS.
            self.tls_asked = false;
            self.sasl = Sasl::None;
            self.mail = self.mail.take().filter(|mail| !mail.text.is_empty());
        }
        Next::Stay
    }

    fn command(&mut self, line: &[u8], shelf: &mut Shelf) {
        let (command, rest) = first_word(line);
        match command.to_ascii_uppercase().as_slice() {
            b"EHLO" | b"HELO" | b"LHLO" => shelf.show("client", rest),
            b"STARTTLS" => self.tls_asked = true,
            b"AUTH" => {
                let (mechanism, initial) = first_word(rest);
                self.sasl = Sasl::begin(mechanism);
                if !initial.is_empty() && initial != b"=" {
                    self.sasl = self.sasl.respond(initial, shelf);
                }
            }
            b"MAIL" | b"RCPT" => {
                let address = after(rest, "FROM:").or_else(|| after(rest, "TO:")).unwrap_or(rest);
                let address = words(address).next().unwrap_or_default();
                let bare = address.strip_prefix(b"<").and_then(|address| address.strip_suffix(b">"));
                shelf.secret(Address, bare.unwrap_or(address));
            }
            b"DATA" => {
                shelf.readable();
                self.mail = Some(Mail { packet: shelf.packet, text: Vec::new() });
            }
            b"BDAT" => {
                let length = words(rest).next().and_then(number).filter(|length| *length > 0);
                self.chunk = length.map(|length| Gather::new(length, MAIL_MAX_BYTES));
            }
            _ => {}
        }
    }

    fn mail_line(&mut self, line: &[u8], shelf: &mut Shelf) {
        if line == b"." {
            self.end(shelf);
        } else if let Some(mail) = &mut self.mail {
            if mail.text.is_empty() {
                mail.packet = shelf.packet;
            }
            if mail.text.len() + line.len() < MAIL_MAX_BYTES {
                mail.text.extend_from_slice(line);
                mail.text.push(b'\n');
            }
        }
    }
}
