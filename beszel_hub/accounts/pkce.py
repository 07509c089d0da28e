"""What goes to an identity provider and must come back with the same login: verifier, challenge and nonce. Pure.

A client keeps the verifier between its two requests, so the hub keeps nothing: it signs the verifier, with an instant
in it, by its own key, and derives the nonce from it (RFC 7636; OpenID Connect Core 1.0, 3.1.2.1).
"""

import base64
import hashlib
import hmac
from typing import Final

LIFETIME_SECONDS: Final = 1800
"""For somebody to log in at the provider."""
RANDOM_BYTES: Final = 24
_INSTANT_BYTES: Final = 6
_TAG_BYTES: Final = 16
_LENGTH: Final = RANDOM_BYTES + _INSTANT_BYTES + _TAG_BYTES


def make_verifier(key: bytes, chance: bytes, now_ms: int) -> str:
    """62 characters; `chance` has `RANDOM_BYTES` bytes."""
    body = chance + (now_ms // 1000).to_bytes(_INSTANT_BYTES, "big")
    return _encode(body + _tag(key, b"verifier", body))


def is_fresh_verifier(key: bytes, verifier: str, now_ms: int) -> bool:
    """Whether this hub has made it, not long ago."""
    try:
        content = base64.urlsafe_b64decode(verifier + "=" * (-len(verifier) % 4))
    except ValueError:
        return False
    if len(content) != _LENGTH or _encode(content) != verifier:
        return False
    body, tag = content[:-_TAG_BYTES], content[-_TAG_BYTES:]
    age_seconds = now_ms // 1000 - int.from_bytes(body[RANDOM_BYTES:], "big")
    return hmac.compare_digest(tag, _tag(key, b"verifier", body)) and 0 <= age_seconds <= LIFETIME_SECONDS


def challenge_of(verifier: str) -> str:
    """By the method `S256`."""
    return _encode(hashlib.sha256(verifier.encode()).digest())


def nonce_of(key: bytes, verifier: str) -> str:
    """Ties the provider's answer to the very login that this hub has begun."""
    return _encode(_tag(key, b"nonce", verifier.encode()))


def _tag(key: bytes, purpose: bytes, content: bytes) -> bytes:
    return hmac.digest(key, purpose + b"\0" + content, hashlib.sha256)[:_TAG_BYTES]


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
