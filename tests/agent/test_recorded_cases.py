"""Every collector against recorded hosts: resets, wraps, what comes and goes, garbage, what is not there."""

from pathlib import Path

import pytest

from beszel_agent.collectors import COLLECTORS
from tests.support.recorded import CASES, expected, find_cases, replay


@pytest.mark.parametrize("case", find_cases())
def test_the_collector_makes_of_each_step_what_was_written_down(case: str, tmp_path: Path) -> None:
    assert replay(case, tmp_path) == expected(case)


def test_the_folder_and_the_registry_agree() -> None:
    folder = Path(__file__).parents[2] / "beszel_agent" / "collectors"
    modules = {path.stem for path in folder.glob("*.py") if path.stem != "__init__"}
    variants = {module for module in modules if module.endswith("_psutil")}
    assert [collector.name for collector in COLLECTORS] == sorted(modules - variants)
    assert {module.removesuffix("_psutil") for module in variants} <= modules


def test_every_collector_of_the_kernel_files_has_cases() -> None:
    """Those that ask by system calls or other programs, and that of what scripts write, have tests of their own."""
    recorded = {path.name for path in CASES.iterdir()}
    elsewhere = {"clock", "custom", "filesystems", "slow_filesystems", "smart", "ups"}
    assert recorded == {collector.name for collector in COLLECTORS} - elsewhere
