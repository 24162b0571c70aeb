"""The gate, the fingerprint, the key schedule and connection ids."""

from .primitives import Aes256, expand, extract, sha256
from .words import WORDS


def expand_label(secret, label, context=b"", length=32):
    name = b"sgm1 " + label.encode()
    info = length.to_bytes(2, "big") + bytes([len(name)]) + name + bytes([len(context)]) + context
    return expand(secret, info, length)


class Gate:
    def __init__(self, hub_key, access_secret):
        self.key = extract(hub_key, access_secret)
        self.mac_key = expand_label(self.key, "gate mac")
        self.idle_key = expand_label(self.key, "gate idle")
        self.cookie_seal = expand_label(self.key, "cookie seal")


STRANGERS = Gate(bytes(32), bytes(32))  # the gate of KEYREQ and KEY


def psk0(access_secret):
    return expand_label(extract(b"sgm1", access_secret), "psk0")


def psk2(kem_secret, encapsulation_key, ciphertext):
    return expand(extract(b"sgm1 kem", kem_secret), encapsulation_key + ciphertext, 32)


def fingerprint(hub_key):
    return sha256(b"sgm1 fp" + hub_key)


def words(digest):
    bits = f"{int.from_bytes(digest, 'big'):0256b}"
    return [WORDS[int(bits[11 * i : 11 * i + 11], 2)] for i in range(12)]


def root0(h, k_c, k_h):
    return extract(h, k_c + k_h)


class Direction:
    """What one direction ("c" or "h") derives from the root of a generation."""

    def __init__(self, root, name, generation=0):
        self.number, self.generation = "ch".index(name), generation
        self.secrets = [expand_label(root, name + " ap")]
        for _ in range(8):
            self.secrets.append(expand_label(self.secrets[-1], "ku"))
        self.hp = expand_label(root, name + " hp")
        self.cid = expand_label(root, name + " cid")

    def key(self, epoch=0):
        return expand_label(self.secrets[epoch], "key")

    def iv(self, epoch=0):
        return expand_label(self.secrets[epoch], "iv", length=12)

    def connection_id(self, index):
        block = bytes([self.number]) + self.generation.to_bytes(7, "big") + index.to_bytes(8, "big")
        return Aes256(self.cid).encrypt(block)[:8]


def exporter(root, label, context):
    return expand_label(expand_label(root, "exp"), label, sha256(context))
