"""Checks, and which revision of its configuration each system is at."""

import peewee

from beszel_hub.store.tables import InstantField, Table


class CheckRow(Table):
    """The fields of a `CheckDefinition` by their own names, and whose it is."""

    id = peewee.TextField(primary_key=True)
    system_id = peewee.TextField()
    name = peewee.TextField()
    kind = peewee.TextField()
    target = peewee.TextField()
    interval_seconds = peewee.FloatField()
    timeout_seconds = peewee.FloatField()
    is_enabled = peewee.BooleanField()
    allow_private = peewee.BooleanField()
    keyword = peewee.TextField()
    method = peewee.TextField()
    expected_status = peewee.TextField()
    follow_redirects = peewee.BooleanField()
    verify_certificate = peewee.BooleanField()
    record = peewee.TextField()
    server = peewee.TextField()
    created = InstantField()
    updated = InstantField()

    class Meta:
        table_name = "checks"


class ConfigurationRow(Table):
    """Rises with every change of what the system's agent is to do."""

    system_id = peewee.TextField(primary_key=True)
    revision = peewee.BigIntegerField()

    class Meta:
        table_name = "configurations"
        without_rowid = True
