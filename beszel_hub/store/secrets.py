"""The hub's secret: 32 random bytes in `secret.key` beside the database, from which every other key is derived.

A copy of the database without that file holds no token that anybody could use.
"""

import os
from pathlib import Path
from typing import Final

from beszel_hub.errors import StartError
from beszel_hub.store.files import create_private_file, make_private_file

SECRET_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_SEALING: Final = b"beszel-hub-sealing-v1"
_TOKENS: Final = b"beszel-hub-tokens-v1"


class NotSealedHere(ValueError):
    """The bytes were not sealed with this secret for this purpose, or have been changed since."""


class Secret:
    """Keys derived from the hub's secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._sealing_key = derive(secret, _SEALING)
        self.token_key = derive(secret, _TOKENS)
        """Goes into the signing key of every user's tokens."""

    def derive(self, purpose: bytes) -> bytes:
        """A key of 32 bytes for one purpose."""
        return derive(self._secret, purpose)

    def seal(self, plain: bytes, purpose: bytes) -> bytes:
        """Encrypt with AES-GCM; only `open` with the same `purpose` (which is not secret) gives `plain` back."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  # the command line starts fast

        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._sealing_key).encrypt(nonce, plain, purpose)

    def open(self, sealed: bytes, purpose: bytes) -> bytes:
        """Raise `NotSealedHere` for anything but an intact result of `seal`."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        try:
            return AESGCM(self._sealing_key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose)
        except (InvalidTag, ValueError) as error:
            raise NotSealedHere("sealed with another secret, or damaged") from error


def derive(secret: bytes, purpose: bytes) -> bytes:
    """32 bytes for one purpose (HKDF-SHA-256 without salt; RFC 5869)."""
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    return HKDF(algorithm=SHA256(), length=SECRET_BYTES, salt=None, info=purpose).derive(secret)


def load_secret(path: Path) -> Secret:
    """Read the secret, making it on the first start; raise `StartError` if the file holds something else."""
    try:
        if not path.exists():
            create_private_file(path, os.urandom(SECRET_BYTES))
        make_private_file(path)
        secret = path.read_bytes()
    except OSError as error:
        raise StartError(f"the secret {path} cannot be used: {error}") from error
    if len(secret) != SECRET_BYTES:
        raise StartError(f"the secret {path} must have {SECRET_BYTES} bytes; restore it from a backup")
    return Secret(secret)
