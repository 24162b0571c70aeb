"""Control messages, submissions and entries."""

from .. import messages
from ..wire import VARINT_MAX, Reader, write_bytes, write_varint
from .case import Case, Lines, fixed_bytes, rejected

ALICE, BOB = b"alice".hex(), b"bob".hex()
MESSAGE_ID = fixed_bytes("message id", 16).hex()
TIME = 1_700_000_000_000
READ = {
    "control": messages.read_control,
    "submission": messages.read_submission,
    "entry": messages.read_entry,
    "ephemeral": messages.read_ephemeral,
}


def read_all(kind, data):
    reader, lines = Reader(data), []
    while reader.left():
        lines.append(READ[kind](reader))
    return lines


def control_messages():
    yield "hello", "a first message with a token", [f"HELLO flags=0 name={ALICE} token=c0ffee"]
    yield "hello-key-log", "writes a key log; no token", [f"HELLO flags=1 name={'Zoë'.encode().hex()} token="]
    yield "subscribe", "behind sequence number 41", ["SUBSCRIBE room=1 after=41"]
    yield "who", "the members of room 1", ["WHO room=1"]
    yield "direct", "a direct room", [f"DIRECT name={ALICE}"]
    yield "welcome", "a first answer", [f"WELCOME flags=0 account=7 name={ALICE} generation=0011223344556677"]
    yield "room", "an open room", [f"ROOM room=1 kind=1 name={b'lobby'.hex()} head=70000"]
    yield "members", "two names", [f"MEMBERS room=1 names={ALICE},{BOB}"]
    yield "members-none", "nobody", ["MEMBERS room=1 names=none"]
    yield "refused", "a submission too large", [f"REFUSED request=0 reason=3 id={MESSAGE_ID} name="]
    yield "stored", "committed before", [f"STORED room=1 sequence=70000 id={MESSAGE_ID}"]
    for name, kem_length in ("req", 1184), ("rsp", 1088):
        ephemeral, kem = (fixed_bytes(f"ratchet {name} {part}", n).hex() for part, n in (("e", 32), ("kem", kem_length)))
        line = f"RATCHET_{name.upper()} ephemeral={ephemeral} kem="
        yield f"ratchet-{name}", "half of a ratchet", [line]
        yield f"ratchet-{name}-kem", "half of a ratchet with ML-KEM", [line + kem]
    blob = fixed_bytes("blob", 32).hex()
    yield "offer", "a blob of 5 GiB", [f"OFFER transfer=1 hash={blob} size={5 << 30}"]
    yield "fetch", "from the second mebibyte on", [f"FETCH transfer=2 hash={blob} from={1 << 20}"]
    yield "release", "done with it", ["RELEASE transfer=2"]
    yield "want", "all of it", ["WANT transfer=1 from=0"]
    yield "blob", "how long it is", [f"BLOB transfer=2 size={5 << 30}"]
    yield "got", "stored", ["GOT transfer=1"]
    yield "unknown-type", "skipped", ["UNKNOWN type=63 fields=010203", "WHO room=1"]
    yield "two-in-a-row", "a stream is message behind message", [
        f"HELLO flags=0 name={ALICE} token=",
        "SUBSCRIBE room=1 after=0",
    ]


def submissions():
    yield "submission-text", "hello", [f"SUBMISSION id={MESSAGE_ID} kind=1 body={b'hello'.hex()}"]
    yield "submission-empty", "no body", [f"SUBMISSION id={MESSAGE_ID} kind=1 body="]
    yield "submissions-two", "one behind the other", [f"SUBMISSION id={n:032x} kind=1 body={n:02x}" for n in (1, 2)]


def entry(author, kind, name, body):
    return f"ENTRY author={author} id={MESSAGE_ID} time={TIME} kind={kind} name={name} body={body}"


def entries():
    key = fixed_bytes("client key", 32).hex()
    yield "entry-text", "hello of account 7", [entry(7, 1, ALICE, b"hello".hex())]
    yield "entry-joined", "no body", [entry(0, 3, ALICE, "")]
    yield "entry-left", "with the reason `gone`", [entry(0, 4, ALICE, "04" + b"gone".hex())]
    yield "entry-account", "a name bound to a key", [entry(0, 16, ALICE, key)]
    yield "entry-room-open", "an open room", [entry(0, 17, b"lobby".hex(), "01")]
    yield "entry-room-direct", "a room of accounts 7 and 100", [entry(0, 17, "", "02074064")]
    yield "entry-unknown-kind", "shown as nothing, applied all the same", [entry(7, 99, ALICE, "c0ffee")]


def ephemerals():
    yield "typing", "alice types, says the hub", [f"TYPING name={ALICE}"]
    yield "typing-of-client", "the hub knows who it is", ["TYPING name="]
    yield "ephemeral-unknown", "a type of two bytes; ignored", ["UNKNOWN type=64 fields=c0ffee"]


def undecodable():
    """(kind, name, comment, layer, bytes)"""
    huge = write_varint(VARINT_MAX).hex()
    too_large = "one more than the limit, by its length alone"
    yield "control", "control-no-type", "a message of no byte", "truncated", "00"
    yield "control", "control-type-not-shortest", "WHO with a type in two bytes", "not shortest", "03 4003 01"
    yield "control", "hello-without-token", "the last field is missing", "truncated", f"08 01 00 05{ALICE}"
    yield "control", "hello-not-utf-8", "a name that is no UTF-8", "utf-8", "06 01 00 02c328 00"
    yield "control", "welcome-truncated", "7 bytes of generation", "truncated", "0c 4041 00 07 00" + "00" * 7
    yield "control", "members-count-huge", "a count far above what follows", "truncated", f"0b 4043 01 {huge}"
    yield "control", "control-too-large", too_large, "too large", f"{write_varint(65_537).hex()} 03"
    for name, kind, length in ("req", "05", 1183), ("req", "05", 1185), ("rsp", "4046", 1087), ("rsp", "4046", 1):
        inside = bytes.fromhex(kind) + bytes(32) + write_bytes(bytes(length))
        text = f"{length} bytes of ML-KEM"
        yield "control", f"ratchet-{name}-kem-{length}", text, "kem", write_bytes(inside).hex()
    yield "submission", "submission-without-kind", "sixteen bytes", "truncated", "10" + "00" * 16
    yield "submission", "submission-too-large", too_large, "too large", f"{write_varint(65_554).hex()} 00"
    yield "entry", "entry-truncated", "ends in the id", "truncated", "07" + MESSAGE_ID[:-2]
    yield "entry", "entry-name-not-utf-8", "a name that is no UTF-8", "utf-8", f"07 {MESSAGE_ID} 00 01 02c328"
    yield "ephemeral", "typing-truncated", "a name of five bytes, one there", "truncated", "01 05 61"
    yield "ephemeral", "typing-not-utf-8", "a name that is no UTF-8", "utf-8", "01 02c328"
    yield "control", "offer-truncated", "no size", "truncated", "22 06 01" + "00" * 32


def cases():
    tables = [
        ("control", control_messages, messages.write_control),
        ("submission", submissions, messages.write_submission),
        ("entry", entries, messages.write_entry),
        ("ephemeral", ephemerals, messages.write_ephemeral),
    ]
    for kind, table, write in tables:
        for name, comment, lines in table():
            data = b"".join(map(write, lines))
            assert read_all(kind, data) == lines, name
            yield Case("message", name, comment, {"kind": kind, "bytes": data}, {"message": Lines(lines)})

    longer = [
        ("control", "hello-longer", write_bytes(bytes.fromhex(f"01 00 05{ALICE} 00 ffff"))),
        ("ephemeral", "typing-longer", bytes.fromhex(f"01 05{ALICE} ffff")),
    ]
    for kind, name, data in longer:
        inputs = {"only": "decode", "kind": kind, "bytes": data}
        outputs = {"message": Lines(read_all(kind, data))}
        yield Case("message", name, "bytes behind the known fields are ignored", inputs, outputs)

    for kind, name, comment, layer, hexadecimal in undecodable():
        data = bytes.fromhex(hexadecimal)
        yield rejected("message", name, comment, layer, {"kind": kind, "bytes": data}, lambda: read_all(kind, data))
