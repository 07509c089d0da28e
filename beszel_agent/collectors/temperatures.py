"""Temperatures, from `/sys/class/hwmon`; where it has none, from the thermal zones."""

import logging
from collections.abc import Iterator
from typing import ClassVar, Final

from beszel_agent.collector import Collector
from beszel_agent.config import Config
from beszel_agent.device_files import DeviceFiles, parse_integer
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.hwmon import Sensor, SensorBank, as_word, find_sensors, list_names, natural
from beszel_agent.paths import HostPaths, read_text_or_none
from beszel_protocol.sample import Metrics

_COLDEST_CELSIUS: Final = -40
_HOTTEST_CELSIUS: Final = 200
"""Inputs to which nothing is connected read -62, -127 or 0; registers that hold nothing read 255 and more."""
_WHOLE_DEGREES: Final = range(10, _HOTTEST_CELSIUS)
"""What only a driver that forgot to multiply by a thousand can mean."""

log = logging.getLogger(__name__)


class TemperaturesCollector:
    name: ClassVar[str] = "temperatures"
    fields: ClassVar[tuple[str, ...]] = ("temperatures", "primary_temperature_celsius")
    # Drivers keep a reading for one to two seconds, and one of a disk keeps the disk from its deeper sleep.
    pace_seconds: ClassVar[float] = 5

    def __init__(self, bank: SensorBank, config: Config) -> None:
        self._bank, self._primary = bank, config.primary_sensor
        self.timeout_seconds = config.sensors_timeout

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Collector:
        if config.sensors is not None and not config.sensors:
            raise Unavailable("SENSORS is set and empty: no temperature is read")
        if not paths.is_linux:
            from beszel_agent.collectors.temperatures_psutil import PsutilTemperaturesCollector  # noqa: PLC0415

            return PsutilTemperaturesCollector.probe(paths, config)
        paths = paths.with_sys(config.sys_sensors)
        directories = (paths.sys("class/hwmon"), paths.sys("class/thermal"))
        bank = SensorBank(
            lambda: find_temperatures(paths), directories, DeviceFiles(config.sensors_timeout), config.sensors
        )
        sensors = bank.find(0.0)
        if not sensors and bank.refused:
            raise Unavailable(f"SENSORS leaves out all {bank.refused} temperature sensors")
        if not sensors:
            raise Unavailable("no temperature sensor in /sys/class/hwmon or /sys/class/thermal")
        if config.primary_sensor is not None and config.primary_sensor not in sensors:
            log.warning("PRIMARY_SENSOR %s is none of: %s", config.primary_sensor, ", ".join(sensors))
        return cls(bank, config)

    def shortfall(self) -> str | None:
        return self._bank.files.shortfall()

    def collect(self, now: float) -> Metrics:
        found: dict[str, float] = {}
        read = 0
        for name, text in self._bank.read(now):
            read += 1
            celsius = parse_temperature(text)
            if celsius is not None:
                found[name] = celsius
        if read and not found:
            raise ReadingFailed(f"none of {read} temperature sensors tells a temperature")
        primary = found.get(self._primary) if self._primary is not None else None
        return Metrics(temperatures=found or None, primary_temperature_celsius=primary)


def find_temperatures(paths: HostPaths) -> list[Sensor]:
    return list(find_sensors(paths, "temp")) or list(_find_zones(paths))


def parse_temperature(text: str | None) -> float | None:
    """Degrees Celsius of a number of thousandths; None if it is no number or nothing that a sensor can mean."""
    raw = parse_integer(text)
    if not raw:
        return None
    celsius = float(raw) if raw in _WHOLE_DEGREES else raw / 1000
    return round(celsius, 1) if is_plausible(celsius) else None


def is_plausible(celsius: float) -> bool:
    """Whether a sensor can mean it."""
    return celsius != 0 and _COLDEST_CELSIUS < celsius < _HOTTEST_CELSIUS


def _find_zones(paths: HostPaths) -> Iterator[Sensor]:
    directory = paths.sys("class/thermal")
    for name in sorted(list_names(directory), key=natural):
        if name.startswith("thermal_zone"):
            kind = as_word(read_text_or_none(f"{directory}/{name}/type") or name)
            yield Sensor(base=kind, device=name, path=f"{directory}/{name}/temp")
