"""History: samples as they came, sealed chunks of them, their tiers, and which sequences of which spool are stored."""

import peewee

from beszel_hub.store.tables import InstantField, JsonField, Table


class HotSample(Table):
    """One sample that is not sealed yet; `document` is its metrics in JSON."""

    id = peewee.AutoField()
    system_id = peewee.TextField()
    instant = InstantField()
    mark = peewee.IntegerField()
    document = peewee.BlobField()

    class Meta:
        table_name = "hot_samples"


class ChunkRow(Table):
    """Samples of one system within one window, sealed; a window may have several."""

    id = peewee.AutoField()
    system_id = peewee.TextField()
    first = InstantField()
    last = InstantField()
    samples = peewee.IntegerField()
    readings = peewee.BigIntegerField()
    """How many numbers and texts the samples have."""
    data = peewee.BlobField()

    class Meta:
        table_name = "chunks"


class RollupRow(Table):
    """Buckets of one tier of one system, sealed: `first <= instant < last`."""

    id = peewee.AutoField()
    system_id = peewee.TextField()
    tier = peewee.IntegerField()
    """The length of its buckets in seconds."""
    first = InstantField()
    last = InstantField()
    numbers = peewee.BigIntegerField()
    data = peewee.BlobField()

    class Meta:
        table_name = "rollups"


class RollupDue(Table):
    """An hour or a day of a system whose roll-ups have to be made, or made again."""

    system_id = peewee.TextField()
    span = peewee.IntegerField()
    """In seconds."""
    start = InstantField()
    revision = peewee.IntegerField()
    """Rises when there is something new while somebody may be at work on it."""

    class Meta:
        table_name = "rollups_due"
        primary_key = peewee.CompositeKey("system_id", "span", "start")


class HistoryFloor(Table):
    """Before this instant, parts of a tier of a system have been deleted; tier 0 is that of single samples."""

    system_id = peewee.TextField()
    tier = peewee.IntegerField()
    instant = InstantField()

    class Meta:
        table_name = "history_floors"
        primary_key = peewee.CompositeKey("system_id", "tier")


class Happening(Table):
    """An `event` or `gap` of an agent, as the message it was."""

    id = peewee.AutoField()
    system_id = peewee.TextField()
    instant = InstantField()
    body = peewee.TextField()

    class Meta:
        table_name = "happenings"


class SpoolRow(Table):
    """Which sequences of a spool are stored, as ranges; kept longer than what they stand for."""

    system_id = peewee.TextField()
    spool_id = peewee.TextField()
    stored = JsonField()
    updated = InstantField()

    class Meta:
        table_name = "spools"
        primary_key = peewee.CompositeKey("system_id", "spool_id")
        without_rowid = True


class HistoryRemoval(Table):
    """A deleted system whose history is still to be removed."""

    system_id = peewee.TextField(primary_key=True)
    requested = InstantField()

    class Meta:
        table_name = "history_removals"
