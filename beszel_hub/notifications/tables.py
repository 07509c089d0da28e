"""Channels, the outbox, and plans for alerts that last."""

import peewee

from beszel_hub.store.tables import InstantField, JsonField, Table


class ChannelRow(Table):
    """The fields of a `Channel` by their own names, and what only the store and the owner need."""

    id = peewee.TextField(primary_key=True)
    user_id = peewee.TextField()
    name = peewee.TextField()
    kind = peewee.TextField()
    target = peewee.BlobField()
    """Sealed; a URL or an address."""
    hint = peewee.TextField()
    """What of the target may be shown: service and host."""
    template = peewee.TextField()
    subject_template = peewee.TextField()
    min_severity = peewee.TextField()
    rules = JsonField()
    systems = JsonField()
    tags = JsonField()
    is_enabled = peewee.BooleanField()
    sends_recoveries = peewee.BooleanField()
    escalate_after_seconds = peewee.IntegerField()
    repeat_seconds = peewee.IntegerField()
    group_seconds = peewee.IntegerField()
    per_hour = peewee.IntegerField()
    is_weekly = peewee.BooleanField()
    is_from_settings = peewee.BooleanField()
    """Made of the user's settings, which then say what its target is."""
    last_sent = InstantField(null=True)
    last_error = peewee.TextField()
    """Of the newest attempt; empty if that went well."""
    created = InstantField()
    updated = InstantField()

    class Meta:
        table_name = "notification_channels"


class DeliveryRow(Table):
    """One step of one alert for one channel: the outbox, and its memory afterwards."""

    id = peewee.TextField(primary_key=True)
    channel_id = peewee.TextField()
    position = peewee.BigIntegerField()
    """Rises within a channel: the order of telling."""
    transition_id = peewee.TextField()
    alert_id = peewee.TextField()
    system_id = peewee.TextField()
    status = peewee.TextField()
    """`waiting`, `sent`, or `dead` with a reason."""
    step = JsonField()
    """A `Step`."""
    message = peewee.TextField()
    """The key of the message that it is a part of; empty until it is first sent, and fixed from then on."""
    attempts = peewee.IntegerField()
    due = InstantField()
    reason = peewee.TextField()
    created = InstantField()
    updated = InstantField()

    class Meta:
        table_name = "notification_deliveries"


class PlanRow(Table):
    """What a channel is to be told of an alert later on, if that still lasts then."""

    alert_id = peewee.TextField()
    channel_id = peewee.TextField()
    step = JsonField()
    """That of `fired`."""
    due = InstantField()
    told = peewee.IntegerField()
    """How often the channel has been told of the alert."""

    class Meta:
        table_name = "notification_plans"
        primary_key = peewee.CompositeKey("alert_id", "channel_id")
        without_rowid = True
