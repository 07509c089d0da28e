"""The few numbers of a sample that judge a system at a glance, and the `info` document that Beszel's clients read."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from beszel_protocol.sample import CpuMetrics, MemoryMetrics, Metrics, NetworkMetrics, ServiceMetrics
from beszel_protocol.storage import DiskMetrics

ROOT_MOUNT: Final = "/"
_WEBSOCKET: Final = 2
"""How Beszel numbers its ways of connecting."""
_NO_CPU: Final = CpuMetrics()
_NO_MEMORY: Final = MemoryMetrics()
_NO_DISK: Final = DiskMetrics()
_NO_NETWORK: Final = NetworkMetrics()
_NO_SERVICES: Final = ServiceMetrics()
_BATTERY_STATES: Final = {"empty": 1, "full": 2, "charging": 3, "discharging": 4, "idle": 5}


class Headline(msgspec.Struct, frozen=True, kw_only=True):
    """What a host cannot tell is None."""

    cpu_percent: float | None = None
    memory_percent: float | None = None
    disk_percent: float | None = None
    sent_bytes_per_second: float | None = None
    recv_bytes_per_second: float | None = None
    load_average: list[float] | None = None
    temperature_celsius: float | None = None
    gpu_percent: float | None = None
    services_total: int | None = None
    services_failed: int | None = None
    uptime_seconds: float | None = None


def make_headline(metrics: Metrics) -> Headline:
    cpu = metrics.cpu or _NO_CPU
    network = metrics.network or _NO_NETWORK
    services = metrics.services or _NO_SERVICES
    gpus = (metrics.gpus or {}).values()
    sensors = (metrics.temperatures or {}).values()
    return Headline(
        cpu_percent=cpu.usage_percent,
        memory_percent=(metrics.memory or _NO_MEMORY).usage_percent,
        disk_percent=(root_disk(metrics.disk) or _NO_DISK).usage_percent,
        sent_bytes_per_second=network.sent_bytes_per_second,
        recv_bytes_per_second=network.recv_bytes_per_second,
        load_average=cpu.load_average,
        temperature_celsius=_first(
            metrics.primary_temperature_celsius, _highest(sensors or [gpu.temperature_celsius for gpu in gpus])
        ),
        gpu_percent=_highest([gpu.usage_percent for gpu in gpus]),
        services_total=services.total,
        services_failed=services.failed,
        uptime_seconds=metrics.uptime_seconds,
    )


def root_disk(disks: dict[str, DiskMetrics] | None) -> DiskMetrics | None:
    """The root filesystem, or the only one of a host that names it otherwise."""
    if not disks:
        return None
    if ROOT_MOUNT in disks:
        return disks[ROOT_MOUNT]
    return next(iter(disks.values())) if len(disks) == 1 else None


def make_info(metrics: Metrics, *, agent_version: str, threads: int | None) -> dict[str, Any]:
    """The `info` of a system in Beszel's short keys; what is not known is left out."""
    headline = make_headline(metrics)
    info: dict[str, Any] = {
        "t": threads,
        "u": None if headline.uptime_seconds is None else int(headline.uptime_seconds),
        "cpu": _rounded(headline.cpu_percent),
        "mp": _rounded(headline.memory_percent),
        "dp": _rounded(headline.disk_percent),
        "bb": _total_rate(headline),
        "v": agent_version or None,
        "g": _rounded(headline.gpu_percent),
        "dt": _rounded(headline.temperature_celsius),
        "la": headline.load_average,
        "ct": _WEBSOCKET,
        "efs": _extra_filesystems(metrics.disk),
        "sv": None if headline.services_total is None else [headline.services_total, headline.services_failed or 0],
        "bat": _battery(metrics),
    }
    return {key: value for key, value in info.items() if value is not None}


def _total_rate(headline: Headline) -> int | None:
    rates = [rate for rate in (headline.sent_bytes_per_second, headline.recv_bytes_per_second) if rate is not None]
    return round(sum(rates)) if rates else None


def _extra_filesystems(disks: dict[str, DiskMetrics] | None) -> dict[str, float] | None:
    root = root_disk(disks)
    extra = {
        name: round(disk.usage_percent, 2)
        for name, disk in (disks or {}).items()
        if disk is not root and disk.usage_percent is not None
    }
    return extra or None


def _battery(metrics: Metrics) -> list[int] | None:
    for battery in (metrics.batteries or {}).values():
        if battery.charge_percent is not None:
            return [round(battery.charge_percent), _BATTERY_STATES.get(battery.state or "", 0)]
    return None


def _highest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
