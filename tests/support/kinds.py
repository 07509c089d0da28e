"""Which tests are unit tests: those of files that bring up nothing real, which is read off what they import."""

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


def mark_unit_tests(items: list[pytest.Item]) -> None:
    for item in items:
        module = item.getparent(pytest.Module)
        if module is not None and not _brings_up(module.obj, frozenset()):
            item.add_marker("unit")


@cache
def _brings_up(module: ModuleType, above: frozenset[str]) -> bool:
    """Whether anything real, itself or by a helper; `above` are those whose helper it is."""
    names = {_origin(value) for value in vars(module).values()} - above
    helpers = (sys.modules[name] for name in names if name.startswith(f"{_HERE}.") and name != module.__name__)
    return bool(names & _REAL) or any(_brings_up(helper, above | {module.__name__}) for helper in helpers)


def _origin(value: object) -> str:
    """The module that it is or comes from."""
    return value.__name__ if isinstance(value, ModuleType) else str(getattr(value, "__module__", ""))
