"""What proves a user, as records: API tokens, sessions, and who they are at identity providers; to look at and to end.

The text of an API token is shown once, to whoever makes it.
"""

from typing import Final

from beszel_hub.accounts import queries
from beszel_hub.accounts.service import Accounts
from beszel_hub.accounts.sessions import end_session
from beszel_hub.accounts.tables import ApiToken, Identity, Session
from beszel_hub.accounts.tokens import API_TOKEN_LIFETIME_SECONDS
from beszel_hub.clock import Clock
from beszel_hub.errors import invalid_field
from beszel_hub.permissions import Actor, Scope
from beszel_hub.records.registry import CREATED, ID, UPDATED, Change, Collection, Field, Kind, Row, TableSource

MAX_SYSTEMS: Final = 1000

_TOKEN_FIELDS: Final = (
    ID,
    Field(name="user", attribute="user_id", kind=Kind.RELATION, target="users"),
    Field(name="name", in_create=True, is_required=True, max_length=100),
    Field(name="scope", in_create=True, is_required=True, choices=("read", "write")),
    Field(name="systems", attribute="system_ids", kind=Kind.LIST, in_create=True, max_length=MAX_SYSTEMS),
    Field(name="expires", kind=Kind.DATE, in_create=True),
    Field(name="lastUsed", attribute="last_used", kind=Kind.DATE),
    CREATED,
    UPDATED,
)

_SESSION_FIELDS: Final = (
    ID,
    Field(name="user", attribute="user_id", kind=Kind.RELATION, target="users"),
    Field(name="method"),
    Field(name="address"),
    Field(name="agent"),
    Field(name="current", attribute="id", kind=Kind.BOOL, is_opaque=True),
    Field(name="expires", kind=Kind.DATE),
    Field(name="lastUsed", attribute="last_used", kind=Kind.DATE),
    CREATED,
    UPDATED,
)
_IDENTITY_FIELDS: Final = (
    ID,
    Field(name="recordRef", attribute="user_id", kind=Kind.RELATION, target="users"),
    Field(name="provider"),
    Field(name="providerId", attribute="subject"),
    CREATED,
    UPDATED,
)


def api_tokens_collection(accounts: Accounts, clock: Clock) -> Collection:
    """One's own API tokens. `systems` limits a token to some of its owner's; without, it reaches all of them."""

    async def on_change(_: Change) -> None:
        await accounts.revalidate()

    async def reveal(actor: Actor, token_id: str) -> Row:
        return {"token": await accounts.api_token_text(actor.user_id or "", token_id)}

    return Collection(
        name="api_tokens", id="api_tokens", fields=_TOKEN_FIELDS, on_change=on_change, reveal=reveal,
        source=TableSource(
            table=ApiToken, scope=queries.visible_api_tokens,
            create=lambda actor, values: _create_token(actor, values, clock()),
            delete=lambda _, token_id: _delete_token(token_id),
        ),
    )  # fmt: skip


def sessions_collection(accounts: Accounts) -> Collection:
    """One's own logins; deleting one logs it out. Administrators see and end everybody's."""

    async def on_change(_: Change) -> None:
        await accounts.revalidate()

    return Collection(
        name="sessions", id="sessions", fields=_SESSION_FIELDS, on_change=on_change, show=_show_session,
        source=TableSource(
            table=Session, scope=queries.visible_sessions, delete=lambda _, session_id: end_session(session_id)
        ),
    )  # fmt: skip


def identities_collection() -> Collection:
    """Who users are at identity providers, under PocketBase's name; deleting one unlinks it."""
    return Collection(
        name="_externalAuths", id="pbc_2281828961", fields=_IDENTITY_FIELDS,
        source=TableSource(table=Identity, scope=queries.visible_identities, delete=_delete_identity),
    )  # fmt: skip


def _create_token(actor: Actor, values: Row, now_ms: int) -> str:
    scope: Scope = "write" if values["scope"] == "write" else "read"
    system_ids = values.get("systems") or None
    return queries.create_api_token(
        user_id=actor.user_id or "", name=values["name"], scope=scope, now_ms=now_ms,
        expires=_check_expiry(values.get("expires"), now_ms),
        system_ids=None if system_ids is None else frozenset(system_ids),
    )  # fmt: skip


def _check_expiry(expires_ms: int | None, now_ms: int) -> int:
    latest_ms = now_ms + API_TOKEN_LIFETIME_SECONDS * 1000
    if expires_ms is not None and expires_ms <= now_ms:
        raise invalid_field("expires", "validation_invalid_date", "This lies in the past.")
    return latest_ms if expires_ms is None else min(expires_ms, latest_ms)


def _delete_token(token_id: str) -> None:
    queries.delete_api_token(token_id)


def _delete_identity(_: Actor, identity_id: str) -> None:
    Identity.delete().where(Identity.id == identity_id).execute()


def _show_session(actor: Actor, row: Row) -> Row:
    return {**row, "current": row["id"] == actor.session_id}
