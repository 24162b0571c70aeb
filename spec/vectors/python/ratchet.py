"""The root of the next generation."""

from .handshake import check_encapsulation_key
from .keys import expand_label
from .primitives import extract, sha256, x25519
from .wire import Reject


def shared(private, public):
    result = x25519(private, public)
    if result == bytes(32):
        raise Reject("key exchange")
    return result


def client_shares(ephemeral, static, hub_ephemeral, hub_key):
    return [shared(ephemeral, hub_ephemeral), shared(static, hub_ephemeral), shared(ephemeral, hub_key)]


def hub_shares(ephemeral, static, client_ephemeral, client_key, ek):
    if ek:
        check_encapsulation_key(ek)
    return [shared(ephemeral, client_ephemeral), shared(ephemeral, client_key), shared(static, client_ephemeral)]


def next_root(root, request, answer, shares, kem_secret):
    """`request` and `answer` are type and fields; `kem_secret` is empty without ML-KEM."""
    salt = expand_label(root, "ratchet", sha256(request + answer))
    return extract(salt, b"".join(shares) + kem_secret)
