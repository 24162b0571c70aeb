//! Frames and messages as the lines they have in the files (spec/vectors/README.md, Format).

use data_encoding::HEXLOWER as HEX;
use spec::wire::Reader;
use spec::wire::entry::{Entry, Submission};
use spec::wire::ephemeral::Ephemeral;
use spec::wire::frame::{Entries, Frame};
use spec::wire::message::{Message, RoomKind};

pub(crate) fn frame(frame: &Frame<'_>) -> String {
    match frame {
        Frame::Padding { len } => format!("PADDING length={len}"),
        Frame::Ping => "PING".to_owned(),
        Frame::Ack(ack) => {
            let range = |range: &std::ops::RangeInclusive<u64>| format!("{}-{}", range.end(), range.start());
            let ranges: Vec<_> = ack.ranges().iter().map(range).collect();
            let (largest, delay, window) = (ack.largest(), ack.delay_us, ack.window);
            let common =
                format!("largest={largest} delay={delay} window={window} ranges={}", ranges.join(","));
            match ack.ecn {
                None => format!("ACK {common}"),
                Some(ecn) => format!("ACK_ECN {common} ect0={} ect1={} ce={}", ecn.ect0, ecn.ect1, ecn.ce),
            }
        }
        Frame::Stream { stream, offset, data } => {
            format!("STREAM stream={stream} offset={offset} data={}", HEX.encode(data))
        }
        Frame::Entries(entries) => {
            let Entries { room, first, .. } = entries;
            let items = entries.iter().enumerate().map(|(index, (sequence, entry))| {
                assert_eq!(sequence, first + index as u64, "sequence numbers have no gaps");
                HEX.encode(entry)
            });
            format!("ENTRIES room={room} first={first} entries={}", list(items))
        }
        Frame::Fragment { room, sequence, total, offset, data } => format!(
            "FRAGMENT room={room} sequence={sequence} total={total} offset={offset} data={}",
            HEX.encode(data)
        ),
        Frame::Close { reason, text } => format!("CLOSE reason={} text={}", reason.code(), hex(text)),
        Frame::Done => "DONE".to_owned(),
        Frame::MaxStream { stream, limit } => format!("MAX_STREAM stream={stream} limit={limit}"),
        Frame::PathChallenge { data } => format!("PATH_CHALLENGE data={}", HEX.encode(data)),
        Frame::PathResponse { data } => format!("PATH_RESPONSE data={}", HEX.encode(data)),
        Frame::Ephemeral { room, message } => {
            format!("EPHEMERAL room={room} message={}", HEX.encode(message))
        }
        Frame::Bulk { transfer, offset, data } => {
            format!("BULK transfer={transfer} offset={offset} data={}", HEX.encode(data))
        }
        Frame::MaxBulk { transfer, limit } => format!("MAX_BULK transfer={transfer} limit={limit}"),
        Frame::Extension { kind, data } => format!("EXTENSION type={kind} data={}", HEX.encode(data)),
    }
}

/// `bytes` are those of the whole message: an unknown one keeps nothing but its type.
pub(crate) fn message(message: &Message<'_>, bytes: &[u8]) -> String {
    match message {
        Message::Hello { flags, name, token } => {
            format!("HELLO flags={flags} name={} token={}", hex(name), HEX.encode(token))
        }
        Message::Subscribe { room, after } => format!("SUBSCRIBE room={room} after={after}"),
        Message::Who { room } => format!("WHO room={room}"),
        Message::Direct { name } => format!("DIRECT name={}", hex(name)),
        Message::Welcome { flags, account, name, generation } => format!(
            "WELCOME flags={flags} account={account} name={} generation={}",
            hex(name),
            HEX.encode(generation)
        ),
        Message::Room { room, kind, name, head } => {
            let kind = kind.map_or(0, RoomKind::code);
            format!("ROOM room={room} kind={kind} name={} head={head}", hex(name))
        }
        Message::Members { room, names } => {
            format!("MEMBERS room={room} names={}", list(names.iter().map(|name| hex(name))))
        }
        Message::Refused { request, reason, id, name } => format!(
            "REFUSED request={request} reason={} id={} name={}",
            reason.code(),
            HEX.encode(&id.0),
            hex(name)
        ),
        Message::Stored { room, sequence, id } => {
            format!("STORED room={room} sequence={sequence} id={}", HEX.encode(&id.0))
        }
        Message::RatchetReq { ephemeral, kem } => ratchet("RATCHET_REQ", ephemeral, kem.map(|kem| &kem[..])),
        Message::RatchetRsp { ephemeral, kem } => ratchet("RATCHET_RSP", ephemeral, kem.map(|kem| &kem[..])),
        Message::Offer { transfer, hash, size } => {
            format!("OFFER transfer={transfer} hash={} size={size}", HEX.encode(hash))
        }
        Message::Fetch { transfer, hash, from } => {
            format!("FETCH transfer={transfer} hash={} from={from}", HEX.encode(hash))
        }
        Message::Release { transfer } => format!("RELEASE transfer={transfer}"),
        Message::Want { transfer, from } => format!("WANT transfer={transfer} from={from}"),
        Message::Blob { transfer, size } => format!("BLOB transfer={transfer} size={size}"),
        Message::Got { transfer } => format!("GOT transfer={transfer}"),
        // What these hold is shown as it stands: their vectors say no more than that they are read and written.
        Message::Login(message) => {
            let mut reader = Reader::new(bytes);
            reader.varint("length").unwrap();
            reader.varint("type").unwrap();
            format!("LOGIN type={} fields={}", message.kind(), HEX.encode(reader.peek()))
        }
        Message::Unknown { kind } => {
            let mut reader = Reader::new(bytes);
            reader.varint("length").unwrap();
            assert_eq!(reader.varint("type").as_ref(), Ok(kind));
            unknown(*kind, &reader)
        }
        message => panic!("there is no vector of {message:?}"),
    }
}

fn unknown(kind: u64, fields: &Reader<'_>) -> String {
    format!("UNKNOWN type={kind} fields={}", HEX.encode(fields.peek()))
}

/// `bytes` are those of the whole message: an unknown one keeps nothing.
pub(crate) fn ephemeral(ephemeral: &Ephemeral<'_>, bytes: &[u8]) -> String {
    match ephemeral {
        Ephemeral::Typing { name } => format!("TYPING name={}", hex(name)),
        Ephemeral::Unknown => {
            let mut reader = Reader::new(bytes);
            unknown(reader.varint("type").unwrap(), &reader)
        }
    }
}

fn ratchet(name: &str, ephemeral: &[u8], kem: Option<&[u8]>) -> String {
    format!("{name} ephemeral={} kem={}", HEX.encode(ephemeral), HEX.encode(kem.unwrap_or_default()))
}

pub(crate) fn submission(submission: &Submission<'_>) -> String {
    let Submission { id, kind, body } = submission;
    format!("SUBMISSION id={} kind={} body={}", HEX.encode(&id.0), kind.code(), HEX.encode(body))
}

pub(crate) fn entry(entry: &Entry<'_>) -> String {
    let Entry { author, id, time, kind, name, body } = entry;
    let (id, kind, name, body) = (HEX.encode(&id.0), kind.code(), hex(name), HEX.encode(body));
    format!("ENTRY author={author} id={id} time={} kind={kind} name={name} body={body}", time.0)
}

fn hex(text: &str) -> String {
    HEX.encode(text.as_bytes())
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = items.collect();
    if items.is_empty() { "none".to_owned() } else { items.join(",") }
}
