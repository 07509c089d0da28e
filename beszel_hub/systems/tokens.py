"""The secrets that agents enrol with, kept sealed. Every function runs inside `Database.read` or `Database.write`."""

import secrets
from typing import Final

import msgspec

from beszel_hub.store.ids import new_id
from beszel_hub.store.secrets import NotSealedHere, Secret
from beszel_hub.systems.tables import AgentToken
from beszel_protocol.handshake import token_id as token_id_of

_TOKEN_BYTES: Final = 20
_PURPOSE: Final = b"agent-token:"


class KnownToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token in the clear and whose it is: a system's, or universal and its owner's."""

    token: str
    row_id: str | None
    """None for the one from the settings, which is in no table."""
    system_id: str | None = None
    owner_id: str | None = None


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
    return None if row is None else _unseal(secret, row)


def find_token(secret: Secret, token_id: str, now_ms: int) -> KnownToken | None:
    """The token of an id that an agent showed; None if there is none, or it has expired or cannot be unsealed."""
    row = AgentToken.get_or_none(AgentToken.token_id == token_id)
    if row is None or (row.expires is not None and row.expires <= now_ms):
        return None
    token = _unseal(secret, row)
    if token is None:
        return None
    return KnownToken(token=token, row_id=row.id, system_id=row.system_id, owner_id=row.owner_id)


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


def _unseal(secret: Secret, row: AgentToken) -> str | None:
    try:
        return secret.open(bytes(row.sealed), _PURPOSE + row.token_id.encode()).decode()
    except NotSealedHere:
        return None
