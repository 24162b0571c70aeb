"""Packet numbers, cut by the sender and completed by the receiver."""

from ..wire import complete_number, cut_number
from .case import Case


def cases():
    cuts = [
        ("cut-first", "the first packet of all", 0, None, None),
        ("cut-none-one-byte", "no acknowledgement yet: 128 numbers are open", 127, None, None),
        ("cut-none-two-bytes", "no acknowledgement yet: 129 numbers are open", 128, None, None),
        ("cut-one-byte-widest", "2^7 numbers are open", 1127, 999, None),
        ("cut-two-bytes-narrowest", "2^7 + 1 numbers are open", 1128, 999, None),
        ("cut-three-bytes-narrowest", "2^15 + 1 numbers are open", 1000 + 2**15, 999, None),
        ("cut-four-bytes-narrowest", "2^23 + 1 numbers are open", 1000 + 2**23, 999, None),
        ("cut-four-bytes-widest", "2^31 numbers are open", 999 + 2**31, 999, None),
        ("cut-rfc-two-bytes", "a published example", 0xAC5C02, 0xABE8B3, "5c02"),
        ("cut-rfc-three-bytes", "a published example", 0xACE8FE, 0xABE8B3, "ace8fe"),
        ("cut-largest-number", "the last number there is", 2**62 - 1, 2**62 - 2, None),
    ]
    for name, comment, number, acknowledged, published in cuts:
        inputs = {"operation": "cut", "number": number, "largest-acknowledged": acknowledged}
        cut = cut_number(number, acknowledged)
        assert published in (None, cut.hex())
        source = "RFC 9000 A.2" if published else "make.py"
        yield Case("number", name, comment, inputs, {"cut": cut}, source=source)

    completions = [
        ("complete-rfc", "a published example", "9b32", 0xA82F30EA, 0xA82F9B32),
        ("complete-first-is-not-zero", "packets 0 to 200 were lost", "c9", None, 201),
        ("complete-highest-of-window", "half a window ahead is still ahead", "80", 255, 384),
        ("complete-above-window", "one more than half a window ahead is behind", "81", 255, 129),
        ("complete-lowest-of-window", "half a window less one behind", "01", 639, 513),
        ("complete-below-window", "half a window behind is ahead", "00", 639, 768),
        ("complete-wraps-up", "the low byte began again", "02", 254, 258),
        ("complete-never-negative", "behind 0 there is nothing", "ff", 2, 255),
        ("complete-four-bytes", "four bytes", "00000000", 2**32 - 5, 2**32),
        ("complete-late-near-the-end", "a late one near the last number", "00", 2**62 - 3, 2**62 - 256),
    ]
    for name, comment, cut, received, expected in completions:
        inputs = {"operation": "complete", "cut": cut, "largest-received": received}
        number = complete_number(bytes.fromhex(cut), received)
        assert number == expected, (name, number)
        source = "RFC 9000 A.3" if "rfc" in name else "make.py"
        yield Case("number", name, comment, inputs, {"number": number}, source=source)
