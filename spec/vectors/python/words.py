"""The BIP 39 English list, shared with the Rust: a list is data, not an implementation."""

from pathlib import Path

WORDS_FILE = Path(__file__).parents[2] / "src" / "words.txt"
WORDS = WORDS_FILE.read_text("ascii").split()
