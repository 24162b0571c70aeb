"""Application messages: control messages, submissions, entries and their bodies."""

from .wire import BYTE, BYTES, NUMBER, REST, STRING, Layout, Reader, Reject, counted, fixed, write_bytes, write_varint

CONTROL = {
    0x01: Layout("HELLO", flags=NUMBER, name=STRING, token=BYTES),
    0x02: Layout("SUBSCRIBE", room=NUMBER, **{"from": NUMBER}, after=NUMBER),
    0x03: Layout("WHO", room=NUMBER),
    0x04: Layout("DIRECT", name=STRING),
    0x41: Layout("WELCOME", flags=NUMBER, account=NUMBER, name=STRING, generation=fixed(8)),
    0x42: Layout("ROOM", room=NUMBER, kind=NUMBER, name=STRING, head=NUMBER),
    0x43: Layout("MEMBERS", room=NUMBER, names=counted(STRING)),
    0x44: Layout("REFUSED", request=NUMBER, reason=NUMBER, id=fixed(16), name=STRING),
}
UNKNOWN = Layout("UNKNOWN", type=NUMBER, fields=REST)
SUBMISSION = Layout("SUBMISSION", id=fixed(16), kind=BYTE, body=REST)
ENTRY = Layout("ENTRY", author=NUMBER, id=fixed(16), time=NUMBER, kind=BYTE, name=STRING, body=REST)

TEXT_MAX = 65_536
CONTROL_MAX = 65_536
SUBMISSION_MAX = 65_553


def read_framed(reader, limit):
    """The inside of a message behind its length; a length above the limit needs no more bytes."""
    length = reader.varint()
    if length > limit:
        raise Reject("too large")
    return Reader(reader.take(length))


def read_control(reader):
    fields = read_framed(reader, CONTROL_MAX)
    kind = fields.varint()
    if kind not in CONTROL:
        return UNKNOWN.show({"type": kind, "fields": fields.rest()})
    return CONTROL[kind].show(CONTROL[kind].read(fields))


def read_submission(reader):
    return SUBMISSION.show(SUBMISSION.read(read_framed(reader, SUBMISSION_MAX)))


def read_entry(reader):
    """The line of an entry, then that of its body when the kind gives the body fields."""
    values = ENTRY.read(reader)
    lines, body = [ENTRY.show(values)], Reader(values["body"])
    if values["kind"] == 4:
        lines.append(f"LEFT reason={body.string().hex()}")
    if values["kind"] == 16:
        lines.append(f"ACCOUNT key={body.take(32).hex()}")
    if values["kind"] == 17:
        kind = body.varint()
        direct = f" low={body.varint()} high={body.varint()}" if kind == 2 else ""
        lines.append(f"ROOM kind={kind}{direct}")
    return lines


def write_control(line):
    name, *words = line.split(" ")
    if name == "UNKNOWN":
        values = UNKNOWN.parse(words)
        return write_bytes(write_varint(values["type"]) + values["fields"])
    kind, layout = next((k, l) for k, l in CONTROL.items() if l.name == name)
    return write_bytes(write_varint(kind) + layout.write(layout.parse(words)))


def write_submission(line):
    return write_bytes(SUBMISSION.write(SUBMISSION.parse(line.split(" ")[1:])))


def write_entry(line):
    return ENTRY.write(ENTRY.parse(line.split(" ")[1:]))
