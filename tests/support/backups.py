"""Data directories worth a backup, and what is in them."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from beszel_hub.agents.keys import load_hub_key
from beszel_hub.config import HubConfig
from beszel_hub.store.database import Database
from beszel_hub.store.secrets import load_secret
from beszel_hub.systems.queries import insert_system
from beszel_hub.systems.tables import SystemRow
from tests.support.databases import IS_POSTGRESQL

needs_file = pytest.mark.skipif(IS_POSTGRESQL, reason="backups are of databases in a file")
MANY = [f"web-{number}-{'x' * 3000}" for number in range(800)]
"""Names of systems, which make a database of some mebibytes."""


@contextmanager
def opened(config: HubConfig) -> Iterator[Database]:
    database = Database(config.database_path)
    database.open()
    try:
        yield database
    finally:
        database.close()


def make_site(directory: Path, *names: str) -> HubConfig:
    """A data directory of a hub with systems of these names."""
    config = HubConfig(data_dir=directory)
    directory.mkdir(mode=0o700, parents=True)
    load_secret(config.secret_path)
    load_hub_key(config.key_path)
    with opened(config) as database:
        add_systems(database, *names)
    return config


def add_systems(database: Database, *names: str) -> None:
    def write() -> None:
        for name in names:
            insert_system(name=name, now_ms=1, members=())

    database.write_now(write)


def system_names(config: HubConfig) -> list[str]:
    with opened(config) as database:
        return database.read_now(lambda: sorted(row.name for row in SystemRow.select()))


def rewrite(path: Path, **changes: bytes | None) -> None:
    """Put other members in an archive, by name with `_` for `.`; None leaves one out."""
    members = read_members(path)
    for name, content in changes.items():
        key = next((known for known in members if known.replace(".", "_") == name), name)
        if content is None:
            del members[key]
        else:
            members[key] = content
    write_members(path, members)


def read_members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_members(path: Path, members: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def run_child(program: str, *arguments: object) -> int:
    """The exit status of a Python of its own."""
    argv = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(argv, check=False, timeout=60).returncode
