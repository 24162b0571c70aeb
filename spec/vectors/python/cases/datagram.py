"""SHORT datagrams."""

from .. import frames, keys, short
from .case import Case, Lines, fixed_bytes, flip_bit, rejected

ROOT = fixed_bytes("root0", 32)
C, H = keys.Direction(ROOT, "c"), keys.Direction(ROOT, "h")
PING = frames.encode("PING")


def stream_of(length):
    """A STREAM frame of just that many bytes in all."""
    data = fixed_bytes(f"stream {length}", length)
    overhead = len(frames.encode(f"STREAM stream=1 offset=0 data={data.hex()}")) - length
    return frames.encode(f"STREAM stream=1 offset=0 data={data[overhead:].hex()}").rjust(length, b"\x01")


def receiver_inputs(direction, index, received, datagram):
    return {
        "root0": ROOT,
        "direction": "ch"[direction.number],
        "highest-index": index,
        "largest-received": received,
        "datagram": datagram,
    }


def datagram_outputs(direction, index, received, datagram):
    sender = ("client", "hub")[direction.number]
    (opened, reserved, number, _), lines = short.decode(direction, index, received, datagram, sender)
    return {"connection-index": opened, "reserved": reserved, "number": number, "frame": Lines(lines)}


def datagram_success_cases():
    ack = frames.encode("ACK largest=5 delay=0 window=64 ranges=5-0")
    sent = [
        ("first", "the first packet of a client", C, 0, 0, None, None, 0, PING),
        ("first-of-hub", "the first packet of a hub", H, 0, 0, None, None, 3, frames.encode("DONE") + ack),
        ("number-two-bytes", "1000 numbers are open", C, 0, 1000, 0, 990, 1, ack),
        ("number-three-bytes", "100000 numbers are open", H, 0, 100_000, 0, 99_999, 2, ack),
        ("number-four-bytes", "2^31 numbers are open", C, 0, 2**31, 0, 2**31 - 10, 0, ack),
        ("number-large", "more than 32 bits of nonce", H, 0, 2**40 + 7, 2**40, 2**40 + 6, 0, ack),
        ("number-late", "an older packet than the newest", C, 0, 500, 499, 560, 0, PING),
        ("id-moved", "the fifth id, the first still in use", C, 4, 77, 76, 76, 0, PING),
        ("bucket-93-full", "n and frames are 68 bytes", C, 0, 9, 8, 8, 0, stream_of(67)),
        ("bucket-157", "one byte more than 68", H, 0, 9, 8, 8, 0, stream_of(68)),
        ("bucket-285", "one byte more than 132", C, 0, 9, 8, 8, 0, stream_of(132)),
        ("bucket-541", "one byte more than 260", H, 0, 9, 8, 8, 0, stream_of(260)),
        ("bucket-1053", "one byte more than 516", C, 0, 9, 8, 8, 0, stream_of(516)),
        ("bucket-1200", "one byte more than 1028", H, 0, 9, 8, 8, 0, stream_of(1028)),
        ("bucket-1200-full", "n and frames are 1175 bytes", C, 0, 9, 8, 8, 0, stream_of(1174)),
    ]
    for name, comment, direction, index, number, acknowledged, received, reserved, payload in sent:
        datagram = short.build(direction, index, number, acknowledged, reserved, payload)
        highest = max(0, index - 4)
        outputs = datagram_outputs(direction, highest, received, datagram)
        assert (outputs["number"], outputs["connection-index"]) == (number, index), name
        inputs = receiver_inputs(direction, highest, received, datagram)
        inputs |= {"largest-acknowledged": acknowledged, "payload": payload}
        yield Case("datagram", name, comment, inputs, outputs)

    head = short.header(C.connection_id(0), b"\x07", 0)
    long_head = short.header(C.connection_id(0), b"\0\0\0\x07", 1)
    receivable = [
        ("no-bucket", "30 bytes: no rule for a receiver", short.seal(C, head, 7, PING * 4)),
        ("number-longer", "four bytes where one would do: no rule for a receiver", short.seal(C, long_head, 7, PING * 64)),
    ]
    for name, comment, datagram in receivable:
        inputs = receiver_inputs(C, 0, 6, datagram) | {"only": "decode"}
        yield Case("datagram", name, comment, inputs, datagram_outputs(C, 0, 6, datagram))


def datagram_reject_cases():
    good = short.build(C, 0, 7, 6, 0, PING)
    cid = C.connection_id(0)

    def sealed(payload, cut=b"\x07", epoch=0, key_epoch=0, direction=C, index=0):
        head = short.header(direction.connection_id(index), cut, 0, epoch)
        return short.seal(direction, head, 7, payload, key_epoch)

    padded = short.pad(PING, 1)
    other_direction = keys.Direction(fixed_bytes("other root", 32), "c")
    stranger = short.build(other_direction, 0, 7, 6, 0, PING)
    broken = [
        ("too-short", "28 bytes", "length", good[:28]),
        ("empty-payload", "29 bytes: a number of four bytes and no frame", "empty", sealed(b"", b"\0\0\0\x07")),
        ("unknown-id", "an id of nobody", "connection id", good[:1] + fixed_bytes("id", 8) + good[9:]),
        ("id-too-far", "five ids ahead", "connection id", short.build(C, 5, 7, 6, 0, PING)),
        ("other-direction", "a packet of the hub comes back to it", "connection id", short.build(H, 0, 7, 6, 0, PING)),
        ("reserved-flipped", "a reserved bit of byte 0", "tag", flip_bit(good, 0, 0)),
        ("length-bits-flipped", "the number is taken as two bytes", "tag", flip_bit(good, 0, 2)),
        ("epoch-flipped", "an epoch bit of byte 0", "tag", flip_bit(good, 0, 4)),
        ("number-flipped", "one bit of the number", "tag", flip_bit(good, 9)),
        ("payload-flipped", "one bit behind the sample", "tag", flip_bit(good, 40)),
        ("tag-flipped", "one bit of the tag", "tag", flip_bit(good, -1, 7)),
        ("cut", "the last byte is missing", "tag", good[:-1]),
        ("other-key", "keys of another session under the right id", "tag", good[:1] + cid + stranger[9:]),
        ("epoch-1-of-epoch-0", "epoch 1 in the header, sealed by the keys of epoch 0", "epoch", sealed(padded, epoch=1)),
        ("epoch-1", "epoch 1 in the header, sealed by its keys", "tag", sealed(padded, epoch=1, key_epoch=1)),
        ("unknown-frame", "a type below 64 that nobody knows", "unknown frame", sealed(b"\x3f" + padded[1:])),
        ("hub-frame-of-client", "only a hub sends DONE", "direction", sealed(b"\x08" + padded[1:])),
    ]
    for name, comment, layer, datagram in broken:
        inputs = receiver_inputs(C, 0, 6, datagram)
        yield rejected("datagram", name, comment, layer, inputs, lambda: short.decode(C, 0, 6, datagram, "client"))
    old_id = short.build(C, 2, 7, 6, 0, PING)
    yield rejected("datagram", "id-of-the-past", "an index below the highest seen", "connection id",
                   receiver_inputs(C, 3, 6, old_id), lambda: short.decode(C, 3, 6, old_id, "client"))
    yield rejected("datagram", "number-out-of-window", "completed to another number, so the nonce is wrong", "tag",
                   receiver_inputs(C, 0, 200, good), lambda: short.decode(C, 0, 200, good, "client"))


def cases():
    yield from datagram_success_cases()
    yield from datagram_reject_cases()
