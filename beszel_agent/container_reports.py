"""Tells the hub what becomes of containers, when it happens: between samples, and however rare those are."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from beszel_agent.collectors.containers import ContainersCollector
from beszel_agent.containers.model import SHORT_ID, Tiding
from beszel_agent.host import boot_ms
from beszel_agent.processes.owners import name_containers
from beszel_agent.sampler import Sampler
from beszel_agent.spool.interface import Spool
from beszel_agent.ticks import sleep_to_tick
from beszel_protocol.containers import ContainerFacts, LogBatch
from beszel_protocol.messages import Event, encode
from beszel_protocol.sample import ProcessMetrics
from beszel_protocol.timestamps import format_timestamp

if TYPE_CHECKING:
    from beszel_agent.containers.details import Inspection
    from beszel_agent.containers.host import ContainerHost

_LOOK_SECONDS: Final = 5.0
"""How often it is looked whether there are containers to watch by now."""


class ContainerReports:
    """The way from the threads that watch to the spool and the link."""

    def __init__(
        self,
        sampler: Sampler,
        spool: Spool,
        *,
        wake: Callable[[], None],
        changed: Callable[[], None],
        details_allowed: bool,
    ) -> None:
        """`wake` is called after every event that was spooled, `changed` when the inventory may be another."""
        self._sampler, self._spool = sampler, spool
        self._wake, self._changed = wake, changed
        self._details_allowed = details_allowed
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        collector = await self._find_collector()
        loop = asyncio.get_running_loop()

        def notify() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._news.set)

        collector.host.listen(notify)
        try:
            while True:
                self._report(collector)
                await self._news.wait()
                self._news.clear()
        finally:
            collector.stop()

    async def _find_collector(self) -> ContainersCollector:
        """An engine may be installed long after the agent was started."""
        while True:
            collector = self._sampler.find(ContainersCollector)
            if collector is not None:
                return collector
            await sleep_to_tick(_LOOK_SECONDS)

    def inventory(self) -> list[ContainerFacts] | None:
        """All containers as they are known now; None if this host cannot tell of any."""
        host = self._host()
        return None if host is None else host.inventory()

    def name(self, processes: list[ProcessMetrics]) -> list[ProcessMetrics]:
        """With the names of the containers that they run in, as far as these are known now."""
        host = self._host()
        return processes if host is None else name_containers(processes, host.names())

    def logs(self, params: Mapping[str, Any]) -> AsyncGenerator[LogBatch, None]:
        from beszel_agent.containers.logs import stream_logs  # noqa: PLC0415 - for whoever asks

        return stream_logs(self._host(), params, enabled=self._details_allowed)

    async def inspect(self, params: Mapping[str, Any]) -> "Inspection":
        from beszel_agent.containers.details import inspect_container  # noqa: PLC0415 - for whoever asks

        return await inspect_container(self._host(), params, enabled=self._details_allowed)

    def _host(self) -> "ContainerHost | None":
        collector = self._sampler.find(ContainersCollector)
        return None if collector is None else collector.host

    def _report(self, collector: ContainersCollector) -> None:
        collector.settle()
        for tiding in collector.host.take_tidings():
            now_ms, now_boot_ms = time.time_ns() // 1_000_000, boot_ms()

            def make(sequence: int, tiding: Tiding = tiding, instant: int = now_ms, boot: int = now_boot_ms) -> bytes:
                return encode(as_event(tiding, sequence, instant_ms=instant, boot_ms=boot))

            self._spool.append(make, instant_ms=now_ms, boot_ms=now_boot_ms)
            self._wake()  # for each by itself, as the link sends the newest at once and others when it has time
        self._changed()


def as_event(tiding: Tiding, sequence: int, *, instant_ms: int, boot_ms: int) -> Event:
    return Event(
        sequence=sequence,
        timestamp=format_timestamp(instant_ms),
        boot_ms=boot_ms,
        kind=tiding.kind,
        subject=tiding.name,
        text=tiding.text,
        attributes={"id": tiding.full_id[:SHORT_ID], **tiding.attributes},
    )
