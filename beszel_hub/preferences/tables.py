"""The table of users' settings."""

import peewee

from beszel_hub.store.tables import InstantField, JsonField, Table


class UserSettings(Table):
    id = peewee.TextField(primary_key=True)
    user_id = peewee.TextField(unique=True)
    settings = JsonField()
    created = InstantField()
    updated = InstantField()

    class Meta:
        table_name = "user_settings"
