"""Beszel's statistics as samples: its short keys, its gibibytes and mebibytes, into ours (`beszel_protocol.sample`).

Pure. What a row does not have is absent; what cannot be is taken out as in a sample from an agent.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from beszel_hub.systems.headline import ROOT_MOUNT
from beszel_hub.takeover.values import as_number, number_of, numbers_of, object_of
from beszel_protocol.hygiene import clean
from beszel_protocol.sample import (
    BatteryMetrics,
    ContainerMetrics,
    CpuMetrics,
    GpuMetrics,
    InterfaceMetrics,
    MemoryMetrics,
    Metrics,
    NetworkMetrics,
)
from beszel_protocol.storage import DiskMetrics

_GIB: Final = 1 << 30
_MIB: Final = 1 << 20
_BATTERY_STATES: Final = {1: "empty", 2: "full", 3: "charging", 4: "discharging", 5: "idle"}
_Document = Mapping[str, Any]
StructT = TypeVar("StructT", bound=msgspec.Struct)


def metrics_of_system(stats: _Document) -> Metrics:
    """From the `stats` of a row of `system_stats`."""
    metrics = Metrics(
        cpu=_cpu(stats),
        memory=_memory(stats),
        disk=_disks(stats),
        network=_network(stats),
        temperatures=_numbers_by_name(stats, "t"),
        fans=_numbers_by_name(stats, "f"),
        batteries=_batteries(stats),
        gpus={name: _gpu(gpu) for name, gpu in object_of(stats, "g").items() if isinstance(gpu, dict)},
    )
    return _without_empty(clean(metrics))


def metrics_of_containers(stats: Any) -> Metrics:
    """From the `stats` of a row of `container_stats`: a list, one object a container."""
    items = [item for item in stats if isinstance(item, dict)] if isinstance(stats, list) else []
    by_name = {item["n"]: item for item in items if isinstance(item.get("n"), str) and item["n"]}
    return clean(Metrics(containers=[_container(name, item) for name, item in by_name.items()] or None))


def _cpu(stats: _Document) -> CpuMetrics:
    user, system, iowait, steal = numbers_of(stats, "cpub", 4)
    cores = stats.get("cpus")
    return CpuMetrics(
        usage_percent=number_of(stats, "cpu"),
        user_percent=user,
        system_percent=system,
        iowait_percent=iowait,
        steal_percent=steal,
        cores_percent=_whole([as_number(core) for core in cores]) if isinstance(cores, list) else None,
        load_average=_whole(numbers_of(stats, "la", 3)) or _whole([number_of(stats, f"l{m}") for m in (1, 5, 15)]),
    )


def _memory(stats: _Document) -> MemoryMetrics:
    return MemoryMetrics(
        total_bytes=_bytes(stats, "m", _GIB),
        used_bytes=_bytes(stats, "mu", _GIB),
        usage_percent=number_of(stats, "mp"),
        cache_bytes=_bytes(stats, "mb", _GIB),
        zfs_arc_bytes=_bytes(stats, "mz", _GIB),
        swap_total_bytes=_bytes(stats, "s", _GIB),
        swap_used_bytes=_bytes(stats, "su", _GIB),
    )


def _disks(stats: _Document) -> dict[str, DiskMetrics]:
    disks = {
        name: _disk(disk, "rb", "wb", "r", "w", None)
        for name, disk in object_of(stats, "efs").items()
        if isinstance(disk, dict)
    }
    read, write = numbers_of(stats, "dio", 2)
    root = _disk({**stats, "rb": read, "wb": write}, "rb", "wb", "dr", "dw", number_of(stats, "dp"))
    return {ROOT_MOUNT: root, **disks}


def _disk(  # the names of the same numbers differ between the root and the others
    disk: _Document, read: str, write: str, read_mib: str, write_mib: str, usage_percent: float | None
) -> DiskMetrics:
    total, used = number_of(disk, "d"), number_of(disk, "du")
    if usage_percent is None and total and used is not None:
        usage_percent = used / total * 100
    read_time, write_time, utilization, read_await, write_await, queue = numbers_of(disk, "dios", 6)
    return DiskMetrics(
        total_bytes=_bytes(disk, "d", _GIB),
        used_bytes=_bytes(disk, "du", _GIB),
        usage_percent=usage_percent,
        read_bytes_per_second=_rate(disk, read, read_mib),
        write_bytes_per_second=_rate(disk, write, write_mib),
        read_time_percent=read_time,
        write_time_percent=write_time,
        utilization_percent=utilization,
        read_await_ms=read_await,
        write_await_ms=write_await,
        queue_depth=None if queue is None else queue / 100,
    )


def _network(stats: _Document) -> NetworkMetrics:
    sent, received = numbers_of(stats, "b", 2)
    together = {"sent": sent, "received": received, **stats}
    return NetworkMetrics(
        sent_bytes_per_second=_rate(together, "sent", "ns"),
        recv_bytes_per_second=_rate(together, "received", "nr"),
        interfaces={name: _interface(object_of(stats, "ni"), name) for name in object_of(stats, "ni")},
    )


def _interface(interfaces: _Document, name: str) -> InterfaceMetrics:
    up, down, sent, received = numbers_of(interfaces, name, 4)
    return InterfaceMetrics(
        sent_bytes_per_second=up,
        recv_bytes_per_second=down,
        bytes_sent=None if sent is None else int(sent),
        bytes_recv=None if received is None else int(received),
    )


def _batteries(stats: _Document) -> dict[str, BatteryMetrics]:
    """The primary one has a state, and no name of its own before Beszel told all of them."""
    charge, state = numbers_of(stats, "bat", 2)
    batteries = {
        name: BatteryMetrics(charge_percent=percent) for name, percent in _numbers_by_name(stats, "bats").items()
    }
    if not batteries and charge is not None:
        batteries["battery"] = BatteryMetrics(charge_percent=charge)
    name = next((name for name, battery in batteries.items() if battery.charge_percent == charge), None)
    if name is not None and state is not None:
        batteries[name] = msgspec.structs.replace(batteries[name], state=_BATTERY_STATES.get(int(state)))
    return batteries


def _gpu(gpu: _Document) -> GpuMetrics:
    return GpuMetrics(
        name=gpu["n"] if isinstance(gpu.get("n"), str) else None,
        usage_percent=number_of(gpu, "u"),
        memory_used_bytes=_bytes(gpu, "mu", _MIB),
        memory_total_bytes=_bytes(gpu, "mt", _MIB),
        power_watts=number_of(gpu, "p"),
        package_power_watts=number_of(gpu, "pp"),
        engines_percent=_numbers_by_name(gpu, "e"),
    )


def _container(name: str, item: _Document) -> ContainerMetrics:
    sent, received = numbers_of(item, "b", 2)
    together = {"sent": sent, "received": received, **item}
    return ContainerMetrics(
        id="",
        name=name,
        cpu_percent=number_of(item, "c"),
        memory_bytes=_bytes(item, "m", _MIB),
        tx_bytes_per_second=_rate(together, "sent", "ns"),
        rx_bytes_per_second=_rate(together, "received", "nr"),
    )


def _numbers_by_name(document: _Document, name: str) -> dict[str, float]:
    found = {key: as_number(value) for key, value in object_of(document, name).items()}
    return {key: value for key, value in found.items() if value is not None}


def _bytes(document: _Document, name: str, unit: int) -> int | None:
    value = number_of(document, name)
    return None if value is None else round(value * unit)


def _rate(document: _Document, name: str, mebibytes_name: str) -> float | None:
    """Bytes a second, which older rows have in mebibytes."""
    value = number_of(document, name)
    if value is not None:
        return value
    mebibytes = number_of(document, mebibytes_name)
    return None if mebibytes is None else mebibytes * _MIB


def _whole(items: list[float | None]) -> list[float] | None:
    """A list is addressed by position, so one that lacks an item is none."""
    present = [item for item in items if item is not None]
    return present if present and len(present) == len(items) else None


def _without_empty(struct: StructT) -> StructT:
    """A part in which nothing was read is absent."""
    kept: dict[str, Any] = {}
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        if isinstance(value, dict):
            items = {
                key: _without_empty(item) if isinstance(item, msgspec.Struct) else item for key, item in value.items()
            }
            value = {key: item for key, item in items.items() if not _is_empty(item)}
        elif isinstance(value, msgspec.Struct):
            value = _without_empty(value)
        kept[name] = None if _is_empty(value) else value
    return msgspec.structs.replace(struct, **kept)


def _is_empty(value: Any) -> bool:
    return value == type(value)() if isinstance(value, msgspec.Struct) else value == {}
