"""Usage of the filesystems that answer from memory; the others are for `slow_filesystems`."""

from typing import ClassVar, Self

from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.mounts import MountTable, read_usage
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import DiskMetrics, Metrics


class FilesystemsCollector:
    name: ClassVar[str] = "filesystems"
    pace_seconds: ClassVar[float] = 0

    def __init__(self, paths: HostPaths, table: MountTable) -> None:
        self._paths, self._table = paths, table

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        try:
            return cls(paths, MountTable(paths))
        except OSError as error:
            raise Unavailable(f"no mount table: {error.strerror}") from error

    def collect(self, now: float) -> Metrics:
        wanted = [filesystem for filesystem in self._table.filesystems() if not filesystem.may_wait]
        found: dict[str, DiskMetrics] = {}
        for filesystem in wanted:
            usage = read_usage(self._paths.root(filesystem.path))
            if usage is not None:
                found[filesystem.point] = usage
        if wanted and not found:
            raise ReadingFailed("no filesystem could be asked for its usage")
        return Metrics(disk=found or None)
