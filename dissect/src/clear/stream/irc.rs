//! IRC (RFC 1459, RFC 2812, and the IRCv3 SASL extension).

use crate::clear::protocol::Protocol;
use crate::clear::protocol::SecretKind::{Message, Name, Password, User};
use crate::clear::sasl::Sasl;
use crate::clear::shelf::Shelf;
use crate::clear::speaker::{Next, Role, Speaker, Token};
use crate::clear::stream::recognise::{Fit, either};
use crate::clear::stream::tls::Tls;
use crate::clear::text::{first_word, is_one_of, words};

/// Reads IRC.
#[derive(Debug, Default)]
pub(super) struct Irc {
    sasl: Sasl,
}

/// Whether these are the first bytes of IRC.
pub(super) fn fits(client: &[u8], server: &[u8]) -> Fit {
    either(Fit::by_lines(client, client_line), Fit::by_lines(server, server_line))
}

fn client_line(line: &[u8]) -> Fit {
    let (word, rest) = first_word(line);
    if is_one_of(word, &["NICK", "AUTHENTICATE", "PRIVMSG", "WEBIRC"])
        || (word.eq_ignore_ascii_case(b"USER") && words(rest).count() >= 4)
        || (word.eq_ignore_ascii_case(b"CAP") && is_one_of(first_word(rest).0, &["LS", "REQ", "END", "LIST"]))
        || (word.eq_ignore_ascii_case(b"JOIN") && rest.starts_with(b"#"))
    {
        return Fit::Yes;
    }
    if is_one_of(word, &["PASS", "PING", "PONG", "JOIN", "MODE", "WHO", "STARTTLS", "PROTOCTL"]) {
        Fit::More
    } else {
        Fit::No
    }
}

fn server_line(line: &[u8]) -> Fit {
    if let Some(prefixed) = line.strip_prefix(b":") {
        let word = words(prefixed).nth(1).unwrap_or_default();
        let numeric = word.len() == 3 && word.iter().all(u8::is_ascii_digit);
        let known =
            is_one_of(word, &["NOTICE", "PRIVMSG", "JOIN", "PART", "QUIT", "MODE", "NICK", "CAP", "TOPIC"]);
        return if numeric || known { Fit::Yes } else { Fit::No };
    }
    let (word, rest) = first_word(line);
    match word {
        b"NOTICE" if rest.starts_with(b"AUTH ") || rest.starts_with(b"* ") => Fit::Yes,
        b"PING" | b"ERROR" | b"AUTHENTICATE" => Fit::More,
        _ => Fit::No,
    }
}

impl Speaker for Irc {
    fn protocol(&self) -> Protocol {
        Protocol::Irc
    }

    fn wants(&self, _role: Role) -> Token {
        Token::Line
    }

    fn hear(&mut self, role: Role, line: &[u8], shelf: &mut Shelf) -> Next {
        // IRCv3 message tags.
        let line = if line.starts_with(b"@") { first_word(line).1 } else { line };
        let line = if line.starts_with(b":") { first_word(line).1 } else { line };
        let (command, rest) = first_word(line);
        if role == Role::Server && command == b"670" {
            return Next::Become(Box::new(Tls::default()));
        }
        let (middle, trailing) = parameters(rest);
        let last = trailing.or_else(|| middle.last().copied()).unwrap_or_default();
        let first = middle.first().copied().unwrap_or(last);
        match command.to_ascii_uppercase().as_slice() {
            b"PASS" => shelf.secret(Password, last),
            b"NICK" => shelf.secret(User, last),
            b"USER" => {
                shelf.secret(User, first);
                shelf.secret(Name, trailing.unwrap_or_default());
            }
            b"OPER" => {
                shelf.secret(User, first);
                shelf.secret(Password, middle.get(1).copied().unwrap_or(last));
            }
            b"JOIN" => {
                shelf.secret(Name, first);
                if role == Role::Client {
                    shelf.secret(Password, middle.get(1).copied().unwrap_or_default());
                }
            }
            b"PRIVMSG" | b"NOTICE" | b"TOPIC" | b"332" | b"372" => said(command, first, last, shelf),
            b"PART" | b"QUIT" | b"AWAY" | b"KICK" => shelf.secret(Message, trailing.unwrap_or_default()),
            b"AUTHENTICATE" if role == Role::Client => {
                let begun =
                    if self.sasl == Sasl::None { Sasl::begin(last) } else { self.sasl.respond(last, shelf) };
                self.sasl = begun;
            }
            _ => {}
        }
        Next::Stay
    }

    fn held_bytes(&self) -> usize {
        size_of::<Self>()
    }
}

/// A text for somebody; `IDENTIFY` to a service is a log-in.
fn said(command: &[u8], target: &[u8], text: &[u8], shelf: &mut Shelf) {
    if command.len() > 3 && target != b"*" && target != b"AUTH" {
        shelf.secret(Name, target);
    }
    let (word, rest) = first_word(text);
    if is_one_of(word, &["IDENTIFY", "REGISTER"]) {
        shelf.secret(Password, words(rest).last().unwrap_or_default());
    } else {
        shelf.secret(Message, text);
    }
}

/// The parameters of a message, and the last one when it begins with a colon.
fn parameters(text: &[u8]) -> (Vec<&[u8]>, Option<&[u8]>) {
    let mut rest = text;
    let mut middle = Vec::new();
    while !rest.is_empty() {
        if let Some(trailing) = rest.strip_prefix(b":") {
            return (middle, Some(trailing));
        }
        let (word, behind) = first_word(rest);
        middle.push(word);
        rest = behind;
    }
    (middle, None)
}
