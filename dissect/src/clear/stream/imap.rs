//! IMAP (RFC 9051): log-ins, and literals, which hold messages.

use crate::clear::protocol::Protocol;
use crate::clear::protocol::SecretKind::{Message, Name, Password, User};
use crate::clear::sasl::Sasl;
use crate::clear::shelf::Shelf;
use crate::clear::speaker::{Gather, Next, Role, Speaker, Token};
use crate::clear::stream::recognise::Fit;
use crate::clear::stream::tls::Tls;
use crate::clear::text::{first_word, number, unquoted};

/// What is kept of one literal, in bytes.
const LITERAL_MAX_BYTES: usize = 1024;
/// A command is joined with its literals up to this length, in bytes.
const COMMAND_MAX_BYTES: usize = 4096;

/// Reads IMAP.
#[derive(Debug, Default)]
pub(super) struct Imap {
    sasl: Sasl,
    /// The tag of the STARTTLS that was asked for.
    tls_tag: Option<Vec<u8>>,
    /// The client's command so far, and the literal that it waits for.
    command: Vec<u8>,
    literals: [Option<Gather>; 2],
}

/// Whether these are the first bytes of IMAP: the greeting tells.
pub(super) fn fits(client: &[u8], server: &[u8]) -> Fit {
    let client = Fit::by_lines(client, |line| {
        let (tag, rest) = first_word(line);
        let tagged = tag.iter().all(u8::is_ascii_alphanumeric) && !first_word(rest).0.is_empty();
        if tagged { Fit::More } else { Fit::No }
    });
    let server = Fit::by_lines(server, |line| {
        let greeting = [b"* OK".as_slice(), b"* PREAUTH", b"* BYE", b"* CAPABILITY"];
        if greeting.iter().any(|start| line.starts_with(start)) { Fit::Yes } else { Fit::No }
    });
    if client == Fit::No { Fit::No } else { server }
}

impl Speaker for Imap {
    fn protocol(&self) -> Protocol {
        Protocol::Imap
    }

    fn wants(&self, role: Role) -> Token {
        self.literals.get(role.index()).and_then(Option::as_ref).map_or(Token::Line, Gather::token)
    }

    fn hear(&mut self, role: Role, token: &[u8], shelf: &mut Shelf) -> Next {
        let Some(slot) = self.literals.get_mut(role.index()) else { return Next::Stay };
        if let Some(literal) = slot {
            if literal.take(token) {
                let text = slot.take().map(Gather::into_bytes).unwrap_or_default();
                self.literal(role, text, shelf);
            }
            return Next::Stay;
        }
        *slot = literal_length(token).map(|length| Gather::new(length, LITERAL_MAX_BYTES));
        let more = slot.is_some();
        match role {
            Role::Server => self.reply(token, shelf),
            Role::Client => {
                self.client_line(token, more, shelf);
                Next::Stay
            }
        }
    }

    fn missed(&mut self, role: Role, bytes: u64) -> bool {
        let Some(slot) = self.literals.get_mut(role.index()) else { return false };
        let Some(literal) = slot else { return true };
        match literal.skip(bytes) {
            Some(done) => {
                if done {
                    *slot = None;
                }
                true
            }
            None => false,
        }
    }

    fn held_bytes(&self) -> usize {
        let literals = self.literals.iter().flatten().map(Gather::held_bytes);
        256 + self.command.capacity() + literals.sum::<usize>()
    }
}

impl Imap {
    fn literal(&mut self, role: Role, text: Vec<u8>, shelf: &mut Shelf) {
        match role {
            Role::Server => shelf.secret(Message, text),
            Role::Client => {
                self.join(b"\"");
                self.join(&text);
                self.join(b"\"");
            }
        }
    }

    fn join(&mut self, bytes: &[u8]) {
        if self.command.len() + bytes.len() <= COMMAND_MAX_BYTES {
            self.command.extend_from_slice(bytes);
        }
    }

    fn reply(&mut self, line: &[u8], shelf: &mut Shelf) -> Next {
        let (tag, rest) = first_word(line);
        if tag == b"*" && rest.starts_with(b"OK") {
            shelf.show("banner", rest.get(3..).unwrap_or_default());
        }
        if tag != b"*" && tag != b"+" {
            // The command is answered: no response to a challenge follows.
            self.sasl = Sasl::None;
        }
        let granted = self.tls_tag.as_deref() == Some(tag) && first_word(rest).0.eq_ignore_ascii_case(b"OK");
        if granted { Next::Become(Box::new(Tls::default())) } else { Next::Stay }
    }

    fn client_line(&mut self, line: &[u8], more: bool, shelf: &mut Shelf) {
        if self.sasl != Sasl::None && self.command.is_empty() {
            self.sasl = self.sasl.respond(line, shelf);
            return;
        }
        let brace = line.iter().rposition(|byte| more && *byte == b'{').unwrap_or(line.len());
        let text = line.get(..brace).unwrap_or(line);
        self.join(text);
        if !more {
            let command = std::mem::take(&mut self.command);
            self.complete(&command, shelf);
        }
    }

    fn complete(&mut self, line: &[u8], shelf: &mut Shelf) {
        let (tag, rest) = first_word(line);
        let (command, arguments) = first_word(rest);
        match command.to_ascii_uppercase().as_slice() {
            b"LOGIN" => {
                let (user, password) = argument(arguments);
                shelf.secret(User, user);
                shelf.secret(Password, unquoted(password));
            }
            b"AUTHENTICATE" => {
                let (mechanism, initial) = first_word(arguments);
                self.sasl = Sasl::begin(mechanism);
                if !initial.is_empty() && initial != b"=" {
                    self.sasl = self.sasl.respond(initial, shelf);
                }
            }
            b"STARTTLS" => self.tls_tag = Some(tag.to_vec()),
            b"SELECT" | b"EXAMINE" => shelf.secret(Name, argument(arguments).0),
            b"APPEND" => shelf.secret(Message, arguments),
            _ => {}
        }
    }
}

/// The first argument without its quotes, and the rest.
fn argument(text: &[u8]) -> (&[u8], &[u8]) {
    match text.strip_prefix(b"\"") {
        Some(quoted) => {
            let end = memchr::memchr(b'"', quoted).unwrap_or(quoted.len());
            let (value, rest) = quoted.split_at(end);
            (value, rest.get(1..).unwrap_or_default().trim_ascii_start())
        }
        None => first_word(text),
    }
}

/// The length in `{123}` or `{123+}` at the end of a line.
fn literal_length(line: &[u8]) -> Option<u64> {
    let inner = line.strip_suffix(b"}")?;
    let digits = inner.get(inner.iter().rposition(|byte| *byte == b'{')? + 1..)?;
    number(digits.strip_suffix(b"+").unwrap_or(digits)).filter(|length| *length > 0)
}
