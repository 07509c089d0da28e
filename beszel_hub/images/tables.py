"""What registries last said of images."""

import peewee

from beszel_hub.store.tables import InstantField, Table


class ImageDigestRow(Table):
    """One tag of one repository, however many containers run it."""

    reference = peewee.TextField(primary_key=True)
    digest = peewee.TextField(null=True)
    """Null if it is not known."""
    told = InstantField()
    """When its registry last said so; 0 if it never did."""
    due = InstantField()

    class Meta:
        table_name = "image_digests"
        without_rowid = True
