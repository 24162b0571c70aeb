//! What needs no key: varints, packet numbers, frames, messages, parameters, replay, names, invites, key logs.

use super::case::{Case, Verdict};
use super::show;
use data_encoding::HEXLOWER as HEX;
use spec::gate::OPEN_ACCESS_SECRET;
use spec::handshake::payload::{self, Choice};
use spec::invite::Invite;
use spec::limits::{KEM_KEY_BYTES, PAYLOAD_ONE_BYTES};
use spec::replay::ReplayWindow;
use spec::wire::entry::{Entry, Submission};
use spec::wire::ephemeral::Ephemeral;
use spec::wire::frame::Frames;
use spec::wire::message::Message;
use spec::wire::{Reader, varint as varints};
use spec::{key_log as key_logs, name as names, number as numbers};

pub(crate) fn varint(case: &Case) -> Verdict {
    let encoded = case.bytes("encoded");
    let mut reader = Reader::new(&encoded);
    let value = reader.varint("value")?;
    assert!(reader.is_empty());
    case.gives("value", value);
    let mut built = Vec::new();
    varints::encode(value, &mut built);
    case.rebuilds("encoded", &built);
    Ok(())
}

pub(crate) fn number(case: &Case) -> Verdict {
    match case.text("operation") {
        "cut" => {
            let number: u64 = case.parse("number");
            let len = numbers::encoded_len(number, case.number("largest-acknowledged"));
            case.gives_bytes("cut", &number.to_be_bytes()[8 - len..]);
        }
        "complete" => {
            let cut = case.bytes("cut");
            let value = cut.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
            case.gives("number", numbers::complete(case.number("largest-received"), value, cut.len()));
        }
        other => panic!("unknown operation {other:?}"),
    }
    Ok(())
}

pub(crate) fn frame(case: &Case) -> Verdict {
    let (payload, sender) = (case.bytes("payload"), case.side("sender"));
    let frames: Vec<_> = Frames::parse(&payload, sender)?.iter().collect();
    case.gives_lines("frame", &frames.iter().map(show::frame).collect::<Vec<_>>());
    let mut built = Vec::new();
    frames.iter().for_each(|frame| frame.encode(&mut built));
    case.rebuilds("payload", &built);
    Ok(())
}

pub(crate) fn message(case: &Case) -> Verdict {
    let (bytes, buildable) = (case.bytes("bytes"), case.is_buildable());
    let (mut rest, mut lines) = (&bytes[..], Vec::new());
    let kind = case.text("kind");
    while !rest.is_empty() {
        let mut built = Vec::new();
        let used = match kind {
            "control" => {
                let (message, used) = Message::split(rest)?.expect("a whole message");
                lines.push(show::message(&message, &rest[..used]));
                message.encode(&mut built);
                used
            }
            "submission" => {
                let (submission, used) = Submission::split(rest)?.expect("a whole submission");
                lines.push(show::submission(&submission));
                submission.encode(&mut built);
                used
            }
            "entry" => {
                let entry = Entry::decode(rest)?;
                lines.push(show::entry(&entry));
                entry.encode(&mut built);
                rest.len()
            }
            "ephemeral" => {
                let ephemeral = Ephemeral::decode(rest)?;
                lines.push(show::ephemeral(&ephemeral, rest));
                ephemeral.encode(&mut built);
                rest.len()
            }
            other => panic!("unknown kind {other:?}"),
        };
        let (message, behind) = rest.split_at(used);
        // What the crate does not know it does not send.
        if buildable && !built.is_empty() {
            assert_eq!(HEX.encode(&built), HEX.encode(message));
        }
        rest = behind;
    }
    case.gives_lines("message", &lines);
    Ok(())
}

pub(crate) fn name(case: &Case) -> Verdict {
    let name = String::from_utf8(case.bytes("name")).unwrap();
    names::check(&name)?;
    case.gives_bytes("folded", names::fold(&name).as_bytes());
    case.gives_bytes("seen", names::look(&name).as_bytes());
    Ok(())
}

pub(crate) fn parameters(case: &Case) -> Verdict {
    let (header, buildable) = (case.array("header-version"), case.is_buildable());
    let spoken: Vec<[u8; 4]> = list(case.text("hub-versions"));
    let ek = [0; KEM_KEY_BYTES];
    let mut payload = [&ek[..], &case.bytes("parameters")].concat();
    payload.resize(PAYLOAD_ONE_BYTES, 0);
    let (_, offer) = payload::read_one(&payload)?;
    let choice = Choice::from_offer(&offer, header, &spoken)?;
    choice.check(&offer, header)?;
    case.gives("versions", offer.versions.iter().map(|v| HEX.encode(v)).collect::<Vec<_>>().join(" "));
    case.gives_bytes("features", &offer.features.to_be_bytes());
    if buildable {
        assert_eq!(HEX.encode(&payload::build_one(&ek, &offer, None)), HEX.encode(&payload));
    }
    Ok(())
}

fn list<const N: usize>(text: &str) -> Vec<[u8; N]> {
    text.split(' ').map(|item| HEX.decode(item.as_bytes()).unwrap().try_into().unwrap()).collect()
}

pub(crate) fn replay(case: &Case) -> Verdict {
    let mut window = ReplayWindow::new();
    let mut accept = |number| {
        let allowed = window.check(number).is_ok();
        if allowed {
            window.mark(number);
        }
        if allowed { "1" } else { "0" }
    };
    let accepted: Vec<_> = case.numbers("numbers").into_iter().map(&mut accept).collect();
    case.gives("accepted", accepted.join(" "));
    Ok(())
}

pub(crate) fn invite(case: &Case) -> Verdict {
    let (text, buildable) = (case.text("invite"), case.is_buildable());
    let invite: Invite = text.parse()?;
    case.gives("host", &invite.address.host);
    case.gives("port", invite.address.port);
    case.gives_bytes("key", &invite.hub_key);
    let secret = invite.access_secret.expose();
    case.gives("secret", if *secret == OPEN_ACCESS_SECRET { "none".to_owned() } else { HEX.encode(secret) });
    case.gives("token", invite.token.as_ref().map_or("none".to_owned(), |token| HEX.encode(token)));
    if buildable {
        assert_eq!(invite.to_string(), text);
    }
    Ok(())
}

pub(crate) fn key_log(case: &Case) -> Verdict {
    let line = case.text("line");
    let sessions = key_logs::parse(line)?;
    let Some((attempt, session)) = sessions.first_key_value() else {
        case.gives("label", "none");
        return Ok(());
    };
    let [(label, secret)] = session.all().collect::<Vec<_>>()[..] else { panic!("one line, one secret") };
    case.gives("label", label.as_str());
    case.gives_bytes("attempt-id", &attempt.0);
    case.gives_bytes("secret", secret.expose());
    Ok(())
}
