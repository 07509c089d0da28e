"""The containers of every system, in memory and in the database.

An agent tells all of them at once, and again when something changed; what it does not tell any more is gone. Those of
an agent that has said nothing for long are forgotten.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from beszel_hub.clock import Clock
from beszel_hub.inventory.queries import load_inventories, replace_inventories, touch_inventories
from beszel_hub.store.database import Database
from beszel_protocol.containers import ContainerFacts

FORGET_MS: Final = 600_000
"""Without a sign of the agent. Clients of Beszel expect stale rows to go after ten minutes."""

Listener = Callable[[str, Sequence[ContainerFacts]], None]


class Seen(msgspec.Struct, frozen=True):
    """One system's containers."""

    facts: tuple[ContainerFacts, ...]
    seen_ms: int
    """When its agent last gave a sign."""

    def find(self, container_id: str) -> ContainerFacts | None:
        """The container of an id in full or shortened."""
        return next((item for item in self.facts if container_id.startswith(item.id)), None)


class Inventory:
    def __init__(self, database: Database, clock: Clock) -> None:
        self.on_changed: list[Listener] = []
        """Told a system's containers whenever they are others than before; none once they are forgotten."""
        self._database = database
        self._clock = clock
        self._systems: dict[str, Seen] = {}
        self._unsaved: set[str] = set()
        self._alive: set[str] = set()

    def get(self, system_id: str) -> Seen | None:
        return self._systems.get(system_id)

    async def restore(self) -> None:
        """After a start: what was known, until the agents tell anew."""
        for system_id, stored in (await self._database.read(load_inventories)).items():
            if system_id not in self._systems:
                self._systems[system_id] = Seen(stored.facts, stored.seen_ms)
                self._tell(system_id)

    def put(self, system_id: str, facts: Sequence[ContainerFacts]) -> None:
        """An agent tells all its containers."""
        before = self._systems.get(system_id)
        self._systems[system_id] = Seen(tuple(facts), self._clock())
        if before is None or before.facts != tuple(facts):
            self._unsaved.add(system_id)
            self._tell(system_id)

    def agent_seen(self, system_id: str) -> None:
        """An agent gave a sign, and with it that nothing has changed."""
        seen = self._systems.get(system_id)
        if seen is not None:
            self._systems[system_id] = Seen(seen.facts, self._clock())
            self._alive.add(system_id)

    def forget(self, system_id: str) -> None:
        if self._systems.pop(system_id, None) is not None:
            self._unsaved.add(system_id)
            self._tell(system_id)

    async def save(self) -> None:
        """Bring the database up to date; many changes within a second cost one write."""
        unsaved, self._unsaved = self._unsaved, set()
        if not unsaved:
            return
        inventories = {system_id: self._facts_of(system_id) for system_id in unsaved}
        now_ms = self._clock()
        try:
            await self._database.write(lambda: replace_inventories(inventories, now_ms))
        except BaseException:
            self._unsaved |= unsaved
            raise

    async def upkeep(self) -> None:
        """Note who is alive, and forget who has not been for long."""
        alive, self._alive = self._alive, set()
        now_ms = self._clock()
        if alive:
            await self._database.write(lambda: touch_inventories(alive, now_ms))
        for system_id, seen in list(self._systems.items()):
            if now_ms - seen.seen_ms > FORGET_MS:
                self.forget(system_id)

    def _facts_of(self, system_id: str) -> tuple[ContainerFacts, ...]:
        seen = self._systems.get(system_id)
        return () if seen is None else seen.facts

    def _tell(self, system_id: str) -> None:
        facts = self._facts_of(system_id)
        for listener in self.on_changed:
            listener(system_id, facts)
