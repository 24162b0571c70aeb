"""The keys that most cases share, so that their files look related."""

from ..keys import Gate
from ..primitives import x25519_public
from .case import fixed_bytes

HUB_STATIC = fixed_bytes("hub static", 32)
HUB_KEY = x25519_public(HUB_STATIC)
ACCESS_SECRET = fixed_bytes("access secret", 32)
OPEN_ACCESS_SECRET = bytes(32)
GATE = Gate(HUB_KEY, ACCESS_SECRET)
ATTEMPT_ID = fixed_bytes("attempt id", 8)
OTHER_VERSION = bytes.fromhex("1a2a3a4a")  # of the form that is GREASE
