"""The table of the audit log. Users and records are named by value: an entry outlives what it tells of."""

import peewee

from beszel_hub.store.tables import InstantField, JsonField, Table


class AuditEntry(Table):
    id = peewee.TextField(primary_key=True)
    user_id = peewee.TextField()
    """Empty for the command line, and for whoever has not logged in."""
    user_name = peewee.TextField()
    session_id = peewee.TextField()
    token_id = peewee.TextField()
    address = peewee.TextField()
    action = peewee.TextField()
    collection = peewee.TextField()
    record_id = peewee.TextField()
    changes = JsonField()
    created = InstantField()

    class Meta:
        table_name = "audit_log"
