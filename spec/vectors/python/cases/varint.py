"""Variable-length integers."""

from ..wire import Reader, write_varint
from .case import Case, rejected

PUBLISHED = "RFC 9000 A.1"


def cases():
    values = [
        ("zero", "the smallest", 0),
        ("one-byte-largest", "the largest in one byte", 63),
        ("two-bytes-smallest", "the smallest that needs two bytes", 64),
        ("two-bytes-largest", "the largest in two bytes", 16_383),
        ("four-bytes-smallest", "the smallest that needs four bytes", 16_384),
        ("four-bytes-largest", "the largest in four bytes", 2**30 - 1),
        ("eight-bytes-smallest", "the smallest that needs eight bytes", 2**30),
        ("eight-bytes-largest", "the largest of all", 2**62 - 1),
    ]
    for name, comment, value in values:
        yield Case("varint", name, comment, {"encoded": write_varint(value)}, {"value": value})

    published = [
        ("rfc-one-byte", "25", 37),
        ("rfc-two-bytes", "7bbd", 15_293),
        ("rfc-four-bytes", "9d7f3e7d", 494_878_333),
        ("rfc-eight-bytes", "c2197c5eff14e88c", 151_288_809_941_952_652),
    ]
    for name, encoded, value in published:
        assert write_varint(value).hex() == encoded
        inputs = {"encoded": encoded}
        yield Case("varint", name, "a published example", inputs, {"value": value}, source=PUBLISHED)

    broken = [
        ("empty", "no byte at all", "truncated", ""),
        ("two-bytes-truncated", "one byte of two", "truncated", "40"),
        ("eight-bytes-truncated", "seven bytes of eight", "truncated", "c2197c5eff14e8"),
        ("rfc-not-shortest", "37 in two bytes, which RFC 9000 allows", "not shortest", "4025"),
        ("eight-bytes-not-shortest", "2^30 - 1 in eight bytes", "not shortest", write_varint(2**30 - 1, 8).hex()),
    ]
    for name, comment, layer, encoded in broken:
        reader = Reader(bytes.fromhex(encoded))
        yield rejected("varint", name, comment, layer, {"encoded": encoded}, reader.varint)
