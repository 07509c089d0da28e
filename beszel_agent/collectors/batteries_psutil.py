"""Charge of the battery as psutil tells it, on systems other than Linux."""

from typing import Any, ClassVar, Final, Self

import psutil

from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import BatteryMetrics, Metrics

_NAME: Final = "battery"
"""psutil tells of all batteries together."""
_FULL: Final = 100


class PsutilBatteriesCollector:
    name: ClassVar[str] = "batteries"
    fields: ClassVar[tuple[str, ...]] = ("batteries",)
    # As on Linux, the firmware is asked.
    pace_seconds: ClassVar[float] = 10

    def __init__(self, timeout_seconds: float) -> None:
        self.timeout_seconds = timeout_seconds

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        ask = getattr(psutil, "sensors_battery", None)
        if ask is None:
            raise Unavailable(f"psutil tells nothing of batteries on {paths.system_name}")
        if ask() is None:
            raise Unavailable("no battery")
        return cls(config.sensors_timeout)

    def collect(self, now: float) -> Metrics:
        battery = psutil.sensors_battery()
        if battery is None:
            raise ReadingFailed("the battery is gone")
        return Metrics(batteries={_NAME: battery_metrics(battery)})


def battery_metrics(battery: Any) -> BatteryMetrics:
    """On mains and not full it may be charging or not: nobody tells. A charge above 100 is none; so Windows says it."""
    charge = float(battery.percent) if 0 <= battery.percent <= _FULL else None
    state = None
    if battery.power_plugged is False:
        state = "discharging"
    elif battery.power_plugged and charge == _FULL:
        state = "full"
    return BatteryMetrics(charge_percent=None if charge is None else round(charge, 1), state=state)
