"""Hosts whose package manager keeps no list that can be read."""

from pathlib import Path

import pytest

from beszel_agent.collectors.updates import UpdatesCollector
from beszel_agent.config import Config
from beszel_agent.paths import HostPaths
from beszel_agent.runs import ProbedRun


@pytest.mark.parametrize(
    ("sign", "shortfall"), [("var/lib/rpm", "pending updates cannot be counted"), ("var/lib/pacman/local", None)]
)
def test_what_is_missing_is_named_in_the_list_of_collectors(sign: str, shortfall: str | None, tmp_path: Path) -> None:
    (tmp_path / sign).mkdir(parents=True)
    paths = HostPaths(proc=f"{tmp_path}/proc", root=str(tmp_path))
    reason = UpdatesCollector.probe(paths, Config()).shortfall()
    assert (reason and reason.partition(":")[0]) == shortfall


def test_the_report_tells_it(tmp_path: Path) -> None:
    (tmp_path / "var/lib/rpm").mkdir(parents=True)
    run = ProbedRun(UpdatesCollector, HostPaths(proc=f"{tmp_path}/proc", root=str(tmp_path)), Config())
    run.read(0.0)
    assert "Zstandard" in (run.report().reason or "")
