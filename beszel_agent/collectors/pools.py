"""Pools of devices: ZFS from its kstats, btrfs from `/sys/fs/btrfs`.

The kernel side of ZFS tells the state of a pool and not its size; how full a pool is stands with its filesystems.
"""

from collections.abc import Iterable
from typing import ClassVar, Final, NamedTuple, Self

from beszel_agent.config import Config
from beszel_agent.deltas import per_second, share
from beszel_agent.errors import Unavailable
from beszel_agent.paths import HostPaths, list_names, read_number_or_none, read_text_or_none
from beszel_agent.severity import CONCERN, FAILED, SOUND, Finding, in_words, worst
from beszel_protocol.sample import Metrics
from beszel_protocol.storage import PoolMetrics

_ZFS: Final = "spl/kstat/zfs"
_BTRFS: Final = "fs/btrfs"
_SECTOR_BYTES: Final = 512
_MAX_POOLS: Final = 64
_DATASET: Final = "objset-"
_MAX_DATASETS: Final = 512
"""A container engine on ZFS makes one a layer."""
_ZFS_SEVERITIES: Final = {
    "ONLINE": SOUND,
    "DEGRADED": FAILED,
    "FAULTED": FAILED,
    "OFFLINE": FAILED,
    "REMOVED": FAILED,
    "UNAVAIL": FAILED,
    "SUSPENDED": FAILED,
}
"""As in the `zpool-status` of zpoolconcepts(7). A pool that lost its redundancy has failed as an array has."""


class Traffic(NamedTuple):
    """Bytes."""

    read: int
    written: int


class Btrfs(NamedTuple):
    """One btrfs as the kernel describes it."""

    total_bytes: int | None
    used_bytes: int | None
    """On the devices, each copy counted."""
    devices: int
    missing: int
    errors: int | None
    """None where the kernel, before Linux 5.14, does not tell."""


class PoolsCollector:
    name: ClassVar[str] = "pools"
    fields: ClassVar[tuple[str, ...]] = ("pools",)
    pace_seconds: ClassVar[float] = 30

    def __init__(self, paths: HostPaths) -> None:
        self._paths = paths
        self._previous: dict[str, Traffic] = {}
        self._previous_now = 0.0

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        if not _zfs_names(paths) and not _btrfs_ids(paths):
            raise Unavailable("neither a ZFS pool nor a btrfs")
        return cls(paths)

    def collect(self, now: float) -> Metrics:
        elapsed = now - self._previous_now
        previous, self._previous, self._previous_now = self._previous, {}, now
        pools: dict[str, PoolMetrics] = {}
        for name in _zfs_names(self._paths):
            datasets = read_datasets(self._paths, name)
            self._previous |= datasets
            state = read_text_or_none(self._paths.proc(f"{_ZFS}/{name}/state"))
            pools[name] = zfs_metrics(state, traffic_between(previous, datasets), elapsed)
        for uuid in _btrfs_ids(self._paths):
            label = read_text_or_none(self._paths.sys(f"{_BTRFS}/{uuid}/label"))
            name = uuid if label is None or label in pools else label
            pools[name] = btrfs_metrics(read_btrfs(self._paths, uuid))
        return Metrics(pools=pools or None)


def read_datasets(paths: HostPaths, pool: str) -> dict[str, Traffic]:
    """What each dataset and volume that is in use carried since it was opened, by its file."""
    base = f"{_ZFS}/{pool}"
    names = [name for name in list_names(paths.proc(base)) if name.startswith(_DATASET)][:_MAX_DATASETS]
    found = {f"{base}/{name}": parse_dataset(read_text_or_none(paths.proc(f"{base}/{name}"))) for name in names}
    return {name: traffic for name, traffic in found.items() if traffic is not None}


def parse_dataset(text: str | None) -> Traffic | None:
    """Lines of name, type and value, among them `nread` and `nwritten` in bytes."""
    values = {words[0]: words[2] for line in (text or "").splitlines() if len(words := line.split()) == 3}
    try:
        return Traffic(int(values["nread"]), int(values["nwritten"]))
    except (KeyError, ValueError):
        return None


def traffic_between(previous: dict[str, Traffic], current: dict[str, Traffic]) -> Traffic | None:
    """What those gained that were there before; None if none was, or if a counter fell."""
    pairs = [(previous[name], current[name]) for name in current if name in previous]
    gains = [Traffic(now.read - before.read, now.written - before.written) for before, now in pairs]
    if not gains or any(gain.read < 0 or gain.written < 0 for gain in gains):
        return None
    return Traffic(sum(gain.read for gain in gains), sum(gain.written for gain in gains))


def zfs_metrics(state: str | None, traffic: Traffic | None, elapsed_seconds: float) -> PoolMetrics:
    return PoolMetrics(
        severity=_ZFS_SEVERITIES.get(state or ""),
        state=state or "unknown",
        type="zfs",
        read_bytes_per_second=per_second(None if traffic is None else traffic.read, elapsed_seconds),
        write_bytes_per_second=per_second(None if traffic is None else traffic.written, elapsed_seconds),
    )


def read_btrfs(paths: HostPaths, uuid: str) -> Btrfs:
    base = paths.sys(f"{_BTRFS}/{uuid}")
    infos = [f"{base}/devinfo/{number}" for number in list_names(f"{base}/devinfo")]
    names = list_names(f"{base}/devices")
    kinds = [f"{base}/allocation/{kind}/disk_used" for kind in ("data", "metadata", "system")]
    missing = sum(read_number_or_none(f"{info}/missing") == 1 for info in infos)
    sizes = [None] * missing + [_sectors(paths, name) for name in names]
    return Btrfs(
        total_bytes=_sum(sizes, _SECTOR_BYTES),
        used_bytes=_sum(map(read_number_or_none, kinds)),
        devices=len(infos) or len(names),
        missing=missing,
        errors=_sum(parse_error_stats(read_text_or_none(f"{info}/error_stats")) for info in infos),
    )


def parse_error_stats(text: str | None) -> int | None:
    """The sum of `write_errs 0`, `read_errs 0` and so on; None if a line is no such count."""
    if text is None:
        return None
    words = [line.split() for line in text.splitlines()]
    try:
        return sum(int(count) for _, count in words)
    except ValueError:
        return None


def btrfs_metrics(pool: Btrfs) -> PoolMetrics:
    findings = []
    if pool.missing:
        findings.append(Finding(FAILED, f"{pool.missing} of {pool.devices} devices missing"))
    if pool.errors:
        findings.append(Finding(CONCERN, f"{pool.errors} device errors"))
    percent = None
    if pool.used_bytes is not None and pool.total_bytes is not None:
        percent = share(pool.used_bytes, pool.total_bytes)
    return PoolMetrics(
        severity=worst(findings),
        state=in_words(findings, "online"),
        type="btrfs",
        total_bytes=pool.total_bytes,
        used_bytes=pool.used_bytes,
        usage_percent=percent,
        devices=pool.devices,
        devices_missing=pool.missing,
        errors=pool.errors,
    )


def _zfs_names(paths: HostPaths) -> list[str]:
    names = list_names(paths.proc(_ZFS))
    return [name for name in names if read_text_or_none(paths.proc(f"{_ZFS}/{name}/state")) is not None][:_MAX_POOLS]


def _btrfs_ids(paths: HostPaths) -> list[str]:
    """Beside the mounted ones, which are called by their UUID, stands `features`."""
    return [name for name in list_names(paths.sys(_BTRFS)) if name.count("-") == 4][:_MAX_POOLS]


def _sectors(paths: HostPaths, name: str) -> int | None:
    return read_number_or_none(paths.sys(f"class/block/{name}/size"))


def _sum(numbers: Iterable[int | None], unit: int = 1) -> int | None:
    """None without a number, or if one is not known: the sum would be too small."""
    known = list(numbers)
    return None if not known or None in known else unit * sum(number for number in known if number is not None)
