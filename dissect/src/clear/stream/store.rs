//! Redis (RESP) and memcached (its text protocol): passwords, keys and values.

use crate::clear::protocol::Protocol;
use crate::clear::protocol::SecretKind::{Command, Message, Name, Password, User};
use crate::clear::shelf::Shelf;
use crate::clear::speaker::{Gather, Next, Role, Speaker, Token};
use crate::clear::stream::recognise::Fit;
use crate::clear::text::{first_word, is_one_of, number, words};

/// What is kept of one value, in bytes.
const VALUE_MAX_BYTES: usize = 1024;
/// Words of one command that are kept.
const WORDS_MAX: usize = 8;

/// Reads Redis.
#[derive(Debug, Default)]
pub(super) struct Redis {
    /// Words of the client's command that are still to come, and those that came.
    left: u64,
    words: Vec<Vec<u8>>,
    packet: usize,
    values: [Option<Gather>; 2],
}

/// Whether these are the first bytes of Redis: a command as an array of strings.
pub(super) fn redis_fits(client: &[u8], server: &[u8]) -> Fit {
    let answers = server.first().is_none_or(|first| b"+-:$*_#,(!=%~>".contains(first));
    if !answers || Fit::by_prefix(client, b"*") == Fit::No {
        return Fit::No;
    }
    let first = std::cell::Cell::new(true);
    Fit::by_lines(client, |line| {
        let begins = if first.replace(false) { b'*' } else { b'$' };
        let fits =
            line.split_first().is_some_and(|(start, digits)| *start == begins && number(digits).is_some());
        match (fits, begins) {
            (false, _) => Fit::No,
            (true, b'$') => Fit::Yes,
            (true, _) => Fit::More,
        }
    })
}

impl Speaker for Redis {
    fn protocol(&self) -> Protocol {
        Protocol::Redis
    }

    fn wants(&self, role: Role) -> Token {
        self.values.get(role.index()).and_then(Option::as_ref).map_or(Token::Line, Gather::token)
    }

    fn hear(&mut self, role: Role, token: &[u8], shelf: &mut Shelf) -> Next {
        let Some(slot) = self.values.get_mut(role.index()) else { return Next::Stay };
        if let Some(value) = slot {
            if value.take(token) {
                let value = slot.take().map(Gather::into_bytes).unwrap_or_default();
                match role {
                    Role::Client => self.word(value, shelf),
                    Role::Server => shelf.secret(Message, value),
                }
            }
            return Next::Stay;
        }
        match token.split_first() {
            Some((b'*', digits)) if role == Role::Client => {
                (self.left, self.packet) = (number(digits).unwrap_or(0), shelf.packet);
                self.words.clear();
            }
            Some((b'$', digits)) => {
                let length = number(digits).filter(|length| *length > 0);
                *slot = length.map(|length| Gather::new(length, VALUE_MAX_BYTES));
            }
            Some(_) if role == Role::Client => {
                // A command typed as a line.
                self.packet = shelf.packet;
                self.words = words(token).take(WORDS_MAX).map(<[u8]>::to_vec).collect();
                self.command(shelf);
            }
            _ => {}
        }
        Next::Stay
    }

    fn missed(&mut self, role: Role, bytes: u64) -> bool {
        let Some(slot) = self.values.get_mut(role.index()) else { return false };
        let Some(value) = slot else { return true };
        let done = value.skip(bytes);
        if done == Some(true) {
            *slot = None;
        }
        done.is_some()
    }

    fn held_bytes(&self) -> usize {
        let words: usize = self.words.iter().map(Vec::capacity).sum();
        size_of::<Self>() + words + self.values.iter().flatten().map(Gather::held_bytes).sum::<usize>()
    }
}

impl Redis {
    fn word(&mut self, word: Vec<u8>, shelf: &mut Shelf) {
        self.left = self.left.saturating_sub(1);
        if self.words.len() < WORDS_MAX {
            self.words.push(word);
        }
        if self.left == 0 {
            self.command(shelf);
        }
    }

    fn command(&mut self, shelf: &mut Shelf) {
        shelf.packet = self.packet;
        let words = std::mem::take(&mut self.words);
        let login = words.iter().position(|word| word.eq_ignore_ascii_case(b"AUTH"));
        let login = login
            .and_then(|at| words.get(at + 1..))
            .filter(|_| words.first().is_some_and(|first| is_one_of(first, &["AUTH", "HELLO"])));
        match login {
            Some([user, password, ..]) => {
                shelf.secret(User, user);
                shelf.secret(Password, password);
            }
            Some([password]) => shelf.secret(Password, password),
            _ => shelf.secret(Command, words.join(&b' ')),
        }
    }
}

/// Reads memcached.
#[derive(Debug, Default)]
pub(super) struct Memcached {
    values: [Option<Gather>; 2],
}

/// Whether these are the first bytes of memcached: a command and its answer.
pub(super) fn memcached_fits(client: &[u8], server: &[u8]) -> Fit {
    let client = Fit::by_lines(client, |line| {
        let known = [
            "get",
            "gets",
            "set",
            "add",
            "replace",
            "append",
            "prepend",
            "cas",
            "delete",
            "incr",
            "decr",
            "touch",
            "stats",
            "version",
            "flush_all",
        ];
        Fit::when(known.iter().any(|command| command.as_bytes() == first_word(line).0))
    });
    let server = Fit::by_lines(server, |line| {
        let known = [
            "VALUE",
            "END",
            "STORED",
            "NOT_STORED",
            "STAT",
            "VERSION",
            "DELETED",
            "NOT_FOUND",
            "TOUCHED",
            "EXISTS",
            "OK",
        ];
        Fit::when(known.iter().any(|answer| answer.as_bytes() == first_word(line).0))
    });
    match (client, server) {
        (Fit::No, _) | (_, Fit::No) => Fit::No,
        (Fit::Yes, Fit::Yes) => Fit::Yes,
        _ => Fit::More,
    }
}

impl Speaker for Memcached {
    fn protocol(&self) -> Protocol {
        Protocol::Memcached
    }

    fn wants(&self, role: Role) -> Token {
        self.values.get(role.index()).and_then(Option::as_ref).map_or(Token::Line, Gather::token)
    }

    fn hear(&mut self, role: Role, token: &[u8], shelf: &mut Shelf) -> Next {
        let Some(slot) = self.values.get_mut(role.index()) else { return Next::Stay };
        if let Some(value) = slot {
            if value.take(token) {
                shelf.secret(Message, slot.take().map(Gather::into_bytes).unwrap_or_default());
            }
            return Next::Stay;
        }
        let mut words = words(token);
        let command = words.next().unwrap_or_default();
        let stores = ["set", "add", "replace", "append", "prepend", "cas", "VALUE"];
        if stores.iter().any(|known| known.as_bytes() == command) {
            shelf.secret(Name, words.next().unwrap_or_default());
            let at = if role == Role::Client { 2 } else { 1 };
            let length = words.nth(at).and_then(number).filter(|length| *length > 0);
            *slot = length.map(|length| Gather::new(length, VALUE_MAX_BYTES));
        } else if role == Role::Client {
            shelf.secret(Command, token);
        }
        Next::Stay
    }

    fn missed(&mut self, role: Role, bytes: u64) -> bool {
        let Some(slot) = self.values.get_mut(role.index()) else { return false };
        let Some(value) = slot else { return true };
        let done = value.skip(bytes);
        if done == Some(true) {
            *slot = None;
        }
        done.is_some()
    }

    fn held_bytes(&self) -> usize {
        let values = self.values.iter().flatten().map(Gather::held_bytes).sum::<usize>();
        size_of::<Self>() + values
    }
}
