"""Keeps out of memory what a library imports and an agent never uses."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType


@contextmanager
def postponed(name: str) -> Iterator[None]:
    """Whoever imports the module `name` meanwhile gets it when it first looks into it, and all of its cost only then.

    websockets imports `importlib.metadata` to find its version in a checkout of its own source. With `email` and
    `zipfile`, which that imports, it is 0.8 MB of an agent's memory for good.
    """
    if name in sys.modules:
        yield
        return
    stand_in = ModuleType(name)

    def look_into(attribute: str) -> object:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]
        return getattr(import_module(name), attribute)

    stand_in.__dict__["__getattr__"] = look_into
    sys.modules[name] = stand_in
    try:
        yield
    finally:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]
