"""The database that a test's hub gets: a file, or with `BESZEL_TEST_DATABASE=postgresql` one of a real server.

The server is Debian's, on a socket in a directory of its own, and lives as long as the tests. Every hub gets a database
copied from one that is migrated already, which takes a twentieth of a second.
"""

import atexit
import ctypes
import hashlib
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from beszel_hub.store.database import Database
from beszel_hub.store.files import write_private_file
from tests.support.memory import roomy_memory
from tests.support.programs import wait_until
from tests.support.services import need_program

IS_POSTGRESQL = os.environ.get("BESZEL_TEST_DATABASE") == "postgresql"

_PR_SET_PDEATHSIG = 1
_TEMPLATE = "migrated"
_OPTIONS = {
    "listen_addresses": "", "max_connections": "300", "fsync": "off", "full_page_writes": "off", "autovacuum": "off",
    "shared_buffers": "32MB", "max_wal_size": "256MB", "log_min_messages": "fatal",
}  # fmt: skip
_created: dict[str, Path] = {}


class Server:
    """A PostgreSQL of one's own, as the user `postgres` where the tests are root's; it refuses to be root."""

    def __init__(self, options: dict[str, str]) -> None:
        self._programs = _programs_directory()
        self.directory = Path(tempfile.mkdtemp(prefix="pg-", dir=roomy_memory()))
        self._user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        if self._user is not None:
            os.chown(self.directory, self._user.pw_uid, self._user.pw_gid)
        self._options = options
        self._popen: subprocess.Popen[bytes] | None = None
        initialise = ["-D", str(self.directory / "data"), "-A", "trust", "-U", "hub", "-E", "UTF8", "--locale=C", "-N"]
        subprocess.run([self._programs / "initdb", *initialise], check=True, stdout=subprocess.DEVNULL, **self._as())
        self.start()

    def url(self, name: str) -> str:
        return f"postgresql://hub@/{name}?host={self.directory}"

    def start(self) -> None:
        """The server ends with the thread that calls this."""
        place = ["-D", str(self.directory / "data"), "-k", str(self.directory)]
        settings = [f"--{name}={value}" for name, value in self._options.items()]
        with (self.directory / "log").open("ab") as log:
            self._popen = subprocess.Popen(
                [str(self._programs / "postgres"), *place, *settings], stdout=log, stderr=log,
                preexec_fn=_die_with_parent, **self._as(),  # noqa: PLW1509 - nothing else runs yet in this process
            )  # fmt: skip
        wait_until("PostgreSQL answers", self._answers, 60)

    def stop(self, number: signal.Signals) -> None:
        """SIGQUIT ends it at once, as a crash does; SIGINT ends it well."""
        assert self._popen is not None
        self._popen.send_signal(number)
        self._popen.wait(60)

    def close(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.directory)

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _answers(self) -> bool:
        assert self._popen is not None
        assert self._popen.poll() is None, (self.directory / "log").read_text()
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _as(self) -> dict[str, Any]:
        if self._user is None:
            return {"cwd": self.directory}
        return {"cwd": self.directory, "user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}


@contextmanager
def small_server() -> Iterator[Server]:
    """A server of one's own, at its socket only; what it holds may be lost with the power."""
    options = {"listen_addresses": "", "shared_buffers": "16MB", "max_connections": "20", "fsync": "off"}
    with closing(Server(options)) as started:
        yield started


def empty_database(server: Server, test: str) -> str:
    """The URL of one of this test's own."""
    name = f"test_{hashlib.sha256(test.encode()).hexdigest()[:16]}"
    server.execute(f"CREATE DATABASE {name}")
    return server.url(name)


def place_at(path: Path) -> Path | str:
    """Where a test finds the database that would be this file."""
    return _url_for(path) if IS_POSTGRESQL else path


def place_of_copy(original: Path, copy: Path) -> Path | str:
    """Likewise, for a copy of one that nobody uses."""
    if IS_POSTGRESQL:
        return _url_for(copy, _name_of(original))
    copy.write_bytes(original.read_bytes())
    return copy


def provide(data_dir: Path, url: str | None = None) -> Path:
    """Have the hub on this data directory, and commands beside it, use a database of the kind that is tested."""
    if url is None and IS_POSTGRESQL:
        url = _url_for(data_dir / "data.db")
    if url is not None:
        data_dir.mkdir(parents=True, exist_ok=True)
        write_private_file(data_dir / "database.url", url.encode())
    return data_dir


def contents(path: Path) -> bytes:
    """All that is held by the database that would be this file, values as they are; a damaged one raises."""
    if IS_POSTGRESQL:
        with psycopg.connect(_url_for(path)) as connection:
            tables = connection.execute("SELECT relname FROM pg_stat_user_tables ORDER BY relname").fetchall()
            return b"".join(_copy_out(connection, name) for (name,) in tables)
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        written_out = "\n".join(file.iterdump()).encode()
    return b"".join([written_out, *(part.read_bytes() for part in path.parent.glob(f"{path.name}*"))])


def drop_below(directory: Path) -> None:
    """Drop the databases of a test that is over."""
    for name, path in list(_created.items()):
        if path.is_relative_to(directory):
            del _created[name]
            _shared_server().execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _copy_out(connection: psycopg.Connection[Any], table: str) -> bytes:
    """A partitioned table is copied by its partitions, which are tables too."""
    query = sql.SQL("COPY (SELECT * FROM ONLY {}) TO STDOUT (FORMAT binary)").format(sql.Identifier(table))
    with connection.cursor() as cursor, cursor.copy(query) as rows:
        return b"".join(rows)


def _name_of(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:16]


def _url_for(path: Path, template: str = _TEMPLATE) -> str:
    name = _name_of(path)
    if name not in _created:
        _shared_server().execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        _created[name] = path.absolute()
    return _shared_server().url(name)


@cache
def _shared_server() -> Server:
    server = Server(_OPTIONS)
    atexit.register(server.close)
    server.execute(f"CREATE DATABASE {_TEMPLATE}")
    migrated = Database(server.url(_TEMPLATE))
    migrated.open()
    migrated.close()
    return server


def _programs_directory() -> Path:
    """Debian keeps them out of the way, a directory a version."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return (installed[-1] if installed else Path(need_program("initdb")).resolve()).parent


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
