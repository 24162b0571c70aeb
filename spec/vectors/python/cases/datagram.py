"""SHORT datagrams."""

from .. import frames, short
from ..keys import Direction
from .case import Case, Lines, fixed_bytes, flip_bit, rejected

ROOT = fixed_bytes("root0", 32)
C, H = Direction(ROOT, "c"), Direction(ROOT, "h")
PING = frames.encode("PING")
ACK = frames.encode("ACK largest=5 delay=0 window=64 ranges=5-0")
DONE = frames.encode("DONE")


def pings_and_stream(length):
    """Frames of just that many bytes in all."""
    stream = frames.encode(f"STREAM stream=1 offset=0 data={fixed_bytes('stream', length - 5).hex()}")
    return stream.rjust(length, PING)


def sent():
    """(name, comment, direction, index of the id, number, largest acknowledged, reserved, frames)"""
    yield "first", "the first packet of a client", C, 0, 0, None, 0, PING
    yield "first-of-hub", "the first packet of a hub", H, 0, 0, None, 3, DONE + ACK
    yield "number-two-bytes", "1000 numbers are open", C, 0, 1000, 0, 1, ACK
    yield "number-three-bytes", "100000 numbers are open", H, 0, 100_000, 0, 2, ACK
    yield "number-four-bytes", "2^31 numbers are open", C, 0, 2**31, 0, 0, ACK
    yield "number-large", "more than 32 bits of nonce", H, 0, 2**40 + 7, 2**40, 0, ACK
    yield "id-moved", "the fifth id, the first still in use", C, 4, 77, 76, 0, PING
    yield "bucket-93-full", "n and frames are 68 bytes", C, 0, 9, 8, 0, pings_and_stream(67)
    yield "bucket-157", "one byte more than 68", H, 0, 9, 8, 0, pings_and_stream(68)
    yield "bucket-285", "one byte more than 132", C, 0, 9, 8, 0, pings_and_stream(132)
    yield "bucket-541", "one byte more than 260", H, 0, 9, 8, 0, pings_and_stream(260)
    yield "bucket-1053", "one byte more than 516", C, 0, 9, 8, 0, pings_and_stream(516)
    yield "bucket-1200", "one byte more than 1028", H, 0, 9, 8, 0, pings_and_stream(1028)
    yield "bucket-1200-full", "n and frames are 1175 bytes", C, 0, 9, 8, 0, pings_and_stream(1174)
    yield "bucket-1232", "one byte more than 1175", H, 0, 9, 8, 0, pings_and_stream(1175)
    yield "bucket-1372", "one byte more than 1207", C, 0, 9, 8, 0, pings_and_stream(1207)
    yield "bucket-1432", "one byte more than 1347", H, 0, 9, 8, 0, pings_and_stream(1347)
    yield "bucket-1452", "one byte more than 1407", C, 0, 9, 8, 0, pings_and_stream(1407)
    yield "bucket-1452-full", "n and frames are 1427 bytes: the longest there is", H, 0, 9, 8, 0, pings_and_stream(1426)


def updated():
    """(name, comment, direction, its epoch, the highest epoch opened)"""
    yield "update-first", "the first packet of epoch 1", C, 1, 0
    yield "update-before", "a packet of epoch 0 that epoch 1 overtook", C, 0, 1
    yield "update-present", "epoch 4 has the bits of epoch 0", H, 4, 4
    yield "update-next", "epoch 5 after epoch 4", H, 5, 4
    yield "update-previous", "epoch 3 late", H, 3, 4


def sealed(payload, cut=b"\x07", epoch=0, key_epoch=0, reserved=0):
    """Packet 7 of the client, as somebody may seal it who does not keep the rules of a sender."""
    head = short.header(C.connection_id(0), cut, reserved, epoch)
    return short.seal(C, head, 7, payload, key_epoch)


def refused():
    """(name, comment, layer, highest index, largest received, datagram)"""
    good, padded = short.build(C, 0, 7, 6, 0, PING), short.pad(PING, 1)
    stranger = short.build(Direction(fixed_bytes("another root", 32), "c"), 0, 7, 6, 0, PING)
    other_key = good[:1] + C.connection_id(0) + stranger[9:]
    other_id = good[:1] + fixed_bytes("id", 8) + good[9:]
    too_far, old, of_hub = (short.build(d, i, 7, 6, 0, PING) for d, i in ((C, 5), (C, 2), (H, 0)))
    yield "too-short", "28 bytes", "length", 0, 6, good[:28]
    yield "no-frame", "29 bytes with a number of four", "empty", 0, 6, sealed(b"", b"\0\0\0\x07")
    yield "id-unknown", "an id of nobody", "connection id", 0, 6, other_id
    yield "id-too-far", "five ids ahead", "connection id", 0, 6, too_far
    yield "id-of-the-past", "an index below the highest seen", "connection id", 3, 6, old
    yield "other-direction", "the hub's own packet comes back", "connection id", 0, 6, of_hub
    yield "reserved-flipped", "a reserved bit of byte 0", "tag", 0, 6, flip_bit(good, 0, 0)
    yield "length-flipped", "the number is taken as two bytes", "tag", 0, 6, flip_bit(good, 0, 2)
    yield "epoch-flipped", "an epoch bit of byte 0", "tag", 0, 6, flip_bit(good, 0, 4)
    yield "number-flipped", "one bit of the number", "tag", 0, 6, flip_bit(good, 9)
    yield "payload-flipped", "one bit behind the sample", "tag", 0, 6, flip_bit(good, 40)
    yield "tag-flipped", "one bit of the tag", "tag", 0, 6, flip_bit(good, -1, 7)
    yield "cut", "the last byte is missing", "tag", 0, 6, good[:-1]
    yield "other-key", "keys of another session under the right id", "tag", 0, 6, other_key
    yield "number-not-meant", "completed to another number: another nonce", "tag", 0, 200, good
    yield "epoch-1-by-keys-of-0", "epoch 1 in the header, keys of epoch 0", "tag", 0, 6, sealed(padded, epoch=1)
    yield "epoch-0-by-keys-of-1", "epoch 0 in the header, keys of epoch 1", "tag", 0, 6, sealed(padded, key_epoch=1)
    yield "epoch-2", "epoch 2 without epoch 1 before", "epoch", 0, 6, sealed(padded, epoch=2, key_epoch=2)
    yield "epoch-3", "there is nothing before epoch 0", "epoch", 0, 6, sealed(padded, epoch=3, key_epoch=3)
    yield "unknown-frame", "a type below 64", "unknown frame", 0, 6, sealed(b"\x3f" + padded[1:])
    yield "hub-frame", "a client sends DONE", "direction", 0, 6, sealed(DONE + padded[1:])


def inputs_of(direction, index, received, datagram, highest_epoch=0):
    return {
        "root0": ROOT,
        "direction": "ch"[direction.number],
        "highest-index": index,
        "highest-epoch": highest_epoch,
        "largest-received": received,
        "datagram": datagram,
    }


def receive(direction, index, received, datagram, highest_epoch=0):
    sender = ("client", "hub")[direction.number]
    opened, lines = short.decode(direction, index, received, datagram, sender, highest_epoch)
    named = zip(("connection-index", "reserved", "number", "epoch"), opened)
    return dict(named) | {"frame": Lines(lines)}


def cases():
    for name, comment, direction, index, number, acknowledged, reserved, payload in sent():
        datagram = short.build(direction, index, number, acknowledged, reserved, payload)
        where = direction, max(0, index - 4), acknowledged, datagram
        outputs = receive(*where)
        assert (outputs["number"], outputs["connection-index"]) == (number, index), name
        inputs = inputs_of(*where) | {"largest-acknowledged": acknowledged, "payload": payload}
        yield Case("datagram", name, comment, inputs, outputs)

    for name, comment, direction, epoch, highest in updated():
        number = 50 if epoch < highest else 60
        datagram = short.build(direction, 0, number, 40, 0, PING, epoch)
        where = direction, 0, 55, datagram, highest
        outputs = receive(*where)
        assert (outputs["number"], outputs["epoch"]) == (number, epoch), name
        inputs = inputs_of(*where) | {"largest-acknowledged": 40, "payload": PING}
        yield Case("datagram", name, comment, inputs, outputs)

    unusual = [
        ("no-bucket", "30 bytes", 6, sealed(PING * 4)),
        ("number-longer", "four bytes where one would do", 6,
         sealed(PING * 64, b"\0\0\0\x07", reserved=2)),
        ("number-late", "an older packet than the newest", 100, sealed(short.pad(PING, 1))),
    ]
    for name, comment, received, datagram in unusual:
        where = C, 0, received, datagram
        yield Case("datagram", name, comment, {"only": "decode"} | inputs_of(*where), receive(*where))

    for name, comment, layer, index, received, datagram in refused():
        where = C, index, received, datagram
        yield rejected("datagram", name, comment, layer, inputs_of(*where), lambda: receive(*where))
