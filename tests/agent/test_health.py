"""Whether an agent runs here and is connected, as another process finds out."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from beszel_agent.datadir import DataDir
from beszel_agent.health import STATUS_FILE, Status, StatusKeeper, check, is_running, judge, read_status, status_dirs
from beszel_agent.host import Boot
from beszel_agent.linkstate import LinkState
from beszel_agent.system import LINUX_DATA_DIR

WELL = Status(pid=42, boot_id="boot", touched_boot_ms=100_000, connected=True, hub="http://hub:80", since_ms=1)
CONNECTED = LinkState(connected=True, since_ms=1, problem=None)


def changed(**what: object) -> Status:
    return msgspec.structs.replace(WELL, **what)


@pytest.mark.parametrize(
    ("status", "running", "healthy", "said"),
    [
        (WELL, True, True, "connected to http://hub:80"),
        (
            changed(spool_problem="disk full"),
            True,
            True,
            "connected to http://hub:80; the spool is in memory: disk full",
        ),
        (None, False, False, "no agent has run here"),
        (WELL, False, False, "not running"),
        (changed(boot_id="an earlier one"), True, False, "not running"),
        (changed(touched_boot_ms=0), True, False, "(pid 42) has not moved for 110 s"),
        (changed(connected=False), True, False, "not connected to http://hub:80: still trying"),
        (changed(connected=False, problem="it is down"), True, False, "it is down"),
    ],
)
def test_judge(status: Status | None, running: bool, healthy: bool, said: str) -> None:
    verdict = judge(status, boot_id="boot", boot_ms=110_000, is_running=running)
    assert verdict.healthy is healthy
    assert said in verdict.sentence


def test_what_the_agent_writes_the_check_reads(tmp_path: Path) -> None:
    keeper = StatusKeeper([tmp_path], "http://hub:80", "boot")
    keeper.tell(CONNECTED)
    status = read_status(DataDir(tmp_path))
    assert status is not None
    assert status.pid == os.getpid()
    boot = Boot("boot", status.touched_boot_ms + 1000)
    assert check([tmp_path / "elsewhere", tmp_path], boot).healthy
    keeper.tell(LinkState(connected=False, since_ms=2, problem="it is down"))
    assert check([tmp_path], boot).sentence == "not connected to http://hub:80: it is down"


def test_it_tells_that_a_restart_would_lose_something(tmp_path: Path) -> None:
    keeper = StatusKeeper([tmp_path], "http://hub:80", "boot", spool_problem=lambda: "disk full")
    keeper.tell(CONNECTED)
    status = read_status(DataDir(tmp_path))
    assert status is not None
    assert status.spool_problem == "disk full"


@pytest.mark.parametrize("text", ["", "garbage", '{"pid": "x"}', "\0"])
def test_a_status_that_is_no_status_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / STATUS_FILE).write_text(text)
    assert check([tmp_path], Boot("boot", 0)).sentence == "no agent has run here"


def test_a_status_that_cannot_be_written_is_no_reason_to_stop(tmp_path: Path) -> None:
    directory = tmp_path / "gone"
    directory.mkdir()
    keeper = StatusKeeper([directory], "http://hub:80", "boot")
    directory.rmdir()
    keeper.tell(CONNECTED)
    keeper.tell(CONNECTED)


def test_the_best_directory_is_made_even_where_the_other_is_there(tmp_path: Path) -> None:
    StatusKeeper([tmp_path / "run", tmp_path], "http://hub:80", "boot").tell(CONNECTED)
    assert read_status(DataDir(tmp_path / "run")) is not None
    assert read_status(DataDir(tmp_path)) is None


def test_a_disk_may_sleep() -> None:
    assert status_dirs(Path("/d"), {"RUNTIME_DIRECTORY": "/run/a:/run/b"}) == (Path("/run/a"), Path("/d"))
    assert status_dirs(Path("/d"), {}) == (Path("/d"),)
    assert status_dirs(LINUX_DATA_DIR, {}) == (Path("/run/beszel-agent"), LINUX_DATA_DIR)


def test_is_running() -> None:
    assert is_running(os.getpid())
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not is_running(ended.pid)
