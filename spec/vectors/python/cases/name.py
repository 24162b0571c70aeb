"""Names of accounts."""

from ..name import fold_name
from .case import Case, rejected


def cases():
    good = [
        ("plain", "alice"),
        ("upper-case", "Alice"),
        ("beyond-ascii", "Zoë ÄÖÜ"),
        ("one-character", "x"),
        ("thirty-two-characters", "é" * 32),
        ("inner-marks", "a#b c"),
        ("one-and-zero", "m10"),
        ("capital-i", "paypaI"),
        ("of-two-alphabets", "p\u0430yp\u0430l"),
        ("sharp-s", "Straße"),
        ("full-width", "ａｎｎ"),
        ("beside-the-marks", "a\u2010b\u2027c"),
    ]
    for name, text in good:
        folded, look = fold_name(text)
        given = {"folded": folded.encode(), "seen": look.encode()}
        yield Case("name", name, text, {"name": text.encode()}, given)
    broken = [
        ("empty", "no character", ""),
        ("thirty-three-characters", "one too many", "a" * 33),
        ("control-character", "a bell", "al\x07ice"),
        ("direction-mark", "U+202E turns what follows around", "al\u202eice"),
        ("tag-mark", "U+E0041 is not seen", "alice\U000e0041"),
        ("soft-hyphen", "U+00AD is seen at a line end alone", "al\u00adice"),
        ("space-in-front", "white space in front", " alice"),
        ("space-behind", "U+2003 behind", "alice\u2003"),
        ("hash-in-front", "looks like a room", "#alice"),
        ("of-the-hub", "the hub's own, in capitals", "HUB"),
    ]
    for name, comment, text in broken:
        yield rejected("name", name, comment, "name", {"name": text.encode()}, lambda: fold_name(text))
