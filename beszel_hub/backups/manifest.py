"""What a backup says of itself: the last member of its archive, so that one without it was never finished."""

from typing import Final

import msgspec

FORMAT: Final = 1
MANIFEST_NAME: Final = "manifest.json"
DATABASE_NAME: Final = "data.db"
SECRET_NAME: Final = "secret.key"  # noqa: S105  # the name of a file
HUB_KEY_NAME: Final = "id_ed25519"
MEMBER_NAMES: Final = (DATABASE_NAME, SECRET_NAME, HUB_KEY_NAME, "config.yml", "alerts.yml")
"""Of a data directory, all that cannot be had again from elsewhere; an archive has nothing else."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the data directory, as it was."""

    name: str
    bytes: int
    sha256: str
    """In hexadecimal."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    format: int
    version: str
    """Of the hub that made the backup."""
    schema: int
    """The highest number of a migration that its database has had."""
    created: str
    """When, in UTC: everything that was stored by then is in it."""
    members: tuple[Member, ...]

    def has(self, name: str) -> bool:
        return any(member.name == name for member in self.members)
