"""Keeps what registries say of the images that containers run, and tells which containers are behind.

One run asks each registry about one image at most: the interval between runs is the pace that a registry sees.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from beszel_hub.clock import Clock
from beszel_hub.images.demand import Demand
from beszel_hub.images.failures import ImageUnknown, RegistryFailed
from beszel_hub.images.queries import load_looks, remove_looks, save_looks
from beszel_hub.images.registry import Registries
from beszel_hub.images.schedule import STALE_MS, Look, Pause, longer, postponed, told
from beszel_hub.scheduler import Job
from beszel_hub.store.database import Database
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.images import ImageReference

PACE_SECONDS: Final = 5.0
"""Between two runs of `look`."""
TIDY_SECONDS: Final = 3600.0
MAX_AT_ONCE: Final = 4
MAX_PAUSES: Final = 2000

Updates = Mapping[str, bool]
"""By container: whether its tag stands for another image now. What is not known is not in it."""
Listener = Callable[[str, Updates], None]

_log = logging.getLogger(__name__)


class Images:
    def __init__(
        self, database: Database, clock: Clock, registries: Registries, jitter: Callable[[], float] = random.random
    ) -> None:
        self.on_changed: list[Listener] = []
        """Told the updates of a system whenever they are others than before."""
        self._database = database
        self._clock = clock
        self._registries = registries
        self._jitter = jitter
        self._demand = Demand()
        self._looks: dict[str, Look] = {}
        self._pauses: dict[str, Pause] = {}
        self._updates: dict[str, dict[str, bool]] = {}

    def jobs(self) -> tuple[Job, ...]:
        return (
            Job("newer images", PACE_SECONDS, self.look),
            Job("images that nobody runs", TIDY_SECONDS, self.tidy),
        )

    async def restore(self) -> None:
        """After a start: what was known, so that nobody is asked again for it."""
        self._looks = await self._database.read(load_looks)

    def updates_of(self, system_id: str) -> Updates:
        return self._updates.get(system_id, {})

    def containers_changed(self, system_id: str, facts: Sequence[ContainerFacts]) -> None:
        self._demand.put(system_id, facts, self._clock())
        self._compare(system_id)

    async def look(self) -> None:
        """Ask about what is due, as far as the pace allows."""
        chosen = self._choose()
        if not chosen:
            return
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._ask(reference)) for reference in chosen]
        looks = [(str(reference), task.result()) for reference, task in zip(chosen, tasks, strict=True)]
        self._looks |= dict(looks)
        for system_id in sorted({system for reference in chosen for system in self._demand.systems_with(reference)}):
            self._compare(system_id)
        await self._database.write(lambda: save_looks(looks))

    async def tidy(self) -> None:
        """Forget of what no container runs when it would be asked about again."""
        now_ms = self._clock()
        wanted = {str(reference) for reference in self._demand.since_ms}
        gone = [name for name, look in self._looks.items() if name not in wanted and look.due_ms <= now_ms]
        for reference in gone:
            del self._looks[reference]
        if gone:
            await self._database.write(lambda: remove_looks(gone))
        self._pauses = {
            registry: pause for registry, pause in self._pauses.items() if pause.until_ms > now_ms - STALE_MS
        }

    def _choose(self) -> list[ImageReference]:
        """Of each registry that is not left alone what is due longest."""
        now_ms = self._clock()
        due = sorted(
            (due_ms, reference)
            for reference, since_ms in self._demand.since_ms.items()
            if (due_ms := self._due_ms(reference, since_ms)) <= now_ms
            and self._pauses.get(reference.registry, Pause()).until_ms <= now_ms
        )
        first: dict[str, ImageReference] = {}
        for _, reference in due:
            first.setdefault(reference.registry, reference)
        return list(first.values())[:MAX_AT_ONCE]

    def _due_ms(self, reference: ImageReference, since_ms: int) -> int:
        look = self._looks.get(str(reference))
        return since_ms if look is None else look.due_ms

    async def _ask(self, reference: ImageReference) -> Look:
        known = self._looks.get(str(reference), Look())
        try:
            digest = await self._registries.digest_of(reference)
        except ImageUnknown as error:
            _log.debug("the registry of %s does not know it: %s", reference, error)
            self._pauses.pop(reference.registry, None)
            return told(None, self._clock(), self._jitter())
        except RegistryFailed as error:
            return postponed(known, self._clock(), self._pause(reference, error), self._jitter())
        self._pauses.pop(reference.registry, None)
        return told(digest, self._clock(), self._jitter())

    def _pause(self, reference: ImageReference, error: RegistryFailed) -> int:
        """Leave the registry alone; returns for how many milliseconds."""
        before = self._pauses.get(reference.registry, Pause())
        pause = longer(before, self._clock(), error.retry_after_seconds)
        level = logging.WARNING if before.failures == 0 else logging.DEBUG
        _log.log(
            level, "the registry %s is left alone for %d s: %s", reference.registry, pause.length_ms // 1000, error
        )
        if reference.registry in self._pauses or len(self._pauses) < MAX_PAUSES:
            self._pauses[reference.registry] = pause
        return pause.length_ms

    def _compare(self, system_id: str) -> None:
        now_ms = self._clock()
        updates: dict[str, bool] = {}
        for container_id, use in self._demand.uses_of(system_id).items():
            look = self._looks.get(str(use.reference))
            digest = None if look is None else look.known_at(now_ms)
            if digest is not None:
                updates[container_id] = digest not in use.digests
        if updates == self._updates.get(system_id, {}):
            return
        if updates:
            self._updates[system_id] = updates
        else:
            del self._updates[system_id]
        for listener in self.on_changed:
            listener(system_id, updates)
