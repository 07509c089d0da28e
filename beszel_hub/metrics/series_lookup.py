"""The readings of some series, found in a single sample's document."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from beszel_protocol.addresses import Address
from beszel_protocol.metrics import shape_of
from beszel_protocol.sample import Metrics

_CACHED_ROUTES: Final = 1 << 12


def readings_of_document(document: bytes, addresses: Sequence[Address]) -> list[float | None]:
    """One value per address; all None if the document cannot be read."""
    try:
        members = msgspec.json.decode(document)
    except msgspec.DecodeError:
        return [None] * len(addresses)
    return [_walk(members, _route_of(address)) for address in addresses]


def _walk(node: Any, route: tuple[str | int | tuple[str, str], ...]) -> float | None:
    for step in route:
        if isinstance(step, str):
            node = node.get(step) if isinstance(node, dict) else None
        elif not isinstance(node, list):
            return None
        elif isinstance(step, int):
            node = node[step] if step < len(node) else None
        else:
            node = next((item for item in node if isinstance(item, dict) and item.get(step[0]) == step[1]), None)
        if node is None:
            return None
    return node if isinstance(node, int | float) and not isinstance(node, bool) else None


@lru_cache(_CACHED_ROUTES)
def _route_of(address: Address) -> tuple[str | int | tuple[str, str], ...]:
    """Keys, positions, and for an item of a named list which of its fields has which text."""
    route: list[str | int | tuple[str, str]] = []
    struct: type[msgspec.Struct] | None = Metrics
    for name, key in address:
        shape = shape_of(struct).get(name) if struct is not None else None
        route.append(name)
        struct = None if shape is None else shape.struct
        if key is None:
            continue
        if shape is None or shape.container != "list":
            route.append(key)
        elif shape.key_field is not None:
            route.append((shape.key_field, key))
        else:
            route.append(int(key) if key.isascii() and key.isdecimal() else -1)
    return tuple(route)
