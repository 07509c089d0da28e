"""Usage of filesystems, asked of the kernel; the mount tables are made up, the directories are real."""

import contextlib
import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from beszel_agent import usage as usage_module
from beszel_agent.collectors.filesystems import FilesystemsCollector
from beszel_agent.collectors.slow_filesystems import SlowFilesystemsCollector
from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.paths import HostPaths
from beszel_agent.usage import read_usage
from beszel_protocol.storage import DiskMetrics

TABLE = """
29 1 8:2 / / rw - ext4 /dev/sda2 rw
30 29 8:1 / /boot/efi rw - vfat /dev/sda1 rw
31 29 8:3 / /srv rw - xfs /dev/sda3 rw
32 29 0:40 / /tank rw - zfs tank rw
"""


@pytest.fixture
def paths(tmp_path: Path) -> HostPaths:
    """A host whose mount points are directories of this one; `/srv` is in the table and gone from the disk."""
    for directory in ("proc/self", "boot/efi", "tank"):
        (tmp_path / directory).mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text(TABLE)
    return HostPaths(proc=str(tmp_path / "proc"), root=str(tmp_path), keep_open=False)


def test_percent_is_that_of_df(tmp_path: Path) -> None:
    answer = os.statvfs(tmp_path)
    found = read_usage(str(tmp_path))
    used = answer.f_blocks - answer.f_bfree
    assert found.total_bytes == answer.f_blocks * answer.f_frsize
    assert found.usage_percent == pytest.approx(100 * used / (used + answer.f_bavail), abs=0.1)


def test_those_that_answer_from_memory_are_read_with_the_sample(paths: HostPaths) -> None:
    """One that cannot be asked is left out, and costs nothing else."""
    disk = FilesystemsCollector.probe(paths, Config()).collect(0.0).disk
    assert disk is not None
    assert set(disk) == {"/"}


def test_the_others_are_read_apart(paths: HostPaths) -> None:
    disk = SlowFilesystemsCollector.probe(paths, Config()).collect(0.0).disk
    assert disk is not None
    assert set(disk) == {"/boot/efi", "/tank"}


def refuse(number: int, end: str = "") -> Callable[[str], DiskMetrics]:
    """Instead of asking, an error for the paths that end so."""

    def ask(path: str) -> DiskMetrics:
        if path.endswith(end):
            raise OSError(number, os.strerror(number))
        return read_usage(path)

    return ask


def test_no_answer_at_all_is_a_failure(paths: HostPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    collector = FilesystemsCollector.probe(paths, Config())
    monkeypatch.setattr(usage_module, "read_usage", refuse(errno.EIO))
    with pytest.raises(ReadingFailed, match="no filesystem could be asked"):
        collector.collect(0.0)


def test_what_this_user_may_not_ask_is_told_with_the_grant(paths: HostPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    collector = FilesystemsCollector.probe(paths, Config())
    assert isinstance(collector, FilesystemsCollector)
    monkeypatch.setattr(usage_module, "read_usage", refuse(errno.EACCES, "/srv"))
    assert set(collector.collect(0.0).disk or {}) == {"/"}
    assert collector.shortfall() == "the usage of /srv needs CAP_DAC_READ_SEARCH, or x on every directory above"
    monkeypatch.setattr(usage_module, "read_usage", read_usage)
    collector.collect(1.0)
    assert collector.shortfall() is None


def test_one_that_hangs_keeps_its_thread_and_is_passed_by(
    paths: HostPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no test machine has is a disk that hangs: the first question about `/boot/efi` waits for the test."""
    collector = SlowFilesystemsCollector.probe(paths, Config())
    hung, released = threading.Event(), threading.Event()

    def ask(path: str) -> DiskMetrics:
        if path.endswith("/boot/efi") and not hung.is_set():
            hung.set()
            released.wait(20)
        return read_usage(path)

    monkeypatch.setattr(usage_module, "read_usage", ask)
    stuck = threading.Thread(target=collector.collect, args=(0.0,))
    stuck.start()
    assert hung.wait(10)
    assert set(collector.collect(10.0).disk or {}) == {"/tank"}
    released.set()
    stuck.join(10)
    assert set(collector.collect(20.0).disk or {}) == {"/boot/efi", "/tank"}


def test_this_very_host_has_a_root() -> None:
    paths = HostPaths()
    found = FilesystemsCollector.probe(paths, Config()).collect(0.0).disk or {}
    with contextlib.suppress(Unavailable):
        found |= SlowFilesystemsCollector.probe(paths, Config()).collect(0.0).disk or {}
    assert "/" in found


def test_where_all_answer_from_memory_no_thread_is_needed(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self/mountinfo").write_text("29 1 8:2 / / rw - ext4 /dev/sda2 rw\n")
    with pytest.raises(Unavailable, match="from memory"):
        SlowFilesystemsCollector.probe(HostPaths(proc=str(tmp_path)), Config())


def test_others_are_asked_no_more_often_than_the_owner_said(paths: HostPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(path: str) -> DiskMetrics:
        asked.append(path)
        return DiskMetrics(total_bytes=len(asked))

    monkeypatch.setattr(usage_module, "read_usage", ask)
    config = Config(disk_usage_cache=600.0)
    for kind in (FilesystemsCollector, SlowFilesystemsCollector):
        collector = kind.probe(paths, config)
        for now in (0.0, 10.0, 599.0, 600.0):
            collector.collect(now)
    counts = {path.removeprefix(paths.root("")): asked.count(path) for path in asked}
    assert counts == {"/": 4, "/srv": 2, "/boot/efi": 2, "/tank": 2}


def test_one_that_stops_to_answer_is_not_answered_from_before(
    paths: HostPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([DiskMetrics(total_bytes=1), None, DiskMetrics(total_bytes=2)])

    def ask(path: str) -> DiskMetrics:
        answer = next(answers) if path.endswith("/srv") else DiskMetrics(total_bytes=9)
        if answer is None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return answer

    monkeypatch.setattr(usage_module, "read_usage", ask)
    collector = FilesystemsCollector.probe(paths, Config(disk_usage_cache=10.0))
    found = [(collector.collect(now).disk or {}).get("/srv") for now in (0.0, 10.0, 11.0)]
    assert [item and item.total_bytes for item in found] == [1, None, 2]


def test_inodes_and_whether_it_takes_writes(paths: HostPaths, tmp_path: Path) -> None:
    (tmp_path / "proc/self/mountinfo").write_text(TABLE.replace("/dev/sda2 rw", "/dev/sda2 ro"))
    disk = (FilesystemsCollector.probe(paths, Config()).collect(0.0).disk or {})["/"]
    answer = os.statvfs(tmp_path)
    assert disk.read_only == 1
    assert disk.inodes_total == (answer.f_files or None)
    assert (disk.inodes_usage_percent is None) == (disk.inodes_total is None)
