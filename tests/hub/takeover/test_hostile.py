"""Databases that no Beszel has written, or not all of it: nothing breaks, and the report says what was wrong."""

import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest

from beszel_hub.accounts.tables import User
from beszel_hub.cli.commands import run_command_line
from beszel_hub.metrics.series import read_entries
from beszel_hub.records.dates import format_date
from beszel_hub.store.database import Database
from beszel_hub.systems.queries import load_entries
from beszel_hub.systems.tables import AgentBinding
from beszel_hub.takeover.source import open_source
from tests.support.beszelserver import write_key
from tests.support.databases import place_at, provide

T = TypeVar("T")

NOW_MS: Final = time.time_ns() // 1_000_000
NOW: Final = format_date(NOW_MS - 60_000)
BCRYPT: Final = "$2a$10$" + "a" * 53
SCHEMA: Final = """
    CREATE TABLE users (id TEXT, email TEXT, username TEXT, role TEXT, password TEXT, verified INTEGER, created TEXT);
    CREATE TABLE systems (id TEXT, name TEXT, host TEXT, port TEXT, status TEXT, info TEXT, users TEXT, created TEXT);
    CREATE TABLE fingerprints (id TEXT, system TEXT, token TEXT, fingerprint TEXT);
    CREATE TABLE universal_tokens (id TEXT, user TEXT, token TEXT);
    CREATE TABLE system_stats (system TEXT, type TEXT, stats TEXT, created TEXT);
    CREATE TABLE container_stats (system TEXT, type TEXT, stats TEXT, created TEXT);
"""
ADA: Final = ("adaadaadaadaada", "ada@example.org", "ada", "admin", BCRYPT, 1, NOW)
WEB: Final = ("webwebwebwebweb", "web", "10.0.0.1", "45876", "up", "{}", '["adaadaadaadaada"]', NOW)

Importer = Callable[..., dict[str, Any]]
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A data directory with the rows that are given by table."""

    def make(schema: str = SCHEMA, **rows: list[tuple[Any, ...]]) -> Path:
        directory = tmp_path / "beszel_data"
        directory.mkdir()
        connection = sqlite3.connect(directory / "data.db")
        connection.executescript(schema)
        for table, items in rows.items():
            for item in items:
                marks = ", ".join("?" * len(item))
                connection.execute(f"INSERT INTO {table} VALUES ({marks})", item)  # noqa: S608 - names of this file
        connection.commit()
        connection.close()
        return directory

    return make


@pytest.fixture
def take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Importer:
    """The tables of the report by name."""

    def take(source: Path) -> dict[str, Any]:
        status = run_command_line(["import-beszel", str(source), "--dir", str(provide(tmp_path / "hub")), "--json"])
        printed = capsys.readouterr()
        assert status == 0, printed.err
        return {table.pop("table"): table for table in json.loads(printed.out)["tables"]}

    return take


@pytest.mark.parametrize("settings", ["", "no JSON", "[1]", "null", "[" * 9000, json.dumps({"a": "x" * (512 << 10)})])
def test_settings_that_are_none_are_left_out(make: Make, take: Importer, settings: str) -> None:
    schema = f"{SCHEMA} CREATE TABLE user_settings (id TEXT, user TEXT, settings TEXT);"
    rows = [("s", ADA[0], settings), ("t", "nobodynobodynob", "{}")]
    told = take(make(schema, users=[ADA], user_settings=rows))["user_settings"]
    assert (told["taken"], told["left_out"]) == (0, {"it is no settings": 1, "its user was not taken over": 1})


def test_targets_nobody_can_send_to_are_left_out_and_the_others_are_sealed(
    make: Make, take: Importer, tmp_path: Path
) -> None:
    schema = f"{SCHEMA} CREATE TABLE user_settings (id TEXT, user TEXT, settings TEXT);"
    webhooks = ["discord://secrettoken@123456", "no target", 7, "x" * 9000]
    settings = json.dumps({"emails": ["ada@example.org", "nobody"], "webhooks": webhooks, "unitTemp": 1})
    tables = take(make(schema, users=[ADA], user_settings=[("s", ADA[0], settings)]))
    assert tables["user_settings"]["taken"] == 1
    assert tables["webhooks"]["left_out"] == {"nothing that this hub can send to": 3}
    assert tables["emails"]["left_out"] == {"nothing that this hub can send to": 1}
    assert not [
        file for file in (tmp_path / "hub").rglob("*") if file.is_file() and b"secrettoken" in file.read_bytes()
    ]


def test_an_old_or_partial_schema_is_taken_as_far_as_it_goes(make: Make, take: Importer) -> None:
    source = make(
        "CREATE TABLE users (id TEXT, email TEXT, passwordHash TEXT, created TEXT);"
        "CREATE TABLE systems (id TEXT, name TEXT, created TEXT);",
        users=[("adaadaadaadaada", "ada@example.org", BCRYPT, "")],
        systems=[("webwebwebwebweb", "web", None)],
    )
    tables = take(source)
    assert (tables["users"]["taken"], tables["systems"]["taken"], tables["fingerprints"]["found"]) == (1, 1, 0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": "../../etc"}, "its id is none"),
        ({"id": None}, "its id is none"),
        ({"email": "no address"}, "email: This is no e-mail address."),
        ({"email": b"\xff\xfe"}, "email: This is no e-mail address."),
        ({"email": "x" * 5000 + "@example.org"}, "email: This is no e-mail address."),
        ({"role": "root"}, "the role 'root' is none"),
    ],
)
def test_a_user_who_cannot_be_is_left_out(make: Make, take: Importer, changes: dict[str, Any], reason: str) -> None:
    names = ("id", "email", "username", "role", "password", "verified", "created")
    row = dict(zip(names, ADA, strict=True)) | changes
    assert take(make(users=[tuple(row.values())]))["users"]["left_out"] == {reason: 1}


@pytest.mark.parametrize("stored", ["", None, "plain text", "$2a$31$" + "a" * 53, "$2a$10$short", 7])
def test_a_hash_that_is_none_opens_nothing(make: Make, take: Importer, tmp_path: Path, stored: Any) -> None:
    take(make(users=[(*ADA[:4], stored, *ADA[5:])]))
    assert look(tmp_path / "hub", lambda: [user.password_hash for user in User.select()]) == ["!"]


def test_names_lose_what_a_terminal_would_obey(make: Make, take: Importer, tmp_path: Path) -> None:
    take(make(systems=[("webwebwebwebweb", "we\x1b[2Jb\u202e", "h\x07ost", 8090, "up", "[]", "{", NOW)]))
    (entry,) = entries_of(tmp_path)
    assert (entry.name, entry.host, entry.members) == ("we[2Jb", "host", frozenset())


def test_tokens_that_fit_nobody_are_left_out(make: Make, take: Importer) -> None:
    token = "0123456789abcdef"
    tables = take(
        make(
            users=[ADA],
            systems=[WEB, ("dbxdbxdbxdbxdbx", "db", *WEB[2:])],
            fingerprints=[
                ("1", "webwebwebwebweb", token, ""), ("2", "dbxdbxdbxdbxdbx", token, ""), ("3", "nobody", token, ""),
                ("4", "dbxdbxdbxdbxdbx", "x" * 300, ""), ("5", "dbxdbxdbxdbxdbx", "", ""),
            ],
            universal_tokens=[("1", "nobody", token), ("2", ADA[0], "short"), ("3", ADA[0], token)],
        )
    )  # fmt: skip
    assert tables["fingerprints"]["left_out"] == {
        "another system has this token": 1, "its system was not taken over": 1, "it has no token": 1,
        "a token must have 16 to 255 characters here": 1,
    }  # fmt: skip
    assert tables["universal_tokens"]["taken"] == 0


def test_statistics_that_make_no_sense_are_left_out(make: Make, take: Importer, tmp_path: Path) -> None:
    deep = "[" * 5000 + "]" * 5000
    weird = {
        "cpu": 1e17, "m": 1e300, "mu": "8", "mp": -1, "la": [1, None, 2], "cpus": [1, "x"], "dios": "x", "t": [1],
        "g": {"0": 7}, "efs": {"x": None}, "ni": {"eth0": 3}, "b": {}, "bat": [200, "?"], "su": 1.5,
    }  # fmt: skip
    rows = [
        (json.dumps(weird), NOW), ('{"cpu": 1e999}', NOW), ("{", NOW), (deep, NOW), ("7", NOW), (None, NOW),
        ('{"cpu": 5}', "yesterday"), ('{"cpu": 5}', format_date(NOW_MS + 86_400_000)), ('{"cpu": 5}', None),
    ]  # fmt: skip
    tables = take(
        make(
            users=[ADA],
            systems=[WEB],
            system_stats=[("webwebwebwebweb", "1m", stats, created) for stats, created in rows]
            + [("webwebwebwebweb", "7m", "{}", NOW), ("nobody", "1m", "{}", NOW)],
            container_stats=[("webwebwebwebweb", "1m", '[{"n": "a", "c": 1}, {"n": ""}, 7, {"n": "a"}]', NOW)],
        )
    )
    assert tables["system_stats"]["taken"] == 1
    assert tables["system_stats"]["left_out"] == {
        "nothing in it can be read": 5, "its time cannot be": 3,
        "their system was not taken over, or their interval is unknown": 2,
    }  # fmt: skip
    database = Database(place_at(tmp_path / "hub" / "data.db"))
    database.open()
    found = database.read_now(lambda: list(read_entries("webwebwebwebweb", 0, NOW_MS)))
    database.close()
    documents = {tuple(entry.document): entry.document for entry in found}
    assert documents["memory",] == {"memory": {"swap_used_bytes": 3 << 29}}
    assert [container["name"] for container in documents["containers",]["containers"]] == ["a"]


def test_a_key_that_agents_have_enrolled_with_stays(make: Make, take: Importer, tmp_path: Path) -> None:
    source = make(users=[ADA], systems=[WEB])
    write_key(source)
    hub = tmp_path / "hub"
    hub.mkdir()
    own = write_key(hub)
    take(source)
    (hub / "id_ed25519").write_bytes(own)
    bind_an_agent(hub)
    reason = "agents have enrolled with the key that this hub has"
    assert take(source)["id_ed25519"]["left_out"] == {reason: 1}
    assert (hub / "id_ed25519").read_bytes() == own


@pytest.mark.parametrize("content", [b"", b"not a key", b"\xff" * 100])
def test_a_key_that_is_none_is_left_out(make: Make, take: Importer, tmp_path: Path, content: bytes) -> None:
    source = make(users=[ADA])
    (source / "id_ed25519").write_bytes(content)
    assert take(source)["id_ed25519"]["taken"] == 0
    assert not (tmp_path / "hub" / "id_ed25519").exists()


@pytest.mark.parametrize("content", [None, b"", b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_what_is_no_database_is_refused_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    source = tmp_path / "beszel_data"
    source.mkdir()
    if content is not None:
        (source / "data.db").write_bytes(content)
    status = run_command_line(["import-beszel", str(source), "--dir", str(provide(tmp_path / "hub"))])
    printed = capsys.readouterr()
    assert status == (0 if content == b"" else 1)  # an empty file is a database without tables
    assert "Traceback" not in printed.err


def test_a_view_is_no_table(make: Make, take: Importer) -> None:
    source = make("CREATE VIEW users AS SELECT 1 AS id, 'ada@example.org' AS email;")
    assert take(source)["users"]["found"] == 0


def test_a_database_that_keeps_changing_is_refused(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make(users=[ADA])
    states = iter(range(100))
    monkeypatch.setattr("beszel_hub.takeover.source._state", lambda _: [next(states)])
    assert run_command_line(["import-beszel", str(source), "--dir", str(provide(tmp_path / "hub"))]) == 1
    assert "stop that Beszel" in capsys.readouterr().err


def test_a_value_that_is_too_large_ends_the_run_and_changes_nothing(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = make(users=[ADA, ("x", "y" * (9 << 20), "", "", "", 1, NOW)])
    assert run_command_line(["import-beszel", str(source), "--dir", str(provide(tmp_path / "hub"))]) == 1
    assert "cannot be read" in capsys.readouterr().err
    assert look(tmp_path / "hub", lambda: User.select().count()) == 0


def test_the_copy_is_gone_afterwards(make: Make, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with open_source(make(users=[ADA]), scratch) as source:
        assert [row["email"] for row in source.rows("users")] == ["ada@example.org"]
    assert list(scratch.iterdir()) == []


def entries_of(tmp_path: Path) -> list[Any]:
    return look(tmp_path / "hub", load_entries)


def look(hub: Path, read: Callable[[], T]) -> T:
    """What is in a hub's database."""
    database = Database(place_at(hub / "data.db"))
    database.open()
    try:
        return database.read_now(read)
    finally:
        database.close()


def bind_an_agent(hub: Path) -> None:
    database = Database(place_at(hub / "data.db"))
    database.open()
    database.write_now(
        lambda: AgentBinding.insert(
            system_id="webwebwebwebweb", fingerprint="f" * 48, agent_key="k", enrolled=NOW_MS
        ).execute()
    )
    database.close()
