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

# Of confusables.txt (UTS 39), what the cases need.
PROTOTYPES = {"m": "rn", "0": "O", "1": "l", "I": "l", "\u0430": "a", "\u2010": "-", "\u2027": "\u00b7"}


def without_case(text):
    nfkc = unicodedata.normalize("NFKC", text)
    return unicodedata.normalize("NFKC", nfkc.upper().lower())


def seen(text):
    nfd = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text))
    return unicodedata.normalize("NFD", "".join(PROTOTYPES.get(c, c) for c in nfd))


def forms(name):
    """The folded form of a name, and the seen one."""
    return without_case(seen(without_case(name))), without_case(seen(name))


def is_control(character):
    marks = any(first <= ord(character) <= last for first, last in MARKS)
    return marks or unicodedata.category(character) == "Cc"


def fold_name(name):
    folded, look = forms(name)
    has_control = any(map(is_control, name))
    if not 1 <= len(name) <= NAME_MAX or has_control or name != name.strip():
        raise Reject("name")
    if name.startswith("#") or HUB_NAME in (folded, look):
        raise Reject("name")
    return folded, look
