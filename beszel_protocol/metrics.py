"""The annotation that declares a metric, and the catalogue read off annotated structs.

A metric is declared once: on its field in `sample.py`. Storage, roll-ups, alerts, API, charts, export and the reference
page ask the catalogue.
"""

import enum
import functools
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, NamedTuple

import msgspec


class Unit(enum.StrEnum):
    """What a number counts. The value is how documents and the API call it."""

    PERCENT = "percent"
    BYTES = "bytes"
    BYTES_PER_SECOND = "bytes/s"
    COUNT = "count"
    PER_SECOND = "1/s"
    NUMBER = "number"
    """Of a script's own metrics: whatever it counts, also below zero."""
    LOAD = "load"
    MILLISECONDS = "ms"
    SECONDS = "s"
    CELSIUS = "°C"
    RPM = "rpm"
    WATTS = "W"


class Rollup(enum.StrEnum):
    """What a longer interval keeps of a shorter one as its main value."""

    MEAN = "mean"
    MAX = "max"
    LAST = "last"
    """For totals and counters, which only make sense at an instant."""
    SUM = "sum"


class Bounds(NamedTuple):
    """Closed range outside which a number cannot be a reading."""

    low: float
    high: float


_LARGEST: Final = float(2**63 - 1024)  # the largest double below 2**63, so that SQLite and PostgreSQL can hold it

UNIT_BOUNDS: Final[Mapping[Unit, Bounds]] = {
    Unit.PERCENT: Bounds(0, 100),
    Unit.BYTES: Bounds(0, _LARGEST),
    Unit.BYTES_PER_SECOND: Bounds(0, 1e14),
    Unit.COUNT: Bounds(0, _LARGEST),
    Unit.PER_SECOND: Bounds(0, 1e12),
    Unit.NUMBER: Bounds(-1e300, 1e300),
    Unit.LOAD: Bounds(0, 1e7),
    Unit.MILLISECONDS: Bounds(0, 1e12),
    Unit.SECONDS: Bounds(0, 1e12),
    Unit.CELSIUS: Bounds(-273.15, 1000),
    Unit.RPM: Bounds(0, 1e6),
    Unit.WATTS: Bounds(0, 1e6),
}


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """Declares a field of a sample as a series."""

    label: str
    unit: Unit
    rollup: Rollup = Rollup.MEAN
    peak: bool = False
    """Longer intervals keep the highest reading beside the main value."""
    alarm: bool = False
    """A rule may watch it."""
    largest: float | None = None
    """Where it may lie above the usual bound of its unit."""

    @property
    def bounds(self) -> Bounds:
        low, high = UNIT_BOUNDS[self.unit]
        return Bounds(low, high if self.largest is None else self.largest)


class Keyed(msgspec.Struct, frozen=True):
    """Declares that the items of a list are addressed by one of their fields instead of by position."""

    field: str


class FieldShape(NamedTuple):
    """How one field of a sample is laid out, as `shape_of` reads it off the struct."""

    metric: Metric | None
    """Set if the leaves are numbers of a series."""
    struct: type[msgspec.Struct] | None
    """Set if the leaves are structs."""
    container: typing.Literal["dict", "list"] | None
    key_field: str | None
    """For a list of structs: the field whose value is the dynamic key."""


def read_catalogue(struct: type[msgspec.Struct]) -> dict[str, Metric]:
    """Every metric below `struct` by its pattern: an address with `[]` for each dynamic key."""
    return dict(_walk(struct, ""))


@functools.cache
def shape_of(struct: type[msgspec.Struct]) -> Mapping[str, FieldShape]:
    """The layout of each field of `struct` that holds or contains metrics or text."""
    hints = typing.get_type_hints(struct, include_extras=True)
    return {name: _field_shape(hints[name]) for name in struct.__struct_fields__}


def _walk(struct: type[msgspec.Struct], prefix: str) -> Iterator[tuple[str, Metric]]:
    for name, shape in shape_of(struct).items():
        path = f"{prefix}{name}{'[]' if shape.container else ''}"
        if shape.metric is not None:
            yield path, shape.metric
        elif shape.struct is not None and (shape.container != "list" or shape.key_field is not None):
            yield from _walk(shape.struct, f"{path}.")


def _field_shape(hint: Any) -> FieldShape:
    metric: Metric | None = None
    key_field: str | None = None
    container: typing.Literal["dict", "list"] | None = None
    while True:
        origin = typing.get_origin(hint)
        if origin is Annotated:
            hint, *extras = typing.get_args(hint)
            metric = next((extra for extra in extras if isinstance(extra, Metric)), metric)
            key_field = next((extra.field for extra in extras if isinstance(extra, Keyed)), key_field)
        elif origin in {typing.Union, types.UnionType}:
            hint = next(option for option in typing.get_args(hint) if option is not types.NoneType)
        elif origin is dict:
            container, hint = "dict", typing.get_args(hint)[1]
        elif origin is list:
            container, hint = "list", typing.get_args(hint)[0]
        else:
            break
    is_struct = isinstance(hint, type) and issubclass(hint, msgspec.Struct)
    return FieldShape(metric, hint if is_struct else None, container, key_field)
