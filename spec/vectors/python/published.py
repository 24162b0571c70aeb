"""The published answers this implementation has to give before it may write a vector."""

from .primitives import (
    Aes256,
    BadTag,
    aead_open,
    aead_seal,
    expand,
    extract,
    hmac_sha256,
    sha256,
    x25519,
    x25519_public,
)
from .words import WORDS_FILE

GCM_KEY = "feffe9928665731c6d6a8f9467308308" * 2
GCM_NONCE = "cafebabefacedbaddecaf888"
GCM_PLAINTEXT = (
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"
)
GCM_CIPHERTEXT = (
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
)

# (case, key, nonce, aad, plaintext, ciphertext, tag) of "The Galois/Counter Mode of Operation", appendix B.
GCM = [
    (13, "00" * 32, "00" * 12, "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"),
    (14, "00" * 32, "00" * 12, "", "00" * 16,
     "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"),
    (15, GCM_KEY, GCM_NONCE, "", GCM_PLAINTEXT, GCM_CIPHERTEXT, "b094dac5d93471bdec1a502270e3cc6c"),
    (16, GCM_KEY, GCM_NONCE, "feedfacedeadbeeffeedfacedeadbeefabaddad2", GCM_PLAINTEXT[:120],
     GCM_CIPHERTEXT[:120], "76fc6ece0f4e1768cddf8853bb2d551b"),
]

# (name, scalar, u, answer) of RFC 7748, section 5.2.
X25519 = [
    ("first", "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
     "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
     "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"),
    ("second", "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
     "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
     "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"),
]

# (case, ikm, salt, info, prk, okm) of RFC 5869, appendix A.
HKDF = [
    (1, "0b" * 22, "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
     "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
    (3, "0b" * 22, "", "",
     "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
]

# (case, key, data, mac) of RFC 4231, section 4.
HMAC = [
    (1, "0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (2, b"Jefe".hex(), b"what do ya want for nothing?",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (6, "aa" * 131, b"Test Using Larger Than Block-Size Key - Hash Key First",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
]

WORDS_SHA256 = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"


def unhex(*texts):
    return [bytes.fromhex(text) for text in texts]


def wrong_answers():
    """Yields the name of every published vector that this implementation misses."""
    key, block = unhex(bytes(range(32)).hex(), "00112233445566778899aabbccddeeff")
    if Aes256(key).encrypt(block).hex() != "8ea2b7ca516745bfeafc49904b496089":
        yield "FIPS 197 C.3"
    for case, *texts in GCM:
        key, nonce, aad, plaintext, ciphertext, tag = unhex(*texts)
        if aead_seal(key, nonce, aad, plaintext) != ciphertext + tag:
            yield f"GCM test case {case}, sealed"
            continue
        if aead_open(key, nonce, aad, ciphertext + tag) != plaintext:
            yield f"GCM test case {case}, opened"
        try:
            aead_open(key, nonce, aad + b"x", ciphertext + tag)
            yield f"GCM test case {case}, forged"
        except BadTag:
            pass
    for name, *texts in X25519:
        scalar, u, answer = unhex(*texts)
        if x25519(scalar, u) != answer:
            yield f"RFC 7748 5.2, {name}"
    nine = (9).to_bytes(32, "little")
    if x25519_public(nine).hex() != "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079":
        yield "RFC 7748 5.2, one iteration"
    for case, *texts in HKDF:
        ikm, salt, info, prk, okm = unhex(*texts)
        if extract(salt, ikm) != prk or expand(prk, info, len(okm)) != okm:
            yield f"RFC 5869 A.{case}"
    for case, key, data, mac in HMAC:
        if hmac_sha256(bytes.fromhex(key), data).hex() != mac:
            yield f"RFC 4231 4.{case + 1}"
    if sha256(WORDS_FILE.read_bytes()).hex() != WORDS_SHA256:
        yield "BIP 39 English list"
