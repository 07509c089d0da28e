"""Temperatures as psutil tells them, on systems other than Linux: of the cores, on FreeBSD."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import psutil

from beszel_agent.collectors.temperatures import is_plausible
from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.hwmon import MAX_SENSORS, as_word
from beszel_agent.paths import HostPaths
from beszel_agent.wildcards import allows
from beszel_protocol.sample import Metrics


class PsutilTemperaturesCollector:
    name: ClassVar[str] = "temperatures"
    fields: ClassVar[tuple[str, ...]] = ("temperatures", "primary_temperature_celsius")
    pace_seconds: ClassVar[float] = 5

    def __init__(self, config: Config) -> None:
        self._rules, self._primary = config.sensors, config.primary_sensor
        self.timeout_seconds = config.sensors_timeout

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        ask = getattr(psutil, "sensors_temperatures", None)
        if ask is None:
            raise Unavailable(f"psutil tells no temperature on {paths.system_name}")
        if not ask():
            raise Unavailable("no temperature; the kernel tells them with the module coretemp or amdtemp")
        return cls(config)

    def collect(self, now: float) -> Metrics:
        told = dict(name_sensors(psutil.sensors_temperatures()))
        wanted = {name: celsius for name, celsius in told.items() if allows(name, self._rules)}
        found = {name: round(celsius, 1) for name, celsius in wanted.items() if is_plausible(celsius)}
        if wanted and not found:
            raise ReadingFailed(f"none of {len(wanted)} temperature sensors tells a temperature")
        primary = found.get(self._primary) if self._primary is not None else None
        return Metrics(temperatures=found or None, primary_temperature_celsius=primary)


def name_sensors(chips: Mapping[str, Sequence[Any]]) -> Iterator[tuple[str, float]]:
    """`coretemp_core_0` and so on, with degrees Celsius."""
    sensors = ((chip, sensor) for chip, sensors in sorted(chips.items()) for sensor in sensors)
    for number, (chip, sensor) in enumerate(sensors):
        if number == MAX_SENSORS:
            return
        if sensor.current is not None:
            yield "_".join(filter(None, (as_word(chip), as_word(sensor.label)))), float(sensor.current)
