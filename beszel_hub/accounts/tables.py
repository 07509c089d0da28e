"""The tables of users and API tokens."""

import peewee

from beszel_hub.store.tables import InstantField, JsonField, Table


class User(Table):
    id = peewee.TextField(primary_key=True)
    email = peewee.TextField()
    username = peewee.TextField()
    role = peewee.TextField()
    verified = peewee.BooleanField()
    email_visibility = peewee.BooleanField()
    password_hash = peewee.TextField()
    token_key = peewee.TextField()
    created = InstantField()
    updated = InstantField()

    class Meta:
        table_name = "users"


class ApiToken(Table):
    id = peewee.TextField(primary_key=True)
    user_id = peewee.TextField()
    name = peewee.TextField()
    scope = peewee.TextField()
    system_ids = JsonField(null=True)
    expires = InstantField()
    last_used = InstantField(null=True)
    created = InstantField()
    updated = InstantField()

    class Meta:
        table_name = "api_tokens"
