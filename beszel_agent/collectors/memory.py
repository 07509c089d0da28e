"""Memory and swap, from `/proc/meminfo`, and what ZFS keeps cached, from its kstat."""

from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple

from beszel_agent.collector import Collector
from beszel_agent.config import Config
from beszel_agent.deltas import share
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.paths import HostFile, HostPaths
from beszel_protocol.sample import MemoryMetrics, Metrics

_ARC: Final = "spl/kstat/zfs/arcstats"
_WANTED: Final = frozenset({
    b"Buffers:", b"Cached:", b"MemAvailable:", b"MemFree:", b"MemTotal:", b"SReclaimable:", b"Shmem:", b"SwapCached:",
    b"SwapFree:", b"SwapTotal:",
})  # fmt: skip


class Layout(NamedTuple):
    """Of the file; the kernel writes the same lines every time."""

    words: int
    places: dict[bytes, int]
    """Of each name that is `_WANTED` and there; its value is the next word."""


class MemoryCollector:
    name: ClassVar[str] = "memory"
    fields: ClassVar[tuple[str, ...]] = ("memory",)
    pace_seconds: ClassVar[float] = 0

    def __init__(self, meminfo: HostFile, arcstats: HostFile | None, *, as_htop: bool) -> None:
        self._meminfo, self._arcstats, self._as_htop = meminfo, arcstats, as_htop
        self._layout = Layout(0, {})

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Collector:
        if not paths.is_linux:
            from beszel_agent.collectors.memory_psutil import PsutilMemoryCollector  # noqa: PLC0415

            return PsutilMemoryCollector.probe(paths, config)
        try:
            meminfo = paths.proc_file("meminfo")
        except OSError as error:
            raise Unavailable(f"no /proc/meminfo: {error.strerror}") from error
        try:
            arcstats = paths.proc_file(_ARC)
        except OSError:
            arcstats = None
        return cls(meminfo, arcstats, as_htop=config.mem_calc == "htop")

    def collect(self, now: float) -> Metrics:
        words = self._meminfo.read().split()
        sizes = sizes_in(words, self._layout)
        if sizes is None:
            self._layout = layout_of(words)
            sizes = sizes_in(words, self._layout) or {}
        if b"MemTotal:" not in sizes:
            raise ReadingFailed("/proc/meminfo: no MemTotal")
        return Metrics(memory=memory_metrics(sizes, self._read_arc_bytes(), as_htop=self._as_htop))

    def _read_arc_bytes(self) -> int | None:
        if self._arcstats is None:
            return None
        try:
            return parse_arc_bytes(self._arcstats.read())
        except OSError:  # the module was unloaded, and its cache went with it
            self._arcstats = None
            return None


def layout_of(words: Sequence[bytes]) -> Layout:
    return Layout(len(words), {word: place for place, word in enumerate(words[:-1]) if word in _WANTED})


def sizes_in(words: Sequence[bytes], layout: Layout) -> dict[bytes, int] | None:
    """Bytes by name; None if that is not how these words are laid out. Raise ValueError if one is no number."""
    if len(words) != layout.words or any(words[place] != name for name, place in layout.places.items()):
        return None
    return {name: int(words[place + 1]) << 10 for name, place in layout.places.items()}


def parse_arc_bytes(text: bytes) -> int:
    """The `size` of the ARC: memory that the kernel does not count as available, though ZFS gives it back."""
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3 and words[0] == b"size":
            return int(words[2])
    raise ReadingFailed("arcstats: no size")


def memory_metrics(sizes: dict[bytes, int], arc_bytes: int | None, *, as_htop: bool) -> MemoryMetrics:
    """Used is what is not available; as htop has it, what is neither free nor cache.

    The kernel changes the numbers while it prints them, so every difference saturates at zero.
    """
    total, free = sizes[b"MemTotal:"], sizes.get(b"MemFree:", 0)
    cache = _cache_bytes(sizes)
    available = sizes.get(b"MemAvailable:", free + cache)  # before Linux 3.14
    used = max(0, total - (free + cache if as_htop else available) - (arc_bytes or 0))
    swap_total = sizes.get(b"SwapTotal:", 0)
    swap_idle = sizes.get(b"SwapFree:", 0) + sizes.get(b"SwapCached:", 0)
    return MemoryMetrics(
        total_bytes=total,
        used_bytes=used,
        usage_percent=share(used, total),
        cache_bytes=cache,
        zfs_arc_bytes=arc_bytes,
        swap_total_bytes=swap_total,
        swap_used_bytes=max(0, swap_total - swap_idle),
    )


def _cache_bytes(sizes: dict[bytes, int]) -> int:
    """Shared memory is accounted as page cache but cannot be given back."""
    cached = sizes.get(b"Cached:", 0) + sizes.get(b"SReclaimable:", 0) + sizes.get(b"Buffers:", 0)
    return min(sizes[b"MemTotal:"], max(0, cached - sizes.get(b"Shmem:", 0)))
