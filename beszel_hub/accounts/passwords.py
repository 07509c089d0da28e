"""Passwords: what is accepted, and their Argon2id hashes in PHC form (RFC 9106), at the cost that OWASP names first.

Hashes that came from a Beszel are bcrypt; they are checked too, and replaced at the next login.
"""

import functools
import os
import re
from typing import Final

import msgspec

MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 256
"""In characters; hashing a longer one would only be somebody's way to keep the hub busy."""

UNUSABLE_HASH: Final = "!"
"""No password fits it."""

_BCRYPT = re.compile(r"\$2[aby]\$(0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}", re.ASCII)
_BCRYPT_BYTES: Final = 72
"""All of a password that bcrypt, and thus a Beszel, has ever looked at."""
_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What one hash costs; stored in each hash, so it can be raised at any time.

    There is always one lane: OpenSSL computes several with a thread pool of its own, and two such hashes at once can
    wait for each other for ever.
    """

    memory_kib: int = 46 << 10
    iterations: int = 1


DEFAULT_COST: Final = Cost()


class WeakPassword(ValueError):
    """The message says what is wrong."""


def check_password(password: str) -> None:
    """Raise `WeakPassword` if it is too short or too long to be one."""
    if len(password) < MIN_LENGTH:
        raise WeakPassword(f"A password has at least {MIN_LENGTH} characters.")
    if len(password) > MAX_LENGTH:
        raise WeakPassword(f"A password has at most {MAX_LENGTH} characters.")


def hash_password(password: str, cost: Cost = DEFAULT_COST) -> str:
    """Takes some 70 ms and `cost.memory_kib`; keep it off the event loop."""
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # noqa: PLC0415  # the command line starts fast

    kdf = Argon2id(
        salt=os.urandom(_SALT_BYTES), length=_HASH_BYTES, iterations=cost.iterations, lanes=1,
        memory_cost=cost.memory_kib,
    )  # fmt: skip
    return kdf.derive_phc_encoded(password.encode())


def verify_password(password: str, phc: str) -> bool:
    """Whether `phc` is a hash of the password; takes as long as hashing."""
    if is_bcrypt(phc):
        return _verify_bcrypt(password, phc)
    from cryptography.exceptions import InvalidKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # noqa: PLC0415

    try:
        Argon2id.verify_phc_encoded(password.encode(), phc)
    except (InvalidKey, ValueError):
        return False
    return True


def is_bcrypt(text: str) -> bool:
    """Whether it is a hash by bcrypt that takes no longer than a second or two to check."""
    return _BCRYPT.fullmatch(text) is not None


def _verify_bcrypt(password: str, text: str) -> bool:
    import bcrypt  # noqa: PLC0415

    try:
        return bcrypt.checkpw(password.encode()[:_BCRYPT_BYTES], text.encode())
    except ValueError:
        return False


@functools.cache
def dummy_hash(cost: Cost = DEFAULT_COST) -> str:
    """A hash that no password fits: an unknown user costs a login as much time as a known one."""
    return hash_password(os.urandom(_SALT_BYTES).hex(), cost)
