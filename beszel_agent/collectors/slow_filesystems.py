"""Usage of the filesystems that may have to count, to wait for a pool or to ask a process before they answer."""

from typing import ClassVar, Self

from beszel_agent.config import Config
from beszel_agent.errors import Unavailable
from beszel_agent.mounts import MountTable, read_usage
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import DiskMetrics, Metrics


class SlowFilesystemsCollector:
    name: ClassVar[str] = "slow_filesystems"
    pace_seconds: ClassVar[float] = 10

    def __init__(self, paths: HostPaths, table: MountTable) -> None:
        self._paths, self._table = paths, table
        self._asked: set[str] = set()

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        try:
            table = MountTable(paths)
            filesystems = table.filesystems()
        except OSError as error:
            raise Unavailable(f"no mount table: {error.strerror}") from error
        if not any(filesystem.may_wait for filesystem in filesystems):
            raise Unavailable("every filesystem here answers from memory")
        return cls(paths, table)

    def collect(self, now: float) -> Metrics:
        found: dict[str, DiskMetrics] = {}
        for filesystem in self._table.filesystems():
            # One that never answered keeps its mark, and with it the thread that asked; the next thread passes it by.
            if not filesystem.may_wait or filesystem.point in self._asked:
                continue
            self._asked.add(filesystem.point)
            usage = read_usage(self._paths.root(filesystem.path))
            self._asked.discard(filesystem.point)
            if usage is not None:
                found[filesystem.point] = usage
        return Metrics(disk=found or None)
