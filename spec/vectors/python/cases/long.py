"""LONG datagrams one by one."""

from dataclasses import replace

from .. import keys, long
from ..long import VERSION, Long
from .case import Case, fixed_bytes, flip_bit, rejected
from .fixture import ACCESS_SECRET, ATTEMPT_ID, GATE, HUB_KEY, OTHER_VERSION


GATE_INPUTS = {"hub-key": HUB_KEY, "access-secret": ACCESS_SECRET}
STRANGERS_INPUTS = {"hub-key": bytes(32), "access-secret": bytes(32)}

# What a busy hub knows of a sender, and the cookie that follows.
COOKIE_SECRET = fixed_bytes("cookie secret", 32)
COOKIE_INPUTS = {"cookie-secret": COOKIE_SECRET, "address": "192.0.2.7", "port": 40_000}
COOKIE = long.make_cookie(COOKIE_SECRET, "192.0.2.7", 40_000)


def long_outputs(parsed, datagram):
    outputs = {
        "type": parsed.type,
        "fragment": parsed.fragment,
        "reserved": parsed.reserved,
        "version": parsed.version,
        "attempt-id": parsed.attempt_id,
        "mac1": long.mac1_of(datagram),
    }
    return outputs | ({"mac2": datagram[-16:]} if len(datagram) == long.FULL else {})


def a_long(kind, fragment=0, reserved=0, version=VERSION):
    length = long.ANSWER_BODY_LENGTH if kind in long.SHORT_ANSWERS else long.BODY_LENGTH
    return Long(kind, fixed_bytes(f"body of {kind}", length), ATTEMPT_ID, fragment, reserved, version)


def long_success_cases():
    full = [
        ("init-0", "the first half of a message 1", a_long("INIT", 0, 1), None),
        ("init-1", "the second half", a_long("INIT", 1, 2), None),
        ("init-cookie", "to a busy hub", a_long("INIT", 0, 1), COOKIE),
        ("resp", "the answer of a hub", a_long("RESP", reserved=3), None),
        ("fin", "the last of a handshake", a_long("FIN"), None),
    ]
    for name, comment, content, cookie in full:
        datagram = content.write(GATE, cookie)
        parsed = long.read(datagram, GATE, cookie)
        assert parsed == content
        inputs = GATE_INPUTS | (COOKIE_INPUTS if cookie else {}) | {"datagram": datagram}
        yield Case("long", name, comment, inputs, long_outputs(parsed, datagram))

    datagram = a_long("KEYREQ", reserved=2).write(keys.STRANGERS)
    outputs = long_outputs(long.read(datagram, keys.STRANGERS), datagram)
    yield Case("long", "keyreq", "from a stranger", STRANGERS_INPUTS | {"datagram": datagram}, outputs)

    content = Long("KEY", HUB_KEY + fixed_bytes("filler of KEY", 67), ATTEMPT_ID)
    datagram = content.write(keys.STRANGERS)
    parsed = long.read(datagram, keys.STRANGERS)
    outputs = long_outputs(parsed, datagram) | {"key": parsed.body[:32]}
    yield Case("long", "key", "to a stranger", STRANGERS_INPUTS | {"datagram": datagram}, outputs)

    lists = [
        ("version", "an answer to a version that the hub does not speak", [VERSION]),
        ("version-four", "as many as there is room for", [bytes.fromhex(f"53474d3{i}") for i in (4, 3, 2, 1)]),
    ]
    for name, comment, versions in lists:
        body = long.version_body(versions, fixed_bytes("filler of VERSION", 83))
        datagram = Long("VERSION", body, ATTEMPT_ID, reserved=1).write(GATE)
        parsed = long.read(datagram, GATE)
        outputs = long_outputs(parsed, datagram) | {"versions": long.read_versions(parsed.body)}
        yield Case("long", name, comment, GATE_INPUTS | {"datagram": datagram}, outputs)


def retry_cases():
    salt = fixed_bytes("salt", 32)
    init = a_long("INIT").write(GATE)
    init_mac1 = long.mac1_of(init)
    for name, address, port in (("retry-ipv4", "192.0.2.7", 40_000), ("retry-ipv6", "2001:db8::7", 5555)):
        cookie = long.make_cookie(COOKIE_SECRET, address, port)
        body = long.retry_body(GATE, salt, cookie, init_mac1)
        datagram = Long("RETRY", body, ATTEMPT_ID, reserved=2).write(GATE)
        parsed = long.read(datagram, GATE)
        assert long.open_retry(GATE, parsed.body, init_mac1) == cookie
        sender = {"cookie-secret": COOKIE_SECRET, "address": address, "port": port}
        inputs = GATE_INPUTS | sender | {"salt": salt, "init-mac1": init_mac1, "datagram": datagram}
        outputs = long_outputs(parsed, datagram) | {"cookie": cookie}
        yield Case("long", name, "a cookie for that address", inputs, outputs)

    forged = long.with_macs(flip_bit(datagram, 60), GATE)
    broken = [
        ("retry-other-init", "it answers another INIT", datagram, flip_bit(init_mac1, 0)),
        ("retry-forged", "one bit of the sealed cookie; mac1 made anew", forged, init_mac1),
    ]
    for name, comment, datagram, mac1 in broken:
        inputs = GATE_INPUTS | {"init-mac1": mac1, "datagram": datagram}
        yield rejected("long", name, comment, "tag", inputs,
                       lambda: long.open_retry(GATE, long.read(datagram, GATE).body, mac1))


def long_reject_cases():
    init, version = a_long("INIT").write(GATE), a_long("VERSION").write(GATE)
    shorter = replace(a_long("INIT"), body=bytes(long.BODY_LENGTH - 1))
    longer = replace(a_long("RETRY"), body=bytes(long.BODY_LENGTH))

    def with_form(form):
        return long.with_macs(bytes([init[0] & 0x3F | form << 6]) + init[1:], GATE)

    broken = [
        ("empty", "no byte", "length", b""),
        ("init-shorter", "1199 bytes, right MACs", "length", shorter.write(GATE)),
        ("retry-of-1200-bytes", "the length of the other types", "length", longer.write(GATE)),
        ("form-00", "neither LONG nor SHORT", "form", with_form(0b00)),
        ("form-10", "neither LONG nor SHORT", "form", with_form(0b10)),
        ("type-7", "a type that this version does not have", "type", a_long(long.UNASSIGNED).write(GATE)),
        ("mac1-flipped", "one bit of mac1", "mac1", flip_bit(init, 1168)),
        ("mac1-body-flipped", "one bit of the body", "mac1", flip_bit(init, 600)),
        ("mac1-reserved-flipped", "one reserved bit", "mac1", flip_bit(init, 0)),
        ("mac1-filler-flipped", "one bit of the filler of VERSION", "mac1", flip_bit(version, 111)),
        ("mac1-other-secret", "the sender has another access secret", "mac1",
         a_long("INIT").write(keys.Gate(HUB_KEY, fixed_bytes("other secret", 32)))),
        ("mac1-other-hub", "the sender means another hub", "mac1",
         a_long("INIT").write(keys.Gate(fixed_bytes("other hub key", 32), ACCESS_SECRET))),
        ("mac1-keyreq-of-member", "KEYREQ under the hub's own gate", "mac1", a_long("KEYREQ").write(GATE)),
        ("mac2-flipped", "one bit of mac2", "mac2", flip_bit(init, 1199)),
        ("mac2-cookie-unasked", "a cookie that the hub does not accept", "mac2",
         a_long("INIT").write(GATE, COOKIE)),
        ("other-version", "to be answered with VERSION", "version",
         a_long("INIT", version=OTHER_VERSION).write(GATE)),
        ("other-version-resp", "dropped", "version", a_long("RESP", version=OTHER_VERSION).write(GATE)),
        ("fragment-resp", "RESP has no second half", "fragment", a_long("RESP", 1).write(GATE)),
        ("fragment-key", "KEY has no second half", "fragment", a_long("KEY", 1).write(keys.STRANGERS)),
    ]
    for name, comment, layer, datagram in broken:
        inputs = GATE_INPUTS | {"datagram": datagram}
        yield rejected("long", name, comment, layer, inputs, lambda: long.read(datagram, GATE))

    of_busy_hub = [
        ("busy-without-cookie", "the mac2 of a client that has no cookie", init),
        ("busy-other-address", "a cookie for another address",
         a_long("INIT").write(GATE, long.make_cookie(COOKIE_SECRET, "192.0.2.8", 40_000))),
        ("busy-other-port", "a cookie for another port",
         a_long("INIT").write(GATE, long.make_cookie(COOKIE_SECRET, "192.0.2.7", 40_001))),
    ]
    for name, comment, datagram in of_busy_hub:
        inputs = GATE_INPUTS | COOKIE_INPUTS | {"datagram": datagram}
        yield rejected("long", name, comment, "mac2", inputs, lambda: long.read(datagram, GATE, COOKIE))


def cases():
    yield from long_success_cases()
    yield from retry_cases()
    yield from long_reject_cases()
