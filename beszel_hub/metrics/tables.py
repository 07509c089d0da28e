"""History: samples as they came, sealed chunks of them, and which sequences of which spool are stored."""

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
    data = peewee.BlobField()

    class Meta:
        table_name = "chunks"


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
