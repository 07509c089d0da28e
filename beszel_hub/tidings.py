"""What the hub itself makes, changes and removes, for who listens to the event stream; nothing is made for nobody."""

from collections.abc import Sequence
from typing import Any, Final

from beszel_hub.actions import Verb
from beszel_hub.clock import Clock
from beszel_hub.components.queries import ServiceChanges
from beszel_hub.inventory.collection import ContainersSource
from beszel_hub.live.realtime import Realtime
from beszel_hub.metrics.events import read_new
from beszel_hub.notifications.queries import deliveries_since
from beszel_hub.permissions import Actor
from beszel_hub.records.registry import Change, Collection, Registry, Row
from beszel_hub.store.database import Database
from beszel_hub.systems.directory import Entry, sees
from beszel_protocol.containers import ContainerFacts

MAX_EVENTS: Final = 2000
"""Of one look; what is more comes with the next."""
MAX_DELIVERIES: Final = 2000
OVERLAP_MS: Final = 10_000
"""How long after the instant in it a row may be stored."""

LOOK_SECONDS: Final = 0.5


class Tidings:
    """Lives on the event loop; hears of changes from those who make them, and looks for what others store."""

    def __init__(self, realtime: Realtime, database: Database, clock: Clock, containers: ContainersSource) -> None:
        self._news = realtime.news
        self._rows = realtime.rows
        self._registry: Registry = realtime.registry
        self._database = database
        self._clock = clock
        self._containers = containers
        self._known: dict[str, Sequence[ContainerFacts]] = {}
        self._told_gone: set[str] = set()
        """Systems whose end a request has told, until the hub takes it in."""
        self._newest_event: int | None = None
        self._looked_ms = clock()
        self._told: dict[str, int] | None = None
        """Of the deliveries that may be read once more, when they were changed last; None while nobody listens."""

    def containers_changed(self, system_id: str, facts: Sequence[ContainerFacts]) -> None:
        """Whatever is different but what they use."""
        before = {item.id: item for item in self._known.get(system_id, ())}
        self._known[system_id] = facts
        if not facts:
            del self._known[system_id]
        if not self._rows.wants("containers"):
            return
        now_ms, present = self._clock(), {item.id for item in facts}
        for verb, items in (
            (Verb.DELETE, [item for item in before.values() if item.id not in present]),
            (Verb.CREATE, [item for item in facts if item.id not in before]),
            (Verb.UPDATE, [item for item in facts if item.id in before and before[item.id] != item]),
        ):
            if items:
                self._rows.note("containers", verb, self._containers.make_rows(system_id, items, now_ms))

    def services_changed(self, changes: ServiceChanges) -> None:
        if not self._rows.wants("systemd_services"):
            return
        for service_id in changes.made:
            self._news.note("systemd_services", service_id, Verb.CREATE)
        for service_id in changes.changed:
            self._news.note("systemd_services", service_id, Verb.UPDATE)
        collection = self._registry["systemd_services"]
        self._rows.note("systemd_services", Verb.DELETE, [_to_row(collection, service) for service in changes.gone])

    def details_stored(self, system_id: str, is_first: bool) -> None:  # as the listener is called
        self._news.note("system_details", system_id, Verb.CREATE if is_first else Verb.UPDATE)

    def record_changed(self, collection: Collection, change: Change) -> None:
        if collection.name == "systems" and change.verb is Verb.DELETE:
            self._told_gone.add(change.id)

    def system_removed(self, entry: Entry) -> None:
        """By a command or a file: a request has told it with all that the record was."""
        if entry.id in self._told_gone:
            self._told_gone.discard(entry.id)
            return
        row: Row = {
            "id": entry.id, "name": entry.name, "host": entry.host, "status": entry.status, "tags": list(entry.tags),
            "users": sorted(entry.members),
        }  # fmt: skip

        def saw(actor: Actor) -> bool:
            return sees(actor, entry)

        self._rows.note("systems", Verb.DELETE, [row], sees=saw)

    async def look(self) -> None:
        """Tell what has been stored since the last look."""
        await self._look_at_events()
        await self._look_at_deliveries()

    async def _look_at_events(self) -> None:
        after = self._newest_event
        limit = MAX_EVENTS if after is not None and self._rows.wants("events") else 0
        self._newest_event, rows = await self._database.read(lambda: read_new(after or 0, limit=limit))
        self._rows.note("events", Verb.CREATE, rows)

    async def _look_at_deliveries(self) -> None:
        since_ms, self._looked_ms = self._looked_ms, self._clock()
        if not self._rows.wants("notification_deliveries"):
            self._told = None
            return
        told = {} if self._told is None else self._told
        from_ms = since_ms if self._told is None else since_ms - OVERLAP_MS
        changed = await self._database.read(lambda: deliveries_since(from_ms, MAX_DELIVERIES))
        for delivery in changed:
            if told.get(delivery.id) != delivery.updated:
                is_new = delivery.id not in told and delivery.created >= from_ms
                self._news.note("notification_deliveries", delivery.id, Verb.CREATE if is_new else Verb.UPDATE)
        self._told = {delivery.id: delivery.updated for delivery in changed}


def _to_row(collection: Collection, columns: dict[str, Any]) -> Row:
    """A row of a table by the names of a collection's fields."""
    return {field.name: columns[field.column] for field in collection.fields if field.column in columns}
