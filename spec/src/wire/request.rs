//! Requests: what a client asks of a hub about rooms and what was said in them.
//!
//! Each bears a tag, which its answer bears too: DONE, ROOMS, PAGE or REFUSED.

use super::reader::{DecodeError, DecodeErrorKind, Reader};
use super::varint;
use alloc::borrow::Cow;
use alloc::vec::Vec;

/// Flag of a room: only who is invited may join, and nobody else sees it.
pub const ROOM_INVITE_ONLY: u64 = 1;
/// Flag of a room: who joins reads from then on.
pub const ROOM_WITHOUT_PAST: u64 = 2;
/// Flag of a room: its members alone hold the keys. No hub makes one yet.
pub const ROOM_SEALED: u64 = 4;

/// Open room or room for two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoomKind {
    /// A room everyone may join.
    Open,
    /// A room for two accounts.
    Direct,
}

impl RoomKind {
    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> u64 {
        match self {
            Self::Open => 1,
            Self::Direct => 2,
        }
    }

    /// The kind behind a code.
    #[must_use]
    pub const fn from_code(code: u64) -> Option<Self> {
        match code {
            1 => Some(Self::Open),
            2 => Some(Self::Direct),
            _ => None,
        }
    }
}

/// What an account may do, in a room or on the whole hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads.
    ReadOnly,
    /// Reads and writes.
    Guest,
    /// Makes rooms and invites too.
    Member,
    /// Keeps order too.
    Moderator,
    /// Does everything.
    Owner,
}

impl Role {
    /// Every role, the weakest first.
    pub const ALL: [Self; 5] = [Self::ReadOnly, Self::Guest, Self::Member, Self::Moderator, Self::Owner];

    /// The code on the wire, which is never 0.
    #[must_use]
    pub const fn code(self) -> u64 {
        match self {
            Self::ReadOnly => 1,
            Self::Guest => 2,
            Self::Member => 3,
            Self::Moderator => 4,
            Self::Owner => 5,
        }
    }

    /// The role behind a code.
    #[must_use]
    pub fn from_code(code: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }

    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::Guest => "guest",
            Self::Member => "member",
            Self::Moderator => "moderator",
            Self::Owner => "owner",
        }
    }

    /// The role of a name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name().eq_ignore_ascii_case(name))
    }
}

/// What can be changed about a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting<'a> {
    /// What it is about; nothing takes it away.
    Topic(Cow<'a, str>),
    /// The sequence number of the message that stands above all others; 0 for none.
    Pinned(u64),
    /// Seconds between two messages of one member; 0 for none.
    Slow(u64),
}

impl<'a> Setting<'a> {
    /// Appends it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (code, number, text) = match self {
            Self::Topic(text) => (1, 0, text.as_ref()),
            Self::Pinned(sequence) => (2, *sequence, ""),
            Self::Slow(seconds) => (3, *seconds, ""),
        };
        varint::encode(code, out);
        varint::encode(number, out);
        varint::encode_bytes(text.as_bytes(), out);
    }

    /// Reads it.
    ///
    /// # Errors
    /// The first field that does not decode; [`DecodeErrorKind::OutOfRange`] for a setting this version does not
    /// know.
    pub fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let error = reader.error("setting", DecodeErrorKind::OutOfRange);
        let (code, number, text) =
            (reader.varint("setting")?, reader.varint("number")?, reader.string("text")?);
        match code {
            1 => Ok(Self::Topic(text.into())),
            2 => Ok(Self::Pinned(number)),
            3 => Ok(Self::Slow(number)),
            _ => Err(error),
        }
    }
}

/// A request (PROTOCOL.md, Rooms; What was said).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Make a room.
    Create {
        /// What it is like: [`ROOM_INVITE_ONLY`] and its like.
        flags: u64,
        /// Its name.
        name: Cow<'a, str>,
    },
    /// Become a member of a room.
    Join {
        /// Its name.
        name: Cow<'a, str>,
    },
    /// Be a member no more.
    Leave {
        /// The room.
        room: u64,
    },
    /// Which rooms are there, behind this name?
    Rooms {
        /// The last name that is known.
        after: Cow<'a, str>,
    },
    /// Change something about a room.
    Set {
        /// The room.
        room: u64,
        /// What, and what to.
        setting: Setting<'a>,
    },
    /// Let somebody into a room.
    Invite {
        /// The room.
        room: u64,
        /// Who.
        name: Cow<'a, str>,
    },
    /// Give somebody a role.
    Grant {
        /// The room; 0 for the whole hub.
        room: u64,
        /// The role.
        role: Role,
        /// Who.
        name: Cow<'a, str>,
    },
    /// What was said, from here on.
    History {
        /// The room.
        room: u64,
        /// The first entry wanted.
        from: u64,
        /// How many of its bytes are there already.
        offset: u64,
        /// Nothing older than this, in milliseconds since 1970.
        since_ms: u64,
        /// How many entries at most.
        count: u64,
    },
    /// Where were these words said?
    Search {
        /// The room.
        room: u64,
        /// Only entries before this one; 0 for all.
        before: u64,
        /// How many entries at most.
        count: u64,
        /// The words, all of which an entry has.
        words: Cow<'a, str>,
    },
}

/// The types of requests.
pub mod kind {
    /// Make a room.
    pub const CREATE: u64 = 0x09;
    /// Become a member.
    pub const JOIN: u64 = 0x0a;
    /// Be a member no more.
    pub const LEAVE: u64 = 0x0b;
    /// Which rooms are there?
    pub const LIST: u64 = 0x0c;
    /// Change a room.
    pub const SET: u64 = 0x0d;
    /// Let somebody in.
    pub const INVITE: u64 = 0x0e;
    /// Give a role.
    pub const GRANT: u64 = 0x0f;
    /// What was said?
    pub const HISTORY: u64 = 0x10;
    /// Where was it said?
    pub const SEARCH: u64 = 0x11;
}

impl<'a> Request<'a> {
    /// Its type on the wire.
    #[must_use]
    pub const fn kind(&self) -> u64 {
        match self {
            Self::Create { .. } => kind::CREATE,
            Self::Join { .. } => kind::JOIN,
            Self::Leave { .. } => kind::LEAVE,
            Self::Rooms { .. } => kind::LIST,
            Self::Set { .. } => kind::SET,
            Self::Invite { .. } => kind::INVITE,
            Self::Grant { .. } => kind::GRANT,
            Self::History { .. } => kind::HISTORY,
            Self::Search { .. } => kind::SEARCH,
        }
    }

    /// Appends type, tag and fields.
    pub(super) fn encode(&self, tag: u64, out: &mut Vec<u8>) {
        let numbers = |values: &[u64], out: &mut Vec<u8>| {
            values.iter().for_each(|value| varint::encode(*value, out));
        };
        numbers(&[self.kind(), tag], out);
        let text = match self {
            Self::Create { flags, name } => {
                numbers(&[*flags], out);
                name
            }
            Self::Join { name } => name,
            Self::Rooms { after } => after,
            Self::Leave { room } => return numbers(&[*room], out),
            Self::Set { room, setting } => {
                numbers(&[*room], out);
                return setting.encode(out);
            }
            Self::Invite { room, name } => {
                numbers(&[*room], out);
                name
            }
            Self::Grant { room, role, name } => {
                numbers(&[*room, role.code()], out);
                name
            }
            Self::History { room, from, offset, since_ms, count } => {
                return numbers(&[*room, *from, *offset, *since_ms, *count], out);
            }
            Self::Search { room, before, count, words } => {
                numbers(&[*room, *before, *count], out);
                words
            }
        };
        varint::encode_bytes(text.as_bytes(), out);
    }

    /// Reads tag and fields of a request of a type; `None` for a type that is none.
    pub(super) fn decode(kind: u64, reader: &mut Reader<'a>) -> Result<Option<(u64, Self)>, DecodeError> {
        if !(kind::CREATE..=kind::SEARCH).contains(&kind) {
            return Ok(None);
        }
        let tag = reader.varint("tag")?;
        let request = match kind {
            kind::CREATE => {
                Self::Create { flags: reader.varint("flags")?, name: reader.string("name")?.into() }
            }
            kind::JOIN => Self::Join { name: reader.string("name")?.into() },
            kind::LEAVE => Self::Leave { room: reader.varint("room")? },
            kind::LIST => Self::Rooms { after: reader.string("name")?.into() },
            kind::SET => Self::Set { room: reader.varint("room")?, setting: Setting::decode(reader)? },
            kind::INVITE => {
                Self::Invite { room: reader.varint("room")?, name: reader.string("name")?.into() }
            }
            kind::GRANT => {
                let room = reader.varint("room")?;
                let error = reader.error("role", DecodeErrorKind::OutOfRange);
                let role = Role::from_code(reader.varint("role")?).ok_or(error)?;
                Self::Grant { room, role, name: reader.string("name")?.into() }
            }
            kind::HISTORY => Self::History {
                room: reader.varint("room")?,
                from: reader.varint("from")?,
                offset: reader.varint("offset")?,
                since_ms: reader.varint("since")?,
                count: reader.varint("count")?,
            },
            _ => Self::Search {
                room: reader.varint("room")?,
                before: reader.varint("before")?,
                count: reader.varint("count")?,
                words: reader.string("words")?.into(),
            },
        };
        Ok(Some((tag, request)))
    }

    /// The same with texts of its own.
    #[must_use]
    pub fn into_owned(self) -> Request<'static> {
        let own = |text: Cow<'a, str>| Cow::Owned(text.into_owned());
        match self {
            Self::Create { flags, name } => Request::Create { flags, name: own(name) },
            Self::Join { name } => Request::Join { name: own(name) },
            Self::Leave { room } => Request::Leave { room },
            Self::Rooms { after } => Request::Rooms { after: own(after) },
            Self::Set { room, setting } => Request::Set {
                room,
                setting: match setting {
                    Setting::Topic(text) => Setting::Topic(own(text)),
                    Setting::Pinned(sequence) => Setting::Pinned(sequence),
                    Setting::Slow(seconds) => Setting::Slow(seconds),
                },
            },
            Self::Invite { room, name } => Request::Invite { room, name: own(name) },
            Self::Grant { room, role, name } => Request::Grant { room, role, name: own(name) },
            Self::History { room, from, offset, since_ms, count } => {
                Request::History { room, from, offset, since_ms, count }
            }
            Self::Search { room, before, count, words } => {
                Request::Search { room, before, count, words: own(words) }
            }
        }
    }
}

/// A room in ROOMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is like.
    pub flags: u64,
    /// How many members it has.
    pub members: u64,
    /// What it is about.
    pub topic: &'a str,
}

/// A piece of an entry in PAGE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The entry's number.
    pub sequence: u64,
    /// The length of the whole entry in bytes.
    pub total: u64,
    /// Place of the first byte in the entry.
    pub offset: u64,
    /// The bytes.
    pub data: &'a [u8],
}

impl<'a> Listed<'a> {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        varint::encode_bytes(self.name.as_bytes(), out);
        varint::encode(self.flags, out);
        varint::encode(self.members, out);
        varint::encode_bytes(self.topic.as_bytes(), out);
    }

    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            name: reader.string("name")?,
            flags: reader.varint("flags")?,
            members: reader.varint("members")?,
            topic: reader.string("topic")?,
        })
    }
}

impl<'a> Piece<'a> {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        [self.sequence, self.total, self.offset].iter().for_each(|value| varint::encode(*value, out));
        varint::encode_bytes(self.data, out);
    }

    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            sequence: reader.varint("sequence")?,
            total: reader.varint("total")?,
            offset: reader.varint("offset")?,
            data: reader.bytes("data")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_there_and_back() {
        let name = || Cow::Borrowed("dev");
        for request in [
            Request::Create { flags: ROOM_INVITE_ONLY | ROOM_WITHOUT_PAST, name: name() },
            Request::Join { name: name() },
            Request::Leave { room: 7 },
            Request::Rooms { after: name() },
            Request::Set { room: 7, setting: Setting::Topic("what we do".into()) },
            Request::Set { room: 7, setting: Setting::Pinned(9) },
            Request::Set { room: 7, setting: Setting::Slow(30) },
            Request::Invite { room: 7, name: name() },
            Request::Grant { room: 0, role: Role::Moderator, name: name() },
            Request::History { room: 7, from: 3, offset: 70_000, since_ms: 1, count: 50 },
            Request::Search { room: 7, before: 9, count: 5, words: "old mill".into() },
        ] {
            let mut bytes = Vec::new();
            request.encode(300, &mut bytes);
            let mut reader = Reader::new(&bytes);
            let kind = reader.varint("type").unwrap();
            assert_eq!(Request::decode(kind, &mut reader), Ok(Some((300, request.clone()))));
            assert_eq!(request.clone().into_owned(), request);
            for len in 2..bytes.len() {
                let mut reader = Reader::new(bytes.get(2..len).unwrap_or_default());
                assert!(Request::decode(kind, &mut reader).is_err(), "{len} of {request:?}");
            }
        }
    }

    #[test]
    fn roles_have_names_and_an_order() {
        for role in Role::ALL {
            assert_eq!(Role::from_code(role.code()), Some(role));
            assert_eq!(Role::from_name(&role.name().to_uppercase()), Some(role));
        }
        assert!(Role::Owner > Role::Moderator && Role::Guest > Role::ReadOnly);
        assert_eq!((Role::from_code(0), Role::from_name("king")), (None, None));
    }
}
