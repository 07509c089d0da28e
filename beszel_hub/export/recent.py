"""Each system as a scrape sees it: its newest sample, with what is told so rarely that hardly a sample has it."""

from typing import Final

import msgspec

from beszel_hub.clock import Clock
from beszel_hub.export.exposition import Scraped
from beszel_hub.export.plan import Source
from beszel_hub.metrics.ingest import LiveSample
from beszel_hub.metrics.latest import Latest
from beszel_hub.permissions import Actor
from beszel_hub.systems.directory import Directory, Entry, sees
from beszel_protocol.hygiene import clean_text
from beszel_protocol.sample import SmartMetrics

STALE_INTERVALS: Final = 5
STALE_MS: Final = 60_000
"""A newest sample older than this, and than so many intervals, stands for nothing that is."""
RARE_MS: Final = 300_000
"""How long a disk's health stands for what it is; agents tell it once a minute, in one sample."""


class Recent:
    def __init__(self, latest: Latest, directory: Directory, clock: Clock) -> None:
        self._latest = latest
        self._directory = directory
        self._clock = clock
        self._smart: dict[str, dict[str, tuple[SmartMetrics, int]]] = {}

    def sample_arrived(self, sample: LiveSample) -> None:
        if sample.metrics.smart is not None:
            told = {name: (disk, sample.received_ms) for name, disk in sample.metrics.smart.items()}
            self._smart[sample.system_id] = self._told_lately(sample.system_id, sample.received_ms) | told

    def forget(self, system_id: str) -> None:
        self._smart.pop(system_id, None)

    def of(self, actor: Actor) -> list[Scraped]:
        """Every system that the actor sees, by id."""
        now_ms = self._clock()
        entries = sorted((entry for entry in self._directory if sees(actor, entry)), key=lambda entry: entry.id)
        return [self._scraped(entry, now_ms) for entry in entries]

    def _scraped(self, entry: Entry, now_ms: int) -> Scraped:
        source = Source(entry.id, clean_text(entry.name))
        sample = self._latest.get(entry.id)
        is_up = entry.status == "up"
        if sample is None or not is_up:
            return Scraped(source=source, is_up=is_up)
        age_ms = max(0, now_ms - sample.received_ms)
        if age_ms > max(STALE_MS, STALE_INTERVALS * 1000 * entry.interval_seconds):
            return Scraped(source=source, is_up=is_up, age_seconds=age_ms / 1000)
        smart = {name: disk for name, (disk, _) in self._told_lately(entry.id, now_ms).items()}
        metrics = msgspec.structs.replace(sample.metrics, smart=smart or None)
        return Scraped(source=source, is_up=is_up, age_seconds=age_ms / 1000, metrics=metrics)

    def _told_lately(self, system_id: str, now_ms: int) -> dict[str, tuple[SmartMetrics, int]]:
        told = self._smart.get(system_id, {})
        return {name: (disk, told_ms) for name, (disk, told_ms) in told.items() if now_ms - told_ms <= RARE_MS}
