"""Writes stored history to a file or to standard output, page by page."""

import asyncio
import os
import sys
from contextlib import aclosing, suppress
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from beszel_hub.cli.opening import open_database
from beszel_hub.clock import system_clock
from beszel_hub.config import HubConfig
from beszel_hub.errors import CommandFailed, InvalidSetting
from beszel_hub.export.lines import COLUMNS, position_of_line
from beszel_hub.export.plan import Position
from beszel_hub.export.query import ExportQuery, parse_export_query
from beszel_hub.export.service import Exports
from beszel_hub.permissions import Actor
from beszel_hub.store.database import Database
from beszel_hub.systems.directory import Directory
from beszel_hub.systems.queries import load_entries

_OWNER: Final = Actor(user_id="", role="admin", scope="full")
"""Whoever can read the data directory can read everything in it."""
_HEADING: Final = ",".join(COLUMNS).encode()
_LONGEST_LINE_BYTES: Final = 64 << 10


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The options as they were written."""

    format: str
    systems: tuple[str, ...]
    metric: str
    start: str
    end: str
    resolution: str


def export_history(config: HubConfig, wanted: Wanted, path: Path | None, *, resume: bool) -> None:
    """Raise `BadRequest` for what makes no sense, `CommandFailed` if a system or the file is not there."""
    if resume and path is None:
        raise InvalidSetting("--resume needs --output FILE")
    if isinstance(config.database, Path) and not config.database.exists():
        raise CommandFailed(f"there is no database in {config.data_dir}")
    with open_database(config) as database:
        directory = Directory()
        directory.replace_all(database.read_now(load_entries))
        after = _cut_to_last_line(path) if resume and path is not None else None
        query = _query(wanted, directory, after)
        with suppress(BrokenPipeError):  # `| head` has seen enough
            _write(database, directory, query, path, is_going_on=after is not None)


def _query(wanted: Wanted, directory: Directory, after: Position | None) -> ExportQuery:
    parameters = {
        "format": wanted.format, "metric": wanted.metric, "from": wanted.start, "to": wanted.end,
        "resolution": wanted.resolution, "after": "" if after is None else str(after),
        "system": ",".join(_find_system(directory, name) for name in wanted.systems),
    }  # fmt: skip
    return parse_export_query(parameters, system_clock())


def _find_system(directory: Directory, name: str) -> str:
    if directory.get(name) is not None:
        return name
    named = [entry.id for entry in directory if entry.name == name]
    if len(named) == 1:
        return named[0]
    problem = "several systems are called" if named else "there is no system"
    raise CommandFailed(f"{problem} {name!r}{'; name one by its id' if named else ''}")


def _write(
    database: Database, directory: Directory, query: ExportQuery, path: Path | None, *, is_going_on: bool
) -> None:
    exports = Exports(database, directory)
    plan = exports.plan(_OWNER, query)

    async def write(file: BinaryIO) -> None:
        async with aclosing(exports.stream(_OWNER, plan, query.format)) as blocks:
            async for block in blocks:
                file.write(block)

    if path is None:
        asyncio.run(write(sys.stdout.buffer))
        sys.stdout.buffer.flush()
        return
    try:
        with _open(path, is_going_on=is_going_on) as file:
            asyncio.run(write(file))
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror}") from error


def _open(path: Path, *, is_going_on: bool) -> BinaryIO:
    """A new file is its owner's alone: history tells much about a host."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_APPEND if is_going_on else os.O_TRUNC)
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def _cut_to_last_line(path: Path) -> Position | None:
    """Where the file ends, after a line that was written in part is cut off; None if there is no line to go on from."""
    try:
        with path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            start = file.seek(max(0, size - 2 * _LONGEST_LINE_BYTES))
            lines = file.read().splitlines(keepends=True)
            if lines and not lines[-1].endswith(b"\n"):
                size -= len(lines.pop())
                file.truncate(size)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}") from error
    if not lines or (start == 0 and len(lines) == 1 and lines[0].startswith(_HEADING)):
        return None
    try:
        return position_of_line(lines[-1])
    except (ValueError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{path} ends with no line of an export") from error
