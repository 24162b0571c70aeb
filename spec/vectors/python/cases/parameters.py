"""Parameters in the payload of message 1, and the choice of the version by them."""

from ..handshake import check_versions, read_parameters, write_parameters
from ..long import VERSION
from .case import Case, rejected
from .fixture import OTHER_VERSION

NEXT = bytes.fromhex("53474d32")
FEATURES = bytes.fromhex("8000000000000001")
ONE = write_parameters((1, VERSION))
BOTH = write_parameters((1, VERSION), (2, FEATURES))


def acceptable():
    """(name, comment, parameters): as this revision sends them, and as it has to take them"""
    grease = write_parameters((27, b""), (58, b"\xff"), (1, VERSION), (89, b"\x01\x02"))
    yield "versions", "the only parameter that is needed", ONE
    yield "versions-and-features", "both", BOTH
    yield "versions-grease", "versions of the form ?A?A?A?A", write_parameters((1, OTHER_VERSION + VERSION))
    yield "version-of-the-future", "higher, but the hub does not speak it", write_parameters((1, NEXT + VERSION))
    yield "grease", "parameters 27, 58 and 89", grease
    yield "unknown", "an id that is no GREASE", write_parameters((3, b"\x03")) + ONE
    yield "end", "nothing behind id 0 is a parameter", ONE + b"\0" + write_parameters((2, FEATURES))


def unacceptable():
    """(name, comment, layer, parameters, versions that the hub speaks)"""
    both = [VERSION, NEXT]
    best_first, worst_first = write_parameters((1, NEXT + VERSION)), write_parameters((1, VERSION + NEXT))
    yield "versions-lack-header", "a list without the header's", "versions", write_parameters((1, NEXT)), [VERSION]
    yield "versions-empty", "an empty list", "versions", write_parameters((1, b"")), [VERSION]
    yield "versions-absent", "no list", "versions", write_parameters((2, FEATURES)), [VERSION]
    yield "versions-behind-end", "a list behind id 0 is none", "versions", b"\0" + ONE, [VERSION]
    yield "downgrade", "both speak a higher version than the header's", "downgrade", best_first, both
    yield "downgrade-worst-first", "the order of the list does not matter", "downgrade", worst_first, both
    yield "versions-odd", "five bytes of versions", "parameters", write_parameters((1, VERSION + b"S")), [VERSION]
    yield "features-short", "seven bytes", "parameters", ONE + write_parameters((2, bytes(7))), [VERSION]
    yield "features-long", "nine bytes", "parameters", ONE + write_parameters((2, bytes(9))), [VERSION]
    yield "id-not-shortest", "an id in two bytes", "not shortest", b"\x40" + ONE, [VERSION]


def receive(parameters, spoken):
    versions, features = read_parameters(parameters)
    check_versions(versions, VERSION, spoken)
    return versions, features


def cases():
    for name, comment, parameters in acceptable():
        versions, features = receive(parameters, [VERSION])
        inputs = {} if parameters == BOTH else {"only": "decode"}
        inputs |= {"parameters": parameters, "header-version": VERSION, "hub-versions": [VERSION]}
        outputs = {"versions": versions, "features": features.to_bytes(8, "big")}
        yield Case("parameters", name, comment, inputs, outputs)
    for name, comment, layer, parameters, spoken in unacceptable():
        inputs = {"parameters": parameters, "header-version": VERSION, "hub-versions": spoken}
        yield rejected("parameters", name, comment, layer, inputs, lambda: receive(parameters, spoken))
