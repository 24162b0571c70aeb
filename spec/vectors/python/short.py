"""SHORT datagrams and the replay window."""

from . import frames
from .primitives import Aes256, BadTag, aead_open, aead_seal, xor
from .wire import Reject, complete_number, cut_number

BUCKETS = (68, 132, 260, 516, 1028, 1175, 1207, 1347, 1407, 1427)
LENGTH_MIN = 29


def pad(payload, number_length):
    """The frames behind a number of that length, filled with PADDING up to a bucket."""
    bucket = next(b for b in BUCKETS if b >= number_length + len(payload))
    return payload.ljust(bucket - number_length, b"\0")


def mask_of(direction, datagram):
    return Aes256(direction.hp).encrypt(datagram[13:29])


def flip(datagram, mask, number_length):
    """Puts the mask on, or takes it off."""
    first = datagram[0] ^ mask[0] & 0x3F
    end = 9 + number_length
    return bytes([first]) + datagram[1:9] + xor(datagram[9:end], mask[1:]) + datagram[end:]


def nonce(iv, number):
    return xor(iv, bytes(4) + number.to_bytes(8, "big"))


def header(connection_id, cut, reserved, epoch=0):
    first = 0b01000000 | epoch << 4 | len(cut) - 1 << 2 | reserved
    return bytes([first]) + connection_id + cut


def seal(direction, head, number, payload, epoch=0):
    sealed = aead_seal(direction.key(epoch), nonce(direction.iv(epoch), number), head, payload)
    datagram = head + sealed
    return flip(datagram, mask_of(direction, datagram), len(head) - 9)


def build(direction, connection_index, number, largest_acknowledged, reserved, payload, epoch=0):
    cut = cut_number(number, largest_acknowledged)
    head = header(direction.connection_id(connection_index), cut, reserved, epoch & 3)
    return seal(direction, head, number, pad(payload, len(cut)), epoch)


def open_(direction, connection_index, largest_received, datagram, highest_epoch=0):
    """(index of the id, reserved bits, number, epoch, payload); `connection_index` is the highest seen."""
    if len(datagram) < LENGTH_MIN:
        raise Reject("length")
    if datagram[0] >> 6 != 0b01:
        raise Reject("form")
    indexes = range(connection_index, connection_index + 5)
    ids = {direction.connection_id(i): i for i in indexes}
    if datagram[1:9] not in ids:
        raise Reject("connection id")
    mask = mask_of(direction, datagram)
    first = datagram[0] ^ mask[0] & 0x3F
    number_length = (first >> 2 & 3) + 1
    plain = flip(datagram, mask, number_length)
    head, sealed = plain[: 9 + number_length], plain[9 + number_length :]
    number = complete_number(head[9:], largest_received)
    held = range(max(0, highest_epoch - 1), highest_epoch + 2)
    epoch = next((epoch for epoch in held if epoch & 3 == first >> 4 & 3), None)
    if epoch is None:
        raise Reject("epoch")
    try:
        payload = aead_open(direction.key(epoch), nonce(direction.iv(epoch), number), head, sealed)
    except BadTag:
        raise Reject("tag") from None
    return ids[datagram[1:9]], first & 3, number, epoch, payload


def decode(direction, connection_index, largest_received, datagram, sender, highest_epoch=0):
    opened = open_(direction, connection_index, largest_received, datagram, highest_epoch)
    return opened, frames.decode(opened[4], sender)


REPLAY_WINDOW = 2048


class Replay:
    def __init__(self):
        self.accepted = set()

    def accept(self, number):
        highest = max(self.accepted, default=-1)
        if number in self.accepted or number <= highest - REPLAY_WINDOW:
            return False
        self.accepted.add(number)
        return True
