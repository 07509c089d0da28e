"""OpenRC's directories, read with every sample."""

import os
from pathlib import Path

import pytest

from beszel_agent.services.census import ListedCensus
from beszel_agent.services.openrc import OpenRc
from beszel_protocol.sample import ServiceMetrics

LONG_AGO = (1_000_000_000, 1_000_000_000)


def enter(directory: Path, state: str, name: str) -> None:
    (directory / state).mkdir(exist_ok=True)
    (directory / state / name).touch()


def test_what_fails_and_recovers_is_seen_at_once(tmp_path: Path) -> None:
    census = ListedCensus(OpenRc(str(tmp_path), ("*.service",)))
    assert census.counts() == ServiceMetrics(total=0, failed=0)
    for name in ("nginx", "sshd"):
        enter(tmp_path, "started", name)
    assert census.counts() == ServiceMetrics(total=2, failed=0)
    (tmp_path / "started" / "nginx").unlink()
    enter(tmp_path, "failed", "nginx")
    assert census.counts() == ServiceMetrics(total=2, failed=1)
    (tmp_path / "failed" / "nginx").unlink()
    assert census.counts() == ServiceMetrics(total=1, failed=0)
    assert [(turn.unit, turn.before, turn.after) for turn in census.take_turns()][-2:] == [
        ("nginx", "active", "failed"),
        ("nginx", "failed", "gone"),
    ]


def test_directories_that_stay_as_they_are_are_not_listed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(tmp_path, "started", "nginx")
    os.utime(tmp_path / "started", LONG_AGO)
    openrc = OpenRc(str(tmp_path), ("*.service",))
    listed: list[str] = []
    list_directory = os.listdir

    def note(path: str) -> list[str]:
        listed.append(path)
        return list_directory(path)

    monkeypatch.setattr(os, "listdir", note)
    assert openrc.units() == openrc.units()
    assert len(listed) == 5
    enter(tmp_path, "started", "sshd")
    assert [unit.name for unit in openrc.units()] == ["nginx", "sshd"]
