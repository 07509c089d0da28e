"""The hub's side of the handshake over a wire: who knocks gets a challenge, and is let in once all is proved."""

import hmac
import os
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from beszel_hub.agents.keys import HubKey, prove, verify
from beszel_hub.agents.wire import Wire
from beszel_hub.systems.enrolment import UNKNOWN_TOKEN
from beszel_hub.systems.tokens import KnownToken
from beszel_protocol.handshake import (
    NONCE_BYTES,
    AgentRefused,
    Enrolment,
    check_enrol,
    make_challenge,
    read_enrol,
)
from beszel_protocol.messages import InvalidMessage, Refused, encode

FindToken = Callable[[str], Awaitable[KnownToken | None]]
_MAX_NAME_LENGTH: Final = 255
_MAX_ID_LENGTH: Final = 128


class Proved(msgspec.Struct, frozen=True):
    """An agent that holds the token and its own key; whether the system is its own is still to be seen."""

    enrolment: Enrolment
    known: KnownToken


async def prove_each_other(wire: Wire, hub_key: HubKey, shown_id: str, find_token: FindToken) -> Proved:
    """Run steps 1 to 3; raise `AgentRefused`, `MessageError` or `WireClosed`.

    Nobody can probe for token ids: one that is unknown gets the same challenge, costs the same checks, and ends in the
    same refusal as one that is known to somebody who cannot prove the token.
    """
    hello = await wire.receive()
    try:
        challenged = make_challenge(
            hello, nonce=os.urandom(NONCE_BYTES), public_key=hub_key.public_bytes, token_id=shown_id, sign=hub_key.sign
        )
        await wire.send(challenged.frame)
        enrolment = read_enrol(await wire.receive(), challenged)
    except InvalidMessage as error:
        raise AgentRefused("protocol_error", str(error)) from error
    _check_lengths(enrolment)
    known = await find_token(shown_id)
    token = os.urandom(NONCE_BYTES).hex() if known is None else known.token
    is_proved = hmac.compare_digest(prove(token, enrolment.payload), enrolment.proof)
    if known is None or not is_proved:
        raise AgentRefused("unknown_token", UNKNOWN_TOKEN)
    check_enrol(enrolment, token=token, prove=prove, verify=verify, compare=hmac.compare_digest)
    return Proved(enrolment, known)


def refusal_frame(refusal: AgentRefused) -> bytes:
    return encode(Refused(code=refusal.code, message=str(refusal)))


def _check_lengths(enrolment: Enrolment) -> None:
    body = enrolment.body
    ids = (body.fingerprint, body.spool_id, body.boot_id)
    if len(body.start_id) > _MAX_ID_LENGTH:
        raise AgentRefused("protocol_error", "an id is too long")
    if not all(0 < len(text) <= _MAX_ID_LENGTH for text in ids) or len(body.name) > _MAX_NAME_LENGTH:
        raise AgentRefused("protocol_error", "an id is empty or too long")
