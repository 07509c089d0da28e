"""Recorded trees of `/proc` and `/sys`, replayed to a collector step by step.

A case is a folder: `case.toml` (what it is about, the instant of each step in seconds, settings), one folder a step,
and `expected.json` with what the collector makes of each step: its part, `{"fails": why}` or `{"unavailable": why}`.
"""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from beszel_agent.collector import Collector
from beszel_agent.collectors import COLLECTORS
from beszel_agent.config import Config, load_config
from beszel_agent.errors import ReadingFailed, ReadingIncomplete, Unavailable
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import Metrics

CASES = Path(__file__).parents[1] / "agent" / "cases"


def find_cases() -> list[str]:
    """`cpu/reset` and so on; those of containers need engines too, see `recorded_containers`."""
    found = sorted(str(path.parent.relative_to(CASES)) for path in CASES.glob("*/*/case.toml"))
    return [case for case in found if not case.startswith("containers/")]


def expected(case: str) -> Any:
    return json.loads((CASES / case / "expected.json").read_text())


def replay(case: str, directory: Path) -> list[dict[str, Any]]:
    """What the collector makes of each step; `directory` is where the recorded host appears."""
    description = tomllib.loads((CASES / case / "case.toml").read_text())
    steps = sorted((CASES / case).glob("step*"), key=lambda step: int(step.name.removeprefix("step")))
    assert len(steps) == len(description["seconds"]), "one instant a step"
    kind = next(kind for kind in COLLECTORS if kind.name == case.partition("/")[0])
    return list(_replay(kind, _config(description), steps, description["seconds"], directory / "host"))


def host_at(link: Path) -> HostPaths:
    """The paths of the host that the symbolic link points to at the moment."""
    return HostPaths(proc=f"{link}/proc", sys=f"{link}/sys", etc=f"{link}/etc", root=str(link), keep_open=False)


def _replay(
    kind: type[Collector], config: Config, steps: list[Path], seconds: list[float], link: Path
) -> Iterator[dict[str, Any]]:
    link.symlink_to(steps[0])
    try:
        collector = kind.probe(host_at(link), config)
    except Unavailable as error:
        yield {"unavailable": _anonymous(error, link)}
        return
    for step, instant in zip(steps, seconds, strict=True):
        link.unlink()
        link.symlink_to(step)
        try:
            yield _told(collector, collector.collect(instant))
        except ReadingIncomplete as error:
            yield {"fails": _anonymous(error, link), **_told(collector, error.part)}
        except (OSError, ValueError, ReadingFailed) as error:
            yield {"fails": _anonymous(error, link)}


def _told(collector: Collector, part: Metrics) -> dict[str, Any]:
    """What it tells in other fields than those that it says it does would never reach a sample."""
    told: dict[str, Any] = msgspec.to_builtins(part)
    assert set(told) <= set(collector.fields)
    return told


def _config(description: dict[str, Any]) -> Config:
    flags = {name.upper(): value for name, value in description.get("config", {}).items()}
    return load_config(flags, {}, Path("/dev/null")).config


def _anonymous(error: Exception, link: Path) -> str:
    return str(error).replace(str(link), "")
