//! Syslog over a stream (RFC 6587): a message a line.

use crate::clear::datagram::syslog;
use crate::clear::protocol::Protocol;
use crate::clear::shelf::Shelf;
use crate::clear::speaker::{Next, Role, Speaker, Token};
use crate::clear::stream::recognise::Fit;

/// Reads syslog over a stream.
#[derive(Debug, Default)]
pub(super) struct Syslog;

/// Whether these are the first bytes of syslog: a priority, of a client that nobody answers.
pub(super) fn fits(client: &[u8], server: &[u8]) -> Fit {
    if !server.is_empty() {
        return Fit::No;
    }
    Fit::by_lines(client, |line| Fit::when(syslog::message(line).is_some()))
}

impl Speaker for Syslog {
    fn protocol(&self) -> Protocol {
        Protocol::Syslog
    }

    fn wants(&self, _role: Role) -> Token {
        Token::Line
    }

    fn hear(&mut self, _role: Role, line: &[u8], shelf: &mut Shelf) -> Next {
        syslog::put(line, shelf);
        Next::Stay
    }
}
