"""Speed of the fans, from `/sys/class/hwmon`."""

from typing import ClassVar, Self

from beszel_agent.config import Config
from beszel_agent.device_files import DeviceFiles, parse_integer
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.hwmon import SensorBank, find_sensors
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import Metrics


class FansCollector:
    name: ClassVar[str] = "fans"
    fields: ClassVar[tuple[str, ...]] = ("fans",)
    pace_seconds: ClassVar[float] = 5

    def __init__(self, bank: SensorBank, timeout_seconds: float) -> None:
        self._bank = bank
        self.timeout_seconds = timeout_seconds

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        paths = paths.with_sys(config.sys_sensors)
        bank = SensorBank(
            lambda: find_sensors(paths, "fan"), (paths.sys("class/hwmon"),), DeviceFiles(config.sensors_timeout)
        )
        if not bank.find(0.0):
            raise Unavailable("no fan in /sys/class/hwmon")
        return cls(bank, config.sensors_timeout)

    def shortfall(self) -> str | None:
        return self._bank.files.shortfall()

    def collect(self, now: float) -> Metrics:
        found: dict[str, float] = {}
        read = 0
        for name, text in self._bank.read(now):
            read += 1
            speed = parse_integer(text)
            # A fan that stands still says 0, and that is a reading.
            if speed is not None and speed >= 0:
                found[name] = speed
        if read and not found:
            raise ReadingFailed(f"none of {read} fans tells its speed")
        return Metrics(fans=found or None)
