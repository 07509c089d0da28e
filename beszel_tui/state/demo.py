"""A fleet that does not exist, for pictures, trying out and tests: every number follows from system and time alone."""

import math
from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from beszel_protocol.addresses import parse_address, read_value
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.details import HostDetails
from beszel_protocol.feed import FleetRow, HostContainers
from beszel_protocol.processes import ProcessList, ProcessOrder
from beszel_protocol.sample import (
    ContainerMetrics,
    CpuMetrics,
    InterfaceMetrics,
    MemoryMetrics,
    Metrics,
    NetworkMetrics,
    ProcessMetrics,
    ServiceMetrics,
)
from beszel_protocol.storage import DiskMetrics
from beszel_tui.state.demo_containers import demo_containers
from beszel_tui.state.demo_devices import demo_fans, demo_gpus, demo_power, demo_temperatures
from beszel_tui.state.demo_hosts import HOSTS, Host
from beszel_tui.state.demo_things import demo_process_list, demo_things
from beszel_tui.state.series import BUCKET_MS, TRAIL_BUCKETS, Columns, Lane, Trail, trail_from
from beszel_tui.state.waves import hash_share, noise, wave

_GIB: Final = 1 << 30
_DAY: Final = 86_400
_OPEN: Final = "containers[]"


_BY_ID: Final = {f"demo{index:011d}": host for index, host in enumerate(HOSTS)}


def demo_rows(at_ms: int) -> list[FleetRow]:
    return [_row(system_id, host, at_ms) for system_id, host in _BY_ID.items()]


def demo_metrics(system_id: str, at_ms: int) -> Metrics:
    host = _BY_ID[system_id]
    cpu = _cpu(host, at_ms)
    received, sent = _received(host, at_ms), _sent(host, at_ms)
    memory_total = host.memory_gib * _GIB
    memory = _memory(host, at_ms)
    return Metrics(
        cpu=CpuMetrics(
            usage_percent=cpu,
            user_percent=cpu * 0.64,
            system_percent=cpu * 0.27,
            iowait_percent=wave(host.name + "iowait", at_ms, 47) * 4,
            steal_percent=0.0,
            cores_percent=[
                _bounded(host.cpu + host.swing * 1.6 * noise(f"{host.name}{core}", at_ms, 21))
                for core in range(host.cores)
            ],
            load_average=_load(host, at_ms),
        ),
        memory=MemoryMetrics(
            total_bytes=memory_total,
            used_bytes=int(memory_total * memory / 100),
            usage_percent=memory,
            cache_bytes=int(memory_total * (100 - memory) / 100 * 0.6),
            swap_total_bytes=2 * _GIB,
            swap_used_bytes=int(_GIB * 0.3 * wave(host.name + "swap", at_ms, 900)),
        ),
        disk={"/": _disk(host, "/", host.disk, 240, at_ms), "/srv": _disk(host, "/srv", host.disk * 0.8, 1800, at_ms)},
        network=NetworkMetrics(
            recv_bytes_per_second=received,
            sent_bytes_per_second=sent,
            interfaces={
                "eth0": InterfaceMetrics(recv_bytes_per_second=received * 0.9, sent_bytes_per_second=sent * 0.9),
                "wg0": InterfaceMetrics(recv_bytes_per_second=received * 0.1, sent_bytes_per_second=sent * 0.1),
            },
        ),
        temperatures=demo_temperatures(host, at_ms),
        fans=demo_fans(host, at_ms),
        gpus=demo_gpus(host, at_ms),
        batteries=demo_power(host, at_ms).batteries,
        ups=demo_power(host, at_ms).ups,
        services=ServiceMetrics(total=_services(host), failed=host.failed),
        containers=_container_usage(host, at_ms),
        uptime_seconds=_uptime(host, at_ms),
    )


def demo_sample(system_id: str, at_ms: int) -> Metrics:
    """With what no chart draws, which is dear to think up for every instant of a history."""
    host = _BY_ID[system_id]
    metrics = demo_metrics(system_id, at_ms)
    things = demo_things(host, _services(host), at_ms)
    return replace(
        metrics,
        arrays=things.arrays,
        pools=things.pools,
        smart=things.smart,
        checks=things.checks,
        services=things.services,
        top_processes=demo_process_list(host, at_ms).processes[:5],
    )


def demo_processes(system_id: str, by: ProcessOrder, at_ms: int) -> ProcessList:
    told = demo_process_list(_BY_ID[system_id], at_ms)
    first = sorted(told.processes, key=lambda process: _used(process, by), reverse=True)
    return ProcessList(counts=told.counts, processes=first)


def _used(process: ProcessMetrics, by: ProcessOrder) -> float:
    if by == "cpu":
        return process.cpu_percent or 0.0
    if by == "memory":
        return process.memory_bytes or 0.0
    return (process.read_bytes_per_second or 0.0) + (process.write_bytes_per_second or 0.0)


def demo_host_containers(system_id: str, at_ms: int) -> HostContainers | None:
    """None for a host that runs none, or is not there to tell."""
    host = _BY_ID[system_id]
    told = demo_containers(host.name, host.tags, at_ms) if host.status == "up" else None
    if told is None:
        return None
    return HostContainers(system=system_id, facts=told.facts, usage=told.usage, updated_ms=at_ms)


def demo_container(system_id: str, container_id: str) -> ContainerFacts | None:
    told = demo_host_containers(system_id, 0)
    return next((facts for facts in (told.facts or () if told else ()) if facts.id == container_id), None)


def demo_container_trails(system_id: str, names: Sequence[str], at_ms: int) -> dict[str, Trail]:
    """By name, of those that run."""
    bucket = at_ms // BUCKET_MS
    means: dict[str, list[float | None]] = {name: [] for name in names}
    for back in range(TRAIL_BUCKETS, 0, -1):
        told = demo_host_containers(system_id, (bucket - back) * BUCKET_MS)
        used = {usage.name: usage.cpu_percent for usage in (told.usage or () if told else ())}
        for name, readings in means.items():
            readings.append(used.get(name))
    return {name: trail_from(bucket, readings) for name, readings in means.items() if any(readings)}


def demo_details(system_id: str) -> HostDetails:
    host = _BY_ID[system_id]
    arm = host.name.endswith(("-pi", "-arm"))
    return HostDetails(
        hostname=host.name,
        os="linux",
        os_name="Debian GNU/Linux 12 (bookworm)",
        kernel="6.1.0-42-arm64" if arm else "6.1.0-42-amd64",
        architecture="aarch64" if arm else "x86_64",
        cpu_model="Cortex-A76" if arm else "AMD EPYC 7543P",
        cores=host.cores,
        threads=host.cores,
        memory_total_bytes=host.memory_gib * _GIB,
        agent_version="0.1.0",
    )


def demo_columns(system_id: str, addresses: list[str], start_ms: int, end_ms: int, points: int) -> Columns:
    """History in the hub's shape: at most `points` clock-aligned buckets, with an outage in it now and then."""
    resolution_ms = max(1000, -(-(end_ms - start_ms) // points // 1000) * 1000)
    first = start_ms // resolution_ms * resolution_ms
    instants = tuple(range(first, end_ms, resolution_ms))
    addresses = [named for text in addresses for named in _named(system_id, text, start_ms)]
    spread = 0.0 if resolution_ms <= 1000 else min(0.5, resolution_ms / 600_000)
    read = _reader(system_id, addresses)
    readings: dict[str, list[float | None]] = {text: [] for text in addresses}
    for instant in instants:
        values = [None] * len(addresses) if _is_outage(system_id, instant) else read(instant)
        for text, value in zip(addresses, values, strict=True):
            readings[text].append(value)
    lanes: dict[str, Lane] = {}
    for text, values in readings.items():
        low = tuple(None if value is None else value * (1 - spread) for value in values)
        top = 100.0 if text.endswith("percent") else math.inf
        high = tuple(None if value is None else min(top, value * (1 + spread * 0.6)) for value in values)
        lanes[text] = Lane(tuple(values), low, high) if spread else Lane.exact(tuple(values))
    return Columns(resolution_ms=resolution_ms, timestamps_ms=instants, lanes=lanes)


def _named(system_id: str, text: str, at_ms: int) -> list[str]:
    """What an address stands for: with an empty key, each of the host's containers."""
    if not text.startswith(_OPEN):
        return [text]
    host = _BY_ID[system_id]
    used = _container_usage(host, at_ms) if host.status == "up" else None
    return [f"containers[{each.name}]{text.removeprefix(_OPEN)}" for each in used or ()]


def _reader(system_id: str, addresses: list[str]) -> Callable[[int], list[float | None]]:
    """What the series are at an instant; of those that the fleet shows without thinking up a whole sample."""
    host = _BY_ID[system_id]
    known = [_HEADLINE.get(text) for text in addresses]
    if None not in known:
        return lambda at_ms: [number(host, at_ms) for number in known if number is not None]
    parsed = [parse_address(text) for text in addresses]
    if all(address[0].name == "containers" for address in parsed):
        return lambda at_ms: [
            read_value(metrics, address)
            for metrics in [Metrics(containers=_container_usage(host, at_ms))]
            for address in parsed
        ]

    def read(at_ms: int) -> list[float | None]:
        metrics = demo_metrics(system_id, at_ms)
        return [read_value(metrics, address) for address in parsed]

    return read


def demo_trail(system_id: str, at_ms: int) -> Trail | None:
    host = _BY_ID[system_id]
    if host.status != "up":
        return None
    bucket = at_ms // BUCKET_MS
    return trail_from(bucket, (_cpu(host, (bucket - back) * BUCKET_MS) for back in range(TRAIL_BUCKETS, 0, -1)))


def _container_usage(host: Host, at_ms: int) -> list[ContainerMetrics] | None:
    told = demo_containers(host.name, host.tags, at_ms)
    return None if told is None else told.usage


def _row(system_id: str, host: Host, at_ms: int) -> FleetRow:
    if host.status != "up":
        silent_ms = 4 * 60_000 + 20_000
        return FleetRow(
            id=system_id, name=host.name, host=f"{host.name}.example.net", status=host.status, tags=list(host.tags),
            updated_ms=_start_of_day(at_ms) if host.status == "paused" else at_ms - silent_ms,
        )  # fmt: skip
    return FleetRow(
        id=system_id,
        name=host.name,
        host=f"{host.name}.example.net",
        status="up",
        updated_ms=at_ms,
        cpu_percent=_cpu(host, at_ms),
        memory_percent=_memory(host, at_ms),
        disk_percent=host.disk,
        recv_bytes_per_second=_received(host, at_ms),
        sent_bytes_per_second=_sent(host, at_ms),
        load_average=_load(host, at_ms),
        temperature_celsius=None if host.celsius is None else host.celsius + 3 * noise(host.name + "t", at_ms, 60),
        services_total=_services(host),
        services_failed=host.failed,
        uptime_seconds=_uptime(host, at_ms),
        cores=host.cores,
        agent_version="0.1.0",
        encrypted=True,
        tags=list(host.tags),
    )


def _disk(host: Host, mount: str, percent: float, size_gib: int, at_ms: int) -> DiskMetrics:
    busy = wave(host.name + mount, at_ms, 35)
    return DiskMetrics(
        total_bytes=size_gib * _GIB,
        used_bytes=int(size_gib * _GIB * percent / 100),
        usage_percent=percent,
        read_bytes_per_second=host.traffic * 0.7 * busy,
        write_bytes_per_second=host.traffic * 1.3 * wave(host.name + mount + "w", at_ms, 22),
        utilization_percent=_bounded(busy * host.cpu * 0.7),
    )


def _cpu(host: Host, at_ms: int) -> float:
    return _bounded(host.cpu + host.swing * noise(host.name, at_ms, 40))


def _memory(host: Host, at_ms: int) -> float:
    return _bounded(host.memory + 4 * noise(host.name + "mem", at_ms, 600))


def _load(host: Host, at_ms: int) -> list[float]:
    return [
        round(max(0.0, host.cores * (host.cpu + host.swing * noise(host.name, at_ms, period)) / 90), 2)
        for period in (60, 300, 900)
    ]


def _received(host: Host, at_ms: int) -> float:
    return host.traffic * (0.4 + 1.2 * wave(host.name + "rx", at_ms, 28))


def _sent(host: Host, at_ms: int) -> float:
    return host.traffic * 0.28 * (0.3 + 1.4 * wave(host.name + "tx", at_ms, 33))


def _services(host: Host) -> int:
    return 24 + int(hash_share(host.name) * 40)


def _uptime(host: Host, at_ms: int) -> float:
    return host.days_up * _DAY + at_ms / 1000 % _DAY


_HEADLINE: Final[dict[str, Callable[[Host, int], float]]] = {
    "cpu.usage_percent": _cpu,
    "memory.usage_percent": _memory,
    "disk[/].usage_percent": lambda host, _: host.disk,
    "network.sent_bytes_per_second": _sent,
    "network.recv_bytes_per_second": _received,
    "uptime_seconds": _uptime,
    "cpu.load_average[0]": lambda host, at_ms: _load(host, at_ms)[0],
}


def _start_of_day(at_ms: int) -> int:
    return at_ms // (_DAY * 1000) * _DAY * 1000


def _is_outage(system_id: str, at_ms: int) -> bool:
    """Eleven minutes, every seven hours or so."""
    return (at_ms // 1000 + int(hash_share(system_id) * 20_000)) % 25_200 < 660


def _bounded(percent: float) -> float:
    return max(0.2, min(100.0, percent))
