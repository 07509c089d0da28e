"""Logins as rows: opened, prolonged, listed, ended. Every function runs inside `Database.read` or `Database.write`."""

from typing import Final

import msgspec

from beszel_hub.accounts.tables import Session
from beszel_hub.accounts.tokens import LOGIN_LIFETIME_SECONDS
from beszel_hub.store.ids import new_id
from beszel_protocol.hygiene import clean_text

MAX_SESSIONS: Final = 100
"""Of one user; one more ends the one that was not used for longest."""
_MAX_TEXT_LENGTH: Final = 255


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody comes from, as far as the hub can tell."""

    address: str
    agent: str = ""
    """What their program calls itself; anything they like."""


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    user_id: str
    expires: int
    last_used: int


def open_session(user_id: str, method: str, visitor: Visitor, now_ms: int) -> str:
    """Return the id of a new session."""
    session_id = new_id()
    Session.insert(
        id=session_id, user_id=user_id, method=method, address=clean_text(visitor.address, _MAX_TEXT_LENGTH),
        agent=clean_text(visitor.agent, _MAX_TEXT_LENGTH), expires=_expiry(now_ms), last_used=now_ms, created=now_ms,
        updated=now_ms,
    ).execute()  # fmt: skip
    kept = Session.select(Session.id).where(Session.user_id == user_id)
    kept = kept.order_by(Session.last_used.desc(), Session.created.desc()).limit(MAX_SESSIONS)
    Session.delete().where((Session.user_id == user_id) & Session.id.not_in(kept)).execute()
    return session_id


def find_session(session_id: str, user_id: str) -> SessionRow | None:
    row = Session.get_or_none((Session.id == session_id) & (Session.user_id == user_id))
    return None if row is None else msgspec.convert(row.__data__, SessionRow)


def prolong_session(session_id: str, now_ms: int) -> bool:
    """Whether it was still there."""
    changed = Session.update(expires=_expiry(now_ms), last_used=now_ms, updated=now_ms)
    return bool(changed.where(Session.id == session_id).execute())


def touch_session(session_id: str, now_ms: int) -> None:
    Session.update(last_used=now_ms).where(Session.id == session_id).execute()


def end_session(session_id: str) -> None:
    Session.delete().where(Session.id == session_id).execute()


def purge_sessions(now_ms: int) -> None:
    """Remove those that have expired."""
    Session.delete().where(Session.expires <= now_ms).execute()


def _expiry(now_ms: int) -> int:
    return now_ms + LOGIN_LIFETIME_SECONDS * 1000
