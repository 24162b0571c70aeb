//! Both ends agree, every byte matters, and who holds only the root learns nothing.

use super::*;
use crate::wire::frame::Side;

fn root() -> Root {
    Root::from_key_log(Secret::new([1; 32]))
}

fn pair(byte: u8) -> KeyPair {
    KeyPair::new(Secret::new([byte; 32]))
}

fn request(with_kem: bool) -> Request {
    Request::new(Secret::new([4; 32]), with_kem.then_some(&Secret::new([5; 64])))
}

fn keys() -> AnswerKeys {
    AnswerKeys { ephemeral: Secret::new([6; 32]), kem_random: Secret::new([7; 32]) }
}

fn halves<'a>(message: &Message<'a>) -> ([u8; 32], Option<&'a KemKey>) {
    match message {
        Message::RatchetReq { ephemeral, kem } => (*ephemeral, *kem),
        other => panic!("not a request: {other:?}"),
    }
}

#[test]
fn both_ends_come_to_the_same_root() {
    for with_kem in [false, true] {
        let (client, hub, request) = (pair(2), pair(3), request(with_kem));
        let (ephemeral, kem) = halves(&request.message());
        assert_eq!(kem.is_some(), with_kem);
        let (answer, hubs) = respond(&root(), &hub, client.public(), (&ephemeral, kem), &keys()).unwrap();
        let theirs = (&answer.public, answer.ciphertext.as_ref());
        let clients = request.finish(&root(), &client, hub.public(), theirs).unwrap();
        assert_eq!(clients.secret(), hubs.secret());
        assert_ne!(clients.secret(), root().secret());
        assert_eq!((clients.generation(), hubs.generation()), (1, 1));
        assert_ne!(clients.direction(Side::Client).ids.id(0), root().direction(Side::Client).ids.id(0));
    }
}

#[test]
fn one_byte_of_either_message_or_of_any_key_makes_another_root() {
    let (client, hub) = (pair(2), pair(3));
    let request_of = request(true);
    let (ephemeral, kem) = halves(&request_of.message());
    let kem = *kem.unwrap();
    let (answer, right) = respond(&root(), &hub, client.public(), (&ephemeral, Some(&kem)), &keys()).unwrap();
    let finish =
        |root: &Root, own: &KeyPair, hub_key: &[u8; 32], ephemeral: &[u8; 32], ciphertext: &KemCiphertext| {
            request(true).finish(root, own, hub_key, (ephemeral, Some(ciphertext))).unwrap()
        };
    let (e2, ct) = (answer.public, answer.ciphertext.unwrap());
    let flipped = |bytes: &[u8; 32]| {
        let mut bytes = *bytes;
        bytes[9] ^= 4;
        bytes
    };
    let mut wrong_ct = ct;
    wrong_ct[500] ^= 1;
    let other_root = Root::from_key_log(Secret::new([9; 32]));
    for (what, root) in [
        ("e2", finish(&root(), &client, hub.public(), &flipped(&e2), &ct)),
        ("ct", finish(&root(), &client, hub.public(), &e2, &wrong_ct)),
        ("the client's static key", finish(&root(), &pair(8), hub.public(), &e2, &ct)),
        ("the hub's static key", finish(&root(), &client, &flipped(hub.public()), &e2, &ct)),
        ("the root", finish(&other_root, &client, hub.public(), &e2, &ct)),
        (
            "e1",
            respond(&root(), &hub, client.public(), (&flipped(&ephemeral), Some(&kem)), &keys()).unwrap().1,
        ),
        ("no ek", respond(&root(), &hub, client.public(), (&ephemeral, None), &keys()).unwrap().1),
    ] {
        assert_ne!(root.secret(), right.secret(), "{what}");
    }
    assert_eq!(finish(&root(), &client, hub.public(), &e2, &ct).secret(), right.secret());
}

#[test]
fn what_is_no_ratchet_is_refused() {
    let (client, hub) = (pair(2), pair(3));
    //= spec/PROTOCOL.md#ratchet
    //= type=test
    //# An endpoint MUST close the session with VIOLATION when an X25519 result of a ratchet is all zero, when
    //# `ek` fails the check of FIPS 203 section 7.2, or when RATCHET_RSP is not the answer to a request.
    for low_order in [[0; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        let result = respond(&root(), &hub, client.public(), (&low_order, None), &keys());
        assert_eq!(result.err(), Some(Discard::LowOrder));
        let result = request(false).finish(&root(), &client, hub.public(), (&low_order, None));
        assert_eq!(result.err(), Some(Discard::LowOrder));
    }
    let (ephemeral, key) = (*pair(4).public(), [0xff; 1184]);
    let result = respond(&root(), &hub, client.public(), (&ephemeral, Some(&key)), &keys());
    assert_eq!(result.err(), Some(Discard::EncapsulationKey));
    for (asked, ciphertext) in [(true, None), (false, Some(&[1; 1088]))] {
        let result = request(asked).finish(&root(), &client, hub.public(), (&ephemeral, ciphertext));
        assert_eq!(result.err(), Some(Discard::Negotiation));
    }
}

/// F1: a thief who has stolen the root stands in the middle and plays each side for the other. Without a static
/// key it shares a root with neither.
#[test]
fn a_thief_with_the_root_in_the_middle_shares_no_root() {
    let (client, hub, thief) = (pair(2), pair(3), pair(0x66));
    let stolen = root();
    let request_of = request(false);
    let (e1, _) = halves(&request_of.message());
    // To the hub it is the client, to the client it is the hub, with ephemeral keys of its own.
    let thiefs = Request::new(Secret::new([0x67; 32]), None);
    let (t1, _) = halves(&thiefs.message());
    let (answer, hubs) = respond(&root(), &hub, client.public(), (&t1, None), &keys()).unwrap();
    let thiefs_keys = AnswerKeys { ephemeral: Secret::new([0x68; 32]), kem_random: Secret::new([0x69; 32]) };
    let (to_client, as_hub) = respond(&stolen, &thief, client.public(), (&e1, None), &thiefs_keys).unwrap();
    let clients = request_of.finish(&root(), &client, hub.public(), (&to_client.public, None)).unwrap();
    let as_client = thiefs.finish(&stolen, &thief, hub.public(), (&answer.public, None)).unwrap();
    assert_ne!(as_hub.secret(), clients.secret());
    assert_ne!(as_client.secret(), hubs.secret());
    assert_ne!(clients.secret(), hubs.secret());
}
