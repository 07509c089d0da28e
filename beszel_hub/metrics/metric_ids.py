"""Ids of the rows of the `metrics` collection. Pure.

Those rows are made from history when somebody asks, so an id has to lead back to its row: the first eight characters
are the instant, the rest is a digest of system, type and resolution, which are few enough to be tried one by one.
"""

import hashlib
from functools import lru_cache
from typing import Final

from beszel_hub.store.ids import ID_LENGTH, is_id

_INSTANT_LENGTH: Final = 8
_INSTANTS: Final = 36**_INSTANT_LENGTH
"""Milliseconds since 1970 until 2059; then ids begin anew, and old rows are not found by theirs any more."""
_DIGEST_LENGTH: Final = ID_LENGTH - _INSTANT_LENGTH
_ALPHABET: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_CACHED: Final = 1 << 12


def make_metric_id(system_id: str, type_name: str, resolution_seconds: int, instant_ms: int) -> str:
    """15 characters of `[0-9a-z]`, always the same for the same row."""
    return _base36(instant_ms % _INSTANTS, _INSTANT_LENGTH) + _cached_digest(system_id, type_name, resolution_seconds)


def split_metric_id(record_id: str) -> tuple[int, str] | None:
    """The instant in an id and its digest; None for what is no id."""
    if not is_id(record_id):
        return None
    return int(record_id[:_INSTANT_LENGTH], 36), record_id[_INSTANT_LENGTH:]


def digest_of(system_id: str, type_name: str, resolution_seconds: int) -> str:
    """The end of an id."""
    text = f"{system_id}\0{type_name}\0{resolution_seconds}"
    number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=10).digest(), "big")
    return _base36(number % 36**_DIGEST_LENGTH, _DIGEST_LENGTH)


_cached_digest: Final = lru_cache(_CACHED)(digest_of)


def _base36(number: int, length: int) -> str:
    characters = []
    for _ in range(length):
        number, remainder = divmod(number, 36)
        characters.append(_ALPHABET[remainder])
    return "".join(reversed(characters))
