"""What is different between two states of a record, without what must not lie in a log. Pure."""

from typing import Any, Final

import msgspec

from beszel_hub.records.registry import Row

MAX_VALUE_BYTES: Final = 1024
"""Of one value as JSON; a longer one is only named."""
_PASSING: Final = frozenset({"updated", "info", "lastUsed"})
"""Changes all the time, or with everything else."""
_LEFT_OUT: Final = "(not kept)"


def find_changes(before: Row | None, after: Row | None) -> dict[str, list[Any]]:
    """By field, the value before and the one after; None where there was no record.

    Secrets are bytes in a row, and are named without their value.
    """
    old, new = before or {}, after or {}
    names = [name for name in {**old, **new} if name not in _PASSING]
    return {name: [_keep(old.get(name)), _keep(new.get(name))] for name in names if old.get(name) != new.get(name)}


def _keep(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return _LEFT_OUT
    return value if len(msgspec.json.encode(value)) <= MAX_VALUE_BYTES else _LEFT_OUT
