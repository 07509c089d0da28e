"""Usage of the filesystems that psutil lists, on systems other than Linux.

Which of them may have to wait is not known there, so all of them are asked in a thread.
"""

import os
from typing import ClassVar, Self

import msgspec
import psutil

from beszel_agent.config import Config
from beszel_agent.deltas import share
from beszel_agent.disk_rules import read_rules
from beszel_agent.errors import ReadingFailed
from beszel_agent.mounts import ROOT
from beszel_agent.paths import HostPaths
from beszel_agent.usage import read_usage
from beszel_agent.volumes import Volume, choose_volumes
from beszel_protocol.sample import Metrics
from beszel_protocol.storage import DiskMetrics


class PsutilFilesystemsCollector:
    name: ClassVar[str] = "filesystems"
    fields: ClassVar[tuple[str, ...]] = ("disk",)
    pace_seconds: ClassVar[float] = 10

    def __init__(self, paths: HostPaths, config: Config) -> None:
        self._rules, self._system = read_rules(paths, config), paths.system
        self._keep_seconds = config.disk_usage_cache
        self._kept: dict[str, tuple[float, DiskMetrics]] = {}
        self._asked: set[str] = set()

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        return cls(paths, config)

    def collect(self, now: float) -> Metrics:
        # Those of networks are among them only if all are asked for; they count only if the owner asked for them.
        partitions = psutil.disk_partitions(all=bool(self._rules.extras))
        volumes = choose_volumes(partitions, self._rules, self._system)
        found: dict[str, DiskMetrics] = {}
        for volume in volumes:
            # One that never answered keeps its mark, and with it the thread that asked; the next thread passes it by.
            if volume.point in self._asked:
                continue
            self._asked.add(volume.point)
            usage = self._read(volume, now)
            self._asked.discard(volume.point)
            if usage is not None:
                found[volume.name] = usage
        if volumes and not found:
            raise ReadingFailed("no filesystem could be asked for its usage")
        return Metrics(disk=found or None)

    def _read(self, volume: Volume, now: float) -> DiskMetrics | None:
        read_at, kept = self._kept.get(volume.name, (0.0, None))
        if kept is not None and volume.name != ROOT and now - read_at < self._keep_seconds:
            return kept
        # macOS tells psutil's way what a volume alone holds, and statvfs(3) what its container has left for it.
        try:
            usage = read_usage(volume.point) if hasattr(os, "statvfs") else _read_drive(volume.point)
        except OSError:  # such as of a drive without a medium
            self._kept.pop(volume.name, None)
            return None
        usage = msgspec.structs.replace(usage, read_only=int(volume.read_only))
        self._kept[volume.name] = now, usage
        return usage


def _read_drive(point: str) -> DiskMetrics:
    """Of a drive of Windows. Raise OSError."""
    usage = psutil.disk_usage(point)
    return DiskMetrics(
        total_bytes=usage.total, used_bytes=usage.used, usage_percent=share(usage.used, usage.used + usage.free)
    )
