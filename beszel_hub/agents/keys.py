"""The hub's Ed25519 key, by which agents know it, and the primitives of the handshake.

StartError      the key file or `KEY` holds something else
"""

from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from beszel_hub.errors import StartError
from beszel_hub.store.files import create_private_file, make_private_file
from beszel_protocol.handshake import ENROL_CONTEXT

_PROOF_KEY_BYTES: Final = 32


class HubKey:
    """The private key of the hub."""

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key
        self.public_bytes = private_key.public_key().public_bytes_raw()
        self.public_line = private_key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        """`ssh-ed25519 AAAA…`, as agents take it in `KEY`."""

    def sign(self, payload: bytes) -> bytes:
        return self._private_key.sign(payload)


def load_hub_key(path: Path, source: str | None = None) -> HubKey:
    """The key of the settings (a file's name or the PEM itself), else the one in `path`, made on the first start."""
    if source is not None:
        return HubKey(_parse("KEY", _read_source(source)))
    try:
        if not path.exists():
            create_private_file(path, _generate())
        make_private_file(path)
        content = path.read_bytes()
    except OSError as error:
        raise StartError(f"the hub's key {path} cannot be used: {error}") from error
    return HubKey(_parse(f"the hub's key {path}", content))


def verify(public_key: bytes, signature: bytes, payload: bytes) -> bool:
    """Whether the Ed25519 signature is good."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, payload)
    except (InvalidSignature, ValueError):
        return False
    return True


def prove(token: str, payload: bytes) -> bytes:
    """HMAC-SHA-256 of the payload under HKDF-SHA-256 of the token."""
    key = HKDF(SHA256(), _PROOF_KEY_BYTES, None, ENROL_CONTEXT).derive(token.encode())
    mac = HMAC(key, SHA256())
    mac.update(payload)
    return mac.finalize()


def _generate() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


def _read_source(source: str) -> bytes:
    if "-----BEGIN" in source:
        return source.replace("\\n", "\n").strip().encode() + b"\n"
    try:
        return Path(source).read_bytes()
    except (OSError, ValueError) as error:
        raise StartError("KEY must be an Ed25519 private key in PEM, or the name of a file with one") from error


def _parse(what: str, content: bytes) -> Ed25519PrivateKey:
    load = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in content else load_pem_private_key
    try:
        key = load(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise StartError(f"{what} is no private key that can be read without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise StartError(f"{what} is no Ed25519 key")
    return key
