"""Hands live samples to every target: of each system one an interval, named as it is now."""

import asyncio
import logging
from collections.abc import Sequence

from beszel_hub.export.plan import Source
from beszel_hub.metrics.ingest import LiveSample
from beszel_hub.push.outbox import Outbox
from beszel_hub.push.sender import Sender
from beszel_hub.push.target import Target
from beszel_hub.systems.directory import Directory
from beszel_protocol.hygiene import clean_text

log = logging.getLogger(__name__)


class Push:
    def __init__(self, targets: Sequence[Target], directory: Directory, *, interval_seconds: int) -> None:
        self.outboxes = [Outbox() for _ in targets]
        self.senders = [Sender(target, outbox) for target, outbox in zip(targets, self.outboxes, strict=True)]
        self._targets = targets
        self._directory = directory
        self._interval_ms = interval_seconds * 1000
        self._last: dict[str, int] = {}
        """By system, the interval that has had its sample."""

    def sample_arrived(self, sample: LiveSample) -> None:
        interval = sample.instant_ms // self._interval_ms
        entry = self._directory.get(sample.system_id)
        if not self._targets or entry is None or self._last.get(sample.system_id) == interval:
            return
        self._last[sample.system_id] = interval
        source = Source(entry.id, clean_text(entry.name))
        for target, outbox in zip(self._targets, self.outboxes, strict=True):
            outbox.put(target.encode(source, sample.instant_ms, sample.metrics))

    def forget(self, system_id: str) -> None:
        self._last.pop(system_id, None)

    async def run(self) -> None:
        """Send until cancelled."""
        for target in self._targets:
            log.info("samples go to %s, one every %d s", target.name, self._interval_ms // 1000)
            if target.tells_secrets:
                log.warning("what opens %s goes there unencrypted; use https", target.name)
        async with asyncio.TaskGroup() as group:
            for sender in self.senders:
                group.create_task(sender.run())
