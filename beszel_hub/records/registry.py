"""How a collection is exposed: its fields, where its rows come from, and the registry of all of them."""

import enum
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from beszel_hub.actions import Verb
from beszel_hub.permissions import Actor
from beszel_hub.records.bounds import Bounds
from beszel_hub.store.tables import Table

Row: TypeAlias = dict[str, Any]
"""A record by field name; dates are milliseconds since the epoch, relations ids, JSON whatever it is."""


class Kind(enum.StrEnum):
    TEXT = "text"
    NUMBER = "number"
    BOOL = "bool"
    DATE = "date"
    """Milliseconds since the epoch inside, PocketBase's form outside; None is an empty text outside."""
    JSON = "json"
    LIST = "list"
    """Of texts, stored as JSON."""
    RELATION = "relation"
    """The id of one record."""
    RELATIONS = "relations"
    """The ids of several records."""
    PASSWORD = "password"  # noqa: S105  # the name of a kind
    """Written, never read."""


class Through(NamedTuple):
    """The table that holds the pairs of a `RELATIONS` field."""

    table: type[Table]
    owner: str
    """Its field with the id of the record that has the relation."""
    value: str
    """Its field with the id of the related record."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a collection."""

    name: str
    kind: Kind = Kind.TEXT
    attribute: str = ""
    """Of the table's model, if it is called otherwise there."""
    target: str = ""
    """The collection that a relation leads to."""
    through: Through | None = None
    is_hidden: bool = False
    """Never shown, filtered or sorted by anybody."""
    is_private: bool = False
    """Through a relation only administrators may filter or sort by it, so nobody can guess others' values."""
    is_opaque: bool = False
    """Shown in another form than it is stored in, so that nobody can filter or sort by it."""
    in_create: bool = False
    in_update: bool = False
    is_required: bool = False
    """On create; on update it must not be emptied."""
    has_lines: bool = False
    """A text that keeps its line ends."""
    choices: tuple[str, ...] = ()
    min_length: int = 0
    max_length: int = 255
    """Of text in characters; of JSON in encoded bytes; of lists in items."""
    low: float | None = None
    high: float | None = None
    """Closed range of a number."""

    @property
    def column(self) -> str:
        return self.attribute or self.name

    @property
    def is_multiple(self) -> bool:
        return self.kind in {Kind.LIST, Kind.RELATIONS}


ID: Final = Field(name="id", in_create=True, max_length=15)
CREATED: Final = Field(name="created", kind=Kind.DATE)
UPDATED: Final = Field(name="updated", kind=Kind.DATE)


class Sight(NamedTuple):
    """Somebody who looks at a collection, in a way of their own; texts as in the parameters of a list."""

    actor: Actor
    filter: str = ""
    expand: str = ""
    fields: str = ""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a request has changed, told after the commit."""

    verb: Verb
    actor: Actor
    id: str
    before: Row | None
    """None on create."""
    after: Row | None
    """None on delete."""
    seen_by: frozenset[Sight] = frozenset()
    """On delete: those of the audience who saw the record until then."""


class TableSource(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a table. The functions run on a database thread; those that write share a transaction with the checks."""

    table: type[Table]
    scope: Callable[[Actor], Any]
    """The Peewee condition for rows that the actor may see, or None for all."""
    create: Callable[[Actor, Row], str] | None = None
    """Insert checked values (`id` among them only if the client chose one) and return the id."""
    update: Callable[[Actor, str, Row], None] | None = None
    """Write the checked values that the request has; `updated` is the function's business too."""
    delete: Callable[[Actor, str], None] | None = None


class ProjectedSource(msgspec.Struct, frozen=True, kw_only=True):
    """Rows made from something else. Filter, sort and paging happen in memory."""

    rows: Callable[[Actor, Bounds], Awaitable[list[Row]]]
    """All rows within the bounds that the actor may see; `BadRequest` if that would touch too many."""


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """What the records API knows of a collection; the rules are in the table of `permissions`."""

    name: str
    id: str
    fields: tuple[Field, ...]
    source: TableSource | ProjectedSource
    show: Callable[[Actor, Row], Row] = lambda _, row: row
    """Last say on what of a row this actor sees."""
    prepare: Callable[[Actor, str | None, Row], Awaitable[Row]] | None = None
    """Given the id (None on create) and the checked values, whatever takes time or asks the loop before the write."""
    on_change: Callable[[Change], Awaitable[None]] | None = None
    """Called on the event loop after the commit, before the answer."""
    reveal: Callable[[Actor, str], Awaitable[Row]] | None = None
    """Given the id of what was just created, what its creator is shown this once."""

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)


class Registry:
    """All collections by name and by id."""

    def __init__(self, collections: Iterable[Collection]) -> None:
        self._by_name = {collection.name: collection for collection in collections}
        self._by_id = {collection.id: collection for collection in self._by_name.values()}

    def __getitem__(self, name: str) -> Collection:
        """Raise KeyError if there is none of this name."""
        return self._by_name[name]

    def find(self, name_or_id: str) -> Collection | None:
        return self._by_name.get(name_or_id) or self._by_id.get(name_or_id)

    @property
    def collections(self) -> Mapping[str, Collection]:
        return self._by_name
