"""Users, and everything by which one of them is recognised."""

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


class Session(Table):
    """A login: its token holds as long as this row is there."""

    id = peewee.TextField(primary_key=True)
    user_id = peewee.TextField()
    method = peewee.TextField()
    address = peewee.TextField()
    agent = peewee.TextField()
    expires = InstantField()
    last_used = InstantField()
    created = InstantField()
    updated = InstantField()

    class Meta:
        table_name = "sessions"


class Identity(Table):
    """Somebody at an identity provider who is a user here."""

    id = peewee.TextField(primary_key=True)
    user_id = peewee.TextField()
    provider = peewee.TextField()
    issuer = peewee.TextField()
    subject = peewee.TextField()
    created = InstantField()
    updated = InstantField()

    class Meta:
        table_name = "identities"


class LoginCode(Table):
    """A code sent by e-mail (`otp`), or the half of a login that waits for the other (`mfa`)."""

    id = peewee.TextField(primary_key=True)
    user_id = peewee.TextField()
    kind = peewee.TextField()
    method = peewee.TextField()
    """Of an `mfa`: how the first half was done."""
    digest = peewee.BlobField()
    attempts = peewee.IntegerField()
    """That are left."""
    expires = InstantField()

    class Meta:
        table_name = "login_codes"
