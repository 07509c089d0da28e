"""The mutual proof of the agent link, as values: no socket, no clock, no key store.

Neither side tells the other anything worth stealing before it has proved itself. `‖` of the design is `join`: every
field with its length in front, so no two lists of fields make the same bytes. Primitives come from the caller. A frame
that is no message, or not the one whose turn it is, raises `MessageError` of `messages`.

    HandshakeError
    ├── HubNotTrusted       the hub could not prove that it holds a key the agent knows
    └── AgentRefused        with the code that goes into `refused`
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

import msgspec

from beszel_protocol.messages import (
    Challenge,
    Enrol,
    EnrolBody,
    Hello,
    InvalidMessage,
    RefusalCode,
    decode_enrol_body,
    decode_from_agent,
    decode_from_hub,
    encode,
)
from beszel_protocol.version import LINK_PROTOCOL

Sign = Callable[[bytes], bytes]
"""Ed25519 signature of a payload."""
Verify = Callable[[bytes, bytes, bytes], bool]
"""(public key, signature, payload) -> whether the signature is good; never raises."""
Prove = Callable[[str, bytes], bytes]
"""(token, payload) -> HMAC-SHA-256 of the payload under HKDF-SHA-256(token, info=`ENROL_CONTEXT`)."""

NONCE_BYTES: Final = 32
CHALLENGE_CONTEXT: Final = b"beszel-challenge-v1"
ENROL_CONTEXT: Final = b"beszel-enrol-v1"
_TOKEN_CONTEXT: Final = b"beszel-token-id\0"

MessageT = TypeVar("MessageT")


class HandshakeError(Exception):
    code = "handshake_error"


class HubNotTrusted(HandshakeError):
    code = "hub_not_trusted"


class AgentRefused(HandshakeError):
    def __init__(self, code: RefusalCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class Challenged(NamedTuple):
    """What the hub must remember between its challenge and the agent's answer."""

    frame: bytes
    token_id: str


class Enrolment(NamedTuple):
    """What an agent claims, with everything needed to check the claim once its token is known."""

    body: EnrolBody
    payload: bytes
    proof: bytes
    signature: bytes

    @property
    def agent_key(self) -> bytes:
        return decode_bytes(self.body.agent_key)


def join(*fields: bytes) -> bytes:
    """Concatenate with a 4-byte big-endian length before each field."""
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def token_id(token: str) -> str:
    """What the agent shows of its token: 16 hex digits, from which the token cannot be found."""
    return hashlib.sha256(join(_TOKEN_CONTEXT, token.encode())).hexdigest()[:16]


def encode_bytes(value: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode_bytes(text: str, length: int | None = None) -> bytes:
    """Raise `InvalidMessage` if `text` is not base64url of `length` bytes."""
    try:
        value = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InvalidMessage("bytes are written as base64url") from error
    if length is not None and len(value) != length:
        raise InvalidMessage(f"{length} bytes expected, {len(value)} found")
    return value


# The agent's side


def make_hello(nonce: bytes, version: str) -> bytes:
    return encode(Hello(protocol=LINK_PROTOCOL, nonce=encode_bytes(nonce), version=version))


def check_challenge(
    challenge_frame: bytes, *, hello_frame: bytes, token_id: str, trusted_keys: Sequence[bytes], verify: Verify
) -> bytes:
    """The hub's public key, once it is one of `trusted_keys` and signed this very hello.

    Raises `HubNotTrusted`; the caller must then send nothing more.
    """
    message = _expect(Challenge, decode_from_hub(challenge_frame))
    public_key = decode_bytes(message.public_key, 32)
    if public_key not in trusted_keys:
        raise HubNotTrusted("the hub's key is none of those in KEY")
    payload = _challenge_payload(hello_frame, public_key, decode_bytes(message.nonce, NONCE_BYTES), token_id)
    if not verify(public_key, decode_bytes(message.signature, 64), payload):
        raise HubNotTrusted("the hub's signature does not fit its key and our hello")
    return public_key


def make_enrol(body: EnrolBody, *, challenge_frame: bytes, token: str, prove: Prove, sign: Sign) -> bytes:
    raw_body = encode(body)
    payload = _enrol_payload(challenge_frame, raw_body)
    return encode(
        Enrol(
            body=msgspec.Raw(raw_body),
            proof=encode_bytes(prove(token, payload)),
            signature=encode_bytes(sign(payload)),
        )
    )


# The hub's side


def make_challenge(hello_frame: bytes, *, nonce: bytes, public_key: bytes, token_id: str, sign: Sign) -> Challenged:
    """Answer a hello. An unknown token id gets the same kind of answer, so nobody can probe for ids."""
    hello = _expect(Hello, decode_from_agent(hello_frame))
    if hello.protocol < LINK_PROTOCOL:
        raise AgentRefused("agent_too_old", f"this hub speaks protocol {LINK_PROTOCOL} of the link")
    decode_bytes(hello.nonce, NONCE_BYTES)
    signature = sign(_challenge_payload(hello_frame, public_key, nonce, token_id))
    frame = encode(
        Challenge(nonce=encode_bytes(nonce), public_key=encode_bytes(public_key), signature=encode_bytes(signature))
    )
    return Challenged(frame, token_id)


def read_enrol(enrol_frame: bytes, challenged: Challenged) -> Enrolment:
    """Take an enrol apart; nothing in it is proved yet."""
    message = _expect(Enrol, decode_from_agent(enrol_frame))
    body = decode_enrol_body(message.body)
    decode_bytes(body.agent_key, 32)
    return Enrolment(
        body=body,
        payload=_enrol_payload(challenged.frame, bytes(message.body)),
        proof=decode_bytes(message.proof, 32),
        signature=decode_bytes(message.signature, 64),
    )


def check_enrol(
    enrolment: Enrolment, *, token: str, prove: Prove, verify: Verify, compare: Callable[[bytes, bytes], bool]
) -> None:
    """Raise `AgentRefused` unless the agent holds `token` and the private half of its `agent_key`.

    `compare` takes the same time whatever it compares (`hmac.compare_digest`).
    """
    if not compare(prove(token, enrolment.payload), enrolment.proof):
        raise AgentRefused("bad_proof", "the proof does not fit the token")
    if not verify(enrolment.agent_key, enrolment.signature, enrolment.payload):
        raise AgentRefused("bad_proof", "the signature does not fit the agent's key")


def check_binding(
    enrolment: Enrolment, *, fingerprint: str, agent_key: str, compare: Callable[[bytes, bytes], bool]
) -> None:
    """Raise `AgentRefused` unless the agent is the one that the system was bound to at its first enrolment."""
    if not compare(fingerprint.encode(), enrolment.body.fingerprint.encode()):
        raise AgentRefused("fingerprint_mismatch", "this token belongs to another host")
    if not compare(agent_key.encode(), enrolment.body.agent_key.encode()):
        raise AgentRefused("key_mismatch", "this token is bound to another key of this host")


def _challenge_payload(hello_frame: bytes, public_key: bytes, nonce: bytes, token_id: str) -> bytes:
    return join(CHALLENGE_CONTEXT, hashlib.sha256(hello_frame).digest(), public_key, nonce, token_id.encode())


def _enrol_payload(challenge_frame: bytes, raw_body: bytes) -> bytes:
    return join(ENROL_CONTEXT, hashlib.sha256(challenge_frame).digest(), hashlib.sha256(raw_body).digest())


def _expect(kind: type[MessageT], message: object) -> MessageT:
    if not isinstance(message, kind):
        raise InvalidMessage(f"{kind.__name__.lower()} expected")
    return message
