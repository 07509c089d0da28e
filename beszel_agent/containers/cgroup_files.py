"""What the files of a cgroup say, of version 1 and 2; pure.

Formats are those of the kernel's `admin-guide/cgroup-v2` and `admin-guide/cgroup-v1`. A file without the number that is
looked for gives None; one that does not hold numbers raises ValueError.
"""

from collections.abc import Container
from typing import NamedTuple

_KB = 1 << 10
_LOOPBACK = b"lo"
_STACKED_INSIDE = (b"br-", b"cali", b"cni", b"docker", b"flannel", b"podman", b"tunl", b"veth", b"virbr", b"lxdbr")
"""Interfaces of a container that runs containers itself: what they carry is counted once more where it leaves."""


class CpuTime(NamedTuple):
    cpu_ns: int | None
    periods: int | None
    throttled_periods: int | None


class Transferred(NamedTuple):
    """Bytes in both directions; of the network received and sent, of disks read and written."""

    into: int
    out: int


def parse_number(text: bytes) -> int | None:
    """None for `max`."""
    word = text.strip()
    return None if word == b"max" else int(word)


def find_number(text: bytes, name: bytes) -> int | None:
    """The number behind `name` in lines of the form `name number`, without taking the rest apart."""
    start = 0 if text.startswith(name + b" ") else text.find(b"\n" + name + b" ") + 1
    if start == 0 and not text.startswith(name + b" "):
        return None
    start += len(name) + 1
    end = text.find(b"\n", start)
    return int(text[start:end] if end >= 0 else text[start:])


def parse_cpu_stat(text: bytes) -> CpuTime:
    """`cpu.stat` of version 2; of version 1 only the periods."""
    spent_us = find_number(text, b"usage_usec")
    return CpuTime(
        None if spent_us is None else spent_us * 1000,
        find_number(text, b"nr_periods"),
        find_number(text, b"nr_throttled"),
    )


def parse_io_stat(text: bytes, stacked: Container[bytes]) -> Transferred:
    """`io.stat`: `8:0 rbytes=1 wbytes=2 …` a device. Those in `stacked` lie on others that count the same bytes."""
    into = out = 0
    for line in text.splitlines():
        words = line.split()
        if not words or words[0] in stacked:
            continue
        for word in words[1:]:
            if word.startswith(b"rbytes="):
                into += int(word[7:])
            elif word.startswith(b"wbytes="):
                out += int(word[7:])
    return Transferred(into, out)


def parse_blkio(text: bytes, stacked: Container[bytes]) -> Transferred | None:
    """`blkio.throttle.io_service_bytes`: `8:0 Read 1`, `8:0 Write 2` … a device, `Total 3` at the end.

    None without a device: kernels from 6.10 on only count where a limit is set, and there is no telling which it is.
    """
    into = out = 0
    counted = False
    for line in text.splitlines():
        words = line.split()
        if len(words) != 3:
            continue
        counted = True
        if words[0] in stacked:
            continue
        if words[1] == b"Read":
            into += int(words[2])
        elif words[1] == b"Write":
            out += int(words[2])
    return Transferred(into, out) if counted else None


def parse_traffic(text: bytes) -> Transferred | None:
    """`net/dev` of proc(5): all interfaces but loopback and those for containers within; None if there is no other."""
    into = out = 0
    found = False
    for line in text.splitlines()[2:]:
        name, colon, rest = line.rpartition(b":")
        name = name.strip()
        if not colon or name == _LOOPBACK or name.startswith(_STACKED_INSIDE):
            continue
        words = rest.split(None, 9)
        into += int(words[0])
        out += int(words[8])
        found = True
    return Transferred(into, out) if found else None


def parse_cgroup_table(text: str) -> dict[str, str]:
    """`/proc/<pid>/cgroup`: the path of a process by controller; that under version 2 by the empty name."""
    paths: dict[str, str] = {}
    for line in text.splitlines():
        _, _, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        if colon and path.startswith("/"):
            for controller in controllers.split(","):
                paths.setdefault(controller, path)
    return paths


def parse_cpu_max(text: bytes) -> float | None:
    """`cpu.max`: quota and period in microseconds; how many processors that is, None without a limit."""
    words = text.split()
    if len(words) != 2 or words[0] == b"max":
        return None
    return _cores(int(words[0]), int(words[1]))


def parse_cpu_quota(quota: bytes, period: bytes) -> float | None:
    """`cpu.cfs_quota_us` and `cpu.cfs_period_us`."""
    return _cores(int(quota), int(period))


def parse_memory_limit(text: bytes) -> int | None:
    """`memory.max` or `memory.limit_in_bytes`; version 1 writes no limit as the largest number of whole pages."""
    limit = parse_number(text)
    return limit if limit is not None and limit < (1 << 63) - 64 * _KB else None


def _cores(quota: int, period: int) -> float | None:
    return quota / period if quota > 0 and period > 0 else None
