"""Parameters in the payload of message 1, and the choice of the version by them."""

from ..handshake import check_versions, read_parameters, write_parameters
from ..long import VERSION
from .case import Case, rejected


def cases():
    other, greased = bytes.fromhex("53474d32"), bytes.fromhex("1a2a3a4a")
    features = bytes.fromhex("8000000000000001")
    write = write_parameters
    good = [
        ("versions", "the only parameter that is needed", write((1, VERSION)), [VERSION]),
        ("versions-and-features", "both", write((1, VERSION), (2, features)), [VERSION]),
        ("versions-grease", "versions of the form ?A?A?A?A", write((1, greased + VERSION)), [VERSION]),
        ("version-of-the-future", "higher, but the hub does not speak it", write((1, other + VERSION)), [VERSION]),
        ("grease", "parameters 27, 58 and 89", write((27, b""), (58, b"\xff"), (1, VERSION), (89, b"\x01\x02")), [VERSION]),
        ("unknown", "an id that is no GREASE", write((3, b"\x03"), (1, VERSION)), [VERSION]),
        ("end", "nothing behind id 0 is a parameter", write((1, VERSION)) + b"\0" + write((2, features)), [VERSION]),
    ]
    for name, comment, data, spoken in good:
        versions, bits = read_parameters(data)
        check_versions(versions, VERSION, spoken)
        inputs = {"parameters": data, "header-version": VERSION, "hub-versions": spoken}
        yield Case("parameters", name, comment, inputs, {"versions": versions, "features": bits.to_bytes(8, "big")})
    broken = [
        ("versions-lack-header", "a list without the header's version", "versions", write((1, other)), [VERSION]),
        ("versions-empty", "an empty list", "versions", write((1, b"")), [VERSION]),
        ("versions-absent", "no list", "versions", write((2, features)), [VERSION]),
        ("versions-behind-end", "a list behind id 0 is none", "versions", b"\0" + write((1, VERSION)), [VERSION]),
        ("downgrade", "both speak a higher version than the header's", "downgrade", write((1, other + VERSION)), [VERSION, other]),
        ("downgrade-worst-first", "the order of the list does not matter", "downgrade", write((1, VERSION + other)), [VERSION, other]),
        ("id-not-shortest", "an id in two bytes", "not shortest", bytes.fromhex("400104") + VERSION, [VERSION]),
    ]
    for name, comment, layer, data, spoken in broken:
        inputs = {"parameters": data, "header-version": VERSION, "hub-versions": spoken}

        def receive():
            versions, _ = read_parameters(data)
            check_versions(versions, VERSION, spoken)

        yield rejected("parameters", name, comment, layer, inputs, receive)
