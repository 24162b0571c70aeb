"""LONG datagrams: the header, mac1 and mac2, cookies, RETRY, KEY and VERSION."""

from dataclasses import dataclass
from ipaddress import ip_address

from .keys import STRANGERS, expand_label
from .primitives import BadTag, aead_open, aead_seal, hmac_sha256
from .wire import Reject

VERSION = bytes.fromhex("53474d31")
TYPES = ["INIT", "RESP", "FIN", "RETRY", "KEYREQ", "KEY", "VERSION"]
UNASSIGNED = "UNASSIGNED"  # type 7
SHORT_ANSWERS = {"RETRY", "KEY", "VERSION"}
BODY = 13
FULL, ANSWER = 1200, 128
BODY_LENGTH, ANSWER_BODY_LENGTH = 1155, 99


@dataclass
class Long:
    type: str
    body: bytes
    attempt_id: bytes
    fragment: int = 0
    reserved: int = 0
    version: bytes = VERSION

    def head(self):
        number = [*TYPES, UNASSIGNED].index(self.type)
        first = 0b11000000 | number << 3 | self.fragment << 2 | self.reserved
        return bytes([first]) + self.version + self.attempt_id + self.body

    def write(self, gate, cookie=None):
        return add_macs(self.head(), gate, cookie)


def length_of(type_name):
    return ANSWER if type_name in SHORT_ANSWERS else FULL


def mac1_of(datagram):
    """RETRY, KEY and VERSION end with their mac1; the others have mac2 behind it."""
    return datagram[-16:] if len(datagram) == ANSWER else datagram[-32:-16]


def make_mac1(gate, head):
    return hmac_sha256(gate.mac_key, head)[:16]


def make_mac2(gate, head_and_mac1, cookie=None):
    if cookie is None:
        return hmac_sha256(gate.idle_key, head_and_mac1[-16:])[:16]
    return hmac_sha256(cookie, head_and_mac1)[:16]


def add_macs(head, gate, cookie=None):
    datagram = head + make_mac1(gate, head)
    if len(datagram) == ANSWER:
        return datagram
    return datagram + make_mac2(gate, datagram, cookie)


def with_macs(datagram, gate, cookie=None):
    """The datagram with its MACs made anew, as somebody would who holds the gate."""
    return add_macs(datagram[: -16 if len(datagram) == ANSWER else -32], gate, cookie)


def read(datagram, gate, cookie=None):
    """A `cookie` is the one that a busy hub insists on."""
    if not datagram:
        raise Reject("length")
    first = datagram[0]
    if first >> 6 != 0b11:
        raise Reject("form")
    number = first >> 3 & 7
    if number >= len(TYPES):
        raise Reject("type")
    kind = TYPES[number]
    if len(datagram) != length_of(kind):
        raise Reject("length")
    if kind in ("KEYREQ", "KEY"):
        gate = STRANGERS
    body_end = -16 if kind in SHORT_ANSWERS else -32
    if mac1_of(datagram) != make_mac1(gate, datagram[:body_end]):
        raise Reject("mac1")
    if kind not in SHORT_ANSWERS and datagram[-16:] != make_mac2(gate, datagram[:-16], cookie):
        raise Reject("mac2")
    fragment, version = first >> 2 & 1, datagram[1:5]
    if version != VERSION and kind != "VERSION":
        raise Reject("version")
    if fragment and kind != "INIT":
        raise Reject("fragment")
    return Long(kind, datagram[BODY:body_end], datagram[5:BODY], fragment, first & 3, version)


def make_cookie(cookie_secret, address, port):
    address = ip_address(address)
    mapped = address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed
    return hmac_sha256(cookie_secret, mapped + port.to_bytes(2, "big"))[:16]


def retry_key(gate, salt):
    material = expand_label(gate.cookie_seal, "retry", salt, 44)
    return material[:32], material[32:]


def retry_body(gate, salt, cookie, init_mac1):
    key, iv = retry_key(gate, salt)
    return salt + aead_seal(key, iv, init_mac1, cookie + bytes(35))


def open_retry(gate, body, init_mac1):
    key, iv = retry_key(gate, body[:32])
    try:
        return aead_open(key, iv, init_mac1, body[32:])[:16]
    except BadTag:
        raise Reject("tag") from None


def version_body(versions, filler):
    return b"".join(versions).ljust(16, b"\0") + filler


def read_versions(body):
    versions = [body[i : i + 4] for i in range(0, 16, 4)]
    return [version for version in versions if version != bytes(4)]
