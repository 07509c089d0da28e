"""Rows of the `metrics` collection, made from samples: one for each part of a sample. Pure."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from beszel_hub.metrics.marks import Mark
from beszel_hub.metrics.metric_ids import make_metric_id
from beszel_hub.metrics.series_codec import Document, Entry
from beszel_hub.store.ids import ID_LENGTH
from beszel_protocol.sample import Metrics

Row = dict[str, Any]
RAW_RESOLUTION_SECONDS: Final = 1
"""Of single samples, whatever the interval they came at."""

_ALPHABET: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def _part(name: str) -> Callable[[Document], Any]:
    return lambda document: document.get(name)


def _load(document: Document) -> Any:
    averages = document.get("cpu", {}).get("load_average")
    return None if averages is None else {"load_average": averages}


_NAMED: Final[Mapping[str, tuple[str, Callable[[Document], Any]]]] = {
    "load": ("cpu", _load),
    "temperature": ("temperatures", _part("temperatures")),
    "fan": ("fans", _part("fans")),
    "battery": ("batteries", _part("batteries")),
    "gpu": ("gpus", _part("gpus")),
    "container": ("containers", _part("containers")),
    "process": ("top_processes", _part("top_processes")),
    "service": ("services", _part("services")),
}
"""Types that clients know by another name than that of the member."""
_RENAMED: Final = frozenset(member for member, _ in _NAMED.values()) - {"cpu"}

TYPES: Final[Mapping[str, tuple[str, Callable[[Document], Any]]]] = {
    **{member: (member, _part(member)) for member in Metrics.__struct_fields__ if member not in _RENAMED},
    **_NAMED,
}
"""By type: the member of a sample that it is read from, and how."""


def parts_of(types: frozenset[str]) -> frozenset[str]:
    """The members of a sample that rows of these types need."""
    return frozenset(TYPES[name][0] for name in types)


def project(
    system_id: str, entry: Entry, types: frozenset[str], resolution_seconds: int = RAW_RESOLUTION_SECONDS
) -> Iterator[Row]:
    """The rows of one sample, or of one bucket, for the types that it tells something about."""
    for name, (_, read) in TYPES.items():
        if name not in types:
            continue
        value = read(entry.document)
        if value is not None:
            yield {
                "id": make_metric_id(system_id, name, resolution_seconds, entry.instant_ms),
                "system": system_id,
                "type": name,
                "timestamp": entry.instant_ms,
                "resolution": resolution_seconds,
                "value": value,
                "skewed": bool(entry.mark & Mark.SKEWED),
                "created": entry.instant_ms,
                "updated": entry.instant_ms,
            }


def row_id(system_id: str, type_name: str, instant_ms: int) -> str:
    """15 characters of `[0-9a-z]`, always the same for the same row."""
    digest = hashlib.blake2b(f"{system_id}\0{type_name}\0{instant_ms}".encode(), digest_size=10).digest()
    number = int.from_bytes(digest, "big")
    characters = []
    for _ in range(ID_LENGTH):
        number, remainder = divmod(number, len(_ALPHABET))
        characters.append(_ALPHABET[remainder])
    return "".join(characters)
