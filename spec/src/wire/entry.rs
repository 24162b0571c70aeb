//! Submissions, upward, and log entries, downward: the two forms of a message.

use super::reader::{DecodeError, DecodeErrorKind, Reader};
use super::varint;
use crate::limits::{BODY_BYTES_MAX, SUBMISSION_BYTES_MAX};
use crate::time::UnixTime;
use alloc::vec::Vec;

/// 16 random bytes the author gives a submission; with room and author they name it for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub [u8; 16]);

/// What an entry is (PROTOCOL.md, Application messages).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A line of text.
    Text,
    /// A line of text in the third person.
    Action,
    /// A member came.
    Joined,
    /// A member went.
    Left,
    /// A line from the operator to all.
    Alert,
    /// A line of text that answers another.
    Reply,
    /// What a line of the author shall say instead.
    Edit,
    /// A line that shall be no more.
    Delete,
    /// A sign at a line.
    React,
    /// What is left of a line that was deleted.
    Deleted,
    /// Room 0: a name was bound to a key.
    Account,
    /// Room 0: a room was made.
    Room,
    /// Room 0: an account came to be a member of a room, or is one no more.
    Member,
    /// Room 0: an account has a role.
    Role,
    /// Room 0: a room is another than it was.
    Setting,
    /// Room 0: a device was added to an account, or revoked.
    Device,
    /// Room 0: an account has a password, or another one.
    Password,
    /// A kind this version does not know.
    Other(u8),
}

impl EntryKind {
    const CODES: [(Self, u8); 17] = [
        (Self::Text, 1),
        (Self::Action, 2),
        (Self::Joined, 3),
        (Self::Left, 4),
        (Self::Alert, 5),
        (Self::Reply, 6),
        (Self::Edit, 7),
        (Self::Delete, 8),
        (Self::React, 9),
        (Self::Deleted, 10),
        (Self::Account, 16),
        (Self::Room, 17),
        (Self::Member, 18),
        (Self::Role, 19),
        (Self::Setting, 20),
        (Self::Device, 32),
        (Self::Password, 33),
    ];

    /// The code on the wire.
    #[must_use]
    pub fn code(self) -> u8 {
        if let Self::Other(code) = self {
            return code;
        }
        Self::CODES.iter().find(|(kind, _)| *kind == self).map_or(0, |(_, code)| *code)
    }

    /// The kind behind a code.
    #[must_use]
    pub fn from_code(code: u8) -> Self {
        Self::CODES.iter().find(|(_, known)| *known == code).map_or(Self::Other(code), |(kind, _)| *kind)
    }

    /// Whether clients submit it; the rest is the hub's.
    #[must_use]
    pub const fn is_clients(self) -> bool {
        matches!(self, Self::Text | Self::Action) || self.is_about_another()
    }

    /// Whether its body begins with the number of the entry it is about: see [`split_target`].
    #[must_use]
    pub const fn is_about_another(self) -> bool {
        matches!(self, Self::Reply | Self::Edit | Self::Delete | Self::React)
    }

    /// Whether it is a line that others may answer, edit, delete or put a sign at.
    #[must_use]
    pub const fn is_line(self) -> bool {
        matches!(self, Self::Text | Self::Action | Self::Reply)
    }
}

/// The body of an entry [about another](EntryKind::is_about_another): the number of that entry, and the text.
///
/// # Errors
/// When there is no number in front.
pub fn split_target(body: &[u8]) -> Result<(u64, &[u8]), DecodeError> {
    let mut reader = Reader::new(body);
    let target = reader.varint("target")?;
    Ok((target, reader.peek()))
}

/// The body of an entry about the entry `target`.
#[must_use]
pub fn about(target: u64, text: &str) -> Vec<u8> {
    let mut body = Vec::new();
    varint::encode(target, &mut body);
    body.extend_from_slice(text.as_bytes());
    body
}

/// What an author sends on the stream of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submission<'a> {
    /// The author's name for it.
    pub id: MessageId,
    /// What it is.
    pub kind: EntryKind,
    /// UTF-8, behind the number of another entry where the kind has one; at most 65,536 bytes.
    pub body: &'a [u8],
}

impl<'a> Submission<'a> {
    /// Appends the submission with its length in front.
    pub fn encode(&self, out: &mut Vec<u8>) {
        varint::encode((self.body.len() as u64).saturating_add(17), out);
        out.extend_from_slice(&self.id.0);
        out.push(self.kind.code());
        out.extend_from_slice(self.body);
    }

    /// Reads a submission from the bytes behind its length.
    ///
    /// # Errors
    /// [`DecodeErrorKind::Truncated`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let id = MessageId(reader.array("submission id")?);
        let kind = EntryKind::from_code(reader.byte("submission kind")?);
        Ok(Self { id, kind, body: reader.peek() })
    }

    /// Finds the first whole submission in the bytes of a stream: it and the bytes it takes, or `None` when
    /// more must come.
    ///
    /// # Errors
    /// [`DecodeErrorKind::OutOfRange`] when it is longer than 65,553 bytes, and what [`decode`](Self::decode)
    /// gives.
    pub fn split(stream: &'a [u8]) -> Result<Option<(Self, usize)>, DecodeError> {
        let Some((bytes, used)) = split_prefixed(stream, SUBMISSION_BYTES_MAX, "submission")? else {
            return Ok(None);
        };
        Ok(Some((Self::decode(bytes)?, used)))
    }
}

/// The first length-prefixed item of at most `max` bytes in `stream` and the bytes it takes with its length.
pub(super) fn split_prefixed<'a>(
    stream: &'a [u8],
    max: usize,
    field: &'static str,
) -> Result<Option<(&'a [u8], usize)>, DecodeError> {
    let mut reader = Reader::new(stream);
    let len = match reader.varint(field) {
        Ok(len) => len,
        Err(error) if error.kind == DecodeErrorKind::Truncated => return Ok(None),
        Err(error) => return Err(error),
    };
    if len > max as u64 {
        return Err(DecodeError { offset: 0, field, kind: DecodeErrorKind::OutOfRange });
    }
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    Ok(reader.take(len, field).ok().map(|bytes| (bytes, reader.offset())))
}

/// One committed item of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Account number of the author; 0 for the hub.
    pub author: u64,
    /// The author's name for it.
    pub id: MessageId,
    /// When it was committed.
    pub time: UnixTime,
    /// What it is.
    pub kind: EntryKind,
    /// The author's name at that moment.
    pub name: &'a str,
    /// What the kind says.
    pub body: &'a [u8],
}

impl<'a> Entry<'a> {
    /// Appends the entry, without a length.
    pub fn encode(&self, out: &mut Vec<u8>) {
        varint::encode(self.author, out);
        out.extend_from_slice(&self.id.0);
        varint::encode(self.time.0, out);
        out.push(self.kind.code());
        varint::encode_bytes(self.name.as_bytes(), out);
        out.extend_from_slice(self.body);
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// The first field that does not decode; [`DecodeErrorKind::OutOfRange`] for a body above 65,536 bytes.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let author = reader.varint("entry author")?;
        let id = MessageId(reader.array("entry id")?);
        let time = UnixTime(reader.varint("entry time")?);
        let kind = EntryKind::from_code(reader.byte("entry kind")?);
        let name = reader.string("entry name")?;
        let body = reader.peek();
        if body.len() > BODY_BYTES_MAX {
            return Err(reader.error("entry body", DecodeErrorKind::OutOfRange));
        }
        Ok(Self { author, id, time, kind, name, body })
    }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "a test that is wrong may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_submission_arrives_in_pieces() {
        let submission = Submission { id: MessageId([7; 16]), kind: EntryKind::Text, body: b"hello" };
        let mut stream = Vec::new();
        submission.encode(&mut stream);
        for len in 0..stream.len() {
            assert_eq!(Submission::split(&stream[..len]), Ok(None), "{len}");
        }
        stream.push(99);
        assert_eq!(Submission::split(&stream), Ok(Some((submission, stream.len() - 1))));
    }

    #[test]
    fn a_submission_too_long_is_refused_at_its_length() {
        let mut stream = Vec::new();
        varint::encode(SUBMISSION_BYTES_MAX as u64 + 1, &mut stream);
        assert_eq!(Submission::split(&stream).unwrap_err().kind, DecodeErrorKind::OutOfRange);
        assert!(Submission::split(&[2, 1, 1]).is_err());
    }

    #[test]
    fn an_entry_there_and_back() {
        let entry = Entry {
            author: 300,
            id: MessageId([1; 16]),
            time: UnixTime(1_790_000_000_000),
            kind: EntryKind::Other(77),
            name: "Zoë",
            body: b"",
        };
        let mut bytes = Vec::new();
        entry.encode(&mut bytes);
        assert_eq!(Entry::decode(&bytes), Ok(entry));
        assert!(Entry::decode(&bytes[..20]).is_err());
    }
}
