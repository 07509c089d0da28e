"""Intel GPUs under i915 and xe: engines by what clients spent, idleness and energy by sysfs.

Without the right to look at every process the engines are unknown, and usage is the time in which the GPU was not in
its idle state (RC6), which is at least as long as an engine was at work.
"""

from typing import ClassVar, Final, NamedTuple

from beszel_agent.deltas import gained, share
from beszel_agent.gpu.cards import Card, find_hwmon, read_number
from beszel_agent.gpu.clients import Look, Shares, engine_shares
from beszel_agent.gpu.drm_reader import DrmReader
from beszel_agent.hwmon import list_names
from beszel_agent.paths import read_text_or_none
from beszel_protocol.sample import GpuMetrics

_CARD_ENERGY: Final = ("card", None)
_PACKAGE_ENERGY: Final = ("pkg",)


class Counters(NamedTuple):
    """Of one card at one instant."""

    now: float
    look: Look
    card_microjoules: int | None
    package_microjoules: int | None
    idle_ms: dict[str, int]
    """By graphics tile."""


class IntelReader(DrmReader[Counters]):
    name: ClassVar[str] = "intel_sysfs"
    drivers = ("i915", "xe")

    def measure(self, card: Card, name: str | None, now: float) -> GpuMetrics:
        counters = read_counters(card, now, self._clients.read(now))
        before = self._before.get(card.key)
        self._before[card.key] = counters
        engines = engine_shares(card.slot, before.look, counters.look, now - before.now) if before is not None else None
        total, free = (
            read_number(f"{card.directory}/lmem_total_bytes"),
            read_number(f"{card.directory}/lmem_avail_bytes"),
        )
        return GpuMetrics(
            name=name,
            usage_percent=_usage(engines, before, counters),
            memory_used_bytes=None if total is None or free is None else max(0, total - free),
            memory_total_bytes=total,
            power_watts=_watts(before, counters, "card_microjoules"),
            package_power_watts=_watts(before, counters, "package_microjoules"),
            temperature_celsius=_temperature(card),
            engines_percent=(engines.by_engine or None) if engines is not None else None,
            processes=self._clients.processes(counters.look, card),
        )


def read_counters(card: Card, now: float, look: Look) -> Counters:
    energies = _energies(card)
    return Counters(
        now=now,
        look=look,
        card_microjoules=next((energies[label] for label in _CARD_ENERGY if label in energies), None),
        package_microjoules=next((energies[label] for label in _PACKAGE_ENERGY if label in energies), None),
        idle_ms=_idle_times(card),
    )


def _usage(engines: Shares | None, before: Counters | None, after: Counters) -> float | None:
    """Of the busiest engine; of the whole GPU, if what its engines do is not known."""
    if engines is not None and engines.highest is not None:
        return engines.highest
    if before is None:
        return None
    awake = [
        100 - idle
        for tile, ms in after.idle_ms.items()
        if tile in before.idle_ms
        and (gain := gained(before.idle_ms[tile], ms)) is not None
        and (idle := share(gain, 1000 * (after.now - before.now))) is not None
    ]
    return round(max(awake), 1) if awake else None


def _watts(before: Counters | None, after: Counters, counter: str) -> float | None:
    first, second = getattr(before, counter, None), getattr(after, counter)
    if before is None or first is None or second is None or after.now <= before.now:
        return None
    gain = gained(first, second)
    return None if gain is None else round(gain / 1e6 / (after.now - before.now), 2)


def _energies(card: Card) -> dict[str | None, int]:
    """Microjoules by label; the one without a label is that of the card."""
    hwmon = find_hwmon(card)
    found: dict[str | None, int] = {}
    for number in (1, 2) if hwmon is not None else ():
        energy = read_number(f"{hwmon}/energy{number}_input")
        if energy is not None:
            found[read_text_or_none(f"{hwmon}/energy{number}_label")] = energy
    return found


def _idle_times(card: Card) -> dict[str, int]:
    """Milliseconds in the idle state; a tile that was never in it may not have one."""
    paths = [f"{card.directory}/gt/{tile}/rc6_residency_ms" for tile in list_names(f"{card.directory}/gt")]
    for tile in sorted(name for name in list_names(card.device("")) if name.startswith("tile")):
        directory = card.device(tile)
        names = (name for name in list_names(directory) if name.startswith("gt"))
        paths += [f"{directory}/{name}/gtidle/idle_residency_ms" for name in names]
    if not paths:
        paths = [f"{card.directory}/power/rc6_residency_ms"]
    return {path: ms for path in paths if (ms := read_number(path))}


def _temperature(card: Card) -> float | None:
    hwmon = find_hwmon(card)
    readings: dict[str | None, int] = {}
    for number in (1, 2) if hwmon is not None else ():
        value = read_number(f"{hwmon}/temp{number}_input")
        if value is not None:
            readings[read_text_or_none(f"{hwmon}/temp{number}_label")] = value
    raw = readings.get("pkg", next(iter(readings.values()), None))
    return None if not raw else round(raw / 1000, 1)
