"""A sample in the short keys that Beszel's clients read: GiB and MiB, percent, bytes a second. Pure.

What a host does not tell is left out, but for the handful of numbers that those clients calculate with unasked: they
stand as 0 there, as they do in Beszel.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from beszel_hub.systems.headline import root_disk
from beszel_protocol.sample import ContainerMetrics, CpuMetrics, GpuMetrics, MemoryMetrics, Metrics, NetworkMetrics
from beszel_protocol.storage import DiskMetrics

GIB: Final = 1 << 30
MIB: Final = 1 << 20
_ALWAYS: Final = ("cpu", "m", "mu", "mp", "mb", "d", "du", "dp")
_NO_LOAD: Final = [0.0, 0.0, 0.0]


def make_stats(metrics: Metrics) -> dict[str, Any]:
    """The `stats` of one instant."""
    root = root_disk(metrics.disk)
    stats = {
        **_cpu(metrics.cpu or CpuMetrics()),
        **_memory(metrics.memory or MemoryMetrics()),
        **_disk(root or DiskMetrics()),
        **_network(metrics.network or NetworkMetrics()),
        "efs": _by_name({name: disk for name, disk in (metrics.disk or {}).items() if disk is not root}, _filesystem),
        "t": _by_name(metrics.temperatures or {}, _round),
        "f": _by_name(metrics.fans or {}, _whole),
        "bats": _by_name(metrics.batteries or {}, lambda battery: _whole(battery.charge_percent)),
        "g": _by_name(metrics.gpus or {}, _gpu),
    }
    present = {key: value for key, value in stats.items() if value is not None}
    return {**dict.fromkeys(_ALWAYS, 0), "la": _NO_LOAD, **present}


def make_container_stats(containers: Iterable[ContainerMetrics]) -> list[dict[str, Any]]:
    """The `container` of one instant, and the `stats` of one row of `container_stats`."""
    return [
        {
            "n": container.name,
            "c": _round(container.cpu_percent) or 0,
            "m": _scaled(container.memory_bytes, MIB) or 0,
            "b": _pair(container.tx_bytes_per_second, container.rx_bytes_per_second) or [0, 0],
        }
        for container in containers
    ]


def _cpu(cpu: CpuMetrics) -> dict[str, Any]:
    shares = [cpu.user_percent, cpu.system_percent, cpu.iowait_percent, cpu.steal_percent]
    breakdown = None
    if cpu.usage_percent is not None and any(share is not None for share in shares):
        idle = max(0.0, 100 - cpu.usage_percent - (cpu.iowait_percent or 0))
        breakdown = [_round(share) or 0 for share in [*shares, idle]]
    return {
        "cpu": _round(cpu.usage_percent),
        "cpub": breakdown,
        "cpus": None if cpu.cores_percent is None else [round(core) for core in cpu.cores_percent],
        "la": cpu.load_average,
    }


def _memory(memory: MemoryMetrics) -> dict[str, Any]:
    return {
        "m": _scaled(memory.total_bytes, GIB),
        "mu": _scaled(memory.used_bytes, GIB),
        "mp": _round(memory.usage_percent),
        "mb": _scaled(memory.cache_bytes, GIB),
        "mz": _scaled(memory.zfs_arc_bytes, GIB),
        "s": _scaled(memory.swap_total_bytes, GIB),
        "su": _scaled(memory.swap_used_bytes, GIB),
    }


def _disk(disk: DiskMetrics) -> dict[str, Any]:
    return {
        "d": _scaled(disk.total_bytes, GIB),
        "du": _scaled(disk.used_bytes, GIB),
        "dp": _round(disk.usage_percent),
        "dio": _pair(disk.read_bytes_per_second, disk.write_bytes_per_second),
        "dios": _io_stats(disk),
    }


def _filesystem(disk: DiskMetrics) -> dict[str, Any]:
    filesystem = {
        "d": _scaled(disk.total_bytes, GIB) or 0,
        "du": _scaled(disk.used_bytes, GIB) or 0,
        "r": _scaled(disk.read_bytes_per_second, MIB) or 0,
        "w": _scaled(disk.write_bytes_per_second, MIB) or 0,
        "rb": _whole(disk.read_bytes_per_second),
        "wb": _whole(disk.write_bytes_per_second),
        "dios": _io_stats(disk),
    }
    return {key: value for key, value in filesystem.items() if value is not None}


def _io_stats(disk: DiskMetrics) -> list[float] | None:
    """Time reading, time writing and utilization in percent, both waits in milliseconds, the queue times 100."""
    queue = None if disk.queue_depth is None else disk.queue_depth * 100
    numbers = [
        disk.read_time_percent, disk.write_time_percent, disk.utilization_percent, disk.read_await_ms,
        disk.write_await_ms, queue,
    ]  # fmt: skip
    return None if all(number is None for number in numbers) else [_round(number) or 0 for number in numbers]


def _network(network: NetworkMetrics) -> dict[str, Any]:
    interfaces = {
        name: [
            _whole(interface.sent_bytes_per_second) or 0, _whole(interface.recv_bytes_per_second) or 0,
            interface.bytes_sent or 0, interface.bytes_recv or 0,
        ]
        for name, interface in (network.interfaces or {}).items()
    }  # fmt: skip
    return {"b": _pair(network.sent_bytes_per_second, network.recv_bytes_per_second), "ni": interfaces or None}


def _gpu(gpu: GpuMetrics) -> dict[str, Any]:
    numbers = {
        "n": gpu.name or "GPU",
        "mu": _scaled(gpu.memory_used_bytes, MIB),
        "mt": _scaled(gpu.memory_total_bytes, MIB),
        "u": _round(gpu.usage_percent),
        "p": _round(gpu.power_watts),
        "pp": _round(gpu.package_power_watts),
        "e": _by_name(gpu.engines_percent or {}, _round),
    }
    return {key: value for key, value in numbers.items() if value is not None}


def _by_name(parts: Mapping[str, Any], make: Callable[[Any], Any]) -> dict[str, Any] | None:
    made = {name: made_one for name, part in parts.items() if (made_one := make(part)) is not None}
    return made or None


def _pair(first: float | None, second: float | None) -> list[int] | None:
    return None if first is None and second is None else [_whole(first) or 0, _whole(second) or 0]


def _scaled(number: float | None, unit: int) -> float | None:
    return None if number is None else round(number / unit, 2)


def _round(number: float | None) -> float | None:
    return None if number is None else round(number, 2)


def _whole(number: float | None) -> int | None:
    return None if number is None else round(number)
