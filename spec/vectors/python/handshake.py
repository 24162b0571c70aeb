"""Noise_XKpsk0+psk2_25519_AESGCM_SHA256 with ML-KEM-768 carried in messages 1 and 2."""

from dataclasses import dataclass

from . import frames
from .keys import Gate, psk0, psk2
from .long import VERSION, Long, read
from .primitives import BadTag, aead_open, aead_seal, expand, extract, sha256, x25519, x25519_public
from .wire import BYTES, NUMBER, Reader, Reject

NAME = b"Noise_XKpsk0+psk2_25519_AESGCM_SHA256"
EK_LENGTH, CT_LENGTH = 1184, 1088
PAYLOAD_1, PAYLOAD_3 = 2262, 1091
HALF = 1155
VERSIONS, FEATURES = 1, 2


@dataclass
class Keys:
    """What both sides of one run bring along; the ML-KEM secret stands for the exchange itself."""

    hub_static: bytes
    client_static: bytes
    access_secret: bytes
    client_ephemeral: bytes
    hub_ephemeral: bytes
    ek: bytes
    ct: bytes
    kem_secret: bytes


class Noise:
    """The symmetric state (revision 34, sections 5.1, 5.2 and 9) with what a key log tells of it."""

    def __init__(self, hub_key, version, forced=None):
        self.h = self.ck = sha256(NAME)
        self.log = {}
        self.forced = forced or {}  # X25519 results that a forger puts in the place of real ones
        self.mix_hash(b"sealgram" + version)
        self.mix_hash(hub_key)

    def mix_hash(self, data):
        self.h = sha256(self.h + data)

    def mix(self, ikm, outputs):
        block = expand(extract(self.ck, ikm), b"", 32 * outputs)
        self.ck, self.key, self.nonce = block[:32], block[-32:], 0
        return block

    def mix_psk(self, psk):
        self.mix_hash(self.mix(psk, 3)[32:64])

    def mix_ephemeral(self, public):
        self.mix_hash(public)
        self.mix(public, 2)

    def mix_shared(self, label, private, public):
        shared = self.forced.get(label) or x25519(private, public)
        if shared == bytes(32) and label not in self.forced:
            raise Reject("key exchange")
        self.log[label] = shared
        self.mix(shared, 2)

    def next_nonce(self):
        self.nonce += 1
        return bytes(4) + (self.nonce - 1).to_bytes(8, "big")

    def seal(self, plaintext):
        sealed = aead_seal(self.key, self.next_nonce(), self.h, plaintext)
        self.mix_hash(sealed)
        return sealed

    def open(self, sealed):
        try:
            plaintext = aead_open(self.key, self.next_nonce(), self.h, sealed)
        except BadTag:
            raise Reject("tag") from None
        self.mix_hash(sealed)
        return plaintext

    def split(self):
        block = expand(extract(self.ck, b""), b"", 64)
        return block[:32], block[32:]


def write_parameters(*parameters):
    return b"".join(NUMBER.write(i) + BYTES.write(value) for i, value in parameters)


def read_parameters(data):
    """The parameters that this version knows, as (versions, features)."""
    reader, versions, features = Reader(data), [], 0
    while reader.left():
        parameter = reader.varint()
        if parameter == 0:
            break
        value = reader.bytes()
        if parameter == VERSIONS:
            if len(value) % 4:
                raise Reject("parameters")
            versions = [value[i : i + 4] for i in range(0, len(value), 4)]
        elif parameter == FEATURES:
            if len(value) != 8:
                raise Reject("parameters")
            features = int.from_bytes(value, "big")
    return versions, features


def check_versions(offered, header_version, spoken):
    if header_version not in offered:
        raise Reject("versions")
    if any(version > header_version and version in spoken for version in offered):
        raise Reject("downgrade")


def check_encapsulation_key(ek):
    """The modulus check of FIPS 203, section 7.2: 768 coefficients of 12 bits, each below 3329."""
    for i in range(0, 1152, 3):
        pair = int.from_bytes(ek[i : i + 3], "little")
        if pair & 0xFFF >= 3329 or pair >> 12 >= 3329:
            raise Reject("encapsulation key")


class Client:
    """One attempt of a client; a test that forges changes an attribute before the next step."""

    def __init__(self, keys, parameters):
        self.keys, self.parameters = keys, parameters
        self.hub_key, self.psk0 = x25519_public(keys.hub_static), psk0(keys.access_secret)
        self.gate = Gate(self.hub_key, keys.access_secret)
        self.version, self.forced = VERSION, {}
        self.ephemeral = x25519_public(keys.client_ephemeral)
        self.static = x25519_public(keys.client_static)
        self.ek, self.kem_secret = keys.ek, keys.kem_secret

    def message_1(self):
        noise = self.noise = Noise(self.hub_key, self.version, self.forced)
        noise.mix_psk(self.psk0)
        noise.mix_ephemeral(self.ephemeral)
        noise.log["chain"], noise.log["hash"] = noise.ck, noise.h
        noise.mix_shared("es", self.keys.client_ephemeral, self.hub_key)
        payload = (self.ek + self.parameters).ljust(PAYLOAD_1, b"\0")
        return self.ephemeral + noise.seal(payload)

    def init(self, reserved=(0, 0)):
        return self.fragments(self.message_1(), reserved)

    def fragments(self, message_1, reserved=(0, 0)):
        """The two INIT datagrams; also made of a message 1 that somebody changed."""
        self.attempt_id = sha256(message_1)[:8]
        halves = message_1[:HALF], message_1[HALF:]
        return [
            Long("INIT", half, self.attempt_id, i, reserved[i], self.version).write(self.gate)
            for i, half in enumerate(halves)
        ]

    def open_resp(self, datagram):
        """The choice of the hub: version, highest version, features."""
        long = read(datagram, self.gate)
        if long.attempt_id != self.attempt_id:
            raise Reject("attempt id")
        noise, keys = self.noise, self.keys
        ct, ephemeral, sealed = long.body[:CT_LENGTH], long.body[CT_LENGTH:-35], long.body[-35:]
        noise.mix_ephemeral(ephemeral)
        noise.mix_shared("ee", keys.client_ephemeral, ephemeral)
        noise.mix_psk(psk2(self.kem_secret, self.ek, ct))
        payload = noise.open(sealed)
        self.hub_ephemeral = ephemeral
        chosen, highest, features = payload[:4], payload[4:8], int.from_bytes(payload[8:16], "big")
        _, offered_features = read_parameters(self.parameters)
        if chosen != self.version or features & ~offered_features:
            raise Reject("choice")
        return chosen, highest, features

    def fin(self, payload, reserved=0):
        noise = self.noise
        sealed_static = noise.seal(self.static)
        noise.mix_shared("se", self.keys.client_static, self.hub_ephemeral)
        message_3 = sealed_static + noise.seal(payload.ljust(PAYLOAD_3, b"\0"))
        return Long("FIN", message_3, self.attempt_id, reserved=reserved).write(self.gate)


class Hub:
    """What a hub does with one attempt."""

    def __init__(self, keys, spoken=(VERSION,)):
        self.keys, self.spoken = keys, spoken
        self.hub_key = x25519_public(keys.hub_static)
        self.gate = Gate(self.hub_key, keys.access_secret)
        self.ephemeral, self.forced = x25519_public(keys.hub_ephemeral), {}

    def open_init(self, datagrams):
        first, second = (read(datagram, self.gate) for datagram in datagrams)
        message_1 = first.body + second.body
        self.attempt_id = sha256(message_1)[:8]
        if not self.attempt_id == first.attempt_id == second.attempt_id:
            raise Reject("attempt id")
        noise = self.noise = Noise(self.hub_key, first.version, self.forced)
        noise.mix_psk(psk0(self.keys.access_secret))
        self.client_ephemeral = message_1[:32]
        noise.mix_ephemeral(self.client_ephemeral)
        noise.mix_shared("es", self.keys.hub_static, self.client_ephemeral)
        payload = noise.open(message_1[32:])
        self.ek = payload[:EK_LENGTH]
        versions, features = read_parameters(payload[EK_LENGTH:])
        check_versions(versions, first.version, self.spoken)
        check_encapsulation_key(self.ek)
        return versions, features

    def resp(self, choice, reserved=0):
        noise, keys = self.noise, self.keys
        noise.mix_ephemeral(self.ephemeral)
        noise.mix_shared("ee", keys.hub_ephemeral, self.client_ephemeral)
        noise.mix_psk(psk2(keys.kem_secret, self.ek, keys.ct))
        chosen, highest, features = choice
        sealed = noise.seal(chosen + highest + features.to_bytes(8, "big") + bytes(3))
        body = keys.ct + self.ephemeral + sealed
        return Long("RESP", body, self.attempt_id, reserved=reserved).write(self.gate)

    def open_fin(self, datagram):
        long = read(datagram, self.gate)
        if long.attempt_id != self.attempt_id:
            raise Reject("attempt id")
        noise = self.noise
        self.client_static = noise.open(long.body[:48])
        noise.mix_shared("se", self.keys.hub_ephemeral, self.client_static)
        return frames.decode_fin(noise.open(long.body[48:]))
