"""What a rule can watch: series of samples, and a few series made of several; each compiled to a quick reader.

A target names one series, or with `[*]` for a key all of them: `disk[*].usage_percent` is every filesystem by itself.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from beszel_hub.alerts.rule import STATUS, InvalidRule
from beszel_protocol.addresses import Address, InvalidAddress, Step, parse_address
from beszel_protocol.metrics import Metric, Unit, shape_of
from beszel_protocol.sample import Metrics, catalogue

WILDCARD: Final = "*"
MAX_KEYS: Final = 512
"""Of one target on one system; a host that tells more is not watched beyond."""

Keys: TypeAlias = tuple[str, ...]
"""The keys that stand for the wildcards, in their order; empty for a target without."""
Readings: TypeAlias = Iterator[tuple[Keys, float]]
Read: TypeAlias = Callable[[Metrics], Readings]


class Target(NamedTuple):
    """Compiled by `compile_target`."""

    text: str
    label: str
    unit: Unit
    read: Read
    name: Callable[[Keys], str]
    """The text of the target that `read` gave these keys for."""
    read_one: Callable[[Metrics], float | None] | None
    """A quicker way for a target without wildcards."""


class Derived(NamedTuple):
    """A series made of several others."""

    label: str
    unit: Unit
    read: Read
    help: str


@lru_cache(maxsize=4096)
def compile_target(text: str) -> Target:
    """Raise `InvalidRule` for what is no series, or none that its declaration lets alarm."""
    derived = DERIVED.get(text.removesuffix("[*]"))
    if derived is not None:
        return _compile_derived(text, derived)
    try:
        address = parse_address(text)
    except InvalidAddress as error:
        raise InvalidRule("target", f"{error}.") from error
    metric = address.metric
    if metric is None:
        raise InvalidRule("target", f"There is no metric {text!r}.")
    if not metric.alarm:
        raise InvalidRule("target", f"{metric.label} is not to be watched: {text!r}.")
    return _compile_series(text, address, metric)


def watchable() -> dict[str, tuple[str, Unit]]:
    """Label and unit of everything a rule can watch, by target with wildcards."""
    series = {
        pattern.replace("[]", "[*]"): (metric.label, metric.unit)
        for pattern, metric in catalogue().items()
        if metric.alarm
    }
    return series | {name: (derived.label, derived.unit) for name, derived in DERIVED.items()}


def catalogue_parts(targets: Iterable[str]) -> frozenset[str] | None:
    """The members of a sample that these targets are read from; None if that may be any."""
    parts: set[str] = set()
    for target in targets:
        if target.removesuffix("[*]") in DERIVED:
            return None
        if target != STATUS:
            parts.add(parse_address(target)[0].name)
    return frozenset(parts)


def _compile_series(text: str, address: Address, metric: Metric) -> Target:
    is_wild = any(step.key == WILDCARD for step in address)
    find = _finder(tuple(address), Metrics)

    def name(keys: Keys) -> str:
        rest = iter(keys)
        return str(Address(Step(step.name, next(rest) if step.key == WILDCARD else step.key) for step in address))

    return Target(text, metric.label, metric.unit, find, name, None if is_wild else _first_of(find, address))


def _compile_derived(text: str, derived: Derived) -> Target:
    def name(keys: Keys) -> str:
        return str(Address((Step(text.removesuffix("[*]"), keys[0]),))) if keys else text

    return Target(text, derived.label, derived.unit, derived.read, name, None)


def _first_of(find: Read, address: Address) -> Callable[[Metrics], float | None]:
    """The two commonest shapes, without a generator."""
    names = [step.name for step in address if step.key is None]
    if len(address) == len(names) == 2:
        first, second = names

        def read_pair(metrics: Metrics) -> float | None:
            part = getattr(metrics, first)
            value: float | None = None if part is None else getattr(part, second)
            return value

        return read_pair
    return lambda metrics: next((value for _, value in find(metrics)), None)


def _finder(steps: tuple[Step, ...], struct: type[msgspec.Struct]) -> Callable[[Any], Readings]:
    """Follows one step, then the rest."""
    (name, key), rest = steps[0], steps[1:]
    shape = shape_of(struct)[name]
    below = _leaf if not rest else _finder(rest, shape.struct or struct)

    def find(node: Any) -> Readings:
        value = getattr(node, name)
        if value is None:
            return
        if shape.container is None:
            yield from below(value)
            return
        for found_key, item in _items(value, key, shape.key_field):
            if key == WILDCARD:
                yield from (((found_key, *keys), reading) for keys, reading in below(item))
            else:
                yield from below(item)

    return find


def _leaf(value: Any) -> Readings:
    yield (), value


def _items(value: Any, key: str | None, key_field: str | None) -> Iterator[tuple[str, Any]]:
    """Of a dictionary or a list those items that the key names."""
    if isinstance(value, dict):
        if key != WILDCARD:
            if key in value:
                yield str(key), value[key]
            return
        yield from value.items()
        return
    for index, item in enumerate(value):
        found = str(index) if key_field is None else str(getattr(item, key_field))
        if key in {WILDCARD, found}:
            yield found, item


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


DERIVED: Final[Mapping[str, Derived]] = {
    "bandwidth": Derived("Bandwidth", Unit.BYTES_PER_SECOND, _read_bandwidth, "sent and received together"),
    "battery_percent": Derived("Battery", Unit.PERCENT, _read_battery, "of the battery that stands for the host"),
    "container_unhealthy": Derived(
        "Container unhealthy", Unit.COUNT, _read_unhealthy, "of each container with a health check: 1 if it failed"
    ),
    "load_per_core_1": Derived("Load per core over 1 minute", Unit.LOAD, _load_reader(0), "load over processors"),
    "load_per_core_5": Derived("Load per core over 5 minutes", Unit.LOAD, _load_reader(1), "load over processors"),
    "load_per_core_15": Derived("Load per core over 15 minutes", Unit.LOAD, _load_reader(2), "load over processors"),
    "swap_percent": Derived("Swap", Unit.PERCENT, _read_swap, "used, of what there is"),
    "temperature": Derived(
        "Temperature", Unit.CELSIUS, _read_temperature, "of each sensor; of each GPU on hosts that have no sensors"
    ),
}
