"""The agent as a user without any rights: everything works but what `collectors` names with the grant that it lacks."""

import asyncio
import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.linkhub import LinkHub
from tests.support.programs import clean_environment, program
from tests.support.runningagent import environment as link_environment
from tests.support.smartctl import StandIn
from tests.support.unprivileged import ROOT, USER, as_nobody, home_of_nobody

pytestmark = pytest.mark.system

AGENT = (program("beszel-agent"),)
DISK_GROUP = 6
"""Some group of root's; its name is that of the host."""


@pytest.fixture
def home() -> Iterator[Path]:
    with home_of_nobody() as directory:
        yield directory


def collectors(argv: list[str], home: Path, **settings: str) -> dict[str, dict[str, Any]]:
    environment = clean_environment(home, PYTHONPATH=str(ROOT), **settings)
    finished = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert finished.returncode == 0, finished.stderr
    return {report["name"]: report for report in json.loads(finished.stdout)}


def test_what_it_may_not_read_is_told_with_the_grant_and_nothing_else_is_missing(home: Path) -> None:
    ours = collectors([*AGENT, "collectors", "--json"], home)
    theirs = collectors(as_nobody(*AGENT, "collectors", "--json"), home)
    less = {name for name, report in theirs.items() if report["state"] != ours[name]["state"]}
    assert less == set()
    told = {report["reason"] for name, report in theirs.items() if report.get("reason") != ours[name].get("reason")}
    assert all(" needs CAP_" in reason or "ping needs the sysctl " in reason for reason in told)
    assert theirs["processes"]["reason"] == "what processes of other users read and write needs CAP_SYS_PTRACE"


def test_smart_names_the_group_and_the_capability(home: Path) -> None:
    disk = home / "sda"
    disk.write_text("")
    os.chown(disk, 0, DISK_GROUP)
    disk.chmod(0o640)
    stand_in = StandIn(home / "bin")
    stand_in.answer(str(disk), "permission_denied")
    (home / "bin" / "calls").touch()
    (home / "bin" / "calls").chmod(0o666)
    path = f"{stand_in.path}:{os.environ['PATH']}"
    report = collectors(as_nobody(*AGENT, "collectors", "--json"), home, SMART_DEVICES=str(disk), PATH=path)["smart"]
    assert report["state"] == "failing"
    assert report["reason"].startswith(f"SMART of {disk} needs the group ")
    assert report["reason"].endswith(" and CAP_SYS_RAWIO")


def test_a_filesystem_where_it_may_not_go_is_named(home: Path) -> None:
    closed = home / "closed" / "disk"
    shutil.rmtree(closed.parent, ignore_errors=True)
    os.chown(home, 0, 0)
    home.chmod(0o755)
    report = collectors(as_nobody(*AGENT, "collectors", "--json", closed=closed), home, EXTRA_FILESYSTEMS=str(closed))[
        "filesystems"
    ]
    assert report["state"] == "running"
    assert report["reason"] == f"the usage of {closed} needs CAP_DAC_READ_SEARCH, or x on every directory above"


def test_it_streams_and_keeps_its_secrets(home: Path) -> None:
    async def main() -> None:
        hub = LinkHub()
        async with asyncio.timeout(60), hub.running():
            settings = {**link_environment(hub, home), "PYTHONPATH": str(ROOT)}
            agent = await asyncio.create_subprocess_exec(*as_nobody(*AGENT, "run"), env=settings)
            try:
                await hub.until("samples", lambda: len(hub.samples) >= 3)
                health = await asyncio.create_subprocess_exec(*as_nobody(*AGENT, "health"), env=settings)
                assert await health.wait() == 0
                agent.send_signal(signal.SIGTERM)
                assert await agent.wait() == 0
            finally:
                if agent.returncode is None:
                    agent.kill()
                    await agent.wait()
        metrics = hub.samples[-1].metrics
        parts = (metrics.cpu, metrics.memory, metrics.disk, metrics.network, metrics.uptime_seconds)
        assert all(part is not None for part in parts)

    asyncio.run(main())
    user = pwd.getpwnam(USER)
    for name in ("fingerprint", "agent.key"):
        about = (home / "data" / name).stat()
        assert (about.st_uid, stat.S_IMODE(about.st_mode)) == (user.pw_uid, 0o600)
