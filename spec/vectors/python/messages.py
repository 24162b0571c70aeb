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


CONTROL = {
    0x01: Layout("HELLO", flags=NUMBER, name=STRING, token=BYTES),
    0x02: Layout("SUBSCRIBE", room=NUMBER, after=NUMBER),
    0x03: Layout("WHO", room=NUMBER),
    0x04: Layout("DIRECT", name=STRING),
    0x05: Layout("RATCHET_REQ", ephemeral=fixed(32), kem=whole_or_absent(1184)),
    0x41: Layout("WELCOME", flags=NUMBER, account=NUMBER, name=STRING, generation=fixed(8)),
    0x42: Layout("ROOM", room=NUMBER, kind=NUMBER, name=STRING, head=NUMBER),
    0x43: Layout("MEMBERS", room=NUMBER, names=counted(STRING)),
    0x44: Layout("REFUSED", request=NUMBER, reason=NUMBER, id=fixed(16), name=STRING),
    0x45: Layout("STORED", room=NUMBER, sequence=NUMBER, id=fixed(16)),
    0x46: Layout("RATCHET_RSP", ephemeral=fixed(32), kem=whole_or_absent(1088)),
}
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


def read_control(reader):
    fields = read_framed(reader, CONTROL_MAX)
    kind = fields.varint()
    if kind not in CONTROL:
        return UNKNOWN.show({"type": kind, "fields": fields.rest()})
    return CONTROL[kind].show(CONTROL[kind].read(fields))


def read_submission(reader):
    return SUBMISSION.show(SUBMISSION.read(read_framed(reader, SUBMISSION_MAX)))


def read_entry(reader):
    return ENTRY.show(ENTRY.read(reader))


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
