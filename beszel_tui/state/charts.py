"""Which charts there are, on which tab, and which series each draws: one table for screen, history and live columns."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from beszel_protocol.addresses import Address, Step, parse_address, read_value
from beszel_protocol.metrics import Unit
from beszel_protocol.sample import GpuMetrics, Metrics

MAX_LINES: Final = 8
"""Of one chart; more cannot be told apart."""
MAX_CHARTS: Final = 24
"""Of one tab: a host may report any number of disks, interfaces or sensors."""


MAX_CONTAINERS: Final = 32
"""With charts of theirs; the table has all."""


class Line(NamedTuple):
    address: str
    label: str


class Chart(NamedTuple):
    """One chart of a system, with one unit for all its lines."""

    key: str
    title: str
    unit: Unit
    lines: tuple[Line, ...]
    ceiling: str | None = None
    """Address of the series that is the natural top of the scale, such as the size of memory."""
    full_percent: bool = False
    """Scale to 100 % whatever the readings: how full something is, is read against its size."""


class Tab(NamedTuple):
    """What belongs together: a table of things, charts, or a table with charts below it."""

    key: str
    title: str
    charts: Callable[[Metrics], list[Chart]]
    sheet: str | None = None
    """The key of its table."""
    is_told: Callable[[Metrics], bool] = lambda _metrics: True
    """A host without such a thing has no such tab."""


def _overview(metrics: Metrics) -> list[Chart]:
    return [
        _CPU,
        _MEMORY,
        _NETWORK,
        *_disk_io(metrics),
        _LOAD,
        *_disk_usage(metrics),
        *_temperatures(metrics)[:1],
    ]


def _processor(metrics: Metrics) -> list[Chart]:
    return [_CPU, _CPU_BREAKDOWN, _LOAD, *([_PRESSURE] if _has_pressure(metrics) else []), *_cores(metrics)]


def _memory(metrics: Metrics) -> list[Chart]:
    memory = metrics.memory
    swap = bool(memory and memory.swap_total_bytes)
    has_zfs = memory is not None and memory.zfs_arc_bytes is not None
    return [_MEMORY, _MEMORY_WITH_ZFS if has_zfs else _MEMORY_BYTES, *([_SWAP] if swap else [])]


def _disks(metrics: Metrics) -> list[Chart]:
    charts = _disk_usage(metrics)
    for name in sorted(metrics.disk or {}):
        charts += [
            _io_chart(f"disk-io:{name}", f"{name} I/O", name),
            Chart(
                f"disk-busy:{name}",
                f"{name} busy",
                Unit.PERCENT,
                (Line(_disk(name, "utilization_percent"), "utilization"),),
            ),
        ]
    return charts


def _network(metrics: Metrics) -> list[Chart]:
    charts = [_NETWORK]
    for name in sorted((metrics.network.interfaces if metrics.network else None) or {}):
        lines = (
            Line(_interface(name, "recv_bytes_per_second"), "received"),
            Line(_interface(name, "sent_bytes_per_second"), "sent"),
        )
        charts.append(Chart(f"interface:{name}", name, Unit.BYTES_PER_SECOND, lines))
    return charts


def _sensors(metrics: Metrics) -> list[Chart]:
    fans = sorted(metrics.fans or {})
    lines = tuple(Line(_keyed("fans", name), name) for name in fans[:MAX_LINES])
    batteries = [(_member("batteries", name, "charge_percent"), name) for name in metrics.batteries or ()]
    supplies = sorted(metrics.ups or {})
    loads = [(_member("ups", name, "load_percent"), name) for name in supplies]
    charges = [(_member("ups", name, "charge_percent"), name) for name in supplies]
    return [
        *_temperatures(metrics),
        *([Chart("fans", "Fans", Unit.RPM, lines)] if lines else []),
        *_in_groups("batteries", "Batteries", Unit.PERCENT, batteries),
        *_in_groups("ups-load", "UPS load", Unit.PERCENT, loads),
        *_in_groups("ups-charge", "UPS charge", Unit.PERCENT, charges),
    ]


def _gpus(metrics: Metrics) -> list[Chart]:
    """Each kind of number of all of them, then the engines of each."""
    gpus = {key: (metrics.gpus or {})[key] for key in sorted(metrics.gpus or {})}
    labels = _gpu_labels(gpus)
    charts: list[Chart] = []
    for field, title, unit in (
        ("usage_percent", "GPU", Unit.PERCENT),
        ("memory_used_bytes", "GPU memory", Unit.BYTES),
        ("power_watts", "GPU power", Unit.WATTS),
        ("temperature_celsius", "GPU temperature", Unit.CELSIUS),
    ):
        told = [
            (_member("gpus", key, field), labels[key]) for key, gpu in gpus.items() if getattr(gpu, field) is not None
        ]
        charts += _in_groups(f"gpu:{field}", title, unit, told)
    for key, gpu in gpus.items():
        engines = [
            (str(Address((Step("gpus", key), Step("engines_percent", name)))), name)
            for name in sorted(gpu.engines_percent or {})
        ]
        charts += _in_groups(f"gpu-engines:{key}", f"Engines of {labels[key]}", Unit.PERCENT, engines)
    return charts


def _gpu_labels(gpus: Mapping[str, GpuMetrics]) -> dict[str, str]:
    """Their names; where several have the same, with what tells them apart."""
    names = [gpu.name for gpu in gpus.values()]
    return {
        key: key if not gpu.name else gpu.name if names.count(gpu.name) == 1 else f"{gpu.name} {key}"
        for key, gpu in gpus.items()
    }


def _containers(metrics: Metrics) -> list[Chart]:
    names = sorted(container.name for container in metrics.containers or ())[:MAX_CONTAINERS]
    charts: list[Chart] = []
    for key, title, unit, field in (
        ("containers-cpu", "Containers' CPU", Unit.PERCENT, "cpu_percent"),
        ("containers-memory", "Containers' memory", Unit.BYTES, "memory_bytes"),
        ("containers-received", "Containers received", Unit.BYTES_PER_SECOND, "rx_bytes_per_second"),
        ("containers-sent", "Containers sent", Unit.BYTES_PER_SECOND, "tx_bytes_per_second"),
    ):
        charts += _in_groups(key, title, unit, [(_container(name, field), name) for name in names])
    return charts


def _no_charts(_metrics: Metrics) -> list[Chart]:
    return []


TABS: Final[tuple[Tab, ...]] = (
    Tab("overview", "Overview", _overview),
    Tab("cpu", "CPU", _processor),
    Tab("memory", "Memory", _memory),
    Tab("disks", "Disks", _disks),
    Tab("network", "Network", _network),
    Tab(
        "sensors", "Sensors", _sensors, sheet="sensors",
        is_told=lambda told: bool(told.temperatures or told.fans or told.batteries or told.ups),
    ),
    Tab("gpu", "GPU", _gpus, sheet="gpu", is_told=lambda told: bool(told.gpus)),
    Tab("containers", "Containers", _containers, is_told=lambda told: bool(told.containers)),
    Tab("processes", "Processes", _no_charts, sheet="processes"),
    Tab("services", "Services", _no_charts, sheet="services", is_told=lambda told: told.services is not None),
    Tab(
        "health", "Disks' health", _no_charts, sheet="health",
        is_told=lambda told: bool(told.smart or told.arrays or told.pools),
    ),
    Tab("checks", "Checks", _no_charts, sheet="checks", is_told=lambda told: bool(told.checks)),
    Tab("alerts", "Alerts", _no_charts, sheet="alerts"),
)  # fmt: skip


def tabs_of(metrics: Metrics | None) -> list[Tab]:
    """The tabs that have something to show for this host."""
    known = metrics or Metrics()
    return [tab for tab in TABS if tab.is_told(known)]


def charts_of(tab: Tab, metrics: Metrics | None) -> list[Chart]:
    return tab.charts(metrics or Metrics())[:MAX_CHARTS]


def addresses_of(charts: list[Chart]) -> list[str]:
    """Every series that the charts draw, each once."""
    return list(dict.fromkeys(line.address for chart in charts for line in chart.lines))


def charted_readings(metrics: Metrics) -> dict[str, float]:
    """The readings of one sample that some chart draws, by address; nothing for those that did not happen."""
    addresses = dict.fromkeys(address for tab in TABS for address in addresses_of(charts_of(tab, metrics)))
    readings = {address: read_value(metrics, _parsed(address)) for address in addresses}
    return {address: value for address, value in readings.items() if value is not None}


def _disk_usage(metrics: Metrics) -> list[Chart]:
    names = sorted(metrics.disk or {})
    lines = tuple(Line(_disk(name, "usage_percent"), name) for name in names[:MAX_LINES])
    return [Chart("disk-usage", "Disk space", Unit.PERCENT, lines, full_percent=True)] if lines else []


def _temperatures(metrics: Metrics) -> list[Chart]:
    names = sorted(metrics.temperatures or {})
    return _in_groups("temperatures", "Temperatures", Unit.CELSIUS, [(_keyed("temperatures", n), n) for n in names])


def _cores(metrics: Metrics) -> list[Chart]:
    count = len((metrics.cpu.cores_percent if metrics.cpu else None) or [])
    cores = [(f"cpu.cores_percent[{index}]", str(index)) for index in range(count)]
    return _in_groups("cores", "Cores", Unit.PERCENT, cores)


def _disk_io(metrics: Metrics) -> list[Chart]:
    """Of the root filesystem, or the first one there is; the others are on the tab of disks."""
    names = sorted(metrics.disk or {})
    if not names:
        return []
    name = "/" if "/" in names else names[0]
    title = "Disk I/O" if len(names) == 1 else f"Disk I/O of {name}"
    return [_io_chart("disk-io", title, name)]


def _io_chart(key: str, title: str, name: str) -> Chart:
    lines = (
        Line(_disk(name, "read_bytes_per_second"), "read"),
        Line(_disk(name, "write_bytes_per_second"), "write"),
    )
    return Chart(key, title, Unit.BYTES_PER_SECOND, lines)


def _in_groups(key: str, title: str, unit: Unit, series: list[tuple[str, str]]) -> list[Chart]:
    """Charts of at most `MAX_LINES` lines, numbered where one is not enough."""
    groups = [series[start : start + MAX_LINES] for start in range(0, len(series), MAX_LINES)]
    return [
        Chart(
            key if index == 0 else f"{key}:{index}",
            title if len(groups) == 1 else f"{title} {index + 1}/{len(groups)}",
            unit,
            tuple(Line(address, label) for address, label in group),
        )
        for index, group in enumerate(groups)
    ]


def _has_pressure(metrics: Metrics) -> bool:
    return metrics.cpu is not None and metrics.cpu.pressure_percent is not None


def _disk(name: str, field: str) -> str:
    return str(Address((Step("disk", name), Step(field, None))))


def _interface(name: str, field: str) -> str:
    return str(Address((Step("network", None), Step("interfaces", name), Step(field, None))))


def _container(name: str, field: str) -> str:
    return str(Address((Step("containers", name), Step(field, None))))


def _member(field: str, name: str, member: str) -> str:
    return str(Address((Step(field, name), Step(member, None))))


def _keyed(field: str, name: str) -> str:
    return str(Address((Step(field, name),)))


_parsed = lru_cache(maxsize=4096)(parse_address)

_CPU: Final = Chart("cpu", "CPU", Unit.PERCENT, (Line("cpu.usage_percent", "used"),))
_CPU_BREAKDOWN: Final = Chart(
    "cpu-breakdown",
    "CPU by kind",
    Unit.PERCENT,
    (
        Line("cpu.user_percent", "user"),
        Line("cpu.system_percent", "system"),
        Line("cpu.iowait_percent", "I/O wait"),
        Line("cpu.steal_percent", "stolen"),
    ),
)
_PRESSURE: Final = Chart("cpu-pressure", "CPU pressure", Unit.PERCENT, (Line("cpu.pressure_percent", "some"),))
_LOAD: Final = Chart(
    "load",
    "Load average",
    Unit.LOAD,
    (
        Line("cpu.load_average[0]", "1m"),
        Line("cpu.load_average[1]", "5m"),
        Line("cpu.load_average[2]", "15m"),
    ),
)
_MEMORY: Final = Chart("memory", "Memory", Unit.PERCENT, (Line("memory.usage_percent", "used"),), full_percent=True)
_MEMORY_BYTES: Final = Chart(
    "memory-bytes",
    "Memory in use",
    Unit.BYTES,
    (Line("memory.used_bytes", "used"), Line("memory.cache_bytes", "cache")),
    ceiling="memory.total_bytes",
)
_MEMORY_WITH_ZFS: Final = _MEMORY_BYTES._replace(lines=(*_MEMORY_BYTES.lines, Line("memory.zfs_arc_bytes", "ZFS ARC")))
_SWAP: Final = Chart("swap", "Swap", Unit.BYTES, (Line("memory.swap_used_bytes", "used"),), "memory.swap_total_bytes")
_NETWORK: Final = Chart(
    "network",
    "Network",
    Unit.BYTES_PER_SECOND,
    (Line("network.recv_bytes_per_second", "received"), Line("network.sent_bytes_per_second", "sent")),
)
