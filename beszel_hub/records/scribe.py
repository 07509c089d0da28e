"""Several writes of one transaction that are no requests of the records API, witnessed and told as if they were."""

from collections.abc import Callable
from typing import TypeAlias

from beszel_hub.actions import Verb
from beszel_hub.clock import Clock
from beszel_hub.permissions import Actor
from beszel_hub.records.registry import Change, Collection, Registry, Row, TableSource
from beszel_hub.records.rows import TableRows
from beszel_hub.records.sights import seen_by
from beszel_hub.records.writes import Audience

Witness: TypeAlias = Callable[[Collection, Change], Change]


class Scribe:
    """Lives for one transaction, on its thread; `changes` is what was done, in order."""

    def __init__(self, registry: Registry, actor: Actor, clock: Clock, audience: Audience, witness: Witness) -> None:
        self.changes: list[tuple[Collection, Change]] = []
        self._registry = registry
        self._actor = actor
        self._clock = clock
        self._audience = audience
        self._witness = witness

    def create(self, name: str, insert: Callable[[], str]) -> None:
        """`insert` gives the id of the record that it makes in the collection."""
        record_id = insert()
        self._note(name, Change(
            verb=Verb.CREATE, actor=self._actor, id=record_id, before=None, after=self._read(name, record_id)
        ))  # fmt: skip

    def update(self, name: str, record_id: str, write: Callable[[], object]) -> None:
        before = self._read(name, record_id)
        write()
        after = self._read(name, record_id)
        self._note(name, Change(verb=Verb.UPDATE, actor=self._actor, id=record_id, before=before, after=after))

    def delete(self, name: str, record_id: str, remove: Callable[[], object]) -> None:
        collection = self._registry[name]
        before = self._read(name, record_id)
        sights = self._audience(collection, record_id)
        seen = seen_by(self._registry, collection, record_id, sights, self._clock())
        remove()
        self._note(name, Change(
            verb=Verb.DELETE, actor=self._actor, id=record_id, before=before, after=None, seen_by=seen
        ))  # fmt: skip

    def _read(self, name: str, record_id: str) -> Row | None:
        collection = self._registry[name]
        if not isinstance(collection.source, TableSource):
            raise TypeError(f"{name} has no table to write to")
        return TableRows(self._registry, collection, collection.source).read(record_id)

    def _note(self, name: str, change: Change) -> None:
        collection = self._registry[name]
        self.changes.append((collection, self._witness(collection, change)))
