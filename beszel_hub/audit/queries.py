"""Reads and writes of the audit log; all run on a database thread."""

from typing import Any, Final

import peewee

from beszel_hub.audit.tables import AuditEntry
from beszel_hub.permissions import Actor

FAILED_LOGIN: Final = "auth.failed"


def append(**columns: Any) -> None:
    AuditEntry.insert(**columns).execute()


def trim(oldest_ms: int, max_entries: int, max_failures: int) -> None:
    """Delete entries from before an instant, and the oldest of too many.

    Failed logins are counted apart: strangers who guess must not push out what users did.
    """
    AuditEntry.delete().where(AuditEntry.created < oldest_ms).execute()
    _keep_newest(AuditEntry.action == FAILED_LOGIN, max_failures)
    _keep_newest(AuditEntry.action != FAILED_LOGIN, max_entries)


def _keep_newest(condition: Any, count: int) -> None:
    surplus = AuditEntry.select().where(condition).count() - count
    if surplus > 0:
        oldest = AuditEntry.select(AuditEntry.id).where(condition).order_by(AuditEntry.created, AuditEntry.id)
        AuditEntry.delete().where(AuditEntry.id.in_(oldest.limit(surplus))).execute()


def visible_entries(actor: Actor) -> Any:
    """The condition for entries that the actor may see: for administrators all, unless a token limits them."""
    return None if actor.sees_everybody else peewee.SQL("1 = 0")


def newest(count: int) -> list[AuditEntry]:
    """For the command line; newest first."""
    return list(AuditEntry.select().order_by(AuditEntry.created.desc(), AuditEntry.id).limit(count))
