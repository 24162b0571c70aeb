"""Lines of a key log."""

from ..invite import KEY_LOG_LABELS, read_key_log_line, write_key_log_line
from .case import Case, fixed_bytes, rejected
from .fixture import ATTEMPT_ID


def cases():
    for label in KEY_LOG_LABELS:
        secret = fixed_bytes(label, 32)
        line = write_key_log_line(label, ATTEMPT_ID, secret)
        fields = read_key_log_line(line)
        name = label.removeprefix("SGM1_").lower()
        outputs = dict(zip(("label", "attempt-id", "secret"), fields))
        yield Case("key-log", name, "one line", {"line": line}, outputs)
    secret = fixed_bytes("secret", 32).hex()
    others = f"CLIENT_RANDOM {secret} {secret}"
    assert read_key_log_line(others) is None
    yield Case("key-log", "of-others", "passed over", {"line": others}, {"label": None})
    broken = [
        ("no-secret", "two words", f"SGM1_ROOT {ATTEMPT_ID.hex()}"),
        ("secret-short", "31 bytes", f"SGM1_ROOT {ATTEMPT_ID.hex()} {secret[2:]}"),
        ("unknown-label", "not in the table", f"SGM1_STATIC {ATTEMPT_ID.hex()} {secret}"),
        ("not-hex", "a letter that is no digit", f"SGM1_ROOT {ATTEMPT_ID.hex()} g{secret[1:]}"),
    ]
    for name, comment, line in broken:
        yield rejected("key-log", name, comment, "malformed", {"line": line}, lambda: read_key_log_line(line))
