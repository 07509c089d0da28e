"""Writes the audit log, in the very transaction of what it tells of: nothing changes unnoted."""

from collections.abc import Callable
from typing import Any, Final

from beszel_hub.audit import queries
from beszel_hub.audit.difference import find_changes
from beszel_hub.clock import Clock
from beszel_hub.permissions import Actor
from beszel_hub.records.registry import Change, Collection
from beszel_hub.store.database import Database
from beszel_hub.store.ids import new_id
from beszel_protocol.hygiene import clean_text

RETENTION_MS: Final = 400 * 86_400_000
MAX_ENTRIES: Final = 500_000
MAX_FAILURES: Final = 50_000
_MAX_TEXT_LENGTH: Final = 255

NameOf = Callable[[str], str]
"""Of a user id, the address; runs on a database thread."""


class Journal:
    """Every method but `trim` runs inside `Database.write`."""

    def __init__(self, clock: Clock, name_of: NameOf) -> None:
        self._clock = clock
        self._name_of = name_of

    def note_change(self, collection: Collection, change: Change) -> None:
        """A request has written a record."""
        if changes := find_changes(change.before, change.after):
            self.note(
                change.actor, f"{collection.name}.{change.verb}", collection=collection.name, record_id=change.id,
                changes=changes,
            )  # fmt: skip

    def note(
        self, actor: Actor, action: str, *, collection: str = "", record_id: str = "", address: str = "",
        changes: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Something else has happened."""
        queries.append(
            id=new_id(), user_id=actor.user_id or "", user_name=self._name_of(actor.user_id) if actor.user_id else "",
            session_id=actor.session_id or "", token_id=actor.token_id or "",
            address=clean_text(address, _MAX_TEXT_LENGTH), action=action, collection=collection, record_id=record_id,
            changes=changes or {}, created=self._clock(),
        )  # fmt: skip

    async def trim(self, database: Database) -> None:
        """Forget what is older than anybody asks for."""
        oldest_ms = self._clock() - RETENTION_MS
        await database.write(lambda: queries.trim(oldest_ms, MAX_ENTRIES, MAX_FAILURES))
