//! Whole handshakes, built and opened, and each of their messages when it has to be refused.

use super::case::{Case, Refusal, Verdict};
use super::sealed::check_long;
use super::show;
use data_encoding::HEXLOWER as HEX;
use spec::discard::Discard;
use spec::gate::{Gate, psk0};
use spec::handshake::audit::Audit;
use spec::handshake::payload::Choice;
use spec::handshake::symmetric::psk2;
use spec::handshake::{Flight, Initiator, KeyPair, ReceivedInit, Responder};
use spec::key_log;
use spec::key_schedule::Root;
use spec::limits::PAYLOAD_ONE_BYTES;
use spec::secret::Secret;
use spec::wire::frame::{Frames, Side};

pub(crate) fn handshake(case: &Case) -> Verdict {
    if !case.has("stage") {
        return complete(case);
    }
    match case.text("stage") {
        "init" => {
            let init = receive_init(case)?;
            // The hub looks at the encapsulation key when it makes its answer.
            init.respond(Secret::new([1; 32]), &Secret::new([2; 32]), &hub_gate(case), 0).map(|_| ())?;
        }
        "resp" => {
            let (initiator, _) = start(case, [0, 0])?;
            let (gate, resp) = (client_gate(case), case.bytes("resp"));
            let ss = case.secret("kem-secret");
            let resp = check_long(&gate, &resp, None)?;
            if resp.attempt != initiator.attempt() {
                return Err(Discard::AttemptId.into());
            }
            initiator.read_resp_with(&resp, ss)?;
        }
        "fin" => {
            let init = receive_init(case)?;
            let attempt = check_long(&hub_gate(case), &case.bytes("init-0"), None)?.attempt;
            let (responder, _) = respond(case, init, 0)?;
            let fin = case.bytes("fin");
            let fin = check_long(&hub_gate(case), &fin, None)?;
            if fin.attempt != attempt {
                return Err(Discard::AttemptId.into());
            }
            responder.read_fin(&fin)?;
        }
        other => panic!("unknown stage {other:?}"),
    }
    Ok(())
}

fn complete(case: &Case) -> Verdict {
    let reserved = case.numbers("reserved").into_iter().map(|bits| u8::try_from(bits).unwrap());
    let [init_0, init_1, resp_bits, fin_bits] = reserved.collect::<Vec<_>>()[..] else {
        panic!("four values")
    };
    let (client_gate, hub_gate) = (client_gate(case), hub_gate(case));
    case.gives_bytes("psk0", psk0(&case.secret("access-secret")).expose());
    let psk = psk2(&case.secret("kem-secret"), &case.bytes("ek"), &case.bytes("ct"));
    case.gives_bytes("psk2", psk.expose());

    let (initiator, flight) = start(case, [init_0, init_1])?;
    case.gives_bytes("attempt-id", &initiator.attempt().0);
    case.gives_bytes("init-0", &flight.datagrams()[0]);
    case.gives_bytes("init-1", &flight.datagrams()[1]);

    let (responder, resp) = respond(case, receive_init(case)?, resp_bits)?;
    case.gives_bytes("resp", &resp);

    let resp = check_long(&client_gate, &resp, None)?;
    let ready = initiator.read_resp_with(&resp, case.secret("kem-secret"))?;
    let (fin, client) = ready.finish(&case.bytes("fin-frames"), &client_gate, fin_bits)?;
    case.gives_bytes("fin", &fin);

    let fin = check_long(&hub_gate, &fin, None)?;
    let finished = responder.read_fin(&fin)?;
    case.gives_bytes("client-key", &finished.client_key);
    let frames = Frames::parse(&finished.frames, Side::Client)?;
    case.gives_lines("frame", &frames.iter().map(|frame| show::frame(&frame)).collect::<Vec<_>>());

    let root = Root::from_handshake(&case.array("h"), &case.secret("k-c"), &case.secret("k-h"));
    for root in [&root, &client.root, &finished.established.root] {
        case.gives_bytes("root0", root.secret().expose());
    }
    for established in [&client, &finished.established] {
        let sorted = |lines: &mut dyn Iterator<Item = &str>| {
            let mut lines: Vec<_> = lines.map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let logged = key_log::lines(established);
        let expected = case.lines("key-log");
        assert_eq!(sorted(&mut logged.lines()), sorted(&mut expected.iter().map(String::as_str)));
    }
    audit(case, &flight, resp.body, fin.body)
}

/// An auditor with the key log of the file sees what the ends have seen.
fn audit(case: &Case, flight: &Flight, resp_body: &[u8], fin_body: &[u8]) -> Verdict {
    let sessions = key_log::parse(&case.lines("key-log").join("\n"))?;
    let (_, session) = sessions.first_key_value().unwrap();
    let mut audit = Audit::new(session.handshake().unwrap());
    let payload = audit.message_one(&message_one(flight.datagrams(), &client_gate(case))?)?;
    assert_eq!(HEX.encode(&payload), HEX.encode(&payload_one(case)));
    audit.message_two(resp_body)?;
    let (client_key, _, root) = audit.message_three(fin_body)?;
    case.gives_bytes("client-key", &client_key);
    case.gives_bytes("root0", root.secret().expose());
    assert_eq!(session.root().unwrap().secret(), root.secret());
    Ok(())
}

fn pair(case: &Case, key: &str) -> KeyPair {
    KeyPair::new(case.secret(key))
}

fn client_gate(case: &Case) -> Gate {
    Gate::new(&case.array("hub-key"), &case.secret("access-secret"))
}

fn hub_gate(case: &Case) -> Gate {
    Gate::new(pair(case, "hub-static-private").public(), &case.secret("access-secret"))
}

fn payload_one(case: &Case) -> Vec<u8> {
    let mut payload = [case.bytes("ek"), case.bytes("parameters")].concat();
    payload.resize(PAYLOAD_ONE_BYTES, 0);
    payload
}

fn start(case: &Case, reserved: [u8; 2]) -> Result<(Initiator, Flight), Discard> {
    let (own_static, ephemeral) =
        (pair(case, "client-static-private"), pair(case, "client-ephemeral-private"));
    let (hub_key, access_secret) = (case.array("hub-key"), case.secret("access-secret"));
    Initiator::start_with(own_static, ephemeral, hub_key, &access_secret, &payload_one(case), reserved)
}

fn message_one(datagrams: &[Vec<u8>], gate: &Gate) -> Result<Vec<u8>, Refusal> {
    let bodies: Result<Vec<_>, _> =
        datagrams.iter().map(|datagram| Ok::<_, Refusal>(check_long(gate, datagram, None)?.body)).collect();
    Ok(bodies?.concat())
}

fn receive_init(case: &Case) -> Result<ReceivedInit, Refusal> {
    let (hub, gate, access_secret) =
        (pair(case, "hub-static-private"), hub_gate(case), case.secret("access-secret"));
    let datagrams = [case.bytes("init-0"), case.bytes("init-1")];
    let message = message_one(&datagrams, &gate)?;
    let attempt = check_long(&gate, &datagrams[0], None)?.attempt;
    Ok(ReceivedInit::read(&message, attempt, &hub, &access_secret)?)
}

fn respond(case: &Case, init: ReceivedInit, reserved: u8) -> Result<(Responder, Vec<u8>), Discard> {
    let choice = Choice {
        version: case.array("chosen-version"),
        highest: case.array("highest-version"),
        features: u64::from_be_bytes(case.array("chosen-features")),
    };
    assert_eq!(Choice::read(&choice.build()), Ok(choice));
    let (ephemeral, ct, ss) =
        (pair(case, "hub-ephemeral-private"), case.array("ct"), case.secret("kem-secret"));
    init.respond_with(ephemeral, (&ct, ss), &choice.build(), &hub_gate(case), reserved)
}
