"""Application messages: control messages, submissions and entries."""

from .wire import (
    BYTE,
    BYTES,
    NUMBER,
    REST,
    STRING,
    Layout,
    Reader,
    Reject,
    counted,
    fixed,
    write_bytes,
    write_varint,
)

def whole_or_absent(length):
    """`bytes` that are empty or of just that length."""

    def read(reader):
        value = reader.bytes()
        if len(value) not in (0, length):
            raise Reject("kem")
        return value

    return BYTES._replace(read=read)


HASH = fixed(32)
CONTROL = {
    0x01: Layout("HELLO", flags=NUMBER, name=STRING, token=BYTES),
    0x02: Layout("SUBSCRIBE", room=NUMBER, after=NUMBER),
    0x03: Layout("WHO", room=NUMBER),
    0x04: Layout("DIRECT", name=STRING),
    0x05: Layout("RATCHET_REQ", ephemeral=fixed(32), kem=whole_or_absent(1184)),
    0x06: Layout("OFFER", transfer=NUMBER, hash=HASH, size=NUMBER),
    0x07: Layout("FETCH", transfer=NUMBER, hash=HASH, **{"from": NUMBER}),
    0x08: Layout("RELEASE", transfer=NUMBER),
    0x41: Layout("WELCOME", flags=NUMBER, account=NUMBER, name=STRING, generation=fixed(8)),
    0x42: Layout("ROOM", room=NUMBER, kind=NUMBER, name=STRING, head=NUMBER),
    0x43: Layout("MEMBERS", room=NUMBER, names=counted(STRING)),
    0x44: Layout("REFUSED", request=NUMBER, reason=NUMBER, id=fixed(16), name=STRING),
    0x45: Layout("STORED", room=NUMBER, sequence=NUMBER, id=fixed(16)),
    0x46: Layout("RATCHET_RSP", ephemeral=fixed(32), kem=whole_or_absent(1088)),
    0x47: Layout("WANT", transfer=NUMBER, **{"from": NUMBER}),
    0x48: Layout("BLOB", transfer=NUMBER, size=NUMBER),
    0x49: Layout("GOT", transfer=NUMBER),
}
EPHEMERAL = {0x01: Layout("TYPING", name=STRING)}
UNKNOWN = Layout("UNKNOWN", type=NUMBER, fields=REST)
SUBMISSION = Layout("SUBMISSION", id=fixed(16), kind=BYTE, body=REST)
ENTRY = Layout("ENTRY", author=NUMBER, id=fixed(16), time=NUMBER, kind=BYTE, name=STRING, body=REST)

CONTROL_MAX = 65_536
SUBMISSION_MAX = 65_553


def read_framed(reader, limit):
    """The inside of a message behind its length; a length above the limit needs no more bytes."""
    length = reader.varint()
    if length > limit:
        raise Reject("too large")
    return Reader(reader.take(length))


def read_typed(fields, layouts):
    kind = fields.varint()
    if kind not in layouts:
        return UNKNOWN.show({"type": kind, "fields": fields.rest()})
    return layouts[kind].show(layouts[kind].read(fields))


def read_control(reader):
    return read_typed(read_framed(reader, CONTROL_MAX), CONTROL)


def read_ephemeral(reader):
    """What EPHEMERAL says has no length of its own: bytes behind the fields are ignored."""
    return read_typed(Reader(reader.rest()), EPHEMERAL)


def read_submission(reader):
    return SUBMISSION.show(SUBMISSION.read(read_framed(reader, SUBMISSION_MAX)))


def read_entry(reader):
    return ENTRY.show(ENTRY.read(reader))


def write_typed(line, layouts):
    name, *words = line.split(" ")
    if name == "UNKNOWN":
        values = UNKNOWN.parse(words)
        return write_varint(values["type"]) + values["fields"]
    kind, layout = next((k, l) for k, l in layouts.items() if l.name == name)
    return write_varint(kind) + layout.write(layout.parse(words))


def write_control(line):
    return write_bytes(write_typed(line, CONTROL))


def write_ephemeral(line):
    return write_typed(line, EPHEMERAL)


def write_submission(line):
    return write_bytes(SUBMISSION.write(SUBMISSION.parse(line.split(" ")[1:])))


def write_entry(line):
    return ENTRY.write(ENTRY.parse(line.split(" ")[1:]))
