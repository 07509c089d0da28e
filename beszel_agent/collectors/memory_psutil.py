"""Use of memory and swap as psutil tells it, on systems other than Linux."""

from typing import ClassVar, Final, Self

import psutil

from beszel_agent.config import Config
from beszel_agent.deltas import share
from beszel_agent.paths import HostPaths
from beszel_agent.sysctl import read_sysctl_integer
from beszel_protocol.sample import MemoryMetrics, Metrics

_ARC: Final = "kstat.zfs.misc.arcstats.size"
_FAILURES: Final = (OSError, RuntimeError)
"""Of psutil, where Windows has its performance counters switched off."""


class PsutilMemoryCollector:
    name: ClassVar[str] = "memory"
    fields: ClassVar[tuple[str, ...]] = ("memory",)
    pace_seconds: ClassVar[float] = 0

    def __init__(self, *, as_htop: bool) -> None:
        self._as_htop = as_htop

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        return cls(as_htop=config.mem_calc == "htop")

    def collect(self, now: float) -> Metrics:
        return Metrics(memory=read_memory(read_sysctl_integer(_ARC), as_htop=self._as_htop))


def read_memory(arc_bytes: int | None, *, as_htop: bool) -> MemoryMetrics:
    """Used is what is not available; as htop has it, what is in use or wired.

    The ARC of ZFS is wired memory to FreeBSD though ZFS gives it back, so it does not count as used. Caches are told
    by the BSDs only.
    """
    memory = psutil.virtual_memory()
    used = max(0, (memory.used if as_htop else memory.total - memory.available) - (arc_bytes or 0))
    buffers, cached = getattr(memory, "buffers", None), getattr(memory, "cached", None)
    cache = (buffers or 0) + (cached or 0)
    swap_total, swap_used = _read_swap()
    return MemoryMetrics(
        total_bytes=memory.total,
        used_bytes=used,
        usage_percent=share(used, memory.total),
        cache_bytes=None if buffers is None and cached is None else min(memory.total, cache),
        zfs_arc_bytes=arc_bytes,
        swap_total_bytes=swap_total,
        swap_used_bytes=swap_used,
    )


def _read_swap() -> tuple[int | None, int | None]:
    try:
        swap = psutil.swap_memory()
    except _FAILURES:
        return None, None
    return swap.total, swap.used
