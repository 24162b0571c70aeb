//! Ratchets: from the root of one generation to the next.
//!
//! The files stand for ML-KEM by a secret, so with it the shared secrets are put together here.

use super::case::{Case, Verdict};
use data_encoding::HEXLOWER as HEX;
use spec::crypto::{sha256, x25519};
use spec::handshake::KeyPair;
use spec::key_schedule::Root;
use spec::ratchet::{AnswerKeys, Request, respond};
use spec::secret::Secret;
use spec::wire::frame::Side;
use spec::wire::message::Message;

pub(crate) fn ratchet(case: &Case) -> Verdict {
    if case.has("receiver") {
        return refused(case);
    }
    let mut root = Root::from_key_log(case.secret("root-before"));
    for _ in 0..case.parse::<u64>("generation") {
        root = root.next_from_key_log(case.secret("root-before"));
    }
    let next =
        if case.text("kem-secret") == "none" { without_kem(case, &root)? } else { with_kem(case, &root) };
    case.gives_bytes("root", next.secret().expose());
    for (side, name) in [(Side::Client, "c"), (Side::Hub, "h")] {
        let direction = next.direction(side);
        case.gives_bytes(&format!("{name}-secret0"), direction.traffic.secret().expose());
        let ids: Vec<_> = (0..6).map(|index| HEX.encode(&direction.ids.id(index).0)).collect();
        case.gives(&format!("{name}-ids"), ids.join(" "));
    }
    Ok(())
}

fn pair(case: &Case, key: &str) -> KeyPair {
    KeyPair::new(case.secret(key))
}

fn request(case: &Case) -> Request {
    Request::new(case.secret("client-ephemeral-private"), None)
}

fn keys(case: &Case) -> AnswerKeys {
    AnswerKeys { ephemeral: case.secret("hub-ephemeral-private"), kem_random: Secret::new([0; 32]) }
}

/// Type and fields of a message, without the length in front.
fn fields(message: &Message<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(&mut bytes);
    let length = 1 << (bytes[0] >> 6);
    bytes.split_off(length)
}

fn without_kem(case: &Case, root: &Root) -> Result<Root, super::case::Refusal> {
    let (client, hub) = (pair(case, "client-static-private"), pair(case, "hub-static-private"));
    let (request, e1) = (request(case), pair(case, "client-ephemeral-private"));
    case.gives_bytes("req", &fields(&request.message()));
    let (answer, hubs) = respond(root, &hub, client.public(), (e1.public(), None), &keys(case))?;
    case.gives_bytes("rsp", &fields(&answer.message()));
    let e2 = pair(case, "hub-ephemeral-private");
    let clients = request.finish(root, &client, hub.public(), (e2.public(), None))?;
    assert_eq!(clients.secret(), hubs.secret());
    assert_eq!((case.text("ek"), case.text("ct")), ("none", "none"));
    Ok(clients)
}

fn with_kem(case: &Case, root: &Root) -> Root {
    let (client, hub) = (pair(case, "client-static-private"), pair(case, "hub-static-private"));
    let (e1, e2) = (pair(case, "client-ephemeral-private"), pair(case, "hub-ephemeral-private"));
    let (ek, ct) = (case.array("ek"), case.array("ct"));
    let request = fields(&Message::RatchetReq { ephemeral: *e1.public(), kem: Some(&ek) });
    let answer = fields(&Message::RatchetRsp { ephemeral: *e2.public(), kem: Some(&ct) });
    case.gives_bytes("req", &request);
    case.gives_bytes("rsp", &answer);
    let shares = [(&e1, &e2), (&client, &e2), (&e1, &hub)];
    let mut shared: Vec<u8> = shares
        .iter()
        .flat_map(|(own, peer)| *x25519(own.private(), peer.public()).unwrap().expose())
        .collect();
    shared.extend(case.bytes("kem-secret"));
    root.next(&sha256(&[&request, &answer]), &shared)
}

fn refused(case: &Case) -> Verdict {
    let root = Root::from_key_log(case.secret("root-before"));
    let (client, hub) = (pair(case, "client-static-private"), pair(case, "hub-static-private"));
    let decoded = |bytes: &[u8]| match Message::decode(bytes).unwrap() {
        Message::RatchetReq { ephemeral, kem } => (ephemeral, kem.copied(), None),
        Message::RatchetRsp { ephemeral, kem } => (ephemeral, None, kem.copied()),
        other => panic!("{other:?}"),
    };
    match case.side("receiver") {
        Side::Hub => {
            let (ephemeral, kem, _) = decoded(&case.bytes("req"));
            respond(&root, &hub, client.public(), (&ephemeral, kem.as_ref()), &keys(case))?;
        }
        Side::Client => {
            let (ephemeral, _, kem) = decoded(&case.bytes("rsp"));
            request(case).finish(&root, &client, hub.public(), (&ephemeral, kem.as_ref()))?;
        }
    }
    Ok(())
}
