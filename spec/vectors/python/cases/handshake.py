"""Whole handshakes, and each of their messages when it has to be refused."""

from dataclasses import replace

from .. import frames, keys, long
from ..handshake import CT_LENGTH, EK_LENGTH, PAYLOAD_1, PAYLOAD_3, Client, Hub, Keys, write_parameters
from ..invite import write_key_log_line
from ..long import VERSION
from ..messages import write_control
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
    ct=fixed_bytes("ct", CT_LENGTH),
    kem_secret=fixed_bytes("kem secret", 32),
)
FEATURES = bytes(8)
PARAMETERS = write_parameters((1, VERSION), (2, FEATURES))
CHOICE = (VERSION, VERSION, 0)  # chosen version, highest version, chosen features
SAID = write_control(f"HELLO flags=0 name={b'alice'.hex()} token=").hex()
HELLO = frames.encode(f"STREAM stream=0 offset=0 data={SAID}")


def hub_inputs(run_keys):
    return {"hub-static-private": run_keys.hub_static, "access-secret": run_keys.access_secret}


def client_inputs(run_keys, parameters):
    return {
        "hub-key": x25519_public(run_keys.hub_static),
        "access-secret": run_keys.access_secret,
        "client-static-private": run_keys.client_static,
        "client-ephemeral-private": run_keys.client_ephemeral,
        "ek": run_keys.ek,
        "parameters": parameters,
    }


def resp_inputs(run_keys):
    chosen, highest, features = CHOICE
    return {
        "hub-ephemeral-private": run_keys.hub_ephemeral,
        "ct": run_keys.ct,
        "kem-secret": run_keys.kem_secret,
        "chosen-version": chosen,
        "highest-version": highest,
        "chosen-features": features.to_bytes(8, "big"),
    }


def complete_run(name, comment, reserved, run_keys=KEYS, parameters=PARAMETERS, fin_frames=HELLO):
    client, hub = Client(run_keys, parameters), Hub(run_keys)
    inits = client.init(reserved[:2])
    hub.open_init(inits)
    resp = hub.resp(CHOICE, reserved[2])
    assert client.open_resp(resp) == CHOICE
    fin = client.fin(fin_frames, reserved[3])
    fin_lines = hub.open_fin(fin)
    h, (k_c, k_h) = client.noise.h, client.noise.split()
    assert (h, (k_c, k_h)) == (hub.noise.h, hub.noise.split()) and hub.client_static == client.static

    root = keys.root0(h, k_c, k_h)
    secrets = client.noise.log | {"ss": run_keys.kem_secret, "root": root}
    key_log = [
        write_key_log_line(f"SGM1_{label.upper()}", client.attempt_id, secret)
        for label, secret in secrets.items()
    ]
    inputs = hub_inputs(run_keys) | client_inputs(run_keys, parameters) | resp_inputs(run_keys)
    inputs |= {"reserved": reserved, "fin-frames": fin_frames}
    outputs = {
        "client-key": client.static,
        "psk0": client.psk0,
        "psk2": keys.psk2(run_keys.kem_secret, run_keys.ek, run_keys.ct),
        "attempt-id": client.attempt_id,
        "init-0": inits[0],
        "init-1": inits[1],
        "resp": resp,
        "fin": fin,
        "frame": Lines(fin_lines),
        "h": h,
        "k-c": k_c,
        "k-h": k_h,
        "root0": root,
        "key-log": Lines(key_log),
    }
    return Case("handshake", name, comment, inputs, outputs)


def complete_cases():
    yield complete_run("complete", "a client with an invite says HELLO in its FIN", (1, 2, 3, 0))
    yield complete_run(
        "complete-grease",
        "GREASE in the parameters, an extension frame in FIN",
        (0, 0, 0, 0),
        parameters=write_parameters(
            (27, b"\xde\xad"), (1, VERSION + OTHER_VERSION), (58, b""), (2, FEATURES), (89, b"\0")
        ),
        fin_frames=frames.encode("EXTENSION type=126 data=0102") + HELLO,
    )
    yield complete_run(
        "complete-open",
        "an open hub; a FIN of nothing but PADDING",
        (3, 3, 1, 2),
        run_keys=replace(KEYS, access_secret=OPEN_ACCESS_SECRET),
        fin_frames=b"",
    )
    full = frames.encode(f"STREAM stream=1 offset=0 data={fixed_bytes('full', PAYLOAD_3 - 5).hex()}")
    assert len(full) == PAYLOAD_3
    yield complete_run("complete-full", "a FIN without room for PADDING", (2, 1, 0, 3), fin_frames=full)


def a_client(run_keys=KEYS, parameters=PARAMETERS, **changes):
    client = Client(run_keys, parameters)
    vars(client).update(changes)
    return client


def rejected_init(name, comment, layer, inits):
    inputs = {"stage": "init"} | hub_inputs(KEYS) | {"init-0": inits[0], "init-1": inits[1]}
    return rejected("handshake", name, comment, layer, inputs, lambda: Hub(KEYS).open_init(inits))


def init_reject_cases():
    honest = a_client()
    message_1 = honest.message_1()
    first, second = honest.fragments(message_1)

    def anew(datagram, at):
        return long.with_macs(flip_bit(datagram, at), GATE)

    other_attempt = a_client(replace(KEYS, client_ephemeral=fixed_bytes("other ephemeral", 32))).init()
    other_secret = replace(KEYS, access_secret=fixed_bytes("other secret", 32))
    other_hub = replace(KEYS, hub_static=fixed_bytes("other hub", 32))
    order_8 = bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")
    zero_es = {"es": bytes(32)}  # a sender of a low-order point knows the result
    lacking = write_parameters((1, OTHER_VERSION), (2, FEATURES))
    too_long = write_parameters((1, VERSION)) + b"\x1b\x44\x00"
    too_long = too_long.ljust(PAYLOAD_1 - EK_LENGTH, b"\xff")
    broken = [
        ("ephemeral-flipped", "one bit of e; attempt id and MACs made anew", "tag",
         honest.fragments(flip_bit(message_1, 0))),
        ("payload-flipped", "one bit of the sealed payload; attempt id and MACs made anew", "tag",
         honest.fragments(flip_bit(message_1, 2000))),
        ("body-flipped", "one bit of a body; MACs made anew", "attempt id", [anew(first, 700), second]),
        ("attempt-id-flipped", "another attempt id in both; MACs made anew", "attempt id",
         [anew(first, 5), anew(second, 5)]),
        ("of-two-attempts", "halves of different attempts", "attempt id", [first, other_attempt[1]]),
        ("low-order-zero", "es is zero, and the sender sealed with that", "key exchange",
         a_client(ephemeral=bytes(32), forced=zero_es).init()),
        ("low-order-8", "a point of order 8: es is zero", "key exchange",
         a_client(ephemeral=order_8, forced=zero_es).init()),
        ("other-secret", "the client has another access secret", "mac1", a_client(other_secret).init()),
        ("other-psk0", "psk0 of another access secret behind the right gate", "tag",
         a_client(psk0=keys.psk0(other_secret.access_secret)).init()),
        ("other-hub", "the client means another hub", "mac1", a_client(other_hub).init()),
        ("other-hub-key", "sealed for another hub behind the right gate", "tag",
         a_client(hub_key=x25519_public(other_hub.hub_static)).init()),
        ("versions", "the list lacks the version of the header", "versions", a_client(parameters=lacking).init()),
        ("parameter-truncated", "a parameter longer than the payload", "truncated",
         a_client(parameters=too_long).init()),
        ("ek-not-reduced", "a coefficient of 4095", "encapsulation key",
         a_client(ek=b"\xff\x0f" + KEYS.ek[2:]).init()),
    ]
    for name, comment, layer, inits in broken:
        yield rejected_init(f"init-{name}", comment, layer, inits)


def rejected_resp(name, comment, layer, client, resp):
    inputs = {"stage": "resp"} | client_inputs(KEYS, PARAMETERS) | {"kem-secret": client.kem_secret, "resp": resp}
    return rejected("handshake", name, comment, layer, inputs, lambda: client.open_resp(resp))


def resp_reject_cases():
    def answered(choice=CHOICE, **changes):
        """A client that waits, and the RESP of a hub for it."""
        client, hub = Client(KEYS, PARAMETERS), Hub(KEYS)
        hub.open_init(client.init())
        vars(hub).update(changes)
        hub.noise.forced = hub.forced
        return client, hub.resp(choice)

    ct = long.BODY
    ephemeral = ct + CT_LENGTH
    sealed = ephemeral + 32
    flipped = [
        ("ct-flipped", "one bit of ct", "tag", ct),
        ("ephemeral-flipped", "one bit of e", "tag", ephemeral),
        ("payload-flipped", "one bit of the sealed payload", "tag", sealed),
        ("other-attempt", "one bit of the attempt id", "attempt id", 5),
    ]
    for name, comment, layer, at in flipped:
        client, resp = answered()
        forged = long.with_macs(flip_bit(resp, at), GATE)
        yield rejected_resp(f"resp-{name}", comment + "; MACs made anew", layer, client, forged)

    client, resp = answered()
    client.kem_secret = fixed_bytes("other kem secret", 32)
    yield rejected_resp("resp-other-kem-secret", "decapsulation gives another secret", "tag", client, resp)
    broken = [
        ("low-order", "ee is zero, and the sender sealed with that", "key exchange",
         answered(ephemeral=bytes(32), forced={"ee": bytes(32)})),
        ("version-not-of-header", "another version than the header's", "choice",
         answered((OTHER_VERSION, VERSION, 0))),
        ("feature-not-offered", "a feature that the client did not list", "choice",
         answered((VERSION, VERSION, 1))),
    ]
    for name, comment, layer, run in broken:
        yield rejected_resp(f"resp-{name}", comment, layer, *run)


def fin_reject_cases():
    inits = Client(KEYS, PARAMETERS).init()

    def finished(payload=HELLO, flip=None, **changes):
        """A hub that waits, and the FIN of a client for it."""
        client, hub = Client(KEYS, PARAMETERS), Hub(KEYS)
        hub.open_init(client.init())
        client.open_resp(hub.resp(CHOICE))
        vars(client).update(changes)
        client.noise.forced = client.forced
        fin = client.fin(payload)
        return hub, fin if flip is None else long.with_macs(flip_bit(fin, flip), GATE)

    static = long.BODY
    sealed = static + 48
    broken = [
        ("static-flipped", "one bit of the sealed client key; MACs made anew", "tag", finished(flip=static)),
        ("payload-flipped", "one bit of the sealed frames; MACs made anew", "tag", finished(flip=sealed)),
        ("other-attempt", "one bit of the attempt id; MACs made anew", "attempt id", finished(flip=5)),
        ("low-order", "se is zero, and the sender sealed with that", "key exchange",
         finished(static=bytes(32), forced={"se": bytes(32)})),
        ("impostor", "the client key of somebody else", "tag",
         finished(static=x25519_public(fixed_bytes("victim", 32)))),
        ("unknown-frame", "a type below 64 that nobody knows", "unknown frame", finished(HELLO + b"\x3f")),
    ]
    forbidden = [
        "PING",
        "ACK largest=0 delay=0 window=64 ranges=0-0",
        "CLOSE reason=0 text=",
        "MAX_STREAM stream=0 limit=140000",
    ]
    for line in forbidden:
        name, run = frames.name(line), finished(HELLO + frames.encode(line))
        broken.append((name.lower().replace("_", "-"), f"{name} in a FIN", "fin frame", run))
    for name, comment, layer, (hub, fin) in broken:
        inputs = {"stage": "fin"} | hub_inputs(KEYS) | {"init-0": inits[0], "init-1": inits[1]}
        inputs |= resp_inputs(KEYS) | {"fin": fin}
        yield rejected("handshake", f"fin-{name}", comment, layer, inputs, lambda: hub.open_fin(fin))


def cases():
    yield from complete_cases()
    yield from init_reject_cases()
    yield from resp_reject_cases()
    yield from fin_reject_cases()
