"""The secrets that agents enrol with, kept sealed. Every function runs inside `Database.read` or `Database.write`."""

import secrets
from typing import Final

import msgspec

from beszel_hub.accounts.queries import find_account
from beszel_hub.store.ids import new_id
from beszel_hub.store.secrets import NotSealedHere, Secret
from beszel_hub.systems.tables import AgentToken
from beszel_protocol.handshake import token_id as token_id_of

MIN_TOKEN_LENGTH: Final = 16
MAX_TOKEN_LENGTH: Final = 255
"""Both of one that a client has chosen."""
_TOKEN_BYTES: Final = 20
_PURPOSE: Final = b"agent-token:"


class KnownToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token in the clear and whose it is: a system's, or universal and its owner's."""

    token: str
    row_id: str | None
    """None for the one from the settings, which is in no table."""
    system_id: str | None = None
    owner_id: str | None = None
    may_enrol: bool = True
    """Whether agents that were never here before may use it; those that it enrolled keep it after its end."""


def new_token() -> str:
    return secrets.token_hex(_TOKEN_BYTES)


def issue_system_token(secret: Secret, system_id: str, now_ms: int, token: str = "") -> str:
    """Give a system a token, in place of the one it may have had, and return it."""
    AgentToken.delete().where(AgentToken.system_id == system_id).execute()
    return _insert(secret, token or new_token(), now_ms, system_id=system_id, owner_id=None, expires_ms=None)


def issue_universal_token(
    secret: Secret, owner_id: str, now_ms: int, expires_ms: int | None = None, token: str = ""
) -> str:
    """Give a user another universal token, permanent unless it expires, and return it."""
    return _insert(secret, token or new_token(), now_ms, system_id=None, owner_id=owner_id, expires_ms=expires_ms)


def read_system_token(secret: Secret, system_id: str) -> str | None:
    row = AgentToken.get_or_none(AgentToken.system_id == system_id)
    return None if row is None else unseal(secret, row.token_id, row.sealed)


def find_token(secret: Secret, token_id: str, now_ms: int) -> KnownToken | None:
    """The token of an id that an agent showed; None if there is none, or it cannot be unsealed."""
    row = AgentToken.get_or_none(AgentToken.token_id == token_id)
    token = None if row is None else unseal(secret, row.token_id, row.sealed)
    if row is None or token is None:
        return None
    return KnownToken(
        token=token, row_id=row.id, system_id=row.system_id, owner_id=row.owner_id, may_enrol=_may_enrol(row, now_ms)
    )


def unseal(secret: Secret, token_id: str, sealed: bytes) -> str | None:
    """The text of a token; None if another secret has sealed it."""
    try:
        return secret.open(bytes(sealed), _PURPOSE + token_id.encode()).decode()
    except NotSealedHere:
        return None


def _may_enrol(row: AgentToken, now_ms: int) -> bool:
    """Not after its end, nor for an owner who by now may only look, or is blocked."""
    if row.owner_id is None:
        return True
    owner = find_account(row.owner_id)
    is_open = row.expires is None or row.expires > now_ms
    return is_open and owner is not None and owner.verified and owner.role != "readonly"


def _insert(
    secret: Secret, token: str, now_ms: int, *, system_id: str | None, owner_id: str | None, expires_ms: int | None
) -> str:
    token_id = token_id_of(token)
    AgentToken.insert(
        id=new_id(),
        token_id=token_id,
        sealed=secret.seal(token.encode(), _PURPOSE + token_id.encode()),
        system_id=system_id,
        owner_id=owner_id,
        expires=expires_ms,
        created=now_ms,
    ).execute()
    return token
