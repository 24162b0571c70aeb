"""Frames: bytes to lines and lines to bytes."""

from .wire import (
    BYTES,
    NUMBER,
    STRING,
    VARINT_MAX,
    Kind,
    Layout,
    Reader,
    Reject,
    counted,
    fixed,
    write_bytes,
    write_varint,
)

FURTHER_RANGES_MAX = 32


def read_ranges(reader, largest):
    count, low = reader.varint(), largest - reader.varint()
    if count > FURTHER_RANGES_MAX:
        raise Reject("too many ranges")
    ranges = [(largest, low)]
    for _ in range(count):
        high = low - reader.varint() - 2
        low = high - reader.varint()
        ranges.append((high, low))
    if low < 0:
        raise Reject("ack range")
    return ranges


def write_ranges(ranges):
    (_, low), *further = ranges
    output = write_varint(len(further)) + write_varint(ranges[0][0] - low)
    for high, next_low in further:
        output += write_varint(low - high - 2) + write_varint(high - next_low)
        low = next_low
    return output


class Ack(Layout):
    """ACK and ACK_ECN have a field that another one begins: the first range ends at `largest`."""

    def read(self, reader):
        values = {field: reader.varint() for field in ("largest", "delay", "window")}
        values["ranges"] = read_ranges(reader, values["largest"])
        return values | {field: reader.varint() for field in self.fields if field not in values}


RANGES = Kind(
    None,
    write_ranges,
    lambda ranges: ",".join(f"{high}-{low}" for high, low in ranges),
    lambda text: [tuple(map(int, r.split("-"))) for r in text.split(",")],
)

STREAM_MAX = 2**32
TOTAL_MAX = 66_560


def read_stream_number(reader):
    number = reader.varint()
    if number > STREAM_MAX:
        raise Reject("stream")
    return number


STREAM_NUMBER = NUMBER._replace(read=read_stream_number)


def is_in_bounds(name, values):
    """Whether a frame stays below the numbers that its bytes or entries are counted with."""
    match name:
        case "STREAM":
            return values["offset"] + len(values["data"]) <= VARINT_MAX
        case "ENTRIES":
            return values["first"] + len(values["entries"]) - 1 <= VARINT_MAX
        case "FRAGMENT":
            return values["offset"] + len(values["data"]) <= values["total"] <= TOTAL_MAX
    return True


PADDING = 0x00
EXTENSION = 0x40
FRAMES = {
    0x01: Layout("PING"),
    0x02: Ack("ACK", largest=NUMBER, delay=NUMBER, window=NUMBER, ranges=RANGES),
    0x03: Ack(
        "ACK_ECN",
        largest=NUMBER, delay=NUMBER, window=NUMBER, ranges=RANGES, ect0=NUMBER, ect1=NUMBER, ce=NUMBER,
    ),
    0x04: Layout("STREAM", stream=STREAM_NUMBER, offset=NUMBER, data=BYTES),
    0x05: Layout("ENTRIES", room=NUMBER, first=NUMBER, entries=counted(BYTES)),
    0x06: Layout("FRAGMENT", room=NUMBER, sequence=NUMBER, total=NUMBER, offset=NUMBER, data=BYTES),
    0x07: Layout("CLOSE", reason=NUMBER, text=STRING),
    0x08: Layout("DONE"),
    0x09: Layout("MAX_STREAM", stream=STREAM_NUMBER, limit=NUMBER),
    0x0a: Layout("PATH_CHALLENGE", data=fixed(8)),
    0x0b: Layout("PATH_RESPONSE", data=fixed(8)),
    0x0c: Layout("EPHEMERAL", room=NUMBER, message=BYTES),
    0x0d: Layout("BULK", transfer=NUMBER, offset=NUMBER, data=BYTES),
    0x0e: Layout("MAX_BULK", transfer=NUMBER, limit=NUMBER),
}
SENT_BY_HUB = {"ENTRIES", "FRAGMENT", "DONE", "PATH_CHALLENGE"}
SENT_BY_CLIENT = {"PATH_RESPONSE"}
ALLOWED_IN_FIN = {"PADDING", "STREAM", "EXTENSION"}


def read_frame(reader):
    kind = reader.varint()
    if kind >= EXTENSION:
        return f"EXTENSION type={kind} data={reader.bytes().hex()}"
    if kind not in FRAMES:
        raise Reject("unknown frame")
    layout = FRAMES[kind]
    values = layout.read(reader)
    if not is_in_bounds(layout.name, values):
        raise Reject("bounds")
    return layout.show(values)


def decode(payload, sender):
    """One line a frame; a run of PADDING is one line."""
    reader, lines = Reader(payload), []
    if not payload:
        raise Reject("empty")
    while reader.left():
        padding = reader.left() - len(reader.data[reader.at :].lstrip(b"\0"))
        if padding:
            reader.take(padding)
            lines.append(f"PADDING length={padding}")
            continue
        lines.append(read_frame(reader))
        if name(lines[-1]) in (SENT_BY_HUB if sender == "client" else SENT_BY_CLIENT):
            raise Reject("direction")
    return lines


def decode_fin(payload):
    lines = decode(payload, "client")
    if any(name(line) not in ALLOWED_IN_FIN for line in lines):
        raise Reject("fin frame")
    return lines


def encode(*lines):
    return b"".join(encode_one(*line.split(" ")) for line in lines)


def encode_one(name, *words):
    if name == "PADDING":
        return bytes(int(words[0].removeprefix("length=")))
    if name == "EXTENSION":
        kind, data = (word.split("=")[1] for word in words)
        return write_varint(int(kind)) + write_bytes(bytes.fromhex(data))
    kind, layout = next((k, l) for k, l in FRAMES.items() if l.name == name)
    return write_varint(kind) + layout.write(layout.parse(words))


def name(line):
    return line.split(" ")[0]
