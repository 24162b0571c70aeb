"""Whole handshakes, and each of their messages when it has to be refused."""

from dataclasses import replace

from .. import frames, handshake, keys, long
from ..handshake import Client, Hub, Keys
from ..invite import write_key_log_line
from ..long import VERSION
from ..primitives import x25519_public
from .case import Case, Lines, fixed_bytes, flip_bit, rejected
from .fixture import ACCESS_SECRET, GATE, HUB_STATIC, OPEN_ACCESS_SECRET, OTHER_VERSION


def encapsulation_key(label):
    """768 coefficients below 3329, packed in 12 bits each, and 32 bytes: it passes the hub's check."""
    packed = b""
    for i in range(384):
        low, high = (int.from_bytes(fixed_bytes(f"{label} {i} {j}", 2), "big") % 3329 for j in (0, 1))
        packed += (low | high << 12).to_bytes(3, "little")
    return packed + fixed_bytes(f"{label} seed", 32)


KEYS = Keys(
    hub_static=HUB_STATIC,
    client_static=fixed_bytes("client static", 32),
    access_secret=ACCESS_SECRET,
    client_ephemeral=fixed_bytes("client ephemeral", 32),
    hub_ephemeral=fixed_bytes("hub ephemeral", 32),
    ek=encapsulation_key("ek"),
    ct=fixed_bytes("ct", handshake.CT_LENGTH),
    kem_secret=fixed_bytes("kem secret", 32),
)
FEATURES = bytes(8)
PARAMETERS = handshake.write_parameters((1, VERSION), (2, FEATURES))
CHOICE = (VERSION, VERSION, 0)
HELLO = frames.encode(f"STREAM stream=0 offset=0 data={write_control(f'HELLO flags=0 name={b'alice'.hex()} token=').hex()}")


def at_hub(run_keys):
    return {"hub-static-private": run_keys.hub_static, "access-secret": run_keys.access_secret}


def at_client(run_keys, parameters):
    return {
        "hub-key": x25519_public(run_keys.hub_static),
        "access-secret": run_keys.access_secret,
        "client-static-private": run_keys.client_static,
        "client-ephemeral-private": run_keys.client_ephemeral,
        "ek": run_keys.ek,
        "parameters": parameters,
    }


def of_choice(choice):
    chosen, highest, features = choice
    return {"chosen-version": chosen, "highest-version": highest, "chosen-features": features.to_bytes(8, "big")}


def of_resp(run_keys, choice):
    kem = {"hub-ephemeral-private": run_keys.hub_ephemeral, "ct": run_keys.ct, "kem-secret": run_keys.kem_secret}
    return kem | of_choice(choice)


def complete_run(name, comment, run_keys=KEYS, parameters=PARAMETERS, choice=CHOICE, fin_frames=HELLO, reserved=(0, 0, 0, 0)):
    client, hub = Client(run_keys, parameters), Hub(run_keys)
    inits = client.init(reserved[:2])
    hub.open_init(inits)
    resp = hub.resp(choice, reserved[2])
    assert client.open_resp(resp) == choice
    fin = client.fin(fin_frames, reserved[3])
    fin_lines = hub.open_fin(fin)
    noise = client.noise
    assert (noise.h, noise.split()) == (hub.noise.h, hub.noise.split())
    assert hub.client_static == client.static
    root = keys.root0(noise.h, *noise.split())

    secrets = noise.log | {"ss": run_keys.kem_secret, "root": root}
    key_log = [write_key_log_line(f"SGM1_{label.upper()}", client.attempt_id, secret) for label, secret in secrets.items()]
    inputs = at_hub(run_keys) | at_client(run_keys, parameters) | of_resp(run_keys, choice)
    inputs |= {"reserved": list(reserved), "fin-frames": fin_frames}
    k_c, k_h = noise.split()
    outputs = {
        "client-key": client.static,
        "psk0": keys.psk0(run_keys.access_secret),
        "psk2": keys.psk2(run_keys.kem_secret, run_keys.ek, run_keys.ct),
        "attempt-id": client.attempt_id,
        "init-0": inits[0],
        "init-1": inits[1],
        "resp": resp,
        "fin": fin,
        "frame": Lines(fin_lines),
        "h": noise.h,
        "k-c": k_c,
        "k-h": k_h,
        "root0": root,
        "key-log": Lines(key_log),
    }
    return Case("handshake", name, comment, inputs, outputs)


def complete_cases():
    yield complete_run("complete", "a client with an invite says HELLO in its FIN", reserved=(1, 2, 3, 0))
    grease = handshake.write_parameters((27, b"\xde\xad"), (1, VERSION + OTHER_VERSION), (58, b""), (2, FEATURES), (89, b"\0"))
    yield complete_run("complete-grease", "GREASE in the parameters, an extension frame in FIN", parameters=grease,
                       fin_frames=frames.encode("EXTENSION type=126 data=0102") + HELLO)
    yield complete_run("complete-open", "an open hub; a FIN of nothing but PADDING",
                       replace(KEYS, access_secret=OPEN_ACCESS_SECRET), fin_frames=b"", reserved=(3, 3, 1, 2))
    full = frames.encode(f"STREAM stream=1 offset=0 data={fixed_bytes('full', 1086).hex()}")
    assert len(full) == handshake.PAYLOAD_3
    yield complete_run("complete-full", "a FIN without room for PADDING", fin_frames=full)


def rejected_init(name, comment, layer, inits, hub_keys=KEYS):
    inputs = {"stage": "init"} | at_hub(hub_keys) | {"init-0": inits[0], "init-1": inits[1]}
    return rejected("handshake", name, comment, layer, inputs, lambda: Hub(hub_keys).open_init(inits))


def init_reject_cases():
    def client(keys_of_run=KEYS, parameters=PARAMETERS, **changes):
        made = Client(keys_of_run, parameters)
        vars(made).update(changes)
        return made

    honest = client()
    message_1, inits = honest.message_1(), client().init()

    changed = [
        ("init-ephemeral-flipped", "one bit of e; attempt id and MACs made anew", 0),
        ("init-padding-flipped", "one bit of the sealed filling; attempt id and MACs made anew", 2000),
    ]
    for name, comment, at in changed:
        yield rejected_init(name, comment, "tag", honest.fragments(flip_bit(message_1, at)))

    forged = [long.with_macs(flip_bit(init, 700), GATE) for init in inits]
    yield rejected_init("init-body-flipped", "one bit of a body; MACs made anew", "attempt id", [forged[0], inits[1]])
    wrong_ids = [long.with_macs(flip_bit(init, 5), GATE) for init in inits]
    yield rejected_init("init-attempt-id-flipped", "another attempt id in both; MACs made anew", "attempt id", wrong_ids)
    other_attempt = client(client_of("second attempt")).init()
    yield rejected_init("init-of-two-attempts", "halves of different attempts", "attempt id", [inits[0], other_attempt[1]])

    low_order = [("zero", bytes(32)), ("order-8", bytes.fromhex(
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"))]
    for name, point in low_order:
        inits_of_point = client(ephemeral=point, forced={"es": bytes(32)}).init()
        yield rejected_init(f"init-low-order-{name}", "es is zero, and the sender sealed with that", "key exchange", inits_of_point)

    other_secret = replace(KEYS, access_secret=fixed_bytes("other secret", 32))
    yield rejected_init("init-other-secret", "the client has another access secret", "mac1", client(other_secret).init())
    yield rejected_init("init-other-psk0", "psk0 of another access secret behind the right gate", "tag",
                        client(psk0=keys.psk0(other_secret.access_secret)).init())
    other_hub = replace(KEYS, hub_static=fixed_bytes("other hub", 32))
    yield rejected_init("init-other-hub", "the client means another hub", "mac1", client(other_hub).init())
    yield rejected_init("init-other-hub-key", "sealed for another hub behind the right gate", "tag",
                        client(hub_key=x25519_public(other_hub.hub_static)).init())

    other = handshake.write_parameters((1, OTHER_VERSION), (2, FEATURES))
    yield rejected_init("init-versions", "the list lacks the version of the header", "versions", client(parameters=other).init())
    too_long = handshake.write_parameters((1, VERSION)) + b"\x1b\x44\x00"
    yield rejected_init("init-parameter-truncated", "a parameter longer than the payload", "truncated",
                        client(parameters=too_long + b"\xff" * (2262 - 1184 - len(too_long))).init())
    unreduced = b"\xff\x0f" + KEYS.ek[2:]
    yield rejected_init("init-ek-not-reduced", "a coefficient of 4095", "encapsulation key", client(ek=unreduced).init())


def client_of(label):
    return replace(KEYS, client_ephemeral=fixed_bytes(label, 32))


def a_run(parameters=PARAMETERS, client_changes=(), hub_changes=()):
    client, hub = Client(KEYS, parameters), Hub(KEYS)
    vars(client).update(client_changes)
    vars(hub).update(hub_changes)
    hub.open_init(client.init())
    return client, hub


def rejected_resp(name, comment, layer, client, resp):
    inputs = {"stage": "resp"} | at_client(KEYS, PARAMETERS) | {"kem-secret": client.kem_secret, "resp": resp}
    return rejected("handshake", name, comment, layer, inputs, lambda: client.open_resp(resp))


def resp_reject_cases():
    def honest():
        client, hub = a_run()
        return client, hub.resp(CHOICE)

    ct, e = long.BODY, long.BODY + handshake.CT_LENGTH
    changed = [
        ("resp-ct-flipped", "one bit of ct", "tag", ct),
        ("resp-ephemeral-flipped", "one bit of e", "tag", e),
        ("resp-tag-flipped", "one bit of the tag", "tag", e + 32 + 34),
        ("resp-other-attempt", "one bit of the attempt id", "attempt id", 5),
    ]
    for name, comment, layer, at in changed:
        client, resp = honest()
        forged = long.with_macs(flip_bit(resp, at), GATE)
        yield rejected_resp(name, comment + "; MACs made anew", layer, client, forged)

    client, resp = honest()
    client.kem_secret = fixed_bytes("other kem secret", 32)
    yield rejected_resp("resp-other-kem-secret", "decapsulation gives another secret", "tag", client, resp)
    client, hub = a_run(hub_changes={"ephemeral": bytes(32)})
    hub.noise.forced = {"ee": bytes(32)}
    yield rejected_resp("resp-low-order", "ee is zero, and the sender sealed with that", "key exchange", client, hub.resp(CHOICE))
    choices = [
        ("resp-version-not-offered", "a version that the client did not list", (OTHER_VERSION, VERSION, 0)),
        ("resp-feature-not-offered", "a feature that the client did not list", (VERSION, VERSION, 1)),
    ]
    for name, comment, choice in choices:
        client, hub = a_run()
        yield rejected_resp(name, comment, "choice", client, hub.resp(choice))


def rejected_fin(name, comment, layer, fin, client, hub, inits):
    inputs = {"stage": "fin"} | at_hub(KEYS) | {"init-0": inits[0], "init-1": inits[1]}
    inputs |= of_resp(KEYS, CHOICE) | {"fin": fin}
    return rejected("handshake", name, comment, layer, inputs, lambda: hub.open_fin(fin))


def fin_reject_cases():
    def fin_of(payload, **changes):
        client, hub = a_run()
        client.open_resp(hub.resp(CHOICE))
        vars(client).update(changes)
        client.noise.forced = client.forced
        return client.fin(payload), client, hub, Client(KEYS, PARAMETERS).init()

    def forged(at):
        fin, *run = fin_of(HELLO)
        return long.with_macs(flip_bit(fin, at), GATE), *run

    body = long.BODY
    yield rejected_fin("fin-static-flipped", "one bit of the sealed client key; MACs made anew", "tag", *forged(body))
    yield rejected_fin("fin-payload-flipped", "one bit of the sealed frames; MACs made anew", "tag", *forged(body + 48))
    yield rejected_fin("fin-other-attempt", "one bit of the attempt id; MACs made anew", "attempt id", *forged(5))
    yield rejected_fin("fin-low-order", "se is zero, and the sender sealed with that", "key exchange",
                       *fin_of(HELLO, static=bytes(32), forced={"se": bytes(32)}))
    yield rejected_fin("fin-impostor", "the client key of somebody else", "tag",
                       *fin_of(HELLO, static=x25519_public(fixed_bytes("victim", 32))))
    forbidden = [
        ("ping", "PING"),
        ("ack", "ACK largest=0 delay=0 window=64 ranges=0-0"),
        ("close", "CLOSE reason=0 text="),
        ("max-stream", "MAX_STREAM stream=0 limit=140000"),
    ]
    for name, line in forbidden:
        payload = HELLO + frames.encode(line)
        yield rejected_fin(f"fin-{name}", f"FIN may not carry {line.split(' ')[0]}", "fin frame", *fin_of(payload))
    yield rejected_fin("fin-unknown-frame", "a type below 64 that nobody knows", "unknown frame", *fin_of(HELLO + b"\x3f"))


def cases():
    yield from complete_cases()
    yield from init_reject_cases()
    yield from resp_reject_cases()
    yield from fin_reject_cases()
