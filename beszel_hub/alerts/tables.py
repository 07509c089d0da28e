"""Rules, the states of their alerts, the history, quiet hours, and what these held back."""

import peewee

from beszel_hub.store.tables import InstantField, JsonField, Table


class RuleRow(Table):
    """A rule; with a `preset` it is one of the kinds that Beszel's clients know."""

    id = peewee.TextField(primary_key=True)
    user_id = peewee.TextField(null=True)
    system_id = peewee.TextField(null=True)
    tag = peewee.TextField(null=True)
    name = peewee.TextField()
    conditions = JsonField()
    match = peewee.TextField()
    severity = peewee.TextField()
    enabled = peewee.BooleanField()
    for_seconds = peewee.IntegerField()
    recover_seconds = peewee.IntegerField()
    repeat_seconds = peewee.IntegerField()
    escalate_value = peewee.FloatField(null=True)
    escalate_seconds = peewee.IntegerField()
    preset = peewee.TextField()
    preset_value = peewee.FloatField(null=True)
    preset_minutes = peewee.IntegerField(null=True)
    origin = peewee.TextField()
    created = InstantField()
    updated = InstantField()

    class Meta:
        table_name = "alert_rules"


class BeszelAlert(Table):
    """A rule with a preset, as Beszel's clients see it; a view, so it is only read."""

    id = peewee.TextField(primary_key=True)
    user_id = peewee.TextField()
    system_id = peewee.TextField()
    name = peewee.TextField()
    value = peewee.FloatField()
    min = peewee.IntegerField()
    triggered = peewee.BooleanField()
    created = InstantField()
    updated = InstantField()

    class Meta:
        table_name = "beszel_alerts"


class StateRow(Table):
    """Where the alert of one target stands, unless it is calm."""

    rule_id = peewee.TextField()
    system_id = peewee.TextField()
    target = peewee.TextField()
    phase = peewee.TextField()
    body = JsonField()

    class Meta:
        table_name = "alert_states"
        primary_key = peewee.CompositeKey("rule_id", "system_id", "target")
        without_rowid = True


class EngineRow(Table):
    """When the engine last ran."""

    id = peewee.IntegerField(primary_key=True)
    alive = InstantField()

    class Meta:
        table_name = "alert_engine"


class HistoryRow(Table):
    """One alert from firing to its end."""

    id = peewee.TextField(primary_key=True)
    rule_id = peewee.TextField()
    user_id = peewee.TextField(null=True)
    system_id = peewee.TextField()
    name = peewee.TextField()
    target = peewee.TextField()
    severity = peewee.TextField()
    value = peewee.FloatField(null=True)
    peak = peewee.FloatField(null=True)
    threshold = peewee.FloatField(null=True)
    outcome = peewee.TextField()
    reason = peewee.TextField()
    acknowledged = InstantField(null=True)
    acknowledged_by = peewee.TextField(null=True)
    created = InstantField()
    resolved = InstantField(null=True)

    class Meta:
        table_name = "alerts_history"


class QuietRow(Table):
    """A time in which a user wants to hear nothing, of everything or of something."""

    id = peewee.TextField(primary_key=True)
    user_id = peewee.TextField()
    system_id = peewee.TextField(null=True)
    rule_id = peewee.TextField(null=True)
    tag = peewee.TextField(null=True)
    type = peewee.TextField()
    start = InstantField()
    end = InstantField()
    timezone = peewee.TextField()
    days = JsonField()
    note = peewee.TextField()
    created = InstantField()
    updated = InstantField()

    class Meta:
        table_name = "quiet_hours"


class HeldRow(Table):
    """A transition that a user was not told because of quiet hours."""

    id = peewee.AutoField()
    user_id = peewee.TextField()
    body = JsonField()
    created = InstantField()

    class Meta:
        table_name = "alerts_held"
