"""`store move`: a whole site, with all that people see of it, goes to PostgreSQL and back."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx2
import msgspec
import pytest

from beszel_hub.cli.commands import run_command_line
from beszel_hub.cli.opening import open_database
from beszel_hub.clock import system_clock
from beszel_hub.config import HubConfig
from beszel_hub.metrics.series import NewSample, insert_samples
from beszel_hub.metrics.tables import HotSample
from beszel_hub.metrics.tiers import Retention
from beszel_hub.metrics.upkeep import Upkeep
from beszel_hub.store.locks import hold
from tests.support.databases import Server, empty_database, small_server
from tests.support.runninghub import running_hub
from tests.support.samples import make_metrics
from tests.support.shell import Shell
from tests.support.world import SYSTEM_IDS, Caller, open_world

pytestmark = pytest.mark.sqlite  # moves from one kind to the other, whichever the other tests run on

MINUTE_MS: Final = 60_000
SINCE_MS: Final = time.time_ns() // 1_000_000 // MINUTE_MS * MINUTE_MS - 50 * MINUTE_MS
SPAN: Final[dict[str, int]] = {"from": SINCE_MS, "to": SINCE_MS + 20 * MINUTE_MS}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with small_server() as started:
        yield started


@pytest.fixture
def url(server: Server, request: pytest.FixtureRequest) -> str:
    """An empty database of this test's own."""
    return empty_database(server, request.node.nodeid)


def fill_history(directory: Path) -> None:
    """Twenty minutes of each system, sealed and rolled up: a hub that starts finds nothing that it has to do."""

    def insert() -> None:
        HotSample.delete().execute()
        for number, system_id in enumerate(SYSTEM_IDS.values()):
            documents = [msgspec.json.encode(make_metrics((second + number) % 100)) for second in range(1200)]
            instants = range(SINCE_MS, SINCE_MS + 20 * MINUTE_MS, 1000)
            samples = zip(instants, documents, strict=True)
            insert_samples([NewSample(system_id, instant, 0, document) for instant, document in samples])

    async def settle(upkeep: Upkeep) -> None:
        assert await upkeep.seal() == 2400
        await upkeep.roll_up()

    with open_database(HubConfig(data_dir=directory)) as database:
        database.write_now(insert)
        asyncio.run(settle(Upkeep(database, system_clock, Retention(), read_overrides=dict)))


def look(directory: Path, token: str) -> dict[str, Any]:
    """Every record that an administrator sees, a chart and an export, from a hub that is started for it."""
    seen: dict[str, Any] = {}
    with (
        running_hub(directory) as running,
        httpx2.Client(base_url=running.url, headers={"Authorization": token}, timeout=20) as client,
    ):
        for name in running.hub.records.registry.collections:
            answer = client.get(f"/api/collections/{name}/records", params={"perPage": 1000, "sort": "id"})
            seen[name] = answer.json() if answer.status_code == 200 else answer.status_code
        chart: dict[str, str | int] = {
            "system": SYSTEM_IDS["uma-web"],
            "metric": "cpu.usage_percent,disk[/].usage_percent",
            "points": 50,
            **SPAN,
        }
        seen["chart"] = client.get("/api/beszel/series", params=chart).raise_for_status().json()
        export: dict[str, str | int] = {"format": "jsonl", "resolution": "raw", **SPAN}
        seen["export"] = client.get("/api/beszel/export", params=export).raise_for_status().text
    return seen


def compare(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert before.keys() == after.keys()
    for name, seen in before.items():
        assert after[name] == seen, name


def test_nobody_sees_that_a_site_has_moved(shell: Shell, url: str) -> None:
    with open_world(shell.directory) as world:
        token = world.token(Caller.SUPERUSER) or ""
    fill_history(shell.directory)
    before = look(shell.directory, token)
    assert before["chart"]["series"]
    assert before["export"].count("\n") > 10_000
    assert len(before["users"]["items"]) == 4

    said = shell.run("store", "move", "--to", url)
    assert f"Start the hub with DATABASE_URL='{url}'" in said
    assert (shell.directory / "database.url").read_text().strip() == url
    (shell.directory / "data.db").rename(shell.directory / "old.db")
    compare(before, look(shell.directory, token))

    said = shell.run("store", "move", "--to", f"sqlite://{shell.directory}/../data/data.db")
    assert "Start the hub without DATABASE_URL.\n" in said
    assert not (shell.directory / "database.url").exists()
    compare(before, look(shell.directory, token))


def test_a_hub_must_be_stopped(shell: Shell, url: str) -> None:
    shell.create_user()
    with hold(shell.directory / "serve.lock"):
        assert "stop it first" in shell.run("store", "move", "--to", url, status=1)
    assert not (shell.directory / "database.url").exists()
    elsewhere = shell.directory.parent / "elsewhere"
    elsewhere.mkdir()
    with hold(elsewhere / "serve.lock"):
        assert str(elsewhere) in shell.run("store", "move", "--to", f"sqlite://{elsewhere}/data.db", status=1)
    said = shell.run("store", "move", "--to", f"sqlite://{elsewhere}/site.db")
    assert "as data.db of its directory" in said


@pytest.mark.parametrize(("terminal", "expected"), [("", "copy users: 1 of 1 rows, "), ("1", "━")])
def test_how_far_it_is_goes_to_standard_error(
    shell: Shell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: str, expected: str
) -> None:
    shell.create_user()
    monkeypatch.setenv("FORCE_COLOR", terminal)
    place = f"sqlite://{shell.directory}/copy.db"
    assert run_command_line(["store", "move", "--to", place, "--json", "--dir", str(shell.directory)]) == 0
    told = capsys.readouterr()
    assert expected in told.err
    assert msgspec.json.decode(told.out)["tables"]["users"] == 1


@pytest.mark.parametrize(
    "to", ["data.db", "sqlite:data.db", "sqlite://host/data.db", "mysql://host/db", "sqlite:///no/x"]
)
def test_a_target_that_makes_no_sense_is_refused(shell: Shell, to: str) -> None:
    shell.create_user()
    assert "--to" in shell.run("store", "move", "--to", to, status=2)


def test_there_must_be_something_to_move(shell: Shell, url: str) -> None:
    assert "there is no database" in shell.run("store", "move", "--to", url, status=1)
    assert not (shell.directory / "data.db").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files that are somebody else's")
def test_what_root_has_moved_is_the_hubs(shell: Shell, url: str) -> None:
    """A note that the hub cannot read would have it go on with the database of before."""
    nobody = 65534
    shell.create_user()
    elsewhere = shell.directory.parent / "elsewhere"
    elsewhere.mkdir()
    for path in (elsewhere, shell.directory, *shell.directory.iterdir()):
        os.chown(path, nobody, nobody)
    shell.run("store", "move", "--to", f"sqlite://{elsewhere}/data.db")
    shell.run("store", "move", "--to", url)
    found = [*shell.directory.iterdir(), *elsewhere.iterdir()]
    assert {"database.url", "data.db", "serve.lock"} <= {path.name for path in found}
    assert [path.name for path in found if path.stat().st_uid != nobody] == []


def test_half_a_restore_is_not_moved(shell: Shell, url: str) -> None:
    shell.create_user()
    (shell.directory / "restore.unfinished").write_text("before-restore-1\n")
    assert "did not end" in shell.run("store", "move", "--to", url, status=1)
    assert not (shell.directory / "database.url").exists()


def test_no_password_is_printed_or_kept(shell: Shell, url: str) -> None:
    shell.create_user()
    said = shell.run("store", "move", "--to", url.replace("postgresql://hub@", "postgres://hub:s3cr3t@"))
    assert "DATABASE_URL='postgres://hub@/" in said
    assert "s3cr3t" not in said + (shell.directory / "database.url").read_text()
