//! Control messages: what client and hub say to each other on stream 0.

use super::entry::{MessageId, split_prefixed};
use super::login::{self, LoginMessage};
use super::reader::{DecodeError, DecodeErrorKind, Reader};
pub use super::refusal::Refusal;
pub use super::request::RoomKind;
use super::request::{Listed, Piece, Request, Role};
use super::varint;
use crate::limits::{CONTROL_MESSAGE_BYTES_MAX, KEM_CIPHERTEXT_BYTES, KEM_KEY_BYTES, KEY_BYTES};
use alloc::vec::Vec;

/// Bit 0 of the flags of HELLO and WELCOME: the sender writes a key log.
pub const FLAG_KEY_LOG: u64 = 1;

/// Message types (PROTOCOL.md, Application messages).
pub mod kind {
    /// Who the client is.
    pub const HELLO: u64 = 0x01;
    /// From where to read a room.
    pub const SUBSCRIBE: u64 = 0x02;
    /// Who is in a room.
    pub const WHO: u64 = 0x03;
    /// A room for two.
    pub const DIRECT: u64 = 0x04;
    /// The client's half of a ratchet.
    pub const RATCHET_REQ: u64 = 0x05;
    /// A blob the client has.
    pub const OFFER: u64 = 0x06;
    /// A blob the client wants.
    pub const FETCH: u64 = 0x07;
    /// A transfer the client is done with.
    pub const RELEASE: u64 = 0x08;
    /// Who the client is, as the hub has it.
    pub const WELCOME: u64 = 0x41;
    /// A room the client may read.
    pub const ROOM: u64 = 0x42;
    /// The members present in a room.
    pub const MEMBERS: u64 = 0x43;
    /// A request that was not granted.
    pub const REFUSED: u64 = 0x44;
    /// A submission that was committed before.
    pub const STORED: u64 = 0x45;
    /// The hub's half of a ratchet.
    pub const RATCHET_RSP: u64 = 0x46;
    /// From where on an offered blob is wanted.
    pub const WANT: u64 = 0x47;
    /// The length of a blob that was asked for.
    pub const BLOB: u64 = 0x48;
    /// An offered blob is stored.
    pub const GOT: u64 = 0x49;
    /// A room that the client is no member of any more.
    pub const GONE: u64 = 0x4a;
    /// Rooms there are.
    pub const ROOMS: u64 = 0x4b;
    /// Entries that were asked for.
    pub const PAGE: u64 = 0x4c;
    /// A request that was granted.
    pub const DONE: u64 = 0x4d;
    /// What a room is like.
    pub const STATE: u64 = 0x4e;
}

/// One control message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Client, first: who it is.
    Hello {
        /// Bit 0: a key log is written.
        flags: u64,
        /// The name it wants.
        name: &'a str,
        /// The token of its invite, or nothing.
        token: &'a [u8],
    },
    /// Client: read a room from here.
    Subscribe {
        /// The room.
        room: u64,
        /// The highest sequence number that is not wanted.
        after: u64,
    },
    /// Client: who is there?
    Who {
        /// The room.
        room: u64,
    },
    /// Client: a room for me and this name.
    Direct {
        /// The other's name.
        name: &'a str,
    },
    /// Client: its half of a ratchet.
    RatchetReq {
        /// A fresh X25519 key.
        ephemeral: [u8; KEY_BYTES],
        /// A fresh encapsulation key, now and then.
        kem: Option<&'a [u8; KEM_KEY_BYTES]>,
    },
    /// Hub, first: who the client is.
    Welcome {
        /// Bit 0: a key log is written.
        flags: u64,
        /// The client's account number.
        account: u64,
        /// The name bound to its key.
        name: &'a str,
        /// Names the log; when it changes, sequence numbers begin anew.
        generation: [u8; 8],
    },
    /// Hub: a room the client may read.
    Room {
        /// The room.
        room: u64,
        /// Open or for two; `None` for a kind this version does not know.
        kind: Option<RoomKind>,
        /// The room's name, or the other's.
        name: &'a str,
        /// The highest sequence number committed.
        head: u64,
    },
    /// Hub: who is there.
    Members {
        /// The room.
        room: u64,
        /// Their names.
        names: Vec<&'a str>,
    },
    /// Hub: no.
    Refused {
        /// The type of the request; 0 for a submission.
        request: u64,
        /// Why.
        reason: Refusal,
        /// The submission's id; zero for another request.
        id: MessageId,
        /// The name asked for, or nothing.
        name: &'a str,
    },
    /// Hub: this submission was committed before.
    Stored {
        /// The room.
        room: u64,
        /// Its sequence number there.
        sequence: u64,
        /// The submission's id.
        id: MessageId,
    },
    /// Hub: its half of a ratchet.
    RatchetRsp {
        /// A fresh X25519 key.
        ephemeral: [u8; KEY_BYTES],
        /// A ciphertext for the encapsulation key asked with, if there was one.
        kem: Option<&'a [u8; KEM_CIPHERTEXT_BYTES]>,
    },
    /// Client: a blob it has.
    Offer {
        /// The client's name for the transfer.
        transfer: u64,
        /// The blob's SHA-256.
        hash: [u8; 32],
        /// Its length in bytes.
        size: u64,
    },
    /// Client: a blob it wants.
    Fetch {
        /// The client's name for the transfer.
        transfer: u64,
        /// The blob's SHA-256.
        hash: [u8; 32],
        /// The bytes it has already.
        from: u64,
    },
    /// Client: a transfer is over.
    Release {
        /// The transfer.
        transfer: u64,
    },
    /// Hub: send an offered blob from here on.
    Want {
        /// The transfer.
        transfer: u64,
        /// The bytes that are there already.
        from: u64,
    },
    /// Hub: the length of a blob that was asked for.
    Blob {
        /// The transfer.
        transfer: u64,
        /// The blob's length in bytes.
        size: u64,
    },
    /// Hub: an offered blob is stored, and is what its hash says.
    Got {
        /// The transfer.
        transfer: u64,
    },
    /// Client: a request, which its answer names by the tag.
    Ask {
        /// The client's name for it.
        tag: u64,
        /// What it asks for.
        request: Request<'a>,
    },
    /// Hub: the account is no member of a room any more.
    Gone {
        /// The room.
        room: u64,
        /// Why, or nothing.
        text: &'a str,
    },
    /// Hub: rooms that the account may see, in the order of their names.
    Rooms {
        /// Of the request.
        tag: u64,
        /// Whether there are more behind the last.
        more: bool,
        /// The rooms.
        rooms: Vec<Listed<'a>>,
    },
    /// Hub: entries that were asked for, in their order, the last one perhaps not to its end.
    Page {
        /// Of the request.
        tag: u64,
        /// The room.
        room: u64,
        /// The highest number there is.
        head: u64,
        /// The entries.
        pieces: Vec<Piece<'a>>,
    },
    /// Hub: granted.
    Done {
        /// Of the request.
        tag: u64,
    },
    /// Hub: what a room is like, before the ROOM that makes it known, and whenever it changes.
    State {
        /// The room.
        room: u64,
        /// What it is like: [`ROOM_INVITE_ONLY`](super::request::ROOM_INVITE_ONLY) and its like.
        flags: u64,
        /// The account's role there.
        role: Option<Role>,
        /// The first entry that the account may read.
        first: u64,
        /// Seconds between two messages of one member; 0 for none.
        slow_secs: u64,
        /// The message that stands above all others; 0 for none.
        pinned: u64,
        /// What it is about, or nothing.
        topic: &'a str,
    },
    /// Either: about devices and passwords.
    Login(LoginMessage<'a>),
    /// A message of a type this version does not know.
    Unknown {
        /// The type.
        kind: u64,
    },
}

impl<'a> Message<'a> {
    /// Appends the message with its length in front. [`Message::Unknown`] is never sent and appends nothing.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut body = Vec::new();
        self.encode_body(&mut body);
        if !body.is_empty() {
            varint::encode_bytes(&body, out);
        }
    }

    /// Appends type and fields, without the length in front.
    pub(crate) fn encode_body(&self, body: &mut Vec<u8>) {
        let mut numbers = |values: &[u64]| values.iter().for_each(|value| varint::encode(*value, body));
        match self {
            Self::Hello { flags, name, token } => {
                numbers(&[kind::HELLO, *flags]);
                varint::encode_bytes(name.as_bytes(), body);
                varint::encode_bytes(token, body);
            }
            Self::Subscribe { room, after } => numbers(&[kind::SUBSCRIBE, *room, *after]),
            Self::Who { room } => numbers(&[kind::WHO, *room]),
            Self::Direct { name } => {
                numbers(&[kind::DIRECT]);
                varint::encode_bytes(name.as_bytes(), body);
            }
            Self::RatchetReq { ephemeral, kem } => {
                numbers(&[kind::RATCHET_REQ]);
                encode_halves(ephemeral, kem.map_or(&[][..], |kem| &kem[..]), body);
            }
            Self::RatchetRsp { ephemeral, kem } => {
                numbers(&[kind::RATCHET_RSP]);
                encode_halves(ephemeral, kem.map_or(&[][..], |kem| &kem[..]), body);
            }
            Self::Welcome { flags, account, name, generation } => {
                numbers(&[kind::WELCOME, *flags, *account]);
                varint::encode_bytes(name.as_bytes(), body);
                body.extend_from_slice(generation);
            }
            Self::Room { room, kind, name, head } => {
                numbers(&[kind::ROOM, *room, kind.map_or(0, RoomKind::code)]);
                varint::encode_bytes(name.as_bytes(), body);
                varint::encode(*head, body);
            }
            Self::Members { room, names } => {
                numbers(&[kind::MEMBERS, *room, names.len() as u64]);
                names.iter().for_each(|name| varint::encode_bytes(name.as_bytes(), body));
            }
            Self::Refused { request, reason, id, name } => {
                numbers(&[kind::REFUSED, *request, reason.code()]);
                body.extend_from_slice(&id.0);
                varint::encode_bytes(name.as_bytes(), body);
            }
            Self::Stored { room, sequence, id } => {
                numbers(&[kind::STORED, *room, *sequence]);
                body.extend_from_slice(&id.0);
            }
            Self::Offer { transfer, hash, size } => {
                numbers(&[kind::OFFER, *transfer]);
                body.extend_from_slice(hash);
                varint::encode(*size, body);
            }
            Self::Fetch { transfer, hash, from } => {
                numbers(&[kind::FETCH, *transfer]);
                body.extend_from_slice(hash);
                varint::encode(*from, body);
            }
            Self::Release { transfer } => numbers(&[kind::RELEASE, *transfer]),
            Self::Want { transfer, from } => numbers(&[kind::WANT, *transfer, *from]),
            Self::Blob { transfer, size } => numbers(&[kind::BLOB, *transfer, *size]),
            Self::Got { transfer } => numbers(&[kind::GOT, *transfer]),
            Self::Ask { tag, request } => request.encode(*tag, body),
            Self::Login(message) => message.encode_body(body),
            _ => self.encode_about_rooms(body),
        }
    }

    /// The same of the hub's messages about rooms and what was said there.
    fn encode_about_rooms(&self, body: &mut Vec<u8>) {
        let mut numbers = |values: &[u64]| values.iter().for_each(|value| varint::encode(*value, body));
        match self {
            Self::Gone { room, text } => {
                numbers(&[kind::GONE, *room]);
                varint::encode_bytes(text.as_bytes(), body);
            }
            Self::Rooms { tag, more, rooms } => {
                numbers(&[kind::ROOMS, *tag, u64::from(*more), rooms.len() as u64]);
                rooms.iter().for_each(|room| room.encode(body));
            }
            Self::Page { tag, room, head, pieces } => {
                numbers(&[kind::PAGE, *tag, *room, *head, pieces.len() as u64]);
                pieces.iter().for_each(|piece| piece.encode(body));
            }
            Self::Done { tag } => numbers(&[kind::DONE, *tag]),
            Self::State { room, flags, role, first, slow_secs, pinned, topic } => {
                let role = role.map_or(0, Role::code);
                numbers(&[kind::STATE, *room, *flags, role, *first, *slow_secs, *pinned]);
                varint::encode_bytes(topic.as_bytes(), body);
            }
            _ => {}
        }
    }

    /// Reads a message from the bytes behind its length.
    ///
    /// # Errors
    /// The first field that does not decode.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let kind = reader.varint("message type")?;
        Self::decode_fields(kind, &mut reader)
    }

    fn decode_fields(kind: u64, reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(match kind {
            kind::HELLO => Self::Hello {
                flags: reader.varint("flags")?,
                name: reader.string("name")?,
                token: reader.bytes("token")?,
            },
            kind::SUBSCRIBE => {
                Self::Subscribe { room: reader.varint("room")?, after: reader.varint("after")? }
            }
            kind::WHO => Self::Who { room: reader.varint("room")? },
            kind::DIRECT => Self::Direct { name: reader.string("name")? },
            kind::RATCHET_REQ => {
                Self::RatchetReq { ephemeral: reader.array("ephemeral")?, kem: decode_kem(reader)? }
            }
            kind::RATCHET_RSP => {
                Self::RatchetRsp { ephemeral: reader.array("ephemeral")?, kem: decode_kem(reader)? }
            }
            kind::WELCOME => Self::Welcome {
                flags: reader.varint("flags")?,
                account: reader.varint("account")?,
                name: reader.string("name")?,
                generation: reader.array("generation")?,
            },
            kind::ROOM => Self::Room {
                room: reader.varint("room")?,
                kind: RoomKind::from_code(reader.varint("room kind")?),
                name: reader.string("name")?,
                head: reader.varint("head")?,
            },
            kind::MEMBERS => Self::Members { room: reader.varint("room")?, names: decode_names(reader)? },
            kind::REFUSED => Self::Refused {
                request: reader.varint("request")?,
                reason: Refusal::from_code(reader.varint("reason")?),
                id: MessageId(reader.array("id")?),
                name: reader.string("name")?,
            },
            kind::STORED => Self::Stored {
                room: reader.varint("room")?,
                sequence: reader.varint("sequence")?,
                id: MessageId(reader.array("id")?),
            },
            kind::OFFER => Self::Offer {
                transfer: reader.varint("transfer")?,
                hash: reader.array("hash")?,
                size: reader.varint("size")?,
            },
            kind::FETCH => Self::Fetch {
                transfer: reader.varint("transfer")?,
                hash: reader.array("hash")?,
                from: reader.varint("from")?,
            },
            kind::RELEASE => Self::Release { transfer: reader.varint("transfer")? },
            kind::WANT => Self::Want { transfer: reader.varint("transfer")?, from: reader.varint("from")? },
            kind::BLOB => Self::Blob { transfer: reader.varint("transfer")?, size: reader.varint("size")? },
            kind::GOT => Self::Got { transfer: reader.varint("transfer")? },
            kind if login::kind::is_login(kind) => Self::Login(LoginMessage::decode_fields(kind, reader)?),
            kind => match Request::decode(kind, reader)? {
                Some((tag, request)) => Self::Ask { tag, request },
                None => Self::decode_about_rooms(kind, reader)?,
            },
        })
    }

    /// The same of the hub's messages about rooms and what was said there.
    fn decode_about_rooms(kind: u64, reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(match kind {
            kind::GONE => Self::Gone { room: reader.varint("room")?, text: reader.string("text")? },
            kind::ROOMS => Self::Rooms {
                tag: reader.varint("tag")?,
                more: reader.varint("more")? != 0,
                rooms: decode_all(reader, Listed::decode)?,
            },
            kind::PAGE => Self::Page {
                tag: reader.varint("tag")?,
                room: reader.varint("room")?,
                head: reader.varint("head")?,
                pieces: decode_all(reader, Piece::decode)?,
            },
            kind::DONE => Self::Done { tag: reader.varint("tag")? },
            kind::STATE => Self::State {
                room: reader.varint("room")?,
                flags: reader.varint("flags")?,
                role: Role::from_code(reader.varint("role")?),
                first: reader.varint("first")?,
                slow_secs: reader.varint("slow")?,
                pinned: reader.varint("pinned")?,
                topic: reader.string("topic")?,
            },
            //= spec/PROTOCOL.md#application-messages
            //# A receiver MUST skip a control message whose type it does not know, and ignore bytes behind the
            //# fields it knows.
            kind => Self::Unknown { kind },
        })
    }

    /// Finds the first whole message in the bytes of the control stream: it and the bytes it takes, or `None`
    /// when more must come.
    ///
    /// # Errors
    /// [`OutOfRange`](super::DecodeErrorKind::OutOfRange) above 65,536 bytes, and what
    /// [`decode`](Self::decode) gives.
    pub fn split(stream: &'a [u8]) -> Result<Option<(Self, usize)>, DecodeError> {
        let Some((bytes, used)) = split_prefixed(stream, CONTROL_MESSAGE_BYTES_MAX, "message")? else {
            return Ok(None);
        };
        Ok(Some((Self::decode(bytes)?, used)))
    }
}

fn encode_halves(ephemeral: &[u8; KEY_BYTES], kem: &[u8], body: &mut Vec<u8>) {
    body.extend_from_slice(ephemeral);
    varint::encode_bytes(kem, body);
}

/// The KEM half of a ratchet message: all of it or none.
fn decode_kem<'a, const N: usize>(reader: &mut Reader<'a>) -> Result<Option<&'a [u8; N]>, DecodeError> {
    let error = reader.error("kem", DecodeErrorKind::OutOfRange);
    match reader.bytes("kem")? {
        [] => Ok(None),
        bytes => bytes.try_into().map(Some).map_err(|_| error),
    }
}

fn decode_names<'a>(reader: &mut Reader<'a>) -> Result<Vec<&'a str>, DecodeError> {
    let count = reader.varint("member count")?;
    (0..count).map(|_| reader.string("member name")).collect()
}

/// As many items as the count in front says; the count alone allocates nothing.
fn decode_all<'a, T>(
    reader: &mut Reader<'a>,
    decode: impl Fn(&mut Reader<'a>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let count = reader.varint("count")?;
    (0..count).map(|_| decode(reader)).collect()
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "a test that is wrong may panic")]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn every_message_there_and_back() {
        let id = MessageId([9; 16]);
        for message in [
            Message::Hello { flags: FLAG_KEY_LOG, name: "ann", token: b"t" },
            Message::Subscribe { room: 1, after: 77 },
            Message::Stored { room: 1, sequence: 5, id },
            Message::Who { room: 1 },
            Message::Direct { name: "bob" },
            Message::RatchetReq { ephemeral: [1; 32], kem: None },
            Message::RatchetReq { ephemeral: [1; 32], kem: Some(&[2; 1184]) },
            Message::RatchetRsp { ephemeral: [3; 32], kem: None },
            Message::RatchetRsp { ephemeral: [3; 32], kem: Some(&[4; 1088]) },
            Message::Welcome { flags: 0, account: 3, name: "ann", generation: [5; 8] },
            Message::Room { room: 8, kind: Some(RoomKind::Direct), name: "bob", head: 0 },
            Message::Members { room: 1, names: vec!["ann", "bob"] },
            Message::Refused { request: kind::DIRECT, reason: Refusal::NoSuchName, id, name: "bbo" },
            Message::Ask { tag: 4, request: Request::Leave { room: 7 } },
            Message::Gone { room: 7, text: "sent away" },
            Message::Rooms {
                tag: 4,
                more: true,
                rooms: vec![Listed { name: "dev", flags: 1, members: 3, topic: "what we do" }],
            },
            Message::Page {
                tag: 4,
                room: 7,
                head: 9,
                pieces: vec![Piece { sequence: 8, total: 5, offset: 2, data: b"ent" }],
            },
            Message::Done { tag: 4 },
            Message::State {
                room: 7,
                flags: 1,
                role: Some(Role::Owner),
                first: 1,
                slow_secs: 30,
                pinned: 8,
                topic: "what we do",
            },
        ] {
            let mut stream = Vec::new();
            message.encode(&mut stream);
            assert_eq!(Message::split(&stream[..stream.len() - 1]), Ok(None));
            assert_eq!(Message::split(&stream), Ok(Some((message, stream.len()))));
        }
    }

    #[test]
    fn the_unknown_is_skipped_and_the_rest_ignored() {
        //= spec/PROTOCOL.md#application-messages
        //= type=test
        //# A receiver MUST skip a control message whose type it does not know, and ignore bytes behind the
        //# fields it knows.
        assert_eq!(Message::split(&[3, 0x3e, 1, 2]), Ok(Some((Message::Unknown { kind: 0x3e }, 4))));
        assert_eq!(Message::split(&[4, 0x03, 7, 1, 2]), Ok(Some((Message::Who { room: 7 }, 5))));
    }

    #[test]
    fn a_kem_half_is_whole_or_absent() {
        for (kind, right) in [(kind::RATCHET_REQ, 1184), (kind::RATCHET_RSP, 1088)] {
            for len in [0, 1, 1087, 1088, 1089, 1183, 1184, 1185] {
                let mut bytes = Vec::new();
                varint::encode(kind, &mut bytes);
                encode_halves(&[7; 32], &vec![8; len], &mut bytes);
                assert_eq!(Message::decode(&bytes).is_ok(), len == 0 || len == right, "{kind} {len}");
            }
        }
    }

    #[test]
    fn a_count_beyond_the_bytes_allocates_nothing() {
        assert!(Message::decode(&[0x40, 0x43, 1, 0xbf, 0xff, 0xff, 0xff]).is_err());
    }
}
