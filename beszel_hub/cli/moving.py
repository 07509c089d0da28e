"""Moves a stopped hub's database to PostgreSQL, or back into a file, and has the data directory point there."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from beszel_hub.backups.restoring import refuse_half_restored
from beszel_hub.cli.opening import prepare_directory
from beszel_hub.cli.tables import TABLES
from beszel_hub.config import HubConfig
from beszel_hub.errors import CommandFailed, InvalidSetting, StartError
from beszel_hub.store.database import dialect_at
from beszel_hub.store.dialect import Place
from beszel_hub.store.files import give_to_owner_of, write_private_file
from beszel_hub.store.locks import Held, hold
from beszel_hub.store.move import Step, move
from beszel_hub.store.urls import without_password
from beszel_protocol.units import format_bytes

_LINE_SECONDS: Final = 10.0
"""Between two lines about a table that takes longer, where nobody draws a bar."""


class MoveReport(msgspec.Struct, frozen=True, kw_only=True):
    """What has been moved; every table has been read again and is the same."""

    source: str
    target: str
    rows: int
    bytes: int
    seconds: float
    tables: dict[str, int]
    """Rows by table."""


def move_store(config: HubConfig, to: str) -> MoveReport:
    """Raises `InvalidSetting` for a `to` that makes no sense, `StartError` if a hub or the database is in the way."""
    place = _parse_place(to)
    if isinstance(config.database, Path) and not config.database.exists():
        raise CommandFailed(f"there is no database in {config.data_dir}")
    began = time.monotonic()
    with _stopped(config, place):
        refuse_half_restored(config)
        source, target = dialect_at(config.database), dialect_at(place)
        with _shown() as tell:
            moved = move(source, target, TABLES, tell)
        _point_to(config, place)
    return MoveReport(
        source=source.place,
        target=target.place,
        rows=sum(table.content.rows for table in moved),
        bytes=sum(table.content.bytes for table in moved),
        seconds=round(time.monotonic() - began, 1),
        tables={table.table: table.content.rows for table in moved},
    )


def describe(report: MoveReport, config: HubConfig) -> str:
    """What has happened, and what is left to be done."""
    if "://" in report.target:
        how = f"Start the hub with DATABASE_URL='{report.target}', and its password in PGPASSWORD or ~/.pgpass."
    elif _is_own(config, Path(report.target)):
        how = "Start the hub without DATABASE_URL."
    else:
        how = f"Start the hub without DATABASE_URL and with this file as data.db of its directory ({config.data_dir})."
    return (
        f"{report.rows:,} rows, {format_bytes(report.bytes)}, are in {report.target} now, read again and the same"
        f" ({report.seconds:.0f} s).\n{how}\n{report.source} is as it was; it is not needed any more."
    )


def _parse_place(to: str) -> Place:
    parts = urlsplit(to)
    if parts.scheme in {"postgresql", "postgres"}:
        return to
    path = Path(unquote(parts.path))
    if parts.scheme != "sqlite" or parts.netloc or not path.is_absolute():
        raise InvalidSetting("--to must be postgresql://user@host/name or sqlite:///path/of/data.db")
    if not path.parent.is_dir():
        raise InvalidSetting(f"--to: there is no directory {path.parent}")
    return path


@contextmanager
def _stopped(config: HubConfig, target: Place) -> Iterator[None]:
    """No hub runs on the data directory, nor starts on it or on that of a file that is written."""
    prepare_directory(config.data_dir)
    directories = [config.data_dir]
    if isinstance(target, Path) and target.parent.resolve() != config.data_dir.resolve():
        directories.append(target.parent)
    with ExitStack() as stack:
        for directory in directories:
            try:
                stack.enter_context(hold(directory / config.lock_path.name))
                give_to_owner_of(directory, directory / config.lock_path.name)
            except Held as error:
                raise StartError(f"a hub serves {directory}: stop it first") from error
            except OSError as error:
                raise StartError(f"{directory} cannot be used: {error.strerror}") from error
        yield


def _point_to(config: HubConfig, place: Place) -> None:
    """A hub that is started as before, and commands, find the data where they are now, also after root has moved it."""
    if isinstance(place, str):
        write_private_file(config.database_note_path, f"{without_password(place)}\n".encode())
        give_to_owner_of(config.data_dir, config.database_note_path)
        return
    beside = (place.with_name(f"{place.name}{suffix}") for suffix in ("", "-wal", "-shm"))
    give_to_owner_of(place.parent, *(path for path in beside if path.exists()))
    if _is_own(config, place):
        config.database_note_path.unlink(missing_ok=True)


def _is_own(config: HubConfig, path: Path) -> bool:
    """Whether a hub on the data directory looks for its database there."""
    return path.resolve() == config.database_path.resolve()


@contextmanager
def _shown() -> Iterator[Callable[[Step], None]]:
    """How far it is: a line for each table that is done, and a bar for the one under way if this is a terminal."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        yield _Lines(console).tell
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[amount]}", justify="right"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Bar(progress).tell


class _Bar:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", amount="")

    def tell(self, step: Step) -> None:
        if not step.of_rows:
            return
        if not step.rows:
            self._progress.reset(self._task, description=_name(step), total=step.of_rows, amount="")
            return
        self._progress.update(self._task, completed=step.rows, amount=format_bytes(step.bytes))
        if step.rows == step.of_rows:
            self._progress.console.print(_line(step))


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._told_at = time.monotonic()

    def tell(self, step: Step) -> None:
        now = time.monotonic()
        if step.rows and (step.rows == step.of_rows or now >= self._told_at + _LINE_SECONDS):
            self._told_at = now
            self._console.print(_line(step))


def _name(step: Step) -> str:
    return f"{'check' if step.is_checking else 'copy'} {step.table}"


def _line(step: Step) -> str:
    return f"{_name(step)}: {step.rows:,} of {step.of_rows:,} rows, {format_bytes(step.bytes)}"
