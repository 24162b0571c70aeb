"""Sequences of packet numbers and which of them a receiver accepts."""

from ..short import Replay
from .case import Case, fixed_bytes


def cases():
    walk = [100 + int.from_bytes(fixed_bytes(f"walk {i}", 2), "big") % 4000 for i in range(200)]
    cases = [
        ("in-order", "every number once", list(range(10))),
        ("repeated", "the second time is too late", [0, 0, 1, 1, 0, 1]),
        ("edge", "2047 below the highest is in the window, 2048 is not", [2048, 1, 0, 1]),
        ("edge-shifts", "the edge moves with the highest", [2047, 0, 2048, 0, 1, 2049, 1, 2]),
        ("jump", "a jump of just the window forgets everything", [5, 2053, 5, 6, 6, 2053]),
        ("same-place", "numbers a window apart do not hide each other",
         [10, 2058, 4106, 10, 2058, 2059, 2059, 4106]),
        ("cleared", "places passed over are free", [64, 2100, 2112, 2101, 2111, 2111, 128, 128]),
        ("block-boundaries", "around multiples of 64",
         [63, 64, 65, 127, 128, 63, 65, 2111, 2112, 64, 66, 2176, 128, 129]),
        ("last-number", "the last numbers there are", [2**62 - 1, 2**62 - 1, 2**62 - 2048, 2**62 - 2049]),
        ("walk", "200 numbers here and there", walk),
    ]
    for name, comment, numbers in cases:
        window = Replay()
        accepted = [int(window.accept(number)) for number in numbers]
        yield Case("replay", name, comment, {"numbers": numbers}, {"accepted": accepted})
