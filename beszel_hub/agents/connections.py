"""The live connections of agents, at most one a system; which of two wins; and how often each agent measures."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from beszel_hub.agents.clones import CloneWatch
from beszel_hub.agents.link import Link
from beszel_hub.clock import Clock
from beszel_hub.systems.directory import Directory, Entry
from beszel_protocol.handshake import AgentRefused
from beszel_protocol.messages import (
    CLOSE_FORBIDDEN,
    CLOSE_REPLACED,
    MAX_INTERVAL_SECONDS,
    MIN_INTERVAL_SECONDS,
    Configuration,
)

WATCHED_INTERVAL_SECONDS: Final = MIN_INTERVAL_SECONDS

log = logging.getLogger(__name__)


class Connections:
    """`on_linked` hears of a system's first connection and `on_unlinked` of the end of its last."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self.on_linked: list[Callable[[str], None]] = []
        self.on_unlinked: list[Callable[[str], None]] = []
        self._directory = directory
        self._clock = clock
        self._links: dict[str, Link] = {}
        self._clones: dict[str, CloneWatch] = {}
        self._watched: frozenset[str] = frozenset()
        self._idle = asyncio.Event()
        self._idle.set()

    def __len__(self) -> int:
        return len(self._links)

    def get(self, system_id: str) -> Link | None:
        return self._links.get(system_id)

    def interval_of(self, system_id: str) -> float:
        """What its agent is asked for: the system's own interval, or less while somebody watches."""
        entry = self._directory.get(system_id)
        configured = MIN_INTERVAL_SECONDS if entry is None else entry.interval_seconds
        asked = min(configured, WATCHED_INTERVAL_SECONDS) if system_id in self._watched else configured
        return min(max(asked, MIN_INTERVAL_SECONDS), MAX_INTERVAL_SECONDS)

    def adopt(self, link: Link) -> None:
        """Make `link` the connection of its system, in place of the one it may have had.

        Raises `AgentRefused` if the two are clones of one machine; then the older one stays.
        """
        old = self._links.get(link.system_id)
        if old is not None:
            watch = self._clones.setdefault(link.system_id, CloneWatch())
            if watch.replaced(old.start_id, link.start_id, self._clock()):
                self._log_clones(old, link)
                raise AgentRefused("duplicate_host", f"{old.wire.address} has the same identity and is connected")
            old.close(CLOSE_REPLACED, "another connection of this system took over")
        self._links[link.system_id] = link
        self._idle.clear()
        for listener in self.on_linked:
            listener(link.system_id)

    def release(self, link: Link) -> None:
        """The connection has ended."""
        if self._links.get(link.system_id) is not link:
            return
        del self._links[link.system_id]
        if not self._links:
            self._idle.set()
        for listener in self.on_unlinked:
            listener(link.system_id)

    def system_changed(self, entry: Entry) -> None:
        self._refresh_interval(entry.id)

    def configuration_changed(self, system_id: str, configuration: Configuration) -> None:
        link = self._links.get(system_id)
        if link is not None:
            link.configure(configuration)

    def system_removed(self, entry: Entry) -> None:
        link = self._links.get(entry.id)
        self._clones.pop(entry.id, None)
        if link is not None:
            link.close(CLOSE_FORBIDDEN, "this system was deleted")

    def watch(self, system_ids: frozenset[str]) -> None:
        """These systems, and no others, are being looked at."""
        changed = self._watched ^ system_ids
        self._watched = system_ids
        for system_id in changed:
            self._refresh_interval(system_id)

    def close_all(self, code: int, reason: str) -> None:
        for link in self._links.values():
            link.close(code, reason)

    async def wait_idle(self) -> None:
        """Until no agent is connected."""
        await self._idle.wait()

    def _refresh_interval(self, system_id: str) -> None:
        link = self._links.get(system_id)
        if link is not None:
            link.set_interval(self.interval_of(system_id))

    def _log_clones(self, old: Link, new: Link) -> None:
        entry = self._directory.get(old.system_id)
        log.warning(
            "two machines share the identity of system %s: start %s at %s stays connected, start %s at %s is refused",
            old.system_id if entry is None else entry.name, old.start_id, old.wire.address, new.start_id,
            new.wire.address,
        )  # fmt: skip
