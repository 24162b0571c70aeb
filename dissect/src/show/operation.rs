//! What client and hub do, in words: from the shape of datagrams and, with a key log, from what they say.

use spec::wire::entry::{Entry, Submission};
use spec::wire::frame::{Frame, Frames, Side};
use spec::wire::login::LoginMessage;
use spec::wire::message::Message;
use spec::wire::request::Request;

use super::conversation::Said;
use super::fold::Bounded;
use super::seen::{Membership, Seen};
use crate::dissection::Endpoint;
use crate::session::{Kind, hex};

/// Characters of a text that are shown.
const TEXT_CHARS_MAX: usize = 80;

/// What an operation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// The handshake.
    Handshake,
    /// Who comes and which rooms there are.
    Join,
    /// What people say.
    Line,
    /// Acknowledgements.
    Ack,
    /// A new epoch.
    Update,
    /// A new generation.
    Ratchet,
    /// Another address.
    Move,
    /// The end.
    Close,
    /// The rest: blobs, typing.
    Other,
}

impl Topic {
    /// The word for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Join => "join",
            Self::Line => "line",
            Self::Ack => "ack",
            Self::Update => "update",
            Self::Ratchet => "ratchet",
            Self::Move => "move",
            Self::Close => "close",
            Self::Other => "other",
        }
    }
}

/// Something that one side does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// What it is about.
    pub(crate) topic: Topic,
    /// What is done, in words.
    pub(crate) text: String,
}

/// What is remembered of each session to notice what is new.
#[derive(Debug, Default)]
pub(crate) struct Operations(Bounded<usize, State>);

#[derive(Debug, Default)]
struct State {
    /// The kinds of datagrams that were seen.
    kinds: Vec<(Kind, bool)>,
    client: Option<Endpoint>,
    /// Generation and epoch of client and hub.
    keys: [(u64, u64); 2],
}

impl Operations {
    /// What happens in a packet.
    pub(crate) fn take(&mut self, seen: &Seen<'_>) -> Vec<Operation> {
        let Some(membership) = seen.context.membership else { return Vec::new() };
        let Some(state) = self.0.entry(membership.member.session) else { return Vec::new() };
        let mut found = Found(Vec::new());
        state.handshake(&membership, &mut found);
        state.moves(seen, &membership, &mut found);
        if let Some(opened) = seen.context.opened {
            if let Some(place) = opened.place {
                state.keys(membership.member.from_client, (place.generation, place.epoch), &mut found);
            }
            let side = if opened.from_client { Side::Client } else { Side::Hub };
            for frame in Frames::parse(&opened.plaintext, side).iter().flat_map(Frames::iter) {
                found.frame(&frame);
            }
            for said in &seen.said {
                found.said(said);
            }
        }
        found.0
    }
}

impl State {
    fn handshake(&mut self, membership: &Membership<'_>, found: &mut Found) {
        let kind = membership.member.kind;
        let key = (kind, membership.member.from_client);
        let is_new = !self.kinds.contains(&key);
        if is_new {
            self.kinds.push(key);
        }
        let text = match (kind, is_new) {
            (Kind::Init(fragment), true) => format!("asks for a session, INIT {}/2", fragment + 1),
            (Kind::Resp, true) => "answers, RESP".to_owned(),
            (Kind::Fin, true) => "finishes the handshake, FIN".to_owned(),
            (Kind::Retry, true) => "is busy and asks for its cookie, RETRY".to_owned(),
            (Kind::KeyReq, true) => "asks for the key of the hub, KEYREQ".to_owned(),
            (Kind::Key, true) => "gives its key, KEY".to_owned(),
            (Kind::Version, true) => "says which versions it speaks, VERSION".to_owned(),
            (Kind::Short, _) => return,
            (kind, false) => format!("repeats {}", kind.name()),
        };
        found.add(Topic::Handshake, text);
    }

    fn moves(&mut self, seen: &Seen<'_>, membership: &Membership<'_>, found: &mut Found) {
        let Some((source, _)) = seen.packet.dissection.ends.filter(|_| membership.member.from_client) else {
            return;
        };
        if let Some(before) = self.client.replace(source).filter(|before| *before != source) {
            found.add(Topic::Move, format!("moves from {before} to {source}"));
        }
    }

    fn keys(&mut self, from_client: bool, now: (u64, u64), found: &mut Found) {
        let Some(keys) = self.keys.get_mut(usize::from(!from_client)).filter(|keys| now > **keys) else {
            return;
        };
        let (topic, text) = if now.0 > keys.0 {
            (Topic::Ratchet, format!("seals under generation {}", now.0))
        } else {
            (Topic::Update, format!("seals under epoch {}", now.1))
        };
        *keys = now;
        found.add(topic, text);
    }
}

struct Found(Vec<Operation>);

impl Found {
    fn add(&mut self, topic: Topic, text: impl Into<String>) {
        self.0.push(Operation { topic, text: text.into() });
    }

    fn frame(&mut self, frame: &Frame<'_>) {
        match frame {
            Frame::Ack(ack) => self.add(Topic::Ack, format!("acknowledges up to #{}", ack.largest())),
            Frame::Done => self.add(Topic::Handshake, "confirms the session, DONE"),
            Frame::Close { reason, text } => {
                self.add(Topic::Close, format!("closes: {reason:?} {}", quoted(text)));
            }
            Frame::PathChallenge { .. } => self.add(Topic::Move, "asks whether the client is there"),
            Frame::PathResponse { .. } => self.add(Topic::Move, "says that it is there"),
            Frame::Ephemeral { room, .. } => {
                self.add(Topic::Other, format!("something passing in room {room}"))
            }
            Frame::Bulk { transfer, offset, data } => {
                let text = format!("{} bytes of transfer {transfer} at {offset}", data.len());
                self.add(Topic::Other, text);
            }
            _ => {}
        }
    }

    fn said(&mut self, said: &Said) {
        match said {
            Said::Control(bytes) => {
                if let Ok(message) = Message::decode(bytes) {
                    self.control(&message);
                }
            }
            Said::Submission(room, bytes) => {
                if let Ok(submission) = Submission::decode(bytes) {
                    let text = quoted(&String::from_utf8_lossy(submission.body));
                    self.add(Topic::Line, format!("submits to room {room}: {text}"));
                }
            }
            Said::Entry(room, sequence, bytes) => {
                if let Ok(entry) = Entry::decode(bytes) {
                    let text = quoted(&String::from_utf8_lossy(entry.body));
                    let name = quoted(entry.name);
                    let kind = entry.kind;
                    self.add(
                        Topic::Line,
                        format!("sends entry {sequence} of room {room}, {kind:?} of {name}: {text}"),
                    );
                }
            }
        }
    }

    fn control(&mut self, message: &Message<'_>) {
        let (topic, text) = match message {
            Message::Hello { name, .. } => (Topic::Join, format!("comes as {}", quoted(name))),
            Message::Welcome { name, account, .. } => {
                (Topic::Join, format!("welcomes {}, account {account}", quoted(name)))
            }
            Message::Subscribe { room, after } => {
                (Topic::Join, format!("reads room {room} behind entry {after}"))
            }
            Message::Room { room, name, head, .. } => {
                (Topic::Join, format!("room {room} is {}, {head} entries", quoted(name)))
            }
            Message::Who { room } => (Topic::Join, format!("asks who is in room {room}")),
            Message::Members { room, names } => {
                (Topic::Join, format!("{} members in room {room}", names.len()))
            }
            Message::Direct { name } => (Topic::Join, format!("wants a room with {}", quoted(name))),
            Message::Refused { reason, .. } => (Topic::Other, format!("refuses: {reason:?}")),
            Message::Stored { room, sequence, .. } => {
                (Topic::Line, format!("has it as entry {sequence} of room {room}"))
            }
            Message::RatchetReq { kem, .. } => {
                (Topic::Ratchet, format!("asks for a ratchet{}", with_kem(kem.is_some())))
            }
            Message::RatchetRsp { kem, .. } => {
                (Topic::Ratchet, format!("answers a ratchet{}", with_kem(kem.is_some())))
            }
            Message::Offer { transfer, hash, size } => (
                Topic::Other,
                format!("offers blob {} of {size} bytes, transfer {transfer}", hex(&hash[..8])),
            ),
            Message::Fetch { transfer, hash, from } => (
                Topic::Other,
                format!("wants blob {} from byte {from}, transfer {transfer}", hex(&hash[..8])),
            ),
            Message::Release { transfer } => (Topic::Other, format!("is done with transfer {transfer}")),
            Message::Want { transfer, from } => {
                (Topic::Other, format!("wants transfer {transfer} from byte {from}"))
            }
            Message::Blob { transfer, size } => {
                (Topic::Other, format!("transfer {transfer} has {size} bytes"))
            }
            Message::Got { transfer } => (Topic::Other, format!("has all of transfer {transfer}")),
            Message::Ask { request, .. } => (Topic::Other, format!("asks for {}", asked(request))),
            Message::Gone { room, .. } => (Topic::Join, format!("says that room {room} is left")),
            Message::Rooms { rooms, .. } => (Topic::Other, format!("lists {} rooms", rooms.len())),
            Message::Page { room, pieces, .. } => {
                (Topic::Other, format!("shows {} entries of room {room}", pieces.len()))
            }
            Message::Done { .. } => (Topic::Other, "grants it".to_owned()),
            Message::State { room, topic, .. } => {
                (Topic::Join, format!("room {room} is about {}", quoted(topic)))
            }
            Message::Login(message) => (Topic::Join, login(message)),
            Message::Unknown { kind } => (Topic::Other, format!("a control message of type 0x{kind:x}")),
        };
        self.add(topic, text);
    }
}

/// A request in a few words.
fn asked(request: &Request<'_>) -> String {
    match request {
        Request::Create { name, .. } => format!("a new room {}", quoted(name)),
        Request::Join { name } => format!("a place in the room {}", quoted(name)),
        Request::Leave { room } => format!("leave of room {room}"),
        Request::Rooms { .. } => "the list of rooms".to_owned(),
        Request::Set { room, .. } => format!("a change of room {room}"),
        Request::Invite { room, name } => format!("a place in room {room} for {}", quoted(name)),
        Request::Grant { room, role, name } => {
            format!("{} to be {} in room {room}", quoted(name), role.name())
        }
        Request::History { room, from, .. } => format!("what was said in room {room} from entry {from} on"),
        Request::Search { room, words, .. } => format!("{} in room {room}", quoted(words)),
    }
}

fn login(message: &LoginMessage<'_>) -> String {
    match message {
        LoginMessage::Enrol { device } => format!("wants {} to be approved as a device", quoted(device)),
        LoginMessage::Devices => "asks for its devices".into(),
        LoginMessage::Approve { .. } => "approves a device".into(),
        LoginMessage::Revoke { number } => format!("revokes device {number}"),
        LoginMessage::Password { .. } => "wants to set a password".into(),
        LoginMessage::Record { .. } => "sends the record of a password".into(),
        LoginMessage::Login { device, .. } => format!("logs in by password as device {}", quoted(device)),
        LoginMessage::Proof { .. } => "proves its password".into(),
        LoginMessage::DeviceList(devices) => format!("{} devices", devices.len()),
        LoginMessage::Granted { request } => format!("grants request 0x{request:x}"),
        LoginMessage::PasswordAnswer { .. } => "answers the setting of a password".into(),
        LoginMessage::LoginAnswer { .. } => "answers a login".into(),
        LoginMessage::LoginRefused { wait_secs } => format!("refuses a login; next in {wait_secs} s"),
    }
}

const fn with_kem(has_kem: bool) -> &'static str {
    if has_kem { " with ML-KEM" } else { "" }
}

/// The beginning of a text in quotes.
fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(TEXT_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}
