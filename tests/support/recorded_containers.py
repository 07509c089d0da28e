"""Recorded hosts with containers, replayed to the collector step by step.

A case is as those of `recorded`, and `engine.json` in a step holds what its engines answer: by engine a list of the
documents of `/containers/{id}/json`. Nothing here waits for a thread: the watches are asked to look in each step.
"""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec

from beszel_agent.collectors.containers import ContainersCollector
from beszel_agent.config import load_config
from beszel_agent.containers.client import EngineClient, NoSuchContainer
from beszel_agent.containers.documents import Inspected, Listed, read_document
from beszel_agent.containers.host import ContainerHost
from beszel_agent.containers.model import Container
from beszel_agent.containers.watch import EngineWatch
from beszel_agent.settings import EngineHost
from tests.support.recorded import CASES, host_at


class RecordedEngine:
    """Answers from documents."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.documents: dict[str, Any] = {}

    def listed(self) -> list[Listed]:
        return [
            Listed(id=item["Id"], names=[item["Name"]], state=item["State"]["Status"], status="Up 3 seconds")
            for item in self.documents.values()
        ]

    def inspect(self, container_id: str) -> Inspected:
        if container_id not in self.documents:
            raise NoSuchContainer("no such container")
        return read_document(self.documents[container_id], Inspected)

    def repo_digests(self, image_id: str) -> list[str]:
        return []


class RecordedHost(ContainerHost):
    """Looks when it is told to."""

    def start(self) -> None:
        """No threads."""

    def asks(self) -> Iterator[tuple[EngineClient, Container]]:
        """Nobody is there to answer."""
        yield from ()

    def look(self, answers: dict[str, list[Any]]) -> None:
        for engine, documents in answers.items():
            host = EngineHost("unix", f"/run/{engine}.sock")
            watch = self._watches.get(host)
            if watch is None:
                watch = EngineWatch(host, self._connect, self._hierarchy, self.tell)
                watch.client = cast("EngineClient", RecordedEngine(engine))
                watch.problem = None
                self._watches[host] = watch
            recorded = cast("RecordedEngine", watch.client)
            recorded.documents = {item["Id"]: item for item in documents}
            watch._reconcile(cast("EngineClient", recorded))
        self._scan()


def replay_containers(case: str, directory: Path) -> list[dict[str, Any]]:
    """What the collector makes of each step, and what became of containers since the one before."""
    description = tomllib.loads((CASES / case / "case.toml").read_text())
    steps = sorted((CASES / case).glob("step*"))
    assert len(steps) == len(description["seconds"]), "one instant a step"
    flags = {name.upper(): value for name, value in description.get("config", {}).items()}
    config = load_config(flags, {}, Path("/dev/null")).config
    link = directory / "host"
    link.symlink_to(steps[0])
    paths = host_at(link)
    host = RecordedHost(paths, config)
    return list(_replay(ContainersCollector(paths, host), host, link, steps, description["seconds"]))


def _replay(
    collector: ContainersCollector, host: RecordedHost, link: Path, steps: list[Path], seconds: list[float]
) -> Iterator[dict[str, Any]]:
    for step, instant in zip(steps, seconds, strict=True):
        link.unlink()
        link.symlink_to(step)
        answers = step / "engine.json"
        host.look(json.loads(answers.read_text()) if answers.exists() else {})
        part = msgspec.to_builtins(collector.collect(instant))
        yield {
            **part,
            "inventory": msgspec.to_builtins(host.inventory()),
            "tidings": [f"{tiding.kind} {tiding.name} {tiding.text}".strip() for tiding in host.take_tidings()],
        }
