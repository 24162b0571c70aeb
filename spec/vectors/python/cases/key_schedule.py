"""From the end of a handshake to the keys of both directions."""

from .. import keys
from .case import Case, fixed_bytes


def cases():
    exports = [("first", "channel binding", b""), ("second", "file key", b"room 1")]
    for name, label, context in exports:
        h, k_c, k_h = (fixed_bytes(f"{name} {part}", 32) for part in ("h", "k_c", "k_h"))
        root = keys.root0(h, k_c, k_h)
        outputs = {"root0": root, "exp": keys.expand_label(root, "exp")}
        for side in "ch":
            direction = keys.Direction(root, side)
            secrets = {
                "secret0": direction.secrets[0],
                "hp": direction.hp,
                "cid": direction.cid,
                "key0": direction.key(),
                "iv0": direction.iv(),
                "secret1": direction.secrets[1],
                "key1": direction.key(1),
                "iv1": direction.iv(1),
                "ids": [direction.connection_id(i) for i in range(6)],
            }
            outputs |= {f"{side}-{key}": value for key, value in secrets.items()}
        outputs["exporter"] = keys.exporter(root, label, context)
        inputs = {"h": h, "k-c": k_c, "k-h": k_h, "exporter-label": label, "exporter-context": context}
        yield Case("key-schedule", name, "from the end of a handshake to its keys", inputs, outputs)
