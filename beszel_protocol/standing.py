"""What stands of a host beside its newest sample: parts that are not in every one, as they were told last.

Pure. What has not been told again for long is forgotten: a disk that is gone, a check that was removed, a collector
that fails. Instants are those of the samples, in milliseconds.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from beszel_protocol.checks import MAX_CHECK_INTERVAL_SECONDS
from beszel_protocol.sample import Metrics, ProcessCounts, ServiceMetrics

LIFE_MS: Final = 10 * 60_000
"""Several times the slowest pace at which agents tell of anything but checks."""
CHECK_LIFE_MS: Final = 2 * 1000 * MAX_CHECK_INTERVAL_SECONDS

_KEYED: Final[Mapping[str, float]] = {"smart": LIFE_MS, "checks": CHECK_LIFE_MS}
"""Members whose keys are told each at its own time."""


class Told(NamedTuple):
    at_ms: int
    value: Any


class Standing(NamedTuple):
    """By member of a sample and, where several are told apart, its key."""

    told: Mapping[tuple[str, str], Told] = {}

    def after(self, at_ms: int, metrics: Metrics) -> "Standing":
        """With what a sample tells."""
        fresh = {part: Told(at_ms, value) for part, value in _parts(metrics).items()}
        kept = {part: told for part, told in self.told.items() if at_ms - told.at_ms <= _KEYED.get(part[0], LIFE_MS)}
        return Standing(kept | fresh) if fresh or len(kept) != len(self.told) else self

    def beside(self, metrics: Metrics) -> Metrics:
        """The sample with everything that it does not tell itself."""
        if not self.told:
            return metrics
        changes: dict[str, Any] = {}
        for name in _KEYED:
            if values := {key: told.value for (part, key), told in self.told.items() if part == name}:
                changes[name] = values | (getattr(metrics, name) or {})
        if metrics.top_processes is None and (told := self.told.get(("top_processes", ""))):
            changes["top_processes"] = told.value
        services = metrics.services or ServiceMetrics()
        if services.units is None and (told := self.told.get(("units", ""))):
            changes["services"] = replace(services, units=told.value)
        if counts := {key: told.value for (part, key), told in self.told.items() if part == "processes"}:
            changes["processes"] = _with_counts(metrics.processes, counts)
        return replace(metrics, **changes)

    def told_ms(self, member: str, key: str = "") -> int | None:
        """When it was told last."""
        found = self.told.get((member, key))
        return None if found is None else found.at_ms


def _parts(metrics: Metrics) -> dict[tuple[str, str], Any]:
    parts: dict[tuple[str, str], Any] = {
        (name, key): value for name in _KEYED for key, value in (getattr(metrics, name) or {}).items()
    }
    if metrics.top_processes is not None:
        parts["top_processes", ""] = metrics.top_processes
    if metrics.services is not None and metrics.services.units is not None:
        parts["units", ""] = metrics.services.units
    for name in ("total", "threads", "kernel_threads", "zombies"):
        if metrics.processes is not None and (count := getattr(metrics.processes, name)) is not None:
            parts["processes", name] = count
    return parts


def _with_counts(now: ProcessCounts | None, standing: Mapping[str, int]) -> ProcessCounts:
    now = now or ProcessCounts()
    return replace(now, **{name: count for name, count in standing.items() if getattr(now, name) is None})
