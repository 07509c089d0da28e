"""Containers of recorded hosts: cgroups of both versions, all drivers, pods, guests; nested, and out of sight."""

from pathlib import Path

import pytest

from tests.support.recorded import CASES, expected
from tests.support.recorded_containers import replay_containers


@pytest.mark.parametrize("case", sorted(path.name for path in (CASES / "containers").iterdir()))
def test_the_collector_makes_of_each_step_what_was_written_down(case: str, tmp_path: Path) -> None:
    assert replay_containers(f"containers/{case}", tmp_path) == expected(f"containers/{case}")


def test_no_secret_of_a_recorded_engine_is_told() -> None:
    for case in (CASES / "containers").iterdir():
        assert "hunter2" not in (case / "expected.json").read_text()
