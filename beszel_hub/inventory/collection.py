"""The `containers` collection: every container that one sees, running or not; to list only."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest
from beszel_hub.inventory.containers import Inventory
from beszel_hub.inventory.rows import make_row
from beszel_hub.permissions import Actor
from beszel_hub.records.bounds import Bounds
from beszel_hub.records.registry import Collection, Field, Kind, ProjectedSource, Row
from beszel_hub.systems.directory import Directory
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.sample import ContainerMetrics

NAME: Final = "containers"
COLLECTION_ID: Final = "pbc_1864144027"
"""As Beszel's clients know it."""
MAX_ROWS: Final = 100_000

Newest = Callable[[str], Sequence[ContainerMetrics]]
"""What the newest sample of a system tells of its containers."""
ImageUpdates = Callable[[str], Mapping[str, bool]]
"""By container of a system: whether its registry has another image under its tag. What is not known is not in it."""

_TEXTS: Final = (
    "name", "image", "status", "ports", "engine", "state", "project", "service", "pod", "namespace", "digest",
)  # fmt: skip
_NUMBERS: Final = (
    "health", "cpu", "memory", "net", "updated", "restarts", "exit_code", "pids", "memory_bytes", "memory_limit_bytes",
    "cpu_limit_cores", "rx_bytes_per_second", "tx_bytes_per_second", "read_bytes_per_second", "write_bytes_per_second",
    "throttled_percent", "oom_kills",
)  # fmt: skip


def make_containers_collection(source: "ContainersSource") -> Collection:
    return Collection(
        name=NAME,
        id=COLLECTION_ID,
        fields=(
            Field(name="id", max_length=12),
            Field(name="system", kind=Kind.RELATION, target="systems"),
            *(Field(name=name) for name in _TEXTS),
            *(Field(name=name, kind=Kind.NUMBER) for name in _NUMBERS),
            Field(name="started", kind=Kind.DATE),
            Field(name="finished", kind=Kind.DATE),
            Field(name="labels", kind=Kind.JSON),
            # A boolean of PocketBase cannot be unknown.
            Field(name="image_update", kind=Kind.JSON),
        ),
        source=ProjectedSource(rows=source.rows),
    )


class ContainersSource:
    def __init__(
        self, inventory: Inventory, directory: Directory, newest: Newest, clock: Clock, image_updates: ImageUpdates
    ) -> None:
        self._inventory = inventory
        self._directory = directory
        self._newest = newest
        self._clock = clock
        self._image_updates = image_updates

    async def rows(self, actor: Actor, bounds: Bounds) -> list[Row]:
        """By system and name; `BadRequest` for more than `MAX_ROWS`."""
        systems = self._directory.visible_ids(actor)
        asked = bounds.among.get("system")
        if asked is not None:
            systems &= {value for value in asked if isinstance(value, str)}
        rows: list[Row] = []
        for system_id in sorted(systems):
            rows += self._rows_of(system_id)
            if len(rows) > MAX_ROWS:
                raise BadRequest(f"This would read more than {MAX_ROWS:,} rows; filter by `system` too.")
        return rows

    def make_rows(self, system_id: str, containers: Sequence[ContainerFacts], seen_ms: int) -> list[Row]:
        """Of containers of a system as its agent told them, whether or not they are there any more."""
        now_ms = self._clock()
        usage = {item.id: item for item in self._newest(system_id)}
        updates = self._image_updates(system_id)
        return [
            make_row(system_id, facts, usage.get(facts.id), updated_ms=seen_ms, now_ms=now_ms)
            | {"image_update": updates.get(facts.id)}
            for facts in containers
        ]

    def _rows_of(self, system_id: str) -> list[Row]:
        seen = self._inventory.get(system_id)
        rows = [] if seen is None else self.make_rows(system_id, seen.facts, seen.seen_ms)
        return sorted(rows, key=lambda row: row["name"])
