"""Uptime, from `/proc/uptime`, which in a container tells the container's own where sysinfo(2) tells the host's."""

from typing import ClassVar, Self

from beszel_agent.collector import Collector
from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.host import boot_ms
from beszel_agent.paths import HostFile, HostPaths
from beszel_protocol.sample import Metrics


class UptimeCollector:
    name: ClassVar[str] = "uptime"
    fields: ClassVar[tuple[str, ...]] = ("uptime_seconds",)
    pace_seconds: ClassVar[float] = 0

    def __init__(self, uptime: HostFile) -> None:
        self._uptime = uptime

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Collector:
        if not paths.is_linux:
            return ClockUptimeCollector.probe(paths, config)
        try:
            return cls(paths.proc_file("uptime"))
        except OSError as error:
            raise Unavailable(f"no /proc/uptime: {error.strerror}") from error

    def collect(self, now: float) -> Metrics:
        return Metrics(uptime_seconds=parse_uptime(self._uptime.read()))


class ClockUptimeCollector:
    """By the clock that counts from the start of the system, on systems other than Linux."""

    name: ClassVar[str] = "uptime"
    fields: ClassVar[tuple[str, ...]] = ("uptime_seconds",)
    pace_seconds: ClassVar[float] = 0

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        return cls()

    def collect(self, now: float) -> Metrics:
        return Metrics(uptime_seconds=boot_ms() / 1000)


def parse_uptime(text: bytes) -> float:
    words = text.split()
    if not words:
        raise ReadingFailed("/proc/uptime is empty")
    return float(words[0])
