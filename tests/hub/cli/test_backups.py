"""The commands on backups, and the whole way: a hub at work, its backup, its loss, and the hub that it is again."""

import asyncio
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from beszel_hub.backups.restoring import request_restore
from beszel_hub.cli.machines import enrol, public_key
from beszel_hub.cli.people import create_user
from beszel_hub.cli.server import only_server
from beszel_hub.config import HubConfig
from beszel_hub.errors import StartError
from beszel_hub.metrics.series import read_entries
from beszel_hub.store.locks import hold
from tests.support.backups import needs_file, opened
from tests.support.bareagent import LinkAgent
from tests.support.programs import Process, clean_environment, free_port, run, running, wait_until
from tests.support.runninghub import PASSWORD
from tests.support.shell import EMAIL, Shell
from tests.support.streamer import Streamer, cpu_percent_of, make_past

pytestmark = needs_file


def test_a_backup_is_made_listed_checked_and_put_back(shell: Shell) -> None:
    shell.create_user()
    shell.run("enrol", "web-1", "--user", EMAIL)
    made = shell.json("backup", "create", "first.zip")
    assert made["file"] == str(shell.directory / "backups" / "first.zip")
    assert shell.json("backup", "list")[0]["key"] == "first.zip"
    assert "first.zip" in shell.run("backup", "list")
    assert shell.json("backup", "check", "first.zip") == made["manifest"]
    assert "sound" in shell.run("backup", "check", made["file"])
    shell.run("user", "create", "eve@example.org", "--password-file", "-", stdin=PASSWORD.encode())
    back = shell.json("backup", "restore", "first.zip")
    assert Path(back["aside"], "data.db").exists()
    assert [user["email"] for user in shell.json("user", "list")] == [EMAIL]
    noted = [entry["action"] for entry in shell.json("audit", "list")]
    assert "backups.restore" in noted


def test_half_a_restore_is_not_backed_up(shell: Shell) -> None:
    shell.create_user()
    (shell.directory / "restore.unfinished").write_text("before-restore-1\n")
    assert "did not end" in shell.run("backup", "create", status=1)
    assert shell.run("backup", "list") == "There are no backups yet.\n"


def test_a_lock_that_cannot_be_used_is_a_sentence(shell: Shell) -> None:
    """As one that root has made and another user meets."""
    shell.create_user()
    shell.run("enrol", "web-1", "--user", EMAIL)
    shell.run("backup", "create", "a.zip")
    lock = shell.directory / "serve.lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()
    assert "cannot be used" in shell.run("backup", "restore", "a.zip", status=1)
    assert "cannot be used" in shell.run("store", "move", "--to", f"sqlite://{shell.directory}/new.db", status=1)
    with pytest.raises(StartError, match="cannot be used"), only_server(HubConfig(data_dir=shell.directory)):
        pass


def test_what_goes_wrong_is_a_sentence(shell: Shell) -> None:
    assert "No hub has served" in shell.run("backup", "create", status=1)
    assert shell.run("backup", "list") == "There are no backups yet.\n"
    assert "there is no backup" in shell.run("backup", "restore", "none.zip", status=1)
    shell.create_user()
    shell.run("enrol", "web-1", "--user", EMAIL)
    assert "name: Small letters" in shell.run("backup", "create", "A.zip", status=1)
    shell.run("backup", "create", "a.zip")
    assert "already" in shell.run("backup", "create", "a.zip", status=1)
    with hold(shell.directory / "serve.lock"):
        assert "stop it first" in shell.run("backup", "restore", "a.zip", status=1)
    path = shell.directory / "backups" / "a.zip"
    path.write_bytes(path.read_bytes()[:-1000])
    assert "damaged" in shell.run("backup", "check", "a.zip", status=1)
    assert "damaged" in shell.run("backup", "restore", "a.zip", status=1)


class Site:
    """A hub as a process on a data directory, with an agent that streams to it."""

    def __init__(self, directory: Path, count: int) -> None:
        self.config = HubConfig(data_dir=directory / "data", http_port=free_port())
        self.environment = clean_environment(directory, ACK_PAUSE="0s")
        self._log = directory / "hub.log"
        create_user(self.config, EMAIL, "admin", PASSWORD)
        enrolled = enrol(self.config, "web-1", EMAIL)
        self.system_id = enrolled.system_id
        self.agent = LinkAgent(f"ws://127.0.0.1:{self.config.http_port}/api/beszel/agent-connect", enrolled.token)
        self.samples = make_past(self.agent, count, time.time_ns() // 1_000_000, 20_000)
        self.url = f"http://127.0.0.1:{self.config.http_port}"

    def serve(self) -> Any:
        address = f"127.0.0.1:{self.config.http_port}"
        argv = [sys.executable, "-m", "beszel_hub", "serve", "--http", address, "--dir", str(self.config.data_dir)]
        return running(argv, self.environment, self._log)

    def command(self, *arguments: str) -> Any:
        argv = [sys.executable, "-m", "beszel_hub", *arguments, "--dir", str(self.config.data_dir), "--json"]
        return json.loads(run(argv, self.environment))

    def stored(self) -> set[float]:
        with opened(self.config) as database:
            entries = database.read_now(lambda: list(read_entries(self.system_id, 0, 2**52)))
        return {entry.document["cpu"]["usage_percent"] for entry in entries}

    def log_in(self) -> httpx2.Response:
        body = {"identity": EMAIL, "password": PASSWORD}
        return httpx2.post(f"{self.url}/api/collections/users/auth-with-password", json=body, timeout=10)

    def await_well(self, hub: Process) -> None:
        def answers() -> bool:
            assert hub.is_running, hub.text()
            try:
                return httpx2.get(f"{self.url}/api/health", timeout=10).is_success
            except httpx2.TransportError:
                return False

        wait_until("the hub answers", answers)


@pytest.mark.system
def test_a_hub_that_was_lost_comes_back_as_of_its_backup(tmp_path: Path) -> None:
    site = Site(tmp_path, 3000)
    streamer = Streamer(site.agent, site.samples)
    with site.serve() as hub:
        site.await_well(hub)
        acknowledged, made = asyncio.run(_back_up_meanwhile(site, streamer))
        key = public_key(site.config)
        assert hub.terminate(3) == 0
    kept = Path(shutil.move(made["file"], tmp_path / "kept.zip"))
    shutil.rmtree(site.config.data_dir)
    site.command("backup", "restore", str(kept))
    assert public_key(site.config) == key
    assert acknowledged <= site.stored()
    with site.serve() as hub:
        site.await_well(hub)
        assert site.log_in().is_success
        later = Streamer(
            site.agent, site.samples, pause_seconds=0
        )  # with all that came after the backup, as if none had been told
        asyncio.run(_finish(later))
        assert hub.terminate(3) == 0
    assert site.stored() == {cpu_percent_of(sample.sequence) for sample in site.samples}


@pytest.mark.system
def test_a_restore_that_was_asked_for_over_http_is_done_at_the_next_start(tmp_path: Path) -> None:
    site = Site(tmp_path, 1)
    with site.serve() as hub:
        site.await_well(hub)
        headers = {"Authorization": site.log_in().json()["token"]}
        with httpx2.Client(base_url=site.url, headers=headers, timeout=20) as client:
            assert client.post("/api/backups", json={"name": "then.zip"}).status_code == 204
            assert client.post("/api/collections/systems/records", json={"name": "later"}).is_success
            assert client.post("/api/backups/then.zip/restore").status_code == 204
            assert client.get("/api/collections/systems/records").json()["totalItems"] == 2
        assert hub.terminate(3) == 0
    with site.serve() as hub:
        site.await_well(hub)
        with httpx2.Client(base_url=site.url, headers=headers, timeout=20) as client:  # the login of then holds
            assert client.get("/api/collections/systems/records").json()["totalItems"] == 1
            assert client.get("/api/backups").json()[0]["restoring"] is False
        assert "put back the backup then.zip" in hub.text()
        assert hub.terminate(3) == 0


@pytest.mark.system
def test_a_hub_starts_as_it_was_if_what_was_asked_for_is_gone(tmp_path: Path) -> None:
    site = Site(tmp_path, 1)
    site.command("backup", "create", "gone.zip")
    request_restore(site.config, "gone.zip")
    (site.config.backups_path / "gone.zip").unlink()
    for _ in range(2):
        with site.serve() as hub:
            site.await_well(hub)
            assert site.log_in().is_success
            assert hub.text().count("the backup gone.zip could not be put back") == 1
            assert hub.terminate(3) == 0


async def _back_up_meanwhile(site: Site, streamer: Streamer) -> tuple[set[float], Any]:
    """What had been acknowledged when the backup began, and what the command said of it."""
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        streaming = group.create_task(streamer.run())
        while sum(last - first + 1 for first, last in streamer.stored) < 60:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)
        numbers = [number for first, last in streamer.stored for number in range(first, last + 1)]
        made = await asyncio.to_thread(site.command, "backup", "create")
        assert not streamer.is_done, "all was sent before the backup was made"
        streaming.cancel()
    return {cpu_percent_of(number) for number in numbers}, made


async def _finish(streamer: Streamer) -> None:
    async with asyncio.timeout(60):
        await streamer.run()
