"""Load average, from `/proc/loadavg`."""

import os
from typing import ClassVar, Self

from beszel_agent.collector import Collector
from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.paths import HostFile, HostPaths
from beszel_protocol.sample import CpuMetrics, Metrics


class LoadCollector:
    name: ClassVar[str] = "load"
    fields: ClassVar[tuple[str, ...]] = ("cpu",)
    pace_seconds: ClassVar[float] = 0

    def __init__(self, loadavg: HostFile) -> None:
        self._loadavg = loadavg

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Collector:
        if not paths.is_linux:
            return SystemLoadCollector.probe(paths, config)
        try:
            return cls(paths.proc_file("loadavg"))
        except OSError as error:
            raise Unavailable(f"no /proc/loadavg: {error.strerror}") from error

    def collect(self, now: float) -> Metrics:
        return Metrics(cpu=CpuMetrics(load_average=parse_loadavg(self._loadavg.read())))


class SystemLoadCollector:
    """By getloadavg(3), on systems other than Linux."""

    name: ClassVar[str] = "load"
    fields: ClassVar[tuple[str, ...]] = ("cpu",)
    pace_seconds: ClassVar[float] = 0

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        if not hasattr(os, "getloadavg"):
            raise Unavailable(f"{paths.system_name} keeps no load average")
        return cls()

    def collect(self, now: float) -> Metrics:
        return Metrics(cpu=CpuMetrics(load_average=[round(load, 2) for load in os.getloadavg()]))


def parse_loadavg(text: bytes) -> list[float]:
    """Over 1, 5 and 15 minutes."""
    words = text.split()
    if len(words) < 3:
        raise ReadingFailed("/proc/loadavg: three averages expected")
    return [float(word) for word in words[:3]]
