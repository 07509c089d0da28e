"""What sparklines begin with: the recent usage of systems and containers, asked for once a connection."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Final

from beszel_tui.client.source import Source
from beszel_tui.errors import ClientError
from beszel_tui.state.containers import ContainerItem
from beszel_tui.state.events import ContainerTrailsLoaded, Event, TrailsLoaded
from beszel_tui.state.model import State

DELAY_SECONDS: Final = 0.2
"""The first picture does not wait for the past."""


class Trails:
    """Reads the state, and changes it by events only, as its owner does; at most `requests` ask the hub at once."""

    def __init__(
        self,
        source: Source,
        state: Callable[[], State],
        apply: Callable[[list[Event]], None],
        load: Callable[[Coroutine[Any, Any, None]], object],
        requests: asyncio.Semaphore,
        request_seconds: float,
    ) -> None:
        self._source = source
        self._read = state
        self._apply = apply
        self._load = load
        self._requests = requests
        self._request_seconds = request_seconds
        self._asked: set[str] = set()

    @property
    def _state(self) -> State:
        return self._read()

    def forget(self) -> None:
        """A new connection may tell more."""
        self._asked.clear()

    def want(self, system_ids: Iterable[str]) -> None:
        """Of systems whose sparkline is to be seen."""
        new = [system_id for system_id in system_ids if system_id not in self._asked]
        if new and self._state.is_live:
            self._asked.update(new)
            self._load(self._load_systems(new))

    def want_containers(self, items: Iterable[ContainerItem]) -> None:
        """Of containers whose sparkline is to be seen."""
        new: dict[str, dict[str, str]] = {}
        for item in items:
            if item.key not in self._asked and item.usage.cpu_percent is not None:
                new.setdefault(item.system_id, {})[item.facts.name] = item.key
        if new and self._state.is_live:
            self._asked.update(key for keys in new.values() for key in keys.values())
            self._load(self._load_containers(new))

    async def _load_systems(self, system_ids: list[str]) -> None:
        await asyncio.sleep(DELAY_SECONDS)
        for system_id in system_ids:
            try:
                async with asyncio.timeout(self._request_seconds), self._requests:
                    trail = await self._source.trail(system_id, self._state.hub_now_ms)
            except (ClientError, TimeoutError):
                continue  # the sparkline begins with now
            if trail is not None:
                self._apply([TrailsLoaded(trails={system_id: trail})])

    async def _load_containers(self, wanted: Mapping[str, Mapping[str, str]]) -> None:
        await asyncio.sleep(DELAY_SECONDS)
        for system_id, keys in wanted.items():
            try:
                async with asyncio.timeout(self._request_seconds), self._requests:
                    trails = await self._source.container_trails(system_id, list(keys), self._state.hub_now_ms)
            except (ClientError, TimeoutError):
                continue  # the sparklines begin with now
            self._apply(
                [ContainerTrailsLoaded(trails={keys[name]: trail for name, trail in trails.items() if name in keys})]
            )
