"""Payloads of packets."""

from .. import frames
from ..wire import VARINT_MAX, write_varint
from .case import Case, Lines, fixed_bytes, rejected

HUGE = write_varint(VARINT_MAX).hex()


def decodable():
    """(name, comment, sender, lines)"""
    yield "padding-run", "a run is one line", "hub", ["PADDING length=68"]
    yield "ping", "no field", "client", ["PING"]
    yield "ack-one", "one number", "client", ["ACK largest=0 delay=0 window=64 ranges=0-0"]
    yield "ack-gap", "the smallest gap: 8 alone is missing", "client", [
        "ACK largest=9 delay=25000 window=64 ranges=9-9,7-0",
    ]
    yield "ack-ranges", "three ranges", "hub", ["ACK largest=1000 delay=1 window=0 ranges=1000-990,500-500,3-3"]
    yield "ack-32-further-ranges", "as many as a sender may send", "client", [
        "ACK largest=200 delay=0 window=64 ranges=" + ",".join(f"{n}-{n}" for n in range(200, 134, -2)),
    ]
    yield "ack-largest-number", "values of eight bytes", "hub", [
        f"ACK largest={VARINT_MAX} delay={VARINT_MAX} window={VARINT_MAX} ranges={VARINT_MAX}-{VARINT_MAX - 1},1-0",
    ]
    yield "ack-ecn", "some packets came with marks", "client", [
        "ACK_ECN largest=9 delay=0 window=1024 ranges=9-0 ect0=8 ect1=0 ce=2",
    ]
    yield "ack-ecn-ranges", "the counts stand behind the ranges", "hub", [
        "ACK_ECN largest=1000 delay=1 window=0 ranges=1000-990,500-500,3-3 ect0=70000 ect1=1 ce=63",
        "PING",
    ]
    yield "stream", "control bytes at the start of stream 0", "client", ["STREAM stream=0 offset=0 data=020301"]
    yield "stream-no-data", "no byte", "client", ["STREAM stream=7 offset=100 data="]
    yield "stream-to-the-end", "its end is 2^62 - 1", "client", [f"STREAM stream=0 offset={VARINT_MAX - 1} data=00"]
    yield "stream-64-bytes", "a length of two bytes", "client", [
        f"STREAM stream=1 offset=64 data={fixed_bytes('64', 64).hex()}",
    ]
    yield "stream-largest", "the last stream there may be", "client", ["STREAM stream=4294967296 offset=0 data=00"]
    yield "entries-three", "three entries, one of them empty", "hub", [
        "ENTRIES room=300 first=70000 entries=01,,0203",
    ]
    yield "fragment", "the middle of an entry", "hub", [
        "FRAGMENT room=1 sequence=12 total=65600 offset=1100 data=c0ffee",
    ]
    yield "fragment-last", "it ends with its total, the largest", "hub", [
        "FRAGMENT room=1 sequence=12 total=66560 offset=66557 data=c0ffee",
    ]
    yield "close", "SHUTDOWN with a text", "hub", [f"CLOSE reason=2 text={'bis später'.encode().hex()}"]
    yield "close-unknown-reason", "reasons are open-ended", "client", ["CLOSE reason=4000 text="]
    yield "done", "the hub opened FIN", "hub", ["DONE"]
    yield "max-stream", "the limit of stream 1", "hub", ["MAX_STREAM stream=1 limit=262144"]
    yield "path-challenge", "is the client there?", "hub", ["PATH_CHALLENGE data=0001020304050607"]
    yield "path-response", "it is; two questions are answered", "client", [
        "PATH_RESPONSE data=0001020304050607",
        "PATH_RESPONSE data=ffffffffffffffff",
    ]
    yield "ephemeral", "alice types in room 1", "hub", [f"EPHEMERAL room=1 message=0105{b'alice'.hex()}"]
    yield "ephemeral-unknown", "what it says is not the frame's", "client", ["EPHEMERAL room=300 message=ff"]
    yield "bulk", "bytes of a blob", "client", ["BULK transfer=7 offset=1048576 data=c0ffee"]
    yield "max-bulk", "a mebibyte more", "hub", ["MAX_BULK transfer=7 limit=2097152"]
    yield "extension-smallest-type", "64 is GREASE too", "client", ["EXTENSION type=64 data=010203"]
    yield "extension-grease", "64 + 31 * 5", "hub", ["EXTENSION type=219 data="]
    yield "extension-largest-type", "a type of eight bytes", "client", [f"EXTENSION type={VARINT_MAX} data=00"]
    yield "extension-skipped", "what stands behind an unknown frame counts", "client", [
        "EXTENSION type=65 data=0402",
        "PING",
    ]
    yield "many", "PADDING may stand anywhere", "hub", [
        "ACK largest=3 delay=0 window=64 ranges=3-0",
        "DONE",
        "PADDING length=3",
        "STREAM stream=0 offset=0 data=00",
        "ENTRIES room=0 first=1 entries=00",
        "MAX_STREAM stream=0 limit=131200",
        "PADDING length=20",
    ]


def undecodable():
    """(name, comment, sender, layer, payload)"""
    yield "empty", "a packet holds one frame or more", "client", "empty", ""
    yield "type-truncated", "half a type", "client", "truncated", "40"
    yield "type-not-shortest", "PING in two bytes", "client", "not shortest", "4001"
    yield "type-15-unknown", "the first that is none", "client", "unknown frame", "0f"
    yield "type-63-unknown", "the last below the extensions", "hub", "unknown frame", "3f"
    yield "ack-range-truncated", "a gap without its length", "client", "truncated", "02 09 00 00 01 00 01"
    yield "ack-33-further-ranges", "one more than allowed", "hub", "too many ranges", further_ranges(33)
    yield "ack-first-below-zero", "the first range holds -1", "client", "ack range", "02 09 00 00 00 0a"
    yield "ack-gap-below-zero", "the second range begins at -1", "client", "ack range", "02 09 00 00 01 00 08 00"
    yield "ack-length-below-zero", "the second range ends at -1", "client", "ack range", "02 09 00 00 01 00 00 08"
    yield "ack-ecn-truncated", "two counts of three", "client", "truncated", "03 09 00 00 00 00 01 00"
    yield "path-challenge-truncated", "seven bytes", "hub", "truncated", "0a 00010203040506"
    yield "path-response-truncated", "no byte", "client", "truncated", "0b"
    yield "ephemeral-truncated", "a message of three bytes, two there", "client", "truncated", "0c 01 03 0100"
    yield "stream-truncated", "five bytes said, four there", "client", "truncated", "04 00 00 05 01020304"
    yield "stream-length-huge", "a length far above the packet", "client", "truncated", f"04 00 00 {HUGE}"
    yield "stream-above", "stream 2^32 + 1", "client", "stream", "04 c000000100000001 00 01 00"
    yield "max-stream-above", "stream 2^32 + 1", "hub", "stream", "09 c000000100000001 00"
    yield "stream-beyond", "its end is 2^62", "client", "bounds", f"04 00 {HUGE} 01 00"
    yield "entries-beyond", "the second entry is 2^62", "hub", "bounds", f"05 01 {HUGE} 02 01 00 01 00"
    yield "fragment-beyond-total", "the last byte is one too many", "hub", "bounds", "06 01 01 02 01 02 0000"
    yield "fragment-total-above", "a total of 66561", "hub", "bounds", "06 01 01 80010401 00 01 00"
    yield "entries-count-huge", "a count far above what follows", "hub", "truncated", "05 01 01 e000000000000000"
    yield "fragment-truncated", "no data", "hub", "truncated", "06 01 01 0a 00"
    yield "close-not-utf-8", "a text that is no UTF-8", "hub", "utf-8", "07 02 02 c328"
    yield "close-surrogate", "U+D800 is no character", "hub", "utf-8", "07 02 03 eda080"
    yield "extension-truncated", "three bytes said, two there", "client", "truncated", "4040 03 0102"
    only = "only a hub sends it"
    yield "entries-from-client", only, "client", "direction", "05 01 01 01 01 00"
    yield "fragment-from-client", only, "client", "direction", "06 01 01 01 00 01 00"
    yield "done-from-client", only, "client", "direction", "08"
    yield "path-challenge-from-client", only, "client", "direction", "0a 0001020304050607"
    yield "path-response-from-hub", "only a client sends it", "hub", "direction", "0b 0001020304050607"


def further_ranges(count):
    """An ACK of every second number from 200 down."""
    return "02 40c8 00 4040 " + write_varint(count).hex() + "00" + "0000" * count


def cases():
    for name, comment, sender, lines in decodable():
        payload = frames.encode(*lines)
        assert frames.decode(payload, sender) == lines, name
        inputs = {"sender": sender, "payload": payload}
        yield Case("frame", name, comment, inputs, {"frame": Lines(lines)})

    for name, comment, sender, layer, hexadecimal in undecodable():
        payload = bytes.fromhex(hexadecimal)
        inputs = {"sender": sender, "payload": payload}
        yield rejected("frame", name, comment, layer, inputs, lambda: frames.decode(payload, sender))
