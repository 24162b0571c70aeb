"""Names of accounts: what a client may ask for, and the form by which names are compared."""

import unicodedata

from .wire import Reject

NAME_MAX = 32
HUB_NAME = "hub"
MARKS = [  # direction, joining and tag marks
    (0xAD, 0xAD),
    (0x61C, 0x61C),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0xFEFF, 0xFEFF),
    (0xFFF9, 0xFFFB),
    (0xE0000, 0xE007F),
]


def is_control(character):
    marks = any(first <= ord(character) <= last for first, last in MARKS)
    return marks or unicodedata.category(character) == "Cc"


def fold_name(name):
    folded = name.lower()
    has_control = any(map(is_control, name))
    if not 1 <= len(name) <= NAME_MAX or has_control or name != name.strip():
        raise Reject("name")
    if name.startswith("#") or folded == HUB_NAME:
        raise Reject("name")
    return folded
