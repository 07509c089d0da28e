"""Series made of others, or of what is known of a system beside its samples.

Those of one system as a whole have no key; of the others a rule names one by its key, or several by a pattern.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

from beszel_hub.alerts.surroundings import Surroundings
from beszel_protocol.metrics import Unit
from beszel_protocol.sample import Metrics

Keys: TypeAlias = tuple[str, ...]
"""The keys that stand for the wildcards, in their order; empty for a target without."""
Readings: TypeAlias = Iterator[tuple[Keys, float]]
Read: TypeAlias = Callable[[Metrics], Readings]
ReadBeside: TypeAlias = Callable[[Surroundings, int], Readings]
"""Takes the window in milliseconds as well: what is counted is counted over it."""
Keyed: TypeAlias = Literal["never", "by name", "by day"]


class Derived(NamedTuple):
    label: str
    unit: Unit
    help: str
    read: Read | None = None
    needs: tuple[str, ...] = ()
    """Patterns of what it is read from."""
    read_beside: ReadBeside | None = None
    """For one that is in no sample. Its readings are judged as they are, whatever the window."""
    keyed: Keyed = "never"
    event: str | None = None
    """The kind of event that it counts."""
    is_flag: bool = False
    """1 or 0: that it is so says all."""


def _read_bandwidth(metrics: Metrics) -> Readings:
    network = metrics.network
    if network is not None:
        rates = [rate for rate in (network.sent_bytes_per_second, network.recv_bytes_per_second) if rate is not None]
        if rates:
            yield (), sum(rates)


def _load_reader(index: int) -> Read:
    def read(metrics: Metrics) -> Readings:
        cpu = metrics.cpu
        if cpu is not None and cpu.cores_percent and cpu.load_average and len(cpu.load_average) > index:
            yield (), cpu.load_average[index] / len(cpu.cores_percent)

    return read


def _read_swap(metrics: Metrics) -> Readings:
    memory = metrics.memory
    if memory is not None and memory.swap_total_bytes and memory.swap_used_bytes is not None:
        yield (), 100 * memory.swap_used_bytes / memory.swap_total_bytes


def _read_temperature(metrics: Metrics) -> Readings:
    """Sensors, or where a host has none its GPUs."""
    if metrics.temperatures:
        yield from (((name,), value) for name, value in metrics.temperatures.items())
        return
    for name, gpu in (metrics.gpus or {}).items():
        if gpu.temperature_celsius is not None:
            yield (name,), gpu.temperature_celsius


def _read_battery(metrics: Metrics) -> Readings:
    for battery in (metrics.batteries or {}).values():
        if battery.charge_percent is not None:
            yield (), battery.charge_percent
            return


def _read_unhealthy(metrics: Metrics) -> Readings:
    for container in metrics.containers or ():
        if container.health is not None:
            yield (container.name,), float(container.health == "unhealthy")


def _read_failed_services(metrics: Metrics) -> Readings:
    services = metrics.services
    if services is not None:
        for name, unit in (services.units or {}).items():
            if unit.state is not None:
                yield (name,), float(unit.state == "failed")


def _read_down(around: Surroundings, _: int) -> Readings:
    for container in around.containers:
        yield (container.name,), float(container.state not in {"running", "paused"})


def _read_failed(around: Surroundings, _: int) -> Readings:
    for container in around.containers:
        has_failed = container.state == "dead" or (container.state == "exited" and container.exit_code != 0)
        yield (container.name,), float(has_failed)


def _event_reader(kind: str) -> ReadBeside:
    def read(around: Surroundings, window_ms: int) -> Readings:
        for subject, count in around.count(kind, window_ms).items():
            yield (subject,), float(count)

    return read


def _read_traffic(around: Surroundings, _: int) -> Readings:
    for day, carried in around.traffic.items():
        yield (str(day),), carried.sent + carried.received


def _read_sent(around: Surroundings, _: int) -> Readings:
    for day, carried in around.traffic.items():
        yield (str(day),), carried.sent


def _read_received(around: Surroundings, _: int) -> Readings:
    for day, carried in around.traffic.items():
        yield (str(day),), carried.received


_LOADS: Final = ("cpu.load_average[]", "cpu.cores_percent[]")

_ANYTHING: Final = ("cpu.usage_percent",)
_RUNNING: Final = ("containers[].cpu_percent", *_ANYTHING)
"""By these the past tells which containers ran, and that there was a sample at all."""

DERIVED: Final[Mapping[str, Derived]] = {
    "bandwidth": Derived(
        "Bandwidth", Unit.BYTES_PER_SECOND, "sent and received together", _read_bandwidth,
        ("network.sent_bytes_per_second", "network.recv_bytes_per_second"),
    ),
    "battery_percent": Derived(
        "Battery", Unit.PERCENT, "of the battery that stands for the host", _read_battery,
        ("batteries[].charge_percent",),
    ),
    "container_died": Derived(
        "Container ended", Unit.COUNT, "how often each container ended within the window",
        read_beside=_event_reader("container_died"), keyed="by name", event="container_died",
    ),
    "container_down": Derived(
        "Container down", Unit.COUNT, "of each container: 1 unless it runs, or is paused", read_beside=_read_down,
        needs=_RUNNING, keyed="by name", is_flag=True,
    ),
    "container_failed": Derived(
        "Container failed", Unit.COUNT, "of each container: 1 if it has ended, and not with exit code 0",
        read_beside=_read_failed, needs=_RUNNING, keyed="by name", is_flag=True,
    ),
    "container_oom": Derived(
        "Container out of memory", Unit.COUNT, "how often the kernel killed in each container within the window",
        read_beside=_event_reader("container_oom"), keyed="by name", event="container_oom",
    ),
    "container_restarted": Derived(
        "Container restarted", Unit.COUNT, "how often each container was started anew within the window",
        read_beside=_event_reader("container_restarted"), keyed="by name", event="container_restarted",
    ),
    "container_unhealthy": Derived(
        "Container unhealthy", Unit.COUNT, "of each container with a health check: 1 if it failed", _read_unhealthy,
        ("containers[].health",), keyed="by name", is_flag=True,
    ),
    "load_per_core_1": Derived(
        "Load per core over 1 minute", Unit.LOAD, "load over processors", _load_reader(0), _LOADS
    ),
    "load_per_core_5": Derived(
        "Load per core over 5 minutes", Unit.LOAD, "load over processors", _load_reader(1), _LOADS
    ),
    "load_per_core_15": Derived(
        "Load per core over 15 minutes", Unit.LOAD, "load over processors", _load_reader(2), _LOADS
    ),
    "service_failed": Derived(
        "Service failed", Unit.COUNT, "of each service that the agent watches: 1 if it failed", _read_failed_services,
        ("services.units[].state",), keyed="by name", is_flag=True,
    ),
    "swap_percent": Derived(
        "Swap", Unit.PERCENT, "used, of what there is", _read_swap,
        ("memory.swap_total_bytes", "memory.swap_used_bytes"),
    ),
    "temperature": Derived(
        "Temperature", Unit.CELSIUS, "of each sensor; of each GPU on hosts that have no sensors", _read_temperature,
        ("temperatures[]", "gpus[].temperature_celsius"), keyed="by name",
    ),
    "traffic_month": Derived(
        "Traffic of the month", Unit.BYTES, "sent and received since the month began, `[15]` on its 15th",
        read_beside=_read_traffic, needs=_ANYTHING, keyed="by day",
    ),
    "traffic_month_received": Derived(
        "Traffic received in the month", Unit.BYTES, "likewise, received", read_beside=_read_received, needs=_ANYTHING,
        keyed="by day",
    ),
    "traffic_month_sent": Derived(
        "Traffic sent in the month", Unit.BYTES, "likewise, sent", read_beside=_read_sent, needs=_ANYTHING,
        keyed="by day",
    ),
}  # fmt: skip

COUNTED_EVENTS: Final = frozenset(derived.event for derived in DERIVED.values() if derived.event is not None)
