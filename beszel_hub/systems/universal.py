"""A user's universal tokens: each new agent that has one becomes a system of that user.

A token that has ended enrols nobody new, and stays for the agents that it enrolled: they come back with it.
Every function runs inside `Database.read` or `Database.write`.
"""

from typing import Final

import msgspec

from beszel_hub.errors import BadRequest
from beszel_hub.store.secrets import Secret
from beszel_hub.systems import queries, tokens
from beszel_hub.systems.tables import AgentToken
from beszel_protocol.handshake import token_id

EPHEMERAL_MS: Final = 3600 * 1000
MAX_OPEN_TOKENS: Final = 100
"""Of one user."""


class UniversalToken(msgspec.Struct, frozen=True, kw_only=True):
    """As Beszel's clients read it."""

    token: str
    active: bool
    permanent: bool


def show(secret: Secret, owner_id: str, now_ms: int, token: str = "") -> UniversalToken:
    """The user's open token, a permanent one first; if there is none, `token` or a new one, which is not active."""
    found = {text: row for row in queries.open_universal_tokens(owner_id, now_ms) if (text := _text(secret, row))}
    for text, row in found.items():
        if row.expires is None or token in {"", text}:
            return UniversalToken(token=text, active=True, permanent=row.expires is None)
    return UniversalToken(token=token or tokens.new_token(), active=False, permanent=False)


def enable(secret: Secret, owner_id: str, now_ms: int, *, token: str = "", is_permanent: bool) -> UniversalToken:
    """Make one token the user's only open one. `token` is the client's choice; raise `BadRequest` if it cannot be."""
    disable(owner_id, now_ms)
    issued = issue(secret, owner_id, now_ms, token=token, expires_ms=None if is_permanent else now_ms + EPHEMERAL_MS)
    return UniversalToken(token=issued, active=True, permanent=is_permanent)


def disable(owner_id: str, now_ms: int) -> None:
    """Let no token of the user enrol anybody new."""
    queries.close_universal_tokens(owner_id, now_ms)


def issue(secret: Secret, owner_id: str, now_ms: int, *, token: str = "", expires_ms: int | None) -> str:
    """Another token beside those there are, or an ended one of the user's that opens again."""
    check_token(token)
    if queries.count_open_tokens(owner_id, now_ms) >= MAX_OPEN_TOKENS:
        raise BadRequest(f"A user has at most {MAX_OPEN_TOKENS} universal tokens; delete one first.")
    if token and queries.reopen_universal_token(owner_id, token_id(token), expires_ms):
        return token
    return tokens.issue_universal_token(secret, owner_id, now_ms, expires_ms, token)


def close(row_id: str, now_ms: int) -> None:
    """End one token."""
    AgentToken.update(expires=now_ms).where(AgentToken.id == row_id).execute()


def check_token(token: str) -> None:
    """Raise `BadRequest` for a client's choice that is too short to be a secret; empty is no choice."""
    if token and not tokens.MIN_TOKEN_LENGTH <= len(token) <= tokens.MAX_TOKEN_LENGTH:
        raise BadRequest(f"A token has {tokens.MIN_TOKEN_LENGTH} to {tokens.MAX_TOKEN_LENGTH} characters.")


def _text(secret: Secret, row: AgentToken) -> str | None:
    return tokens.unseal(secret, row.token_id, row.sealed)
