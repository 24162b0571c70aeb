"""Invites."""

from ..invite import read_invite, to_base64url, write_invite
from .case import Case, fixed_bytes, rejected


def cases():
    key, secret = fixed_bytes("hub key", 32), fixed_bytes("access secret", 32)
    full = [
        ("full", "host name, secret and token", ("chat.example.org", 5555, key, secret, b"\x01\x02\x03")),
        ("open-hub", "no secret, no token", ("chat.example.org", 5555, key, None, None)),
        ("ipv4", "an address and another port", ("192.0.2.7", 40000, key, secret, None)),
        ("ipv6", "an address in brackets", ("2001:db8::1", 5555, key, secret, None)),
    ]

    def outputs(fields):
        return dict(zip(("host", "port", "key", "secret", "token"), fields))

    for name, comment, fields in full:
        text = write_invite(*fields)
        assert read_invite(text) == fields
        yield Case("invite", name, comment, {"invite": text}, outputs(fields))

    k, s = "k=" + to_base64url(key), "s=" + to_base64url(secret)
    readable = [
        ("port-absent", "5555 is meant", f"sealgram://chat.example.org/?{k}&{s}"),
        ("other-order", "parameters in another order", f"sealgram://h:1/?t=AQID&{s}&{k}"),
        ("port-zero", "0 is a number too", f"sealgram://h:0/?{k}"),
        ("twice", "the last of two counts", f"sealgram://h:1/?k={to_base64url(bytes(32))}&{k}"),
        ("unknown-parameter", "ignored", f"sealgram://h:1/?x=%7E&{k}&colour=red&{s}&y"),
    ]
    for name, comment, text in readable:
        inputs = {"invite": text, "only": "decode"}
        yield Case("invite", name, comment, inputs, outputs(read_invite(text)))

    short = "k=" + to_base64url(key[:31])
    broken = [
        ("other-scheme", "not an invite", "scheme", f"https://h:1/?{k}"),
        ("no-query", "nothing behind the host", "key", "sealgram://h:1"),
        ("empty-host", "no host", "host", f"sealgram://:1/?{k}"),
        ("open-bracket", "a bracket that stays open", "host", f"sealgram://[::1:5555/?{k}"),
        ("ipv6-bare", "an IPv6 address without brackets", "port", f"sealgram://2001:db8::1/?{k}"),
        ("port-word", "no number", "port", f"sealgram://h:five/?{k}"),
        ("port-signed", "a sign is no digit", "port", f"sealgram://h:+80/?{k}"),
        ("port-empty", "no digit", "port", f"sealgram://h:/?{k}"),
        ("port-too-large", "65536", "port", f"sealgram://h:65536/?{k}"),
        ("key-absent", "no key", "key", f"sealgram://h:1/?{s}"),
        ("key-short", "31 bytes", "key", f"sealgram://h:1/?{short}&{s}"),
        ("key-padded", "padding", "key", f"sealgram://h:1/?{k}="),
        ("key-other-alphabet", "the alphabet of plain base64", "key", f"sealgram://h:1/?k={'+/' + k[4:]}"),
        ("secret-short", "31 bytes", "secret", f"sealgram://h:1/?{k}&s={to_base64url(secret[:31])}"),
        ("token-not-base64", "a space", "token", f"sealgram://h:1/?{k}&t=a b"),
    ]
    for name, comment, layer, text in broken:
        yield rejected("invite", name, comment, layer, {"invite": text}, lambda: read_invite(text))
