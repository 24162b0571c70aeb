//! Our Noise code against published vectors, and the exact pattern against an independent implementation.

#![expect(clippy::unwrap_used, reason = "a vector that cannot be read is a failed test")]

use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use spec::gate::psk0;
use spec::handshake::KeyPair;
use spec::handshake::noise::{Handshake, Pattern, Token, XK_PSK0_PSK2};
use spec::secret::Secret;
use spec::wire::frame::Side;
use std::collections::BTreeMap;
use std::path::Path;

const E: Token = Token::E;
const ES: Token = Token::Es;
const EE: Token = Token::Ee;
const S: Token = Token::S;
const SE: Token = Token::Se;
const PSK: Token = Token::Psk;

/// The members of the XK family that have published vectors.
const PUBLISHED: [Pattern; 3] = [
    Pattern { name: "Noise_XK_25519_AESGCM_SHA256", messages: [&[E, ES], &[E, EE], &[S, SE]] },
    Pattern { name: "Noise_XKpsk3_25519_AESGCM_SHA256", messages: [&[E, ES], &[E, EE], &[S, SE, PSK]] },
    Pattern {
        name: "Noise_XKpsk0+psk3_25519_AESGCM_SHA256",
        messages: [&[PSK, E, ES], &[E, EE], &[S, SE, PSK]],
    },
];

struct Case {
    values: BTreeMap<String, String>,
    messages: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Case {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let (mut values, mut messages) = (BTreeMap::new(), Vec::new());
        for line in text.lines() {
            let (key, value) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
            if key == "message" {
                let (payload, message) = value.split_once(' ').unwrap();
                messages.push((hex(payload), hex(message)));
            } else {
                values.insert(key.to_owned(), value.to_owned());
            }
        }
        Self { values, messages }
    }

    fn bytes(&self, key: &str) -> Vec<u8> {
        hex(&self.values[key])
    }

    fn pair(&self, key: &str) -> KeyPair {
        KeyPair::new(Secret::new(self.bytes(key).try_into().unwrap()))
    }
}

fn hex(text: &str) -> Vec<u8> {
    HEX.decode(text.as_bytes()).unwrap()
}

#[test]
fn published_vectors() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/noise");
    let mut seen = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let case = Case::read(&file.unwrap().path());
        let pattern = PUBLISHED.into_iter().find(|pattern| pattern.name == case.values["name"]);
        check(&case, pattern.expect("a pattern of the XK family"));
        seen += 1;
    }
    assert_eq!(seen, 4);
}

fn check(case: &Case, pattern: Pattern) {
    let hub_static = case.pair("resp_static");
    let hub_key = *hub_static.public();
    assert_eq!(hub_key.to_vec(), case.bytes("init_remote_static"));
    let prologue = case.bytes("init_prologue");
    let end = |side, own| Handshake::new(pattern, side, &prologue, own, hub_key);
    let mut client = end(Side::Client, case.pair("init_static"));
    let mut hub = end(Side::Hub, hub_static);
    let mut psks =
        case.values["psks"].split_whitespace().map(|psk| Secret::new(hex(psk).try_into().unwrap()));
    let ephemerals = [Some(case.pair("init_ephemeral")), Some(case.pair("resp_ephemeral")), None];
    for (index, ((payload, expected), ephemeral)) in case.messages.iter().zip(ephemerals).enumerate() {
        let psk = pattern.messages[index].contains(&PSK).then(|| psks.next().unwrap());
        let (writer, reader) = if index % 2 == 0 { (&mut client, &mut hub) } else { (&mut hub, &mut client) };
        let mut message = Vec::new();
        writer.write(ephemeral, psk.as_ref(), payload, &mut message).unwrap();
        assert_eq!(&message, expected, "{} message {index}", pattern.name);
        assert_eq!(&reader.read(&message, psk.as_ref()).unwrap(), payload);
    }
    let ((client, _), (hub, _)) = (client.split().unwrap(), hub.split().unwrap());
    assert_eq!((client.hash, &client.initiator), (hub.hash, &hub.initiator));
    if let Some(hash) = case.values.get("handshake_hash") {
        assert_eq!(client.hash.to_vec(), hex(hash));
    }
}

/// The exact pattern of Sealgram, one end ours, the other snow's, both ways round.
#[test]
fn the_pattern_against_snow() {
    let (psk0, psk2) = (psk0(&Secret::new([4; 32])), Secret::new([5; 32]));
    let prologue = b"sealgramSGM1";
    let (client, hub) = (KeyPair::new(Secret::new([1; 32])), KeyPair::new(Secret::new([2; 32])));
    let payloads = [&[7; 2262][..], &[8; 19], &[9; 1091]];
    for ours in [Side::Client, Side::Hub] {
        let own = if ours == Side::Client { &client } else { &hub };
        let theirs = if ours == Side::Client { &hub } else { &client };
        let mut snow = {
            let (private, hub_key) = (theirs.private().clone(), *hub.public());
            let builder = snow::Builder::new(XK_PSK0_PSK2.name.parse().unwrap())
                .prologue(prologue)
                .unwrap()
                .local_private_key(private.expose())
                .unwrap()
                .psk(0, psk0.expose())
                .unwrap();
            if ours == Side::Client {
                builder.build_responder().unwrap()
            } else {
                builder.remote_public_key(&hub_key).unwrap().build_initiator().unwrap()
            }
        };
        let mut own = Handshake::new(XK_PSK0_PSK2, ours, prologue, own.clone(), *hub.public());
        let psks = [Some(&psk0), Some(&psk2), None];
        for (index, payload) in payloads.iter().enumerate() {
            if index == 1 {
                snow.set_psk(2, psk2.expose()).unwrap();
            }
            let mut buffer = vec![0; 4000];
            if (index % 2 == 0) == (ours == Side::Client) {
                let ephemeral = (index < 2).then(|| KeyPair::new(Secret::new([11; 32])));
                let mut message = Vec::new();
                own.write(ephemeral, psks[index], payload, &mut message).unwrap();
                let len = snow.read_message(&message, &mut buffer).unwrap();
                assert_eq!(&buffer[..len], *payload);
            } else {
                let len = snow.write_message(payload, &mut buffer).unwrap();
                assert_eq!(own.read(&buffer[..len], psks[index]).unwrap(), *payload);
            }
        }
        assert_eq!(snow.get_handshake_hash(), own.clone().split().unwrap().0.hash);
        let (initiator, responder) = snow.dangerously_get_raw_split();
        let (split, _) = own.split().unwrap();
        assert_eq!((&initiator, &responder), (split.initiator.expose(), split.responder.expose()));
    }
}
