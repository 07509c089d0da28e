"""docs/guide/alerts.md says what happens: its examples are run, its tables are those of the code."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from beszel_hub.alerts.derived import DERIVED
from beszel_hub.alerts.rulefile import parse
from beszel_hub.alerts.surroundings import Carried
from beszel_hub.alerts.texts import describe
from beszel_hub.settings import read_duration
from beszel_protocol.addresses import parse_address
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.sample import Metrics
from tests.support.alertworld import AlertWorld

TEXT = (Path(__file__).parents[3] / "docs" / "guide" / "alerts.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^### (.+?)\n|^```(yaml|course)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def examples() -> list[tuple[str, str, str]]:
    title, found = "", []
    for (heading, kind, body), (_, following, course) in pairwise([*BLOCKS, ("", "", "")]):
        title = heading or title
        if kind == "yaml":
            found.append((title, body, course if following == "course" else ""))
    return found


def to_metrics(assignments: list[str]) -> Metrics:
    document: dict[str, Any] = {}
    for assignment in assignments:
        address, _, number = assignment.rpartition("=")
        node = document
        *steps, last = parse_address(address)
        for name, key in steps:
            if key is None:
                node = node.setdefault(name, {})
            elif name == "containers":
                item = {"id": key, "name": key}
                node.setdefault(name, []).append(item)
                node = item
            else:
                node = node.setdefault(name, {}).setdefault(key, {})
        node = node if last.key is None else node.setdefault(last.name, {})
        node[last.key or last.name] = (
            number if last.name == "state" else float(number) if "." in number else int(number)
        )
    return msgspec.convert(document, Metrics)


@pytest.mark.parametrize(("title", "rules", "course"), examples(), ids=lambda text: text[:30].replace("\n", " "))
def test_example(title: str, rules: str, course: str) -> None:
    world = AlertWorld(*parse(rules.encode(), {}))
    world.pass_start()
    told: list[str] = []
    for line in course.splitlines():
        if line.startswith(" "):
            told.append(line.strip())
            continue
        check_told(world, told)
        duration, *what = line.split()
        if what in (["up"], ["down"]):
            world.set_status("up" if what == ["up"] else "down")
            world.pass_time(read_duration(duration))
        else:
            surround(world, [one for one in what if ":" in one.partition("=")[0]])
            world.send(to_metrics([one for one in what if ":" not in one.partition("=")[0]]), read_duration(duration))
        told = []
    check_told(world, told)


def surround(world: AlertWorld, tidings: list[str]) -> None:
    """`container:NAME=STATE`, `event:KIND=SUBJECT` and `traffic:DAY=BYTES` are told beside samples."""
    facts = []
    for tiding in tidings:
        kind, _, rest = tiding.partition(":")
        name, _, value = rest.partition("=")
        match kind:
            case "container":
                facts.append(ContainerFacts(id=name, name=name, engine="docker", state=value))
            case "event":
                world.around.note(name, value, world.monotonic_ms)
            case "traffic":
                world.around.traffic = {int(name): Carried(float(value), 0.0)}
    if facts:
        world.around.containers = facts


def check_told(world: AlertWorld, expected: list[str]) -> None:
    assert [f"{step.happened}: {describe(step, 'web1')}" for step in world.steps] == expected
    world.steps.clear()


def test_the_table_of_derived_series_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `([a-z_0-9]+)` \| ([^|]*) \|$", TEXT, re.MULTILINE)
    assert dict(rows) == {name: derived.help for name, derived in DERIVED.items()}
