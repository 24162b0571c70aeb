"""SHA-256, HMAC, HKDF, AES-256, GCM and X25519, from their standards.

Written to be read, not to guard secrets: nothing here runs in constant time.
"""

import hashlib
import hmac


def sha256(data):
    return hashlib.sha256(data).digest()


def hmac_sha256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


# HKDF: RFC 5869.


def extract(salt, ikm):
    return hmac_sha256(salt, ikm)


def expand(prk, info, length):
    output, block, counter = b"", b"", 1
    while len(output) < length:
        block = hmac_sha256(prk, block + info + bytes([counter]))
        output += block
        counter += 1
    return output[:length]


# AES-256, the forward direction alone: FIPS 197.


def _double(byte):
    return (byte << 1) ^ (0x11B if byte & 0x80 else 0)


def _make_sbox():
    exponent_of_3, log_of_3, power = [], [0] * 256, 1
    for i in range(255):
        exponent_of_3.append(power)
        log_of_3[power] = i
        power ^= _double(power)
    sbox = []
    for byte in range(256):
        inverse = exponent_of_3[-log_of_3[byte] % 255] if byte else 0
        spread = 0
        for turn in range(5):
            spread ^= (inverse << turn | inverse >> (8 - turn)) & 0xFF
        sbox.append(spread ^ 0x63)
    return sbox


_SBOX = _make_sbox()


def _make_round_tables():
    """SubBytes and MixColumns of one byte, for each of the four rows."""
    columns = []
    for byte in range(256):
        s = _SBOX[byte]
        columns.append(_double(s) << 24 | s << 16 | s << 8 | _double(s) ^ s)
    return [[c >> 8 * row | (c << 32 - 8 * row) & 0xFFFFFFFF for c in columns] for row in range(4)]


_ROWS = _make_round_tables()


def _sub_word(word):
    return int.from_bytes(bytes(_SBOX[b] for b in word.to_bytes(4, "big")), "big")


class Aes256:
    ROUNDS = 14

    def __init__(self, key):
        assert len(key) == 32
        words = [int.from_bytes(key[i : i + 4], "big") for i in range(0, 32, 4)]
        constant = 1
        while len(words) < 4 * (self.ROUNDS + 1):
            word = words[-1]
            if len(words) % 8 == 0:
                word = _sub_word((word << 8 | word >> 24) & 0xFFFFFFFF) ^ constant << 24
                constant = _double(constant)
            elif len(words) % 8 == 4:
                word = _sub_word(word)
            words.append(words[-8] ^ word)
        self.round_keys = words

    def encrypt(self, block):
        assert len(block) == 16
        keys = self.round_keys
        state = [int.from_bytes(block[4 * i : 4 * i + 4], "big") ^ keys[i] for i in range(4)]
        for start in range(4, 4 * self.ROUNDS, 4):
            state = [
                _ROWS[0][state[i] >> 24]
                ^ _ROWS[1][state[(i + 1) % 4] >> 16 & 0xFF]
                ^ _ROWS[2][state[(i + 2) % 4] >> 8 & 0xFF]
                ^ _ROWS[3][state[(i + 3) % 4] & 0xFF]
                ^ keys[start + i]
                for i in range(4)
            ]
        output = b""
        for i in range(4):
            shifted = bytes(_SBOX[state[(i + r) % 4] >> 24 - 8 * r & 0xFF] for r in range(4))
            output += (int.from_bytes(shifted, "big") ^ keys[-4 + i]).to_bytes(4, "big")
        return output


# GCM with a 12-byte nonce and a 16-byte tag: NIST SP 800-38D.


class BadTag(Exception):
    pass


def _ghash(hash_key, aad, ciphertext):
    products, product = [], int.from_bytes(hash_key, "big")  # hash_key times x^0, x^1, ...
    for _ in range(128):
        products.append(product)
        product = product >> 1 ^ (0xE1 << 120 if product & 1 else 0)
    lengths = (8 * len(aad)).to_bytes(8, "big") + (8 * len(ciphertext)).to_bytes(8, "big")
    data = aad + bytes(-len(aad) % 16) + ciphertext + bytes(-len(ciphertext) % 16) + lengths
    state = 0
    for start in range(0, len(data), 16):
        state ^= int.from_bytes(data[start : start + 16], "big")
        bits, state = f"{state:0128b}", 0
        for bit, product in zip(bits, products):
            if bit == "1":
                state ^= product
    return state.to_bytes(16, "big")


def xor(left, right):
    return bytes(a ^ b for a, b in zip(left, right))


class _Gcm:
    def __init__(self, key, nonce):
        assert len(nonce) == 12
        self.cipher, self.nonce = Aes256(key), nonce
        self.hash_key = self.cipher.encrypt(bytes(16))

    def block(self, counter):
        return self.cipher.encrypt(self.nonce + counter.to_bytes(4, "big"))

    def crypt(self, data):
        stream = b"".join(self.block(2 + i) for i in range((len(data) + 15) // 16))
        return xor(data, stream)

    def tag(self, aad, ciphertext):
        return xor(_ghash(self.hash_key, aad, ciphertext), self.block(1))


def aead_seal(key, nonce, aad, plaintext):
    gcm = _Gcm(key, nonce)
    ciphertext = gcm.crypt(plaintext)
    return ciphertext + gcm.tag(aad, ciphertext)


def aead_open(key, nonce, aad, sealed):
    if len(sealed) < 16:
        raise BadTag
    gcm, ciphertext = _Gcm(key, nonce), sealed[:-16]
    if gcm.tag(aad, ciphertext) != sealed[-16:]:
        raise BadTag
    return gcm.crypt(ciphertext)


# X25519: RFC 7748, section 5.

_P = 2**255 - 19


def x25519(private, public):
    scalar = int.from_bytes(private, "little") & (2**254 - 8) | 2**254
    u = int.from_bytes(public, "little") % 2**255 % _P
    x2, z2, x3, z3, swapped = 1, 0, u, 1, 0
    for t in reversed(range(255)):
        bit = scalar >> t & 1
        if bit != swapped:
            x2, x3, z2, z3, swapped = x3, x2, z3, z2, bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % _P, b * b % _P, d * a % _P, c * b % _P
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % _P, u * (da - cb) ** 2 % _P
        x2, z2 = aa * bb % _P, e * (aa + 121665 * e) % _P
    if swapped:
        x2, z2 = x3, z3
    return (x2 * pow(z2, _P - 2, _P) % _P).to_bytes(32, "little")


def x25519_public(private):
    return x25519(private, (9).to_bytes(32, "little"))
