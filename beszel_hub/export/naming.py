"""Series under the names that Prometheus expects: a family with its unit at the end, keys as labels, base units.

`disk[/].usage_percent` becomes `beszel_disk_usage_percent{disk="/"}`. Names follow from the catalogue of metrics; what
would read badly or break a rule of the format is renamed here.
"""

import functools
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from beszel_protocol.addresses import Address
from beszel_protocol.metrics import Metric, Unit
from beszel_protocol.sample import catalogue

PREFIX: Final = "beszel"

_UNIT_NAMES: Final[Mapping[Unit, str]] = {
    Unit.PERCENT: "percent",
    Unit.BYTES: "bytes",
    Unit.BYTES_PER_SECOND: "bytes_per_second",
    Unit.COUNT: "",
    Unit.NUMBER: "",
    Unit.PER_SECOND: "per_second",
    Unit.LOAD: "",
    Unit.MILLISECONDS: "seconds",
    Unit.SECONDS: "seconds",
    Unit.CELSIUS: "celsius",
    Unit.RPM: "rpm",
    Unit.WATTS: "watts",
}
_KEY_NAMES: Final[Mapping[str, str]] = {
    "cores_percent": "core",
    "load_average": "minutes",
    "disk": "disk",
    "arrays": "array",
    "pools": "pool",
    "smart": "device",
    "interfaces": "interface",
    "temperatures": "sensor",
    "fans": "fan",
    "batteries": "battery",
    "ups": "ups",
    "gpus": "gpu",
    "engines_percent": "engine",
    "containers": "container",
    "units": "unit",
    "checks": "check",
    "custom": "metric",
    "custom_age_seconds": "file",
}
"""Labels that hold the dynamic key of a field."""
_LOAD_MINUTES: Final = {"0": "1", "1": "5", "2": "15"}

_STEPS: Final[Mapping[str, str]] = {
    "arrays": "array", "pools": "pool", "interfaces": "interface", "temperatures": "temperature", "fans": "fan",
    "batteries": "battery", "gpus": "gpu", "containers": "container", "units": "unit", "checks": "check",
    "cores_percent": "core_usage", "engines_percent": "engine_usage",
}  # fmt: skip
"""Fields of many, named as each of them is."""
_RENAMED: Final[Mapping[str, str]] = {
    "disk[].io_read_bytes": "disk_read_bytes",
    "disk[].io_write_bytes": "disk_written_bytes",
    "kernel.entropy_bits": "kernel_entropy",
    "smart[].power_on_hours": "smart_power_on_seconds",
    "smart[].bytes_read": "smart_read_bytes",
    "smart[].bytes_written": "smart_written_bytes",
    "network.bytes_sent": "network_sent_bytes",
    "network.bytes_recv": "network_received_bytes",
    "network.recv_bytes_per_second": "network_received_bytes_per_second",
    "network.interfaces[].bytes_sent": "network_interface_sent_bytes",
    "network.interfaces[].bytes_recv": "network_interface_received_bytes",
    "network.interfaces[].recv_bytes_per_second": "network_interface_received_bytes_per_second",
    "containers[].network_rx": "container_received_bytes",
    "containers[].network_tx": "container_sent_bytes",
    "containers[].rx_bytes_per_second": "container_received_bytes_per_second",
    "containers[].tx_bytes_per_second": "container_sent_bytes_per_second",
}
_HOURS: Final = frozenset({"smart[].power_on_hours"})
"""Counts of the catalogue that are a time."""
_COUNTERS: Final = frozenset({
    "disk[].io_read_bytes", "disk[].io_write_bytes", "smart[].power_cycles", "smart[].bytes_read",
    "smart[].bytes_written", "network.bytes_sent", "network.bytes_recv", "network.interfaces[].bytes_sent",
    "network.interfaces[].bytes_recv", "network.interfaces[].errors", "network.interfaces[].drops",
    "containers[].network_rx", "containers[].network_tx", "services.units[].restarts",
})  # fmt: skip
"""The catalogue says how a total rolls up, not whether it ever falls; these do only when they start anew."""


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """A metric family; `name` is without the `_total` that samples of a counter have."""

    name: str
    help: str
    unit: str
    """Empty for plain numbers; else the name ends with it."""
    is_counter: bool = False
    factor: float = 1.0
    """From our unit to the base unit."""

    @property
    def sample_name(self) -> str:
        return f"{self.name}_total" if self.is_counter else self.name


@functools.cache
def families() -> Mapping[str, Family]:
    """Every family by the pattern of its metric, in the order of their names."""
    named = {pattern: _family(pattern, metric) for pattern, metric in catalogue().items()}
    return dict(sorted(named.items(), key=lambda item: item[1].name))


def key_labels(address: Address) -> Iterator[tuple[str, str]]:
    """The labels that tell series of one family apart, beside the system."""
    for name, key in address:
        if key is not None:
            yield _KEY_NAMES.get(name, name), _LOAD_MINUTES.get(key, key) if name == "load_average" else key


def step_word(name: str) -> str:
    """How one step of an address stands in a name."""
    return _STEPS.get(name, name)


def label_text(labels: Mapping[str, str]) -> str:
    """`{name="value",…}` with values escaped as both text formats want it."""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items()) + "}"


def number_text(value: float) -> str:
    """Whole numbers without a fraction."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _family(pattern: str, metric: Metric) -> Family:
    unit = "seconds" if pattern in _HOURS else _UNIT_NAMES[metric.unit]
    is_counter = pattern in _COUNTERS
    name = _RENAMED.get(pattern) or "_".join(step_word(step.removesuffix("[]")) for step in pattern.split("."))
    if metric.unit is Unit.MILLISECONDS:
        name = name.removesuffix("_ms")
    if not is_counter:
        name = name.removesuffix("_total")  # only counters may end so
    if unit and not name.endswith(f"_{unit}"):
        name = f"{name}_{unit}"
    return Family(
        name=f"{PREFIX}_{name}", help=f"{metric.label}.", unit=unit, is_counter=is_counter,
        factor=3600.0 if pattern in _HOURS else 0.001 if metric.unit is Unit.MILLISECONDS else 1.0,
    )  # fmt: skip
