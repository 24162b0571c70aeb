"""A case and its file."""

import hashlib
from dataclasses import dataclass

from ..wire import Reject


class Lines(list):
    """A value that takes one line for each of its items, all under the same key."""


@dataclass
class Case:
    category: str
    name: str
    comment: str
    inputs: dict
    outputs: dict
    expect: str = "success"
    source: str = "make.py"

    def path(self):
        return f"{self.category}/{self.name}.txt"

    def text(self):
        head = {"comment": self.comment, "source": self.source, "expect": self.expect}
        return block(head | self.inputs) + "\n" + block(self.outputs)


def block(values):
    lines = []
    for key, value in values.items():
        for item in value if isinstance(value, Lines) else [value]:
            lines.append(f"{key}: {show(item)}".rstrip() + "\n")
    return "".join(lines)


def show(value):
    if value is None:
        return "none"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (list, tuple)):
        return " ".join(map(show, value))
    return str(value)


def rejected(category, name, comment, layer, inputs, receive, source="make.py"):
    """A case that `receive` has to refuse at exactly that layer."""
    try:
        receive()
    except Reject as reject:
        assert reject.layer == layer, f"{category}/{name}: {reject.layer} instead of {layer}"
        return Case(category, name, comment, inputs, {}, layer, source)
    raise AssertionError(f"{category}/{name} was not refused")


def fixed_bytes(label, length):
    """Bytes that look random and are the same in every run."""
    return hashlib.shake_256(b"sealgram vectors: " + label.encode()).digest(length)


def flip_bit(data, at, bit=0):
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
