"""Usage of the filesystems that may have to count, to wait for a pool or to ask a process before they answer."""

from typing import ClassVar, Self

from beszel_agent.config import Config
from beszel_agent.disk_rules import read_rules
from beszel_agent.errors import Unavailable
from beszel_agent.mounts import MountTable
from beszel_agent.paths import HostPaths
from beszel_agent.usage import UsageReader
from beszel_protocol.sample import Metrics
from beszel_protocol.storage import DiskMetrics


class SlowFilesystemsCollector:
    name: ClassVar[str] = "slow_filesystems"
    fields: ClassVar[tuple[str, ...]] = ("disk",)
    pace_seconds: ClassVar[float] = 10

    def __init__(self, table: MountTable, usage: UsageReader) -> None:
        self._table, self._usage = table, usage
        self._asked: set[str] = set()

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        if not paths.is_linux:
            raise Unavailable("`filesystems` asks them all here")
        try:
            table = MountTable(paths, read_rules(paths, config))
            filesystems = table.filesystems(0.0)
        except OSError as error:
            raise Unavailable(f"no mount table: {error.strerror}") from error
        if not any(filesystem.may_wait for filesystem in filesystems):
            raise Unavailable("every filesystem here answers from memory")
        return cls(table, UsageReader(paths, config.disk_usage_cache))

    def shortfall(self) -> str | None:
        return self._usage.shortfall()

    def collect(self, now: float) -> Metrics:
        found: dict[str, DiskMetrics] = {}
        for filesystem in self._table.filesystems(now):
            # One that never answered keeps its mark, and with it the thread that asked; the next thread passes it by.
            if not filesystem.may_wait or filesystem.point in self._asked:
                continue
            self._asked.add(filesystem.point)
            usage = self._usage.read(filesystem, now)
            self._asked.discard(filesystem.point)
            if usage is not None:
                found[filesystem.name] = usage
        return Metrics(disk=found or None)
