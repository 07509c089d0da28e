"""The primitives of the handshake from `cryptography`, as tests hold them on both sides."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from beszel_protocol.handshake import ENROL_CONTEXT


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def verify(public_key: bytes, signature: bytes, payload: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, payload)
    except (InvalidSignature, ValueError):
        return False
    return True


def prove(token: str, payload: bytes) -> bytes:
    mac = HMAC(HKDF(SHA256(), 32, None, ENROL_CONTEXT).derive(token.encode()), SHA256())
    mac.update(payload)
    return mac.finalize()
