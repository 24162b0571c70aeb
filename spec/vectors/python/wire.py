"""Notation: varints, the reader, packet numbers, and messages described by their fields."""

from collections import namedtuple


class Reject(Exception):
    """What the document tells a receiver to refuse, with the layer that refuses it."""

    def __init__(self, layer):
        super().__init__(layer)
        self.layer = layer


VARINT_MAX = 2**62 - 1


def write_varint(value, size=None):
    """RFC 9000, section 16; a given `size` makes the longer forms that receivers refuse."""
    assert 0 <= value <= VARINT_MAX
    shortest = next(n for n in (1, 2, 4, 8) if value < 1 << 8 * n - 2)
    size = size or shortest
    return (value | size.bit_length() - 1 << 8 * size - 2).to_bytes(size, "big")


def write_bytes(data):
    return write_varint(len(data)) + data


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def left(self):
        return len(self.data) - self.at

    def take(self, count):
        if count > self.left():
            raise Reject("truncated")
        self.at += count
        return self.data[self.at - count : self.at]

    def rest(self):
        return self.take(self.left())

    def varint(self):
        first = self.take(1)
        size = 1 << (first[0] >> 6)
        encoded = first + self.take(size - 1)
        value = int.from_bytes(encoded, "big") & (1 << 8 * size - 2) - 1
        if encoded != write_varint(value):
            raise Reject("not shortest")
        return value

    def bytes(self):
        return self.take(self.varint())

    def string(self):
        """The bytes of a string, so that text and bytes are written alike in a vector."""
        data = self.bytes()
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            raise Reject("utf-8") from None
        return data


# Packet numbers: RFC 9000, appendices A.2 and A.3. None stands for "no packet yet".


def cut_number(number, largest_acknowledged):
    unacknowledged = number - (-1 if largest_acknowledged is None else largest_acknowledged)
    bits = (unacknowledged - 1).bit_length() + 1  # log2 rounded up, plus one
    size = (bits + 7) // 8
    assert 1 <= size <= 4
    return (number % 256**size).to_bytes(size, "big")


def complete_number(cut, largest_received):
    expected = 0 if largest_received is None else largest_received + 1
    window = 256 ** len(cut)
    candidate = expected // window * window + int.from_bytes(cut, "big")
    if candidate <= expected - window // 2 and candidate < 2**62 - window:
        return candidate + window
    if candidate > expected + window // 2 and candidate >= window:
        return candidate - window
    return candidate


# Items: a frame, message or entry as its name and fields. Vectors show an item as one line,
# `NAME field=value field=value`, with bytes in hex; cases are written in the same form.

Kind = namedtuple("Kind", "read write show parse")

NUMBER = Kind(Reader.varint, write_varint, str, int)
BYTES = Kind(Reader.bytes, write_bytes, bytes.hex, bytes.fromhex)
STRING = BYTES._replace(read=Reader.string)
REST = BYTES._replace(read=Reader.rest, write=bytes)
BYTE = NUMBER._replace(read=lambda reader: reader.take(1)[0], write=lambda n: bytes([n]))


def fixed(length):
    return BYTES._replace(read=lambda reader: reader.take(length), write=bytes)


def counted(kind):
    """A count, then so many of a kind; `none` shows an empty list."""
    return Kind(
        lambda reader: [kind.read(reader) for _ in range(reader.varint())],
        lambda items: write_varint(len(items)) + b"".join(map(kind.write, items)),
        lambda items: ",".join(map(kind.show, items)) if items else "none",
        lambda text: [] if text == "none" else [kind.parse(t) for t in text.split(",")],
    )


class Layout:
    """The name and the fields of an item, in the order of the wire."""

    def __init__(self, name, /, **fields):
        self.name, self.fields = name, fields

    def read(self, reader):
        return {field: kind.read(reader) for field, kind in self.fields.items()}

    def write(self, values):
        return b"".join(kind.write(values[field]) for field, kind in self.fields.items())

    def show(self, values):
        words = [f"{field}={kind.show(values[field])}" for field, kind in self.fields.items()]
        return " ".join([self.name, *words]).strip()

    def parse(self, words):
        texts = dict(word.split("=") for word in words)
        assert texts.keys() == self.fields.keys(), (self.name, words)
        return {field: kind.parse(texts[field]) for field, kind in self.fields.items()}
