"""The cases, one module a category."""

from . import (
    datagram,
    frame,
    gate,
    handshake,
    invite,
    key_log,
    key_schedule,
    long,
    message,
    name,
    number,
    parameters,
    ratchet,
    replay,
    varint,
)

CATEGORIES = [
    varint,
    number,
    frame,
    message,
    name,
    gate,
    long,
    parameters,
    handshake,
    key_schedule,
    ratchet,
    datagram,
    replay,
    invite,
    key_log,
]


def all_cases():
    for category in CATEGORIES:
        yield from category.cases()
