"""Systems, who sees them, what they are made of, and how their agents prove themselves."""

import peewee

from beszel_hub.store.tables import InstantField, JsonField, Table


class SystemRow(Table):
    id = peewee.TextField(primary_key=True)
    name = peewee.TextField()
    host = peewee.TextField()
    port = peewee.TextField()
    status = peewee.TextField()
    status_since = InstantField()
    info = JsonField()
    tags = JsonField()
    interval_seconds = peewee.FloatField()
    retention = JsonField(default=dict)
    """How long which tier of its history is kept, where that differs from the hub's settings."""
    created = InstantField()
    updated = InstantField()

    class Meta:
        table_name = "systems"


class Membership(Table):
    """A user who sees a system."""

    system_id = peewee.TextField()
    user_id = peewee.TextField()

    class Meta:
        table_name = "memberships"
        primary_key = peewee.CompositeKey("system_id", "user_id")
        without_rowid = True


class DetailsRow(Table):
    """Static facts about a host; `id` is the system's."""

    id = peewee.TextField(primary_key=True)
    hostname = peewee.TextField()
    os = peewee.IntegerField()
    os_name = peewee.TextField()
    kernel = peewee.TextField()
    cpu = peewee.TextField()
    arch = peewee.TextField()
    cores = peewee.IntegerField()
    threads = peewee.IntegerField()
    memory = peewee.BigIntegerField()
    podman = peewee.BooleanField()
    agent_version = peewee.TextField()
    created = InstantField()
    updated = InstantField()

    class Meta:
        table_name = "system_details"


class AgentToken(Table):
    """A secret that agents enrol with: of one system, or universal and then of its owner."""

    id = peewee.TextField(primary_key=True)
    token_id = peewee.TextField(unique=True)
    sealed = peewee.BlobField()
    system_id = peewee.TextField(null=True)
    owner_id = peewee.TextField(null=True)
    expires = InstantField(null=True)
    created = InstantField()

    class Meta:
        table_name = "agent_tokens"


class AgentBinding(Table):
    """The one agent that may write a system's rows, as its first enrolment bound it."""

    system_id = peewee.TextField(primary_key=True)
    fingerprint = peewee.TextField()
    agent_key = peewee.TextField()
    owner_id = peewee.TextField(null=True)
    """Whose universal token the system was made by; None for a system with a token of its own."""
    enrolled = InstantField()

    class Meta:
        table_name = "agent_bindings"


class Fingerprint(Table):
    """A view: the token and the agent of a system, for every system that has one of them; `id` is the system's."""

    id = peewee.TextField(primary_key=True)
    system_id = peewee.TextField()
    token_id = peewee.TextField(null=True)
    sealed = peewee.BlobField(null=True)
    fingerprint = peewee.TextField()
    created = InstantField()
    updated = InstantField()

    class Meta:
        table_name = "fingerprints"


class Team(Table):
    """Users who see every system that has one of the team's tags."""

    id = peewee.TextField(primary_key=True)
    name = peewee.TextField()
    tags = JsonField()
    created = InstantField()
    updated = InstantField()

    class Meta:
        table_name = "teams"


class TeamMember(Table):
    team_id = peewee.TextField()
    user_id = peewee.TextField()

    class Meta:
        table_name = "team_members"
        primary_key = peewee.CompositeKey("team_id", "user_id")
        without_rowid = True


class TeamSystem(Table):
    """What the tags come to; `teams.regrant` writes it."""

    team_id = peewee.TextField()
    system_id = peewee.TextField()

    class Meta:
        table_name = "team_systems"
        primary_key = peewee.CompositeKey("team_id", "system_id")
        without_rowid = True
