"""What a host measures about itself: temperatures, fans, batteries and the power that keeps it up."""

from collections.abc import Iterator
from typing import Final

from msgspec import to_builtins

from beszel_protocol.metrics import Unit
from beszel_protocol.sample import BatteryMetrics, Metrics, UpsMetrics
from beszel_tui.state.model import Focus
from beszel_tui.state.selectors import Level, Sort, Thresholds, natural_key
from beszel_tui.state.sheet import Sheet, SheetColumn, SheetRow

_LOW_PERCENT: Final = 20
_VERY_LOW_PERCENT: Final = 10
_ON_BATTERY: Final = "OB"
_ALARMS: Final = frozenset({"LB", "RB", "OVER", "ALARM", "FSD"})
"""Of NUT: low, to be replaced, overloaded, alarm, forced shutdown."""


def sensor_rows(focus: Focus, thresholds: Thresholds) -> list[SheetRow]:
    """Temperatures, fans, batteries, uninterruptible power: each kind in the order of its names."""
    metrics = focus.whole or Metrics()
    return [*_temperatures(metrics, thresholds), *_fans(metrics), *_batteries(metrics), *_supplies(metrics, thresholds)]


def _temperatures(metrics: Metrics, thresholds: Thresholds) -> Iterator[SheetRow]:
    readings = metrics.temperatures or {}
    for name in sorted(readings, key=natural_key):
        celsius = readings[name]
        yield SheetRow(
            key=f"temperature/{name}",
            name=name,
            level=thresholds.level(celsius),
            values={"kind": "temperature", "reading": celsius},
            units={"reading": Unit.CELSIUS},
            told={"kind": "temperature", "name": name, "temperature_celsius": celsius},
        )


def _fans(metrics: Metrics) -> Iterator[SheetRow]:
    readings = metrics.fans or {}
    for name in sorted(readings, key=natural_key):
        turns = readings[name]
        yield SheetRow(
            key=f"fan/{name}",
            name=name,
            level=None if turns == 0 else "good",
            values={"kind": "fan, rpm", "reading": turns, "state": "stands still" if turns == 0 else None},
            units={"reading": Unit.RPM},
            told={"kind": "fan", "name": name, "rpm": turns},
        )


def _batteries(metrics: Metrics) -> Iterator[SheetRow]:
    for name, battery in (metrics.batteries or {}).items():
        yield SheetRow(
            key=f"battery/{name}",
            name=name,
            level=_battery_level(battery),
            values={
                "kind": "battery",
                "reading": battery.charge_percent,
                "state": battery.state,
                "power": battery.power_watts,
                "health": battery.health_percent,
            },
            told={"kind": "battery", "name": name, **to_builtins(battery)},
        )


def _battery_level(battery: BatteryMetrics) -> Level:
    return _charge_level(battery.charge_percent) if battery.state in {"discharging", "empty"} else "good"


def _supplies(metrics: Metrics, thresholds: Thresholds) -> Iterator[SheetRow]:
    supplies = metrics.ups or {}
    for name in sorted(supplies, key=natural_key):
        ups = supplies[name]
        yield SheetRow(
            key=f"ups/{name}",
            name=name,
            level=_ups_level(ups, thresholds),
            values={
                "kind": "UPS",
                "reading": ups.charge_percent,
                "state": ups.status,
                "load": ups.load_percent,
                "power": ups.power_watts,
                "runtime": ups.runtime_seconds,
            },
            told={"kind": "ups", "name": name, **to_builtins(ups)},
        )


def _ups_level(ups: UpsMetrics, thresholds: Thresholds) -> Level:
    words = set((ups.status or "").split())
    if words & _ALARMS:
        return "critical"
    if ups.on_battery or _ON_BATTERY in words:
        return "critical" if _charge_level(ups.charge_percent) == "critical" else "warning"
    return "good" if ups.load_percent is None else thresholds.level(ups.load_percent)


def _charge_level(percent: float | None) -> Level:
    if percent is None or percent > _LOW_PERCENT:
        return "good"
    return "warning" if percent > _VERY_LOW_PERCENT else "critical"


SENSORS: Final = Sheet(
    key="sensors",
    title="Sensors",
    columns=(
        SheetColumn("name", "NAME"),
        SheetColumn("kind", "KIND"),
        SheetColumn("reading", "READING", Unit.PERCENT),
        SheetColumn("state", "STATE"),
        SheetColumn("load", "LOAD", Unit.PERCENT),
        SheetColumn("power", "POWER", Unit.WATTS),
        SheetColumn("runtime", "RUNTIME", Unit.SECONDS),
        SheetColumn("health", "HEALTH", Unit.PERCENT),
    ),
    claims=(
        ("name", 18), ("reading", 7), ("state", 12), ("kind", 11), ("power", 5), ("runtime", 7), ("load", 6),
        ("name", 24), ("health", 6), ("name", 40), ("state", 20),
    ),
    rows=sensor_rows,
    sort=Sort("name"),
    empty="no sensors",
    hint="words  kind:fan  reading>60  discharging  /regex/",
)  # fmt: skip
