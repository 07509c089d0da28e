"""Containers as their agents last told of them."""

import peewee

from beszel_hub.store.tables import InstantField, JsonField, Table


class ContainerRow(Table):
    """One container, under the system whose agent told of it: no agent reaches another system's row."""

    system_id = peewee.TextField()
    id = peewee.TextField()
    facts = JsonField()
    """A `ContainerFacts`."""
    seen = InstantField()

    class Meta:
        table_name = "containers"
        primary_key = peewee.CompositeKey("system_id", "id")
        without_rowid = True
