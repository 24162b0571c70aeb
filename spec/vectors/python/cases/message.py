"""Control messages, submissions and entries."""

from .. import messages
from ..wire import Reader, write_bytes, write_varint
from .case import Case, Lines, fixed_bytes, rejected


def message_case(kind, name, comment, data, only=None):
    read = {"control": messages.read_control, "submission": messages.read_submission, "entry": messages.read_entry}[kind]
    reader, lines = Reader(data), Lines()
    while reader.left():
        shown = read(reader)
        lines += shown if isinstance(shown, list) else [shown]
    inputs = {"kind": kind, "bytes": data}
    if only:
        inputs["only"] = only
    return Case("message", name, comment, inputs, {"message": lines})


def control_cases():
    alice, generation, message_id = b"alice".hex(), "00112233" * 2, fixed_bytes("message id", 16).hex()
    lines = [
        ("hello", "a first message with a token", [f"HELLO flags=0 name={alice} token=c0ffee"]),
        ("hello-key-log", "writes a key log; no token", [f"HELLO flags=1 name={'Zoë'.encode().hex()} token="]),
        ("subscribe", "behind sequence number 41", ["SUBSCRIBE room=1 from=0 after=41"]),
        ("who", "the members of room 1", ["WHO room=1"]),
        ("direct", "a direct room", [f"DIRECT name={alice}"]),
        ("welcome", "a first answer", [f"WELCOME flags=0 account=7 name={alice} generation={generation}"]),
        ("room", "an open room", [f"ROOM room=1 kind=1 name={b'lobby'.hex()} head=70000"]),
        ("members", "two names", [f"MEMBERS room=1 names={alice},{b'bob'.hex()}"]),
        ("members-none", "nobody", ["MEMBERS room=1 names=none"]),
        ("refused", "a submission too large", [f"REFUSED request=0 reason=3 id={message_id} name="]),
        ("two-in-a-row", "a stream is message behind message", [f"HELLO flags=0 name={alice} token=", "SUBSCRIBE room=1 from=1 after=0"]),
        ("unknown-type", "skipped", ["UNKNOWN type=5 fields=010203", "WHO room=1"]),
    ]
    for name, comment, shown in lines:
        data = b"".join(map(messages.write_control, shown))
        case = message_case("control", name, comment, data)
        assert case.outputs["message"] == shown, name
        yield case
    more = [
        ("hello-longer", "bytes behind the known fields", f"010005{alice}00ffff"),
    ]
    for name, comment, inside in more:
        yield message_case("control", name, comment, write_bytes(bytes.fromhex(inside)), "decode")
    broken = [
        ("control-no-type", "a message of no byte", "truncated", "00"),
        ("control-type-not-shortest", "WHO with a type in two bytes", "not shortest", "03400301"),
        ("hello-without-token", "the last field is missing", "truncated", f"08 01 00 05{alice}"),
        ("hello-not-utf-8", "a name that is no UTF-8", "utf-8", "06 01 00 02c328 00"),
        ("welcome-truncated", "seven bytes of generation", "truncated", "0c 4041 00 07 00" + "00" * 7),
        ("members-count-too-large", "a count far above what follows", "truncated",
         "0b 4043 01" + write_varint(2**62 - 1).hex()),
        ("control-too-large", "one more than the limit, by its length alone", "too large", write_varint(65_537).hex() + "03"),
    ]
    for name, comment, layer, data in broken:
        data = bytes.fromhex(data)
        inputs = {"kind": "control", "bytes": data}
        yield rejected("message", name, comment, layer, inputs, lambda: messages.read_control(Reader(data)))


def submission_cases():
    message_id = fixed_bytes("message id", 16).hex()
    lines = [
        ("submission-text", "hello", [f"SUBMISSION id={message_id} kind=1 body={b'hello'.hex()}"]),
        ("submission-empty", "no body", [f"SUBMISSION id={message_id} kind=1 body="]),
        ("submissions-two", "one behind the other", [f"SUBMISSION id={n:032x} kind=1 body={n:02x}" for n in (1, 2)]),
    ]
    for name, comment, shown in lines:
        case = message_case("submission", name, comment, b"".join(map(messages.write_submission, shown)))
        assert case.outputs["message"] == shown, name
        yield case
    broken = [
        ("submission-without-kind", "sixteen bytes", "truncated", write_bytes(bytes(16))),
        ("submission-too-large", "one more than the limit, by its length alone", "too large", write_varint(65_554) + bytes(17)),
    ]
    for name, comment, layer, data in broken:
        inputs = {"kind": "submission", "bytes": data}
        yield rejected("message", name, comment, layer, inputs, lambda: messages.read_submission(Reader(data)))


def entry_cases():
    message_id, alice, time = fixed_bytes("message id", 16).hex(), b"alice".hex(), 1_700_000_000_000

    def entry(author, kind, name, body):
        return f"ENTRY author={author} id={message_id} time={time} kind={kind} name={name} body={body}"

    key = fixed_bytes("client key", 32).hex()
    lines = [
        ("entry-text", "hello of account 7", [entry(7, 1, alice, b"hello".hex())]),
        ("entry-joined", "no body", [entry(0, 3, alice, "")]),
        ("entry-left", "a reason", [entry(0, 4, alice, write_bytes(b"gone").hex()), f"LEFT reason={b'gone'.hex()}"]),
        ("entry-account", "a name bound to a key", [entry(0, 16, alice, key), f"ACCOUNT key={key}"]),
        ("entry-room-open", "an open room", [entry(0, 17, b"lobby".hex(), "01"), "ROOM kind=1"]),
        ("entry-room-direct", "two accounts", [entry(0, 17, "", "0207" + "4064"), "ROOM kind=2 low=7 high=100"]),
        ("entry-unknown-kind", "shown as nothing, applied all the same", [entry(7, 99, alice, "c0ffee")]),
    ]
    for name, comment, shown in lines:
        case = message_case("entry", name, comment, messages.write_entry(shown[0]))
        assert case.outputs["message"] == shown, name
        yield case
    broken = [
        ("entry-truncated", "ends in the id", "truncated", "07" + message_id[:-2]),
        ("entry-name-not-utf-8", "a name that is no UTF-8", "utf-8", "07" + message_id + "000102c328"),
    ]
    for name, comment, layer, data in broken:
        data = bytes.fromhex(data)
        inputs = {"kind": "entry", "bytes": data}
        yield rejected("message", name, comment, layer, inputs, lambda: messages.read_entry(Reader(data)))


def cases():
    yield from control_cases()
    yield from submission_cases()
    yield from entry_cases()
