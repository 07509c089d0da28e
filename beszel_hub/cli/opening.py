"""The data directory as commands use it, whether or not a hub is running on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from beszel_hub.accounts.queries import Account, find_identity
from beszel_hub.audit.journal import Journal
from beszel_hub.backups.restoring import refuse_half_restored
from beszel_hub.clock import system_clock
from beszel_hub.config import HubConfig
from beszel_hub.errors import CommandFailed, StartError
from beszel_hub.permissions import ANONYMOUS
from beszel_hub.store.database import Database
from beszel_hub.store.files import make_private_directory

COMMAND_PREFIX: Final = "command_line."
"""Of actions in the audit log."""


def prepare_directory(path: Path) -> None:
    """Make the data directory, private to its owner; raise `StartError` if that cannot be."""
    try:
        make_private_directory(path)
    except OSError as error:
        raise StartError(f"the data directory {path} cannot be used: {error.strerror}") from error


@contextmanager
def open_database(config: HubConfig) -> Iterator[Database]:
    """The database, opened for one command."""
    prepare_directory(config.data_dir)
    refuse_half_restored(config)
    database = Database(config.database)
    database.open()
    try:
        yield database
    finally:
        database.close()


def note(action: str, collection: str = "", record_id: str = "", **changes: Any) -> None:
    """Tell the audit log what a command has done; runs inside the command's own write."""
    Journal(system_clock, lambda _: "").note(
        ANONYMOUS, COMMAND_PREFIX + action, collection=collection, record_id=record_id, changes=changes
    )


def require_account(identity: str) -> Account:
    """A user by e-mail address or name; runs on a database thread."""
    account = find_identity(identity)
    if account is None:
        raise CommandFailed(f"there is no user {identity!r}")
    return account
