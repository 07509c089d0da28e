"""A fleet that does not exist, for pictures, trying out and tests: every number follows from system and time alone."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from beszel_protocol.addresses import parse_address, read_value
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.details import HostDetails
from beszel_protocol.feed import FleetRow, HostContainers, SystemStatus
from beszel_protocol.sample import (
    ContainerMetrics,
    CpuMetrics,
    DiskMetrics,
    InterfaceMetrics,
    MemoryMetrics,
    Metrics,
    NetworkMetrics,
    ServiceMetrics,
)
from beszel_tui.state.demo_containers import demo_containers
from beszel_tui.state.series import BUCKET_MS, TRAIL_BUCKETS, Columns, Lane, Trail, trail_from
from beszel_tui.state.waves import hash_share, noise, wave

_GIB: Final = 1 << 30
_DAY: Final = 86_400


class Host(NamedTuple):
    name: str
    tags: tuple[str, ...]
    cpu: float
    """Usual processor usage in percent."""
    swing: float
    memory: float
    disk: float
    traffic: float
    """Usual bytes a second received."""
    cores: int
    memory_gib: int
    days_up: int
    celsius: float | None = None
    status: SystemStatus = "up"
    failed: int = 0


HOSTS: Final[tuple[Host, ...]] = (
    Host("web-1", ("prod", "web"), 38, 22, 62, 44, 1.6e6, 8, 16, 41, 54),
    Host("web-2", ("prod", "web"), 35, 20, 60, 43, 1.5e6, 8, 16, 41, 53),
    Host("web-3", ("prod", "web"), 41, 24, 66, 47, 1.7e6, 8, 16, 12, 57),
    Host("edge-ams", ("prod", "edge"), 17, 9, 31, 22, 22e6, 4, 8, 203, 47),
    Host("edge-fra", ("prod", "edge"), 21, 11, 34, 24, 31e6, 4, 8, 203, 49),
    Host("edge-sin", ("prod", "edge"), 12, 7, 29, 21, 12e6, 4, 8, 90, 51),
    Host("db-1", ("prod", "db"), 93, 6, 92, 81, 8.9e6, 16, 128, 120, 71, failed=1),
    Host("db-2", ("prod", "db"), 44, 12, 84, 80, 5.1e6, 16, 128, 120, 63),
    Host("db-replica", ("prod", "db"), 26, 9, 78, 80, 4.8e6, 16, 128, 77, 58),
    Host("cache-1", ("prod",), 9, 5, 88, 12, 6.4e6, 4, 64, 64, 44),
    Host("queue-1", ("prod",), 14, 10, 41, 18, 2.2e6, 4, 16, 64, 46),
    Host("search-1", ("prod",), 57, 18, 74, 69, 3.0e6, 16, 64, 33, 66),
    Host("search-2", ("prod",), 52, 17, 71, 67, 2.8e6, 16, 64, 33, 64),
    Host("mail", ("prod",), 6, 4, 48, 58, 1.1e5, 2, 4, 318, 41),
    Host("git", ("tools",), 11, 12, 52, 72, 4.2e5, 4, 16, 145, 48),
    Host("ci-runner-1", ("tools", "ci"), 74, 28, 58, 61, 9.0e6, 32, 64, 9, 78),
    Host("ci-runner-2", ("tools", "ci"), 68, 30, 55, 63, 8.2e6, 32, 64, 9, 76),
    Host("ci-runner-3", ("tools", "ci"), 3, 2, 22, 59, 3.1e4, 32, 64, 9, 45),
    Host("registry", ("tools",), 5, 6, 38, 91, 7.4e5, 4, 8, 145, 43),
    Host("metrics", ("tools",), 16, 6, 64, 55, 3.6e5, 4, 16, 58, 50),
    Host("backup", ("storage",), 2, 3, 24, 94, 5.5e4, 4, 8, 402, 39, failed=2),
    Host("nas", ("storage", "home"), 4, 3, 36, 77, 2.4e5, 4, 16, 0, 42, status="down"),
    Host("nas-cold", ("storage",), 1, 1, 18, 88, 9.0e3, 2, 8, 402, 36),
    Host("gpu-box", ("lab",), 31, 14, 47, 51, 6.0e5, 24, 128, 6, 69),
    Host("staging-1", ("staging",), 13, 9, 45, 39, 1.2e5, 4, 8, 20, 49),
    Host("staging-2", ("staging",), 10, 8, 43, 38, 1.0e5, 4, 8, 20, 48),
    Host("staging-db", ("staging", "db"), 18, 10, 69, 52, 2.0e5, 4, 16, 20, 52),
    Host("dev-ada", ("dev",), 22, 18, 57, 64, 7.7e4, 8, 32, 3, 55),
    Host("dev-grace", ("dev",), 8, 9, 49, 60, 5.2e4, 8, 32, 5, 50),
    Host("dev-linus", ("dev",), 47, 26, 81, 79, 3.3e5, 12, 32, 1, 73),
    Host("vpn", ("infra",), 7, 3, 26, 15, 4.1e6, 2, 2, 187),
    Host("dns-1", ("infra",), 3, 1, 21, 11, 2.3e4, 1, 1, 277),
    Host("dns-2", ("infra",), 3, 1, 20, 11, 2.1e4, 1, 1, 277),
    Host("proxy", ("infra",), 15, 7, 33, 19, 9.8e6, 4, 4, 187, 46),
    Host("bastion", ("infra",), 1, 1, 17, 14, 8.0e3, 1, 2, 365),
    Host("ldap", ("infra",), 2, 1, 30, 16, 1.5e4, 1, 2, 277),
    Host("monitor-pi", ("home",), 19, 6, 55, 48, 2.6e4, 4, 4, 88, 58),
    Host("media", ("home",), 28, 16, 63, 86, 3.9e6, 6, 16, 26, 61),
    Host("router", ("home",), 6, 3, 27, 9, 5.8e6, 2, 1, 240, 52),
    Host("printer-pi", ("home",), 2, 1, 33, 22, 1.2e3, 4, 1, 71, 47),
    Host("lab-pi", ("lab",), 5, 2, 40, 31, 4.0e3, 4, 8, 0, 49, status="paused"),
    Host("build-arm", ("lab", "ci"), 84, 10, 70, 57, 2.0e6, 8, 16, 14, 74),
)
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
        temperatures=None if host.celsius is None else _temperatures(host, at_ms),
        services=ServiceMetrics(total=_services(host), failed=host.failed),
        containers=_container_usage(host, at_ms),
        uptime_seconds=_uptime(host, at_ms),
    )


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
    spread = 0.0 if resolution_ms <= 1000 else min(0.5, resolution_ms / 600_000)
    parsed = [(text, parse_address(text)) for text in addresses]
    readings: dict[str, list[float | None]] = {text: [] for text in addresses}
    for instant in instants:
        metrics = None if _is_outage(system_id, instant) else demo_metrics(system_id, instant)
        for text, address in parsed:
            readings[text].append(None if metrics is None else read_value(metrics, address))
    lanes: dict[str, Lane] = {}
    for text, values in readings.items():
        low = tuple(None if value is None else value * (1 - spread) for value in values)
        top = 100.0 if text.endswith("percent") else math.inf
        high = tuple(None if value is None else min(top, value * (1 + spread * 0.6)) for value in values)
        lanes[text] = Lane(tuple(values), low, high) if spread else Lane.exact(tuple(values))
    return Columns(resolution_ms=resolution_ms, timestamps_ms=instants, lanes=lanes)


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


def _temperatures(host: Host, at_ms: int) -> dict[str, float]:
    celsius = host.celsius or 0.0
    return {
        "coretemp_package": celsius + 3 * noise(host.name + "t", at_ms, 60),
        "nvme_composite": celsius * 0.8 + 2 * noise(host.name + "n", at_ms, 130),
    }


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


def _start_of_day(at_ms: int) -> int:
    return at_ms // (_DAY * 1000) * _DAY * 1000


def _is_outage(system_id: str, at_ms: int) -> bool:
    """Eleven minutes, every seven hours or so."""
    return (at_ms // 1000 + int(hash_share(system_id) * 20_000)) % 25_200 < 660


def _bounded(percent: float) -> float:
    return max(0.2, min(100.0, percent))
