"""All systems as the event loop sees them: who they are, their status and their members, with no query."""

from collections.abc import Iterable, Iterator

import msgspec

from beszel_hub.permissions import Actor
from beszel_protocol.feed import SystemStatus


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One system."""

    id: str
    name: str
    host: str
    status: SystemStatus
    status_since_ms: int
    interval_seconds: float
    tags: tuple[str, ...] = ()
    members: frozenset[str] = frozenset()
    token_id: str = ""
    """Of the system's own token; empty if it has none."""
    fingerprint: str = ""
    """Of its agent; empty before the first has enrolled."""
    cores: int | None = None
    threads: int | None = None
    agent_version: str = ""

    @property
    def ever_seen(self) -> bool:
        """Whether an agent has enrolled."""
        return bool(self.fingerprint)

    def still_admits(self, following: "Entry") -> bool:
        """Whether an agent that enrolled for this entry is still the one of the entry that follows it."""
        kept_token = self.token_id in {"", following.token_id}
        return kept_token and self.fingerprint in {"", following.fingerprint}


class Difference(msgspec.Struct, frozen=True):
    """What another look at the database has shown."""

    changed: tuple[Entry, ...]
    """New systems among them."""
    removed: tuple[Entry, ...]
    unbound: tuple[Entry, ...] = ()
    """Those of the changed whose agent was shut out."""
    added: frozenset[str] = frozenset()
    """Ids of those that are new."""
    left: frozenset[str] = frozenset()
    """Users who are members of one system less."""


class Directory:
    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def get(self, system_id: str) -> Entry | None:
        return self._entries.get(system_id)

    def is_visible(self, actor: Actor, system_id: str) -> bool:
        """Whether there is such a system and the actor sees it."""
        entry = self._entries.get(system_id)
        return entry is not None and sees(actor, entry)

    def visible_ids(self, actor: Actor) -> frozenset[str]:
        return frozenset(entry.id for entry in self._entries.values() if sees(actor, entry))

    def replace_all(self, entries: Iterable[Entry]) -> Difference:
        """Take over what the database says now, and tell what is different."""
        following = {entry.id: entry for entry in entries}
        changed = tuple(entry for entry in following.values() if self._entries.get(entry.id) != entry)
        removed = tuple(entry for entry in self._entries.values() if entry.id not in following)
        unbound = tuple(
            entry
            for entry in changed
            if (old := self._entries.get(entry.id)) is not None and not old.still_admits(entry)
        )
        added = frozenset(following.keys() - self._entries.keys())
        left = frozenset(user_id for entry in changed for user_id in self._members(entry.id) - entry.members)
        self._entries = following
        return Difference(changed, removed, unbound, added, left)

    def _members(self, system_id: str) -> frozenset[str]:
        entry = self._entries.get(system_id)
        return frozenset() if entry is None else entry.members

    def put(self, entry: Entry) -> None:
        self._entries[entry.id] = entry

    def remove(self, system_id: str) -> None:
        self._entries.pop(system_id, None)


def sees(actor: Actor, entry: Entry) -> bool:
    return actor.is_authenticated and actor.reaches(entry.id, is_member=actor.user_id in entry.members)
