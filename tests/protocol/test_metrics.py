"""The catalogue is read off the sample and nowhere repeated."""

import typing

import msgspec
import pytest

from beszel_protocol.metrics import UNIT_BOUNDS, Rollup, Unit, shape_of
from beszel_protocol.sample import Metrics, catalogue
from beszel_protocol.storage import DiskMetrics


def structs_below(struct: type[msgspec.Struct]) -> set[type[msgspec.Struct]]:
    found = {struct}
    for shape in shape_of(struct).values():
        if shape.struct is not None:
            found |= structs_below(shape.struct)
    return found


@pytest.mark.parametrize(
    ("pattern", "unit", "rollup"),
    [
        ("cpu.usage_percent", Unit.PERCENT, Rollup.MEAN),
        ("cpu.cores_percent[]", Unit.PERCENT, Rollup.MEAN),
        ("cpu.load_average[]", Unit.LOAD, Rollup.MEAN),
        ("disk[].usage_percent", Unit.PERCENT, Rollup.MEAN),
        ("disk[].io_read_bytes", Unit.BYTES, Rollup.LAST),
        ("network.interfaces[].errors", Unit.COUNT, Rollup.LAST),
        ("temperatures[]", Unit.CELSIUS, Rollup.MEAN),
        ("containers[].memory_bytes", Unit.BYTES, Rollup.MEAN),
        ("services.failed", Unit.COUNT, Rollup.MAX),
        ("uptime_seconds", Unit.SECONDS, Rollup.LAST),
    ],
)
def test_a_declared_metric_is_in_the_catalogue(pattern: str, unit: Unit, rollup: Rollup) -> None:
    metric = catalogue()[pattern]
    assert (metric.unit, metric.rollup) == (unit, rollup)


def test_processes_are_no_series() -> None:
    assert not any("top_processes" in pattern or pattern.startswith("gpus[].processes") for pattern in catalogue())


def test_every_number_of_a_series_struct_is_declared() -> None:
    """A number that somebody adds without a declaration would silently never be stored, charted or watched."""
    exempt = {"GpuProcess", "ProcessMetrics"}
    for struct in structs_below(Metrics):
        if struct.__name__ in exempt:
            continue
        hints = typing.get_type_hints(struct)
        for name, shape in shape_of(struct).items():
            numeric = any(t in str(hints[name]) for t in ("int", "float"))
            assert not numeric or shape.metric is not None or shape.struct is not None, f"{struct.__name__}.{name}"


def test_units_stand_in_the_names() -> None:
    suffixes = {
        Unit.PERCENT: "percent",
        Unit.BYTES_PER_SECOND: "bytes_per_second",
        Unit.MILLISECONDS: "ms",
        Unit.SECONDS: "seconds",
        Unit.PER_SECOND: "per_second",
        Unit.WATTS: "watts",
    }
    for pattern, metric in catalogue().items():
        if metric.unit in suffixes:
            assert pattern.removesuffix("[]").endswith(suffixes[metric.unit]), pattern


def test_every_unit_has_bounds() -> None:
    assert set(UNIT_BOUNDS) == set(Unit)
    assert all(low < high for low, high in UNIT_BOUNDS.values())


def test_shapes_tell_containers_apart() -> None:
    shapes = shape_of(Metrics)
    assert (shapes["disk"].container, shapes["disk"].struct) == ("dict", DiskMetrics)
    assert (shapes["containers"].container, shapes["containers"].key_field) == ("list", "name")
    assert shapes["uptime_seconds"].container is None
