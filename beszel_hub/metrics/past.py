"""The past as samples: history at any resolution, put together again for whoever judges it as it judges the present.

A bucket becomes one document, of each series with what it came to over the bucket. The functions run inside
`Database.read`.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import msgspec

from beszel_hub.metrics.buckets import Aggregate, Grid
from beszel_hub.metrics.reader import Range, part_of, read_parts, rollup_of
from beszel_hub.metrics.series_tiers import floor_of
from beszel_hub.metrics.summaries import Bucket
from beszel_hub.metrics.tiers import RAW, TIERS
from beszel_protocol.addresses import Address, parse_address
from beszel_protocol.metrics import Rollup, shape_of
from beszel_protocol.sample import Metrics

Side: TypeAlias = Literal["mean", "least", "greatest", "last"]
"""What stands for a bucket."""

MAX_BUCKETS: Final = 5000
"""Read at a time."""


class PastSample(NamedTuple):
    """One bucket: `from_ms <= instant < to_ms`."""

    from_ms: int
    to_ms: int
    readings: int
    """Of the series that has most of them."""
    metrics: Metrics


class Kept(NamedTuple):
    """A part of the past, and the finest resolution in which it is still kept; 1 for single samples."""

    span: Range
    seconds: int


def kept_of(system_id: str, from_ms: int, to_ms: int) -> list[Kept]:
    """In the order of time; what no tier has any more is left out."""
    found: list[Kept] = []
    until_ms = to_ms
    for seconds, coarser in pairwise((RAW, *(tier.seconds for tier in TIERS), TIERS[-1].seconds)):
        since_ms = max(from_ms, floor_of(system_id, seconds))
        if since_ms > from_ms:
            since_ms += -since_ms % (coarser * 1000)  # no bucket of the next is cut
        if since_ms < until_ms:
            found.append(Kept(Range(since_ms, until_ms), max(1, seconds)))
            until_ms = since_ms
    return found[::-1]


def read_past(system_id: str, sides: Mapping[str, Side], span: Range, seconds: int) -> Iterator[PastSample]:
    """What was read in buckets of that many seconds, oldest first; `sides` names what is wanted by pattern.

    Patterns are those of the catalogue, such as `disk[].usage_percent`. Buckets without a reading are left out.
    """
    parts = frozenset(part_of(pattern) for pattern in sides)
    step_ms = seconds * 1000
    for begin_ms in range(span.from_ms, span.to_ms, MAX_BUCKETS * step_ms):
        portion = Range(begin_ms, min(span.to_ms, begin_ms + MAX_BUCKETS * step_ms))
        grid, aggregates = read_parts(system_id, parts, portion, seconds)
        yield from samples_of(grid, aggregates, sides, portion)


def samples_of(
    grid: Grid, aggregates: Mapping[str, Aggregate], sides: Mapping[str, Side], span: Range
) -> Iterator[PastSample]:
    """A sample for each bucket that begins within the span and has a reading; aggregates are by address."""
    wanted = []
    for text, aggregate in aggregates.items():
        address = parse_address(text)
        side = sides.get(address.pattern)
        if side is not None:
            wanted.append((address, side, rollup_of(address) is Rollup.LAST, aggregate.buckets))
    for index, from_ms in enumerate(grid.timestamps_ms):
        present = [(one, one[3][index]) for one in wanted if one[3][index].readings]
        if present and span.from_ms <= from_ms < span.to_ms:
            values = [
                (address, value_of(bucket, side, is_counter=is_counter))
                for (address, side, is_counter, _), bucket in present
            ]
            readings = max(bucket.readings for _, bucket in present)
            yield PastSample(from_ms, from_ms + grid.step_ms, readings, assemble(values))


def assemble(values: list[tuple[Address, float]]) -> Metrics:
    """The sample in which these series have these values; the other way round from `flatten`."""
    tree: dict[str, Any] = {}
    for address, value in values:
        node = tree
        *steps, last = address
        for name, key in steps:
            node = node.setdefault(name, {})
            node = node if key is None else node.setdefault(key, {})
        if last.key is None:
            node[last.name] = value
        else:
            node.setdefault(last.name, {})[last.key] = value
    made: Metrics = _make(Metrics, tree, "")
    return made


def _make(struct: type[msgspec.Struct], tree: Mapping[str, Any], key: str) -> Any:
    """What a struct cannot be without is text, and the key that it is known by stands for it."""
    fields: dict[str, Any] = dict.fromkeys(_required(struct), key)
    shapes = shape_of(struct)
    for name, node in tree.items():
        shape = shapes[name]
        if shape.container is None:
            fields[name] = node if shape.struct is None else _make(shape.struct, node, "")
            continue
        items = {each: item if shape.struct is None else _make(shape.struct, item, each) for each, item in node.items()}
        fields[name] = items if shape.container == "dict" else _listed(items, is_keyed=shape.key_field is not None)
    return struct(**fields)


def _listed(items: Mapping[str, Any], *, is_keyed: bool) -> list[Any]:
    """Items that go by their position end where one is missing: what comes after it would be taken for another."""
    if is_keyed:
        return list(items.values())
    found: list[Any] = []
    while (item := items.get(str(len(found)))) is not None:
        found.append(item)
    return found


@cache
def _required(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(field.name for field in msgspec.structs.fields(struct) if field.required)


def value_of(bucket: Bucket, side: Side, *, is_counter: bool) -> float:
    """What stands for a bucket."""
    if side == "least":
        return bucket.low
    if side == "greatest":
        return bucket.high
    if side == "last" or is_counter:
        return bucket.last
    return min(max(bucket.total / bucket.readings, bucket.low), bucket.high)
