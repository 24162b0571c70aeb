"""What comes of a hub key and an access secret alone."""

from ..keys import Gate, fingerprint, psk0, words
from .case import Case, fixed_bytes
from .fixture import ACCESS_SECRET, HUB_KEY, OPEN_ACCESS_SECRET


def cases():
    gates = [
        ("invited", "a hub with an access secret", HUB_KEY, ACCESS_SECRET),
        ("open", "an open hub", HUB_KEY, OPEN_ACCESS_SECRET),
        ("strangers", "the gate of KEYREQ and KEY", bytes(32), bytes(32)),
        ("other-hub", "words that begin with every bit set", b"\xff" * 32, fixed_bytes("other secret", 32)),
    ]
    for name, comment, hub_key, access_secret in gates:
        gate, digest = Gate(hub_key, access_secret), fingerprint(hub_key)
        outputs = {
            "gate": gate.key,
            "gate-mac": gate.mac_key,
            "gate-idle": gate.idle_key,
            "cookie-seal": gate.cookie_seal,
            "psk0": psk0(access_secret),
            "fingerprint": digest,
            "words": words(digest),
        }
        yield Case("gate", name, comment, {"hub-key": hub_key, "access-secret": access_secret}, outputs)
