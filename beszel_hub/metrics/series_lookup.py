"""The readings of some series, found in a single sample's document."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from beszel_protocol.addresses import Address
from beszel_protocol.metrics import shape_of
from beszel_protocol.sample import Metrics

_CACHED_ROUTES: Final = 1 << 12


class _Named(NamedTuple):
    """The item of a list that is called so."""

    field: str
    name: str

    def find(self, items: Any) -> Any:
        return next((item for item in items if item.get(self.field) == self.name), None)


_Step: TypeAlias = str | int | _Named
_NUMBERS: Final = frozenset({int, float})


def readings_of_document(document: bytes, addresses: Sequence[Address]) -> list[float | None]:
    """One value per address; all None if the document cannot be read."""
    try:
        members = msgspec.json.decode(document)
    except msgspec.DecodeError:
        return [None] * len(addresses)
    return [_walk(members, _route_of(address)) for address in addresses]


def _walk(node: Any, route: tuple[_Step, ...]) -> float | None:
    try:
        for step in route:
            node = node[step] if type(step) is not _Named else step.find(node)
    except (KeyError, IndexError, TypeError, AttributeError):
        return None
    return node if type(node) in _NUMBERS else None


@lru_cache(_CACHED_ROUTES)
def _route_of(address: Address) -> tuple[_Step, ...]:
    """What to take at every step."""
    route: list[_Step] = []
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
            route.append(_Named(shape.key_field, key))
        else:
            route.append(int(key) if key.isascii() and key.isdecimal() else key)
    return tuple(route)
