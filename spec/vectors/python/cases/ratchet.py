"""From the root of one generation to the next."""

from .. import keys, messages, ratchet
from ..primitives import x25519_public
from ..wire import Reader
from .case import Case, fixed_bytes, rejected
from .fixture import HUB_KEY, HUB_STATIC

ROOT = fixed_bytes("ratchet root", 32)
CLIENT_STATIC = fixed_bytes("client static", 32)
CLIENT_KEY = x25519_public(CLIENT_STATIC)
CLIENT_EPHEMERAL, HUB_EPHEMERAL = fixed_bytes("ratchet e1", 32), fixed_bytes("ratchet e2", 32)
KEM_SECRET = fixed_bytes("ratchet kem", 32)
EK, CT = bytes(1152) + fixed_bytes("ratchet rho", 32), fixed_bytes("ratchet ct", 1088)


def fields(message, ephemeral, kem):
    """Type and fields, without the length in front."""
    framed = Reader(messages.write_control(f"{message} ephemeral={ephemeral.hex()} kem={kem.hex()}"))
    return framed.bytes()


def run(generation, ek, ct, kem_secret):
    e1, e2 = x25519_public(CLIENT_EPHEMERAL), x25519_public(HUB_EPHEMERAL)
    request, answer = fields("RATCHET_REQ", e1, ek), fields("RATCHET_RSP", e2, ct)
    shares = ratchet.client_shares(CLIENT_EPHEMERAL, CLIENT_STATIC, e2, HUB_KEY)
    assert shares == ratchet.hub_shares(HUB_EPHEMERAL, HUB_STATIC, e1, CLIENT_KEY, ek)
    root = ratchet.next_root(ROOT, request, answer, shares, kem_secret)
    outputs = {"req": request, "rsp": answer, "root": root}
    for side in "ch":
        direction = keys.Direction(root, side, generation + 1)
        outputs[f"{side}-secret0"] = direction.secrets[0]
        outputs[f"{side}-ids"] = [direction.connection_id(i) for i in range(6)]
    return outputs


def cases():
    runs = [
        ("first", "X25519 alone", 0, b"", b"", b""),
        ("kem", "with ML-KEM", 0, EK, CT, KEM_SECRET),
        ("later", "the root of generation 3 becomes that of generation 4", 3, b"", b"", b""),
    ]
    for name, comment, generation, ek, ct, kem_secret in runs:
        inputs = {
            "root-before": ROOT,
            "generation": generation,
            "client-static-private": CLIENT_STATIC,
            "hub-static-private": HUB_STATIC,
            "client-ephemeral-private": CLIENT_EPHEMERAL,
            "hub-ephemeral-private": HUB_EPHEMERAL,
            "ek": ek or None,
            "ct": ct or None,
            "kem-secret": kem_secret or None,
        }
        yield Case("ratchet", name, comment, inputs, run(generation, ek, ct, kem_secret))

    zero, bad_ek = bytes(32), b"\xff" * 1184
    e1, e2 = x25519_public(CLIENT_EPHEMERAL), x25519_public(HUB_EPHEMERAL)
    own = {"root-before": ROOT, "hub-static-private": HUB_STATIC, "client-static-private": CLIENT_STATIC}
    hub = own | {"receiver": "hub", "hub-ephemeral-private": HUB_EPHEMERAL}
    client = own | {"receiver": "client", "client-ephemeral-private": CLIENT_EPHEMERAL}
    yield rejected("ratchet", "req-of-low-order", "e1 is zero", "key exchange",
                   hub | {"req": fields("RATCHET_REQ", zero, b"")},
                   lambda: ratchet.hub_shares(HUB_EPHEMERAL, HUB_STATIC, zero, CLIENT_KEY, b""))
    yield rejected("ratchet", "req-with-bad-key", "coefficients of 4095", "encapsulation key",
                   hub | {"req": fields("RATCHET_REQ", e1, bad_ek)},
                   lambda: ratchet.hub_shares(HUB_EPHEMERAL, HUB_STATIC, e1, CLIENT_KEY, bad_ek))
    yield rejected("ratchet", "rsp-of-low-order", "e2 is zero", "key exchange",
                   client | {"rsp": fields("RATCHET_RSP", zero, b"")},
                   lambda: ratchet.client_shares(CLIENT_EPHEMERAL, CLIENT_STATIC, zero, HUB_KEY))
