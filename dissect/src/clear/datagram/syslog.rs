//! Syslog (RFC 3164, RFC 5424).

use crate::clear::protocol::Protocol;
use crate::clear::protocol::SecretKind::Message;
use crate::clear::shelf::Shelf;
use crate::clear::text::{is_text, number, split_once};

/// The highest priority: facility 23, severity 7.
const PRIORITY_MAX: u64 = 191;

/// What follows the priority; `None` when there is none.
pub(in crate::clear) fn message(text: &[u8]) -> Option<&[u8]> {
    let (priority, message) = split_once(text.strip_prefix(b"<")?, b'>')?;
    let fits =
        (1..=3).contains(&priority.len()) && number(priority).is_some_and(|number| number <= PRIORITY_MAX);
    Some(message).filter(|message| fits && is_text(message))
}

/// Puts a message on the shelf; `false` when it is none.
pub(in crate::clear) fn put(text: &[u8], shelf: &mut Shelf) -> bool {
    let Some(message) = message(text) else { return false };
    shelf.protocol = Protocol::Syslog;
    shelf.secret(Message, message);
    true
}
