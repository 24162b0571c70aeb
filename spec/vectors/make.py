#!/usr/bin/env python3
"""Writes the test vectors of the Sealgram protocol, one case a file.

    python3 spec/vectors/make.py            writes every file anew
    python3 spec/vectors/make.py --check    writes nothing; fails when a file differs, is missing or is surplus

This is a second implementation, made from ../PROTOCOL.md alone: where it and the Rust agree, the document says
enough. It needs the standard library only, and refuses to work when it misses a published test vector.
"""

import sys
from pathlib import Path

sys.dont_write_bytecode = True

from python.cases import all_cases
from python.published import wrong_answers

VECTORS = Path(__file__).parent


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    if wrong := list(wrong_answers()):
        sys.exit(f"make.py misses published vectors: {', '.join(wrong)}")
    wanted = collect(all_cases())
    surplus = set(committed()) - wanted.keys()
    changed = sorted(path for path, text in wanted.items() if read(path) != text)
    if not arguments:
        write(wanted, surplus)
        print(f"{len(wanted)} vectors, {len(changed)} written, {len(surplus)} removed")
    elif changed or surplus:
        complaints = [f"differs or is missing: {p}" for p in changed] + [f"surplus: {p}" for p in sorted(surplus)]
        sys.exit("\n".join(complaints))


def collect(cases):
    wanted = {}
    for case in cases:
        assert case.path() not in wanted, f"two cases are called {case.path()}"
        wanted[case.path()] = case.text().encode()
    return wanted


def committed():
    for path in VECTORS.glob("*/*"):
        if path.parent.name not in ("python", "__pycache__"):
            yield path.relative_to(VECTORS).as_posix()


def read(path):
    file = VECTORS / path
    return file.read_bytes() if file.is_file() else None


def write(wanted, surplus):
    for path in surplus:
        (VECTORS / path).unlink()
    for path, text in wanted.items():
        (VECTORS / path).parent.mkdir(exist_ok=True)
        (VECTORS / path).write_bytes(text)


if __name__ == "__main__":
    main(sys.argv[1:])
