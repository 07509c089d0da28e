"""Which tests bring up nothing real, and which have a database that may be of either kind: read off their imports."""

import sys
from functools import cache
from types import ModuleType
from typing import Final

import pytest

_HERE: Final = __name__.rpartition(".")[0]
_REAL: Final = frozenset(
    {
        "subprocess",
        f"{_HERE}.certificates",
        f"{_HERE}.databases",
        f"{_HERE}.engines",
        f"{_HERE}.pilotapp",
        f"{_HERE}.programs",
        f"{_HERE}.runninghub",
        f"{_HERE}.snapshots",
    }
)
"""Processes, databases, engines, hubs and screens; a helper that imports one of them brings it up as well."""

_DATABASES: Final = frozenset({f"{_HERE}.databases"})


def mark_kinds(items: list[pytest.Item]) -> None:
    for item in items:
        module = item.getparent(pytest.Module)
        if module is None:
            continue
        if not _brings_up(module.obj, frozenset()):
            item.add_marker("unit")
        if _brings_up(module.obj, frozenset(), _DATABASES):
            item.add_marker("database")


@cache
def _brings_up(module: ModuleType, above: frozenset[str], sought: frozenset[str] = _REAL) -> bool:
    """Whether anything that is sought, itself or by a helper; `above` are those whose helper it is."""
    names = {_origin(value) for value in vars(module).values()} - above
    helpers = (sys.modules[name] for name in names if name.startswith(f"{_HERE}.") and name != module.__name__)
    return bool(names & sought) or any(_brings_up(helper, above | {module.__name__}, sought) for helper in helpers)


def _origin(value: object) -> str:
    """The module that it is or comes from."""
    return value.__name__ if isinstance(value, ModuleType) else str(getattr(value, "__module__", ""))
