"""The agent's half of the handshake, with the primitives of `cryptography`.

Loading those maps 7 MB, and they are needed once a connection. So this runs as a process of its own that ends when the
enrolment is made: `python -m beszel_agent.proofs` reads a `Question` and writes an `Answer`.
"""

import sys

import msgspec

from beszel_protocol.handshake import ENROL_CONTEXT, HubNotTrusted, check_challenge, encode_bytes, make_enrol, token_id
from beszel_protocol.messages import EnrolBody, MessageError


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the answer to a hub's challenge depends on."""

    hello_frame: bytes
    challenge_frame: bytes
    token: str
    trusted_keys: tuple[bytes, ...]
    seed: bytes
    """Of the agent's own key."""
    body: EnrolBody
    """Its `agent_key` is filled in here."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    enrol_frame: bytes | None = None
    refused: str | None = None
    """Why the hub is not to be told anything."""


def answer(question: Question) -> Answer:
    """Check that the hub holds a key in `trusted_keys`, then prove to it who this agent is."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - heavy

    try:
        check_challenge(
            question.challenge_frame,
            hello_frame=question.hello_frame,
            token_id=token_id(question.token),
            trusted_keys=question.trusted_keys,
            verify=verify,
        )
    except (HubNotTrusted, MessageError) as error:
        return Answer(refused=str(error))
    key = Ed25519PrivateKey.from_private_bytes(question.seed)
    frame = make_enrol(
        msgspec.structs.replace(question.body, agent_key=encode_bytes(key.public_key().public_bytes_raw())),
        challenge_frame=question.challenge_frame,
        token=question.token,
        prove=prove,
        sign=key.sign,
    )
    return Answer(enrol_frame=frame)


def verify(public_key: bytes, signature: bytes, payload: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, payload)
    except (InvalidSignature, ValueError):
        return False
    return True


def prove(token: str, payload: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.hmac import HMAC  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=ENROL_CONTEXT).derive(token.encode())
    mac = HMAC(key, SHA256())
    mac.update(payload)
    return mac.finalize()


def main() -> None:
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=Question)
    sys.stdout.buffer.write(msgspec.json.encode(answer(question)))


if __name__ == "__main__":
    main()
