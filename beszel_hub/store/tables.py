"""The base of all Peewee models, bound to whatever database the current thread works for.

A query outside `Database.read` and `Database.write` finds no database and fails, so none can block the event loop.
"""

import threading
from typing import Any, NamedTuple

import msgspec
import peewee

from beszel_hub.store.dialect import Dialect


class _Current(threading.local):
    database: peewee.Database | None = None
    dialect: Dialect | None = None


_current = _Current()


class _ThreadDatabase(peewee.DatabaseProxy):
    """A proxy whose target is a property of the thread: several hubs can live in one process."""

    @property
    def obj(self) -> Any:
        return _current.database

    @obj.setter
    def obj(self, value: Any) -> None:
        if value is not None:
            raise TypeError("a thread gets its database with bind_thread")


def bind_thread(database: peewee.Database | None, dialect: Dialect | None = None) -> None:
    """Make `database` the one that models use on this thread."""
    _current.database = database
    _current.dialect = dialect


def bound_database() -> peewee.Database:
    """The database of this thread, for plain SQL; raise RuntimeError on a thread without one."""
    if _current.database is None:
        raise RuntimeError("no database on this thread: use Database.read or Database.write")
    return _current.database


def bound_dialect() -> Dialect:
    """What is particular about the database of this thread; raise RuntimeError on a thread without one."""
    if _current.dialect is None:
        raise RuntimeError("no database on this thread: use Database.read or Database.write")
    return _current.dialect


class Shape(NamedTuple):
    """What a table consists of."""

    name: str
    fields: list[peewee.Field]
    key: tuple[peewee.Field, ...]

    @property
    def counter(self) -> peewee.Field | None:
        """The key, if it counts up by itself."""
        return self.key[0] if isinstance(self.key[0], peewee.AutoField) else None

    def place_of(self, column: str) -> int:
        """Where in a row it is."""
        return next(place for place, field in enumerate(self.fields) if field.column_name == column)


class Table(peewee.Model):
    """Base of every model."""

    @classmethod
    def shape(cls) -> Shape:
        return Shape(cls._meta.table_name, cls._meta.sorted_fields, cls._meta.get_primary_keys())

    class Meta:
        database = _ThreadDatabase()
        legacy_table_names = False


class InstantField(peewee.BigIntegerField):
    """Milliseconds since the epoch, UTC."""


class JsonField(peewee.TextField):
    """Any JSON value, kept as text."""

    def db_value(self, value: Any) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def python_value(self, value: str | None) -> Any:
        return None if value is None else msgspec.json.decode(value)
