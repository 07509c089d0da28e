"""Each system as a scrape sees it: its newest sample, with what is told so rarely that hardly a sample has it."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from beszel_hub.clock import Clock
from beszel_hub.export.exposition import Scraped
from beszel_hub.export.plan import Source
from beszel_hub.metrics.ingest import LiveSample
from beszel_hub.metrics.latest import Latest
from beszel_hub.permissions import Actor
from beszel_hub.systems.directory import Directory, Entry, sees
from beszel_protocol.hygiene import clean_text
from beszel_protocol.sample import Metrics, ServiceMetrics

STALE_INTERVALS: Final = 5
STALE_MS: Final = 60_000
"""A newest sample older than this, and than so many intervals, stands for nothing that is."""
RARE_MS: Final = 300_000
"""How long what is told in one sample only stands for what is; agents tell most of it every 10 to 60 s."""

_RARE_PARTS: Final = ("smart", "checks", "custom", "custom_age_seconds")
_UNITS: Final = "units"
_Told = dict[tuple[str, str], tuple[Any, int]]
"""By part and key: what was told, and when."""


class Recent:
    def __init__(self, latest: Latest, directory: Directory, clock: Clock) -> None:
        self._latest = latest
        self._directory = directory
        self._clock = clock
        self._rare: dict[str, _Told] = {}

    def sample_arrived(self, sample: LiveSample) -> None:
        told = {place: (value, sample.received_ms) for place, value in _rare_of(sample.metrics)}
        if told:
            self._rare[sample.system_id] = self._told_lately(sample.system_id, sample.received_ms) | told

    def forget(self, system_id: str) -> None:
        self._rare.pop(system_id, None)

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
        metrics = _with_rare(sample.metrics, self._told_lately(entry.id, now_ms))
        return Scraped(source=source, is_up=is_up, age_seconds=age_ms / 1000, metrics=metrics)

    def _told_lately(self, system_id: str, now_ms: int) -> _Told:
        told = self._rare.get(system_id, {})
        return {place: (value, told_ms) for place, (value, told_ms) in told.items() if now_ms - told_ms <= RARE_MS}


def _rare_of(metrics: Metrics) -> Iterator[tuple[tuple[str, str], Any]]:
    for part in _RARE_PARTS:
        for key, value in (getattr(metrics, part) or {}).items():
            yield (part, key), value
    for key, unit in ((metrics.services and metrics.services.units) or {}).items():
        yield (_UNITS, key), unit


def _with_rare(metrics: Metrics, told: _Told) -> Metrics:
    """`metrics` with everything that was told lately."""
    parts: dict[str, dict[str, Any]] = {}
    for (part, key), (value, _) in told.items():
        parts.setdefault(part, {})[key] = value
    units = parts.pop(_UNITS, None)
    changes: dict[str, Any] = dict(parts)
    if units is not None:
        changes["services"] = msgspec.structs.replace(metrics.services or ServiceMetrics(), units=units)
    return msgspec.structs.replace(metrics, **changes) if changes else metrics
