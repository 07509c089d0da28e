"""Samples made of buckets: what the series of a system came to over each interval, in the shape of a sample. Pure.

A number is what its declaration keeps of an interval: for most the mean, for totals the last, for failures the highest.
What is no number has no roll-up, and is absent.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from beszel_hub.metrics.buckets import Aggregate, Grid
from beszel_hub.metrics.series_codec import Document, Entry
from beszel_hub.metrics.tiers import TIERS
from beszel_protocol.addresses import Address, parse_address
from beszel_protocol.metrics import shape_of
from beszel_protocol.sample import Metrics

RESOLUTIONS_SECONDS: Final = frozenset(tier.seconds for tier in TIERS)


class _Positions(dict[Any, Any]):
    """Will be a list: items by their place."""


class _Items(dict[Any, Any]):
    """Will be a list: items by what is to stand in their key field."""

    def __init__(self, key_field: str) -> None:
        super().__init__()
        self.key_field = key_field


def make_entries(grid: Grid, aggregates: Mapping[str, Aggregate]) -> Iterator[Entry]:
    """One for each bucket of the grid with at least one reading, in the order of time."""
    series = [(parse_address(text), aggregate.main) for text, aggregate in aggregates.items()]
    for index, instant_ms in enumerate(grid.timestamps_ms):
        root: Document = {}
        for address, values in series:
            value = values[index]
            if value is not None:
                _put(root, address, value)
        if root:
            yield Entry(instant_ms, _finished(root))


def _put(root: Document, address: Address, value: float) -> None:
    node: dict[Any, Any] = root
    struct: Any = Metrics
    last = len(address) - 1
    for depth, (name, key) in enumerate(address):
        shape = shape_of(struct)[name]
        place: Any = name
        if key is not None:
            holder = node.get(name)
            if holder is None:
                is_list = shape.container == "list"
                holder = {} if not is_list else _Items(shape.key_field) if shape.key_field else _Positions()
                node[name] = holder
            node, place = holder, int(key) if isinstance(holder, _Positions) else key
        if depth == last:
            node[place] = value
        else:
            node = node.setdefault(place, {})
        struct = shape.struct


def _finished(node: Any) -> Any:
    if isinstance(node, _Positions):
        return [_finished(node.get(position)) for position in range(max(node) + 1)]
    if isinstance(node, _Items):
        return [{node.key_field: key, **_finished(item)} for key, item in node.items()]
    if isinstance(node, dict):
        return {key: _finished(item) for key, item in node.items()}
    return node
