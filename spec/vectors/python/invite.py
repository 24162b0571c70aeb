"""Invites and the lines of a key log."""

import base64
import re

from .wire import Reject

SCHEME = "sealgram://"
DEFAULT_PORT = 5555
KEY_LOG_LABELS = [
    f"SGM1_{name}" for name in ("CHAIN", "HASH", "ES", "EE", "SE", "SS", "ROOT", "RATCHET")
]


def to_base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def from_base64url(text, layer):
    if not re.fullmatch("[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        raise Reject(layer)
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def write_invite(host, port, key, secret, token):
    shown = f"[{host}]" if ":" in host else host
    pairs = [("k", key), ("s", secret), ("t", token)]
    query = "&".join(f"{k}={to_base64url(v)}" for k, v in pairs if v is not None)
    return f"{SCHEME}{shown}:{port}/?{query}"


def read_authority(authority):
    bracketed = re.fullmatch(r"\[([^\[\]]+)\](?::(.*))?", authority)
    plain = re.fullmatch(r"([^:\[\]]+)(?::(.*))?", authority)
    match = bracketed or plain
    if not match:
        raise Reject("host")
    host, port = match.groups()
    if port is None:
        return host, DEFAULT_PORT
    if not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535:
        raise Reject("port")
    return host, int(port)


def read_invite(text):
    """(host, port, key, secret or None, token or None)"""
    if not text.startswith(SCHEME):
        raise Reject("scheme")
    authority, _, query = text.removeprefix(SCHEME).partition("/?")
    host, port = read_authority(authority)
    values = dict(pair.partition("=")[::2] for pair in query.split("&"))
    key, secret, token = (
        from_base64url(values[name], layer) if name in values else None
        for name, layer in (("k", "key"), ("s", "secret"), ("t", "token"))
    )
    if key is None or len(key) != 32:
        raise Reject("key")
    if secret is not None and len(secret) != 32:
        raise Reject("secret")
    return host, port, key, secret, token


def write_key_log_line(label, attempt_id, secret):
    return f"{label} {attempt_id.hex()} {secret.hex()}"


def read_key_log_line(line):
    """(label, attempt id, secret); None for a line that belongs to somebody else."""
    if not line.startswith("SGM1_"):
        return None
    match = re.fullmatch("(SGM1_[A-Z]+) ([0-9a-f]{16}) ([0-9a-f]{64})", line)
    if not match or match[1] not in KEY_LOG_LABELS:
        raise Reject("malformed")
    return match[1], bytes.fromhex(match[2]), bytes.fromhex(match[3])
