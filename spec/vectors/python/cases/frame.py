"""Payloads of packets."""

from .. import frames
from ..wire import write_varint
from .case import Case, Lines, fixed_bytes, rejected


def frame_case(name, comment, sender, payload, only=None):
    inputs = {"sender": sender, "payload": payload}
    if only:
        inputs["only"] = only
    return Case("frame", name, comment, inputs, {"frame": Lines(frames.decode(payload, sender))})


def cases():
    ext = "EXTENSION type="
    lines = [
        ("padding-run", "a run is one line", "hub", ["PADDING length=68"]),
        ("ping", "no field", "client", ["PING"]),
        ("ack-one", "one number", "client", ["ACK largest=0 delay=0 window=64 ranges=0-0"]),
        ("ack-gap", "the smallest gap: 8 alone is missing", "client", ["ACK largest=9 delay=25000 window=64 ranges=9-9,7-0"]),
        ("ack-ranges", "three ranges", "hub", ["ACK largest=1000 delay=1 window=0 ranges=1000-990,500-500,3-3"]),
        ("ack-32-further-ranges", "as many as a sender may send", "client",
         ["ACK largest=200 delay=0 window=64 ranges=" + ",".join(f"{n}-{n}" for n in range(200, 134, -2))]),
        ("ack-largest-number", "values of eight bytes", "hub",
         [f"ACK largest={2**62 - 1} delay={2**62 - 1} window={2**62 - 1} ranges={2**62 - 1}-{2**62 - 2},1-0"]),
        ("stream", "control bytes at the start of stream 0", "client", ["STREAM stream=0 offset=0 data=0203010203"]),
        ("stream-no-data", "no byte", "client", ["STREAM stream=7 offset=100 data="]),
        ("stream-64-bytes", "a length of two bytes", "client", [f"STREAM stream=1 offset=64 data={fixed_bytes('64', 64).hex()}"]),
        ("entries-three", "three entries, one of them empty", "hub", ["ENTRIES room=300 first=70000 entries=01,,0203"]),
        ("fragment", "the middle of an entry", "hub", ["FRAGMENT room=1 sequence=12 total=65600 offset=1100 data=c0ffee"]),
        ("close", "SHUTDOWN with a text", "hub", [f"CLOSE reason=2 text={'bis später'.encode().hex()}"]),
        ("close-unknown-reason", "reasons are open-ended", "client", ["CLOSE reason=4000 text="]),
        ("done", "the hub opened FIN", "hub", ["DONE"]),
        ("max-stream", "the limit of stream 1", "hub", ["MAX_STREAM stream=1 limit=262144"]),
        ("extension-smallest-type", "64 is GREASE too", "client", [ext + "64 data=010203"]),
        ("extension-grease", "64 + 31 * 5", "hub", [ext + "219 data="]),
        ("extension-large-type", "the largest type", "client", [ext + f"{2**62 - 1} data=00"]),
        ("extension-skipped", "what stands behind an unknown frame counts", "client", [ext + "65 data=0402", "PING"]),
        ("many-from-hub", "a packet as a hub sends them", "hub",
         ["ACK largest=3 delay=0 window=64 ranges=3-0", "DONE", "STREAM stream=0 offset=0 data=00",
          "ENTRIES room=0 first=1 entries=00", "MAX_STREAM stream=0 limit=131200", "PADDING length=20"]),
    ]
    for name, comment, sender, shown in lines:
        payload = frames.encode(*shown)
        assert frames.decode(payload, sender) == shown, name
        yield frame_case(name, comment, sender, payload)
    ranges = ",".join(f"{n}-{n}" for n in range(200, 132, -2))
    payload = frames.encode(f"ACK largest=200 delay=0 window=64 ranges={ranges}")
    yield frame_case("ack-33-further-ranges", "more than a sender may send; no rule for a receiver", "hub", payload, "decode")

    broken = [
        ("empty", "a packet holds one frame or more", "client", "empty", ""),
        ("type-truncated", "half a type", "client", "truncated", "40"),
        ("type-not-shortest", "PING in two bytes", "client", "not shortest", "4001"),
        ("type-3-unknown", "below 64", "client", "unknown frame", "03"),
        ("type-63-unknown", "the last below the extensions", "hub", "unknown frame", "3f"),
        ("ack-range-truncated", "a gap without its length", "client", "truncated", "02090000010001"),
        ("ack-count-too-large", "a count far above what follows", "client", "truncated",
         "02 09 00 00" + write_varint(2**62 - 1).hex() + "00"),
        ("ack-first-below-zero", "the first range holds -1", "client", "ack range", "02 09 00 00 00 0a"),
        ("ack-gap-below-zero", "the second range begins at -1", "client", "ack range", "02 09 00 00 01 00 08 00"),
        ("ack-length-below-zero", "the second range ends at -1", "client", "ack range", "02 09 00 00 01 00 00 08"),
        ("stream-truncated", "five bytes said, four there", "client", "truncated", "0400000501020304"),
        ("stream-length-too-large", "a length far above the packet", "client", "truncated",
         "040000" + write_varint(2**62 - 1).hex()),
        ("entries-count-too-large", "a count far above what follows", "hub", "truncated",
         "050101" + write_varint(2**62 - 1).hex()),
        ("fragment-truncated", "no data field", "hub", "truncated", "0601010a00"),
        ("close-not-utf-8", "a text that is no UTF-8", "hub", "utf-8", "070202c328"),
        ("close-surrogate", "U+D800 is no character", "hub", "utf-8", "070203eda080"),
        ("extension-truncated", "three bytes said, two there", "client", "truncated", "4040030102"),
        ("entries-from-client", "only a hub sends it", "client", "direction", frames.encode("ENTRIES room=1 first=1 entries=00").hex()),
        ("fragment-from-client", "only a hub sends it", "client", "direction",
         frames.encode("FRAGMENT room=1 sequence=1 total=1 offset=0 data=00").hex()),
        ("done-from-client", "only a hub sends it", "client", "direction", "08"),
    ]
    for name, comment, sender, layer, payload in broken:
        data = bytes.fromhex(payload)
        inputs = {"sender": sender, "payload": data}
        yield rejected("frame", name, comment, layer, inputs, lambda: frames.decode(data, sender))
