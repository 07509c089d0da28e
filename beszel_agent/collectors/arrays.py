"""Software RAID, from `/sys/block/md*/md`; the format is that of the kernel's `admin-guide/md`.

Reading an array's attributes may wait for a lock that a hanging member holds, so it is done apart.
"""

from typing import ClassVar, Final, NamedTuple, Self

from beszel_agent.config import Config
from beszel_agent.deltas import share
from beszel_agent.errors import Unavailable
from beszel_agent.paths import HostPaths, list_names, read_number_or_none, read_text_or_none
from beszel_agent.severity import CONCERN, FAILED, Finding, in_words, worst
from beszel_protocol.sample import Metrics
from beszel_protocol.storage import ArrayMetrics

_SECTOR_BYTES: Final = 512
"""The unit of `/sys/block/*/size` and of `sync_completed`, whatever the device's own sector is."""
_MAX_ARRAYS: Final = 64
_NO_ARRAY_LEVELS: Final = frozenset({"", "container"})
"""A container of vendor metadata holds arrays and is none; it is inactive all its life."""
_STOPPED: Final = frozenset({"broken", "inactive"})
_REPAIRS: Final = frozenset({"recover", "repair", "reshape", "resync"})
"""A `check` only reads."""
_SPARSE_SLOTS: Final = 16
"""A mirror with so many slots is one of QNAP's system mirrors, made for more drives than a model can have."""


class Array(NamedTuple):
    """One array as the kernel describes it."""

    state: str
    level: str
    slots: int | None
    """Members that it is meant to have."""
    degraded: int
    members: tuple[frozenset[str], ...]
    """The flags of each: `in_sync`, `faulty`, `spare` …"""
    sync_action: str
    sync_completed: str
    sync_kibibytes_per_second: int | None
    mismatches: int | None
    sectors: int | None


class ArraysCollector:
    name: ClassVar[str] = "arrays"
    fields: ClassVar[tuple[str, ...]] = ("arrays",)
    pace_seconds: ClassVar[float] = 15

    def __init__(self, paths: HostPaths) -> None:
        self._paths = paths

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        if not _array_names(paths):
            raise Unavailable("no software RAID array")
        return cls(paths)

    def collect(self, now: float) -> Metrics:
        found = {name: array_metrics(read_array(self._paths, name)) for name in _array_names(self._paths)}
        return Metrics(arrays={name: array for name, array in found.items() if array is not None} or None)


def read_array(paths: HostPaths, name: str) -> Array:
    def attribute(field: str) -> str:
        return paths.sys(f"block/{name}/md/{field}")

    members = [entry for entry in list_names(attribute("")) if entry.startswith("dev-")]
    return Array(
        state=read_text_or_none(attribute("array_state")) or "",
        level=read_text_or_none(attribute("level")) or "",
        slots=read_number_or_none(attribute("raid_disks")),
        degraded=read_number_or_none(attribute("degraded")) or 0,
        members=tuple(_flags(read_text_or_none(attribute(f"{member}/state"))) for member in members),
        sync_action=read_text_or_none(attribute("sync_action")) or "idle",
        sync_completed=read_text_or_none(attribute("sync_completed")) or "none",
        sync_kibibytes_per_second=read_number_or_none(attribute("sync_speed")),
        mismatches=read_number_or_none(attribute("mismatch_cnt")),
        sectors=read_number_or_none(paths.sys(f"block/{name}/size")),
    )


def array_metrics(array: Array) -> ArrayMetrics | None:
    """None of what is no array, or none yet."""
    if array.state == "clear" or array.level in _NO_ARRAY_LEVELS:
        return None
    findings = find_faults(array)
    sparse = _is_sparse(array)
    in_sync = sum("in_sync" in flags for flags in array.members)
    syncing = array.sync_action != "idle"
    return ArrayMetrics(
        severity=worst(findings) if array.state else None,
        state=in_words(findings, array.state or "unknown"),
        level=array.level,
        total_bytes=None if array.sectors is None else array.sectors * _SECTOR_BYTES,
        members=in_sync if sparse else array.slots,
        members_missing=0 if sparse else array.degraded,
        spares=sum("spare" in flags for flags in array.members),
        sync_percent=parse_sync_percent(array.sync_completed) if syncing else None,
        sync_bytes_per_second=_bytes(array.sync_kibibytes_per_second) if syncing else None,
        mismatches=array.mismatches,
    )


def find_faults(array: Array) -> list[Finding]:
    faulty = sum("faulty" in flags for flags in array.members)
    findings = []
    if array.state in _STOPPED:
        findings.append(Finding(FAILED, array.state))
    if faulty:
        findings.append(Finding(FAILED, f"{faulty} faulty"))
    if _is_sparse(array):
        findings.append(Finding(CONCERN, "more slots than drives"))
    elif array.degraded:
        findings.append(Finding(FAILED, f"degraded, {array.degraded} of {array.slots} missing"))
    if array.sync_action in _REPAIRS:
        findings.append(Finding(CONCERN, array.sync_action))
    if array.mismatches:
        findings.append(Finding(CONCERN, f"{array.mismatches} mismatches"))
    return findings


def parse_sync_percent(text: str) -> float | None:
    """Of `1000 / 4000`, in sectors; None of `none` and `delayed`."""
    done, _, total = text.partition("/")
    try:
        return share(int(done), int(total))
    except ValueError:
        return None


def _is_sparse(array: Array) -> bool:
    """All drives that are there are in sync; the slots that miss one never had any."""
    slots, members = array.slots or 0, len(array.members)
    return (
        array.level == "raid1"
        and slots >= _SPARSE_SLOTS
        and members > 0
        and array.degraded == slots - members
        and all("in_sync" in flags and "faulty" not in flags for flags in array.members)
    )


def _array_names(paths: HostPaths) -> list[str]:
    names = [name for name in list_names(paths.sys("block")) if name.startswith("md")]
    return [name for name in names if read_text_or_none(paths.sys(f"block/{name}/md/level")) is not None][:_MAX_ARRAYS]


def _flags(state: str | None) -> frozenset[str]:
    return frozenset((state or "").split(","))


def _bytes(kibibytes: int | None) -> int | None:
    return None if kibibytes is None else kibibytes << 10
