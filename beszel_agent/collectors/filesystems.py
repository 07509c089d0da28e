"""Usage of the filesystems that answer from memory; the others are for `slow_filesystems`."""

from typing import ClassVar

from beszel_agent.collector import Collector
from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.mounts import MountTable, shared_table
from beszel_agent.paths import HostPaths
from beszel_agent.usage import UsageReader
from beszel_protocol.sample import Metrics
from beszel_protocol.storage import DiskMetrics


class FilesystemsCollector:
    name: ClassVar[str] = "filesystems"
    fields: ClassVar[tuple[str, ...]] = ("disk",)
    pace_seconds: ClassVar[float] = 0

    def __init__(self, table: MountTable, usage: UsageReader) -> None:
        self._table, self._usage = table, usage

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Collector:
        if not paths.is_linux:
            from beszel_agent.collectors.filesystems_psutil import PsutilFilesystemsCollector  # noqa: PLC0415

            return PsutilFilesystemsCollector.probe(paths, config)
        try:
            table = shared_table(paths, config)
        except OSError as error:
            raise Unavailable(f"no mount table: {error.strerror}") from error
        return cls(table, UsageReader(paths, config.disk_usage_cache))

    def shortfall(self) -> str | None:
        return self._usage.shortfall()

    def collect(self, now: float) -> Metrics:
        wanted = [filesystem for filesystem in self._table.filesystems(now) if not filesystem.may_wait]
        found: dict[str, DiskMetrics] = {}
        for filesystem in wanted:
            usage = self._usage.read(filesystem, now)
            if usage is not None:
                found[filesystem.name] = usage
        if wanted and not found:
            raise ReadingFailed(self.shortfall() or "no filesystem could be asked for its usage")
        return Metrics(disk=found or None)
