"""Who is asked when, what is kept, and who hears of it: a database, and servers that behave as a test wants."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from beszel_hub.images.policy import Policy
from beszel_hub.images.registry import MANIFEST_TYPES, Registries
from beszel_hub.images.schedule import AFTER_FAILURE_MS, FIRST_PAUSE_MS, LOOK_MS, STALE_MS
from beszel_hub.images.service import MAX_AT_ONCE, Images
from beszel_hub.settings import read_registries
from beszel_hub.store.database import Database
from tests.support.containers import make_facts
from tests.support.databases import place_at
from tests.support.scriptedserver import Conversation, ScriptedServer, page, scripted

OLD, NEW = (f"sha256:{digit * 64}" for digit in "12")
WEB, DB = "0" * 12, "1" * 12
START = 1_800_000_000_000


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 20))


class World:
    def __init__(self, database: Database, server: ScriptedServer, *others: ScriptedServer) -> None:
        self.now_ms = START
        self.server = server
        self._database = database
        self._listed = read_registries(",".join(s.url("") for s in (server, *others)))
        self.heard: list[tuple[str, dict[str, bool]]] = []
        self.images = self.restart()

    def restart(self) -> Images:
        images = Images(self._database, lambda: self.now_ms, Registries(Policy(self._listed)), lambda: 0.0)
        images.on_changed.append(lambda system_id, updates: self.heard.append((system_id, dict(updates))))
        self.images = images
        return images

    def image(self, name: str = "app", server: ScriptedServer | None = None) -> str:
        return f"127.0.0.1:{(server or self.server).port}/{name}:1"

    def tell(self, system_id: str = "s", *names: str, digest: str = OLD) -> None:
        ids = (WEB, DB, *(f"{number:012x}" for number in range(2, 50)))
        self.images.containers_changed(
            system_id,
            [
                make_facts(container_id, f"c{container_id}", image=self.image(name), repo_digests=[digest])
                for container_id, name in zip(ids, names or ("app",), strict=False)
            ],
        )


class Registry:
    """Answers with `digest`, or with `answer` if there is one."""

    def __init__(self) -> None:
        self.digest = OLD
        self.answer: bytes | None = None

    async def serve(self, conversation: Conversation) -> None:
        headers = (f"Content-Type: {MANIFEST_TYPES[1]}", f"Docker-Content-Digest: {self.digest}")
        await conversation.send(self.answer or page(b"", "200 OK", *headers))


@asynccontextmanager
async def world(directory: Path, registry: Registry) -> AsyncIterator[World]:
    database = Database(place_at(directory / "data.db"))
    database.open()
    try:
        async with scripted(registry.serve) as server:
            yield World(database, server)
    finally:
        database.close()


def test_a_tag_that_moves_on_is_told_once_of_every_host(tmp_path: Path) -> None:
    async def main() -> None:
        registry = Registry()
        async with world(tmp_path, registry) as w:
            w.tell("a")
            w.tell("b")
            assert w.images.updates_of("a") == {}, "not known yet"
            await w.images.look()
            assert w.heard == [("a", {WEB: False}), ("b", {WEB: False})]
            registry.digest = NEW
            await w.images.look()
            w.now_ms += LOOK_MS - 1
            await w.images.look()
            assert w.server.connections == 1, "not within six hours"
            w.now_ms += 1
            await w.images.look()
            assert (w.server.connections, w.images.updates_of("a")) == (2, {WEB: True})
            w.tell("a", digest=NEW)
            assert w.images.updates_of("a") == {WEB: False}, "pulled anew: nobody need be asked"
            assert w.images.updates_of("b") == {WEB: True}
            w.tell("b")
            w.images.containers_changed("b", [])
            assert w.heard[-1] == ("b", {})
            assert len(w.heard) == 6

    run(main())


def test_a_restart_asks_nobody_again(tmp_path: Path) -> None:
    async def main() -> None:
        registry = Registry()
        async with world(tmp_path, registry) as w:
            registry.digest = NEW
            w.tell()
            await w.images.look()
            w.restart()
            await w.images.restore()
            w.tell()
            assert w.images.updates_of("s") == {WEB: True}
            await w.images.look()
            assert w.server.connections == 1

    run(main())


def test_one_registry_is_asked_about_one_image_at_a_time(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, Registry()) as w:
            w.tell("s", "app", "db", "cache")
            for rounds in (1, 2, 3, 3):
                await w.images.look()
                assert w.server.connections == rounds

    run(main())


def test_ever_new_names_do_not_get_ahead_of_the_others(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, Registry()) as w:
            w.tell("honest")
            await w.images.look()
            w.now_ms += LOOK_MS
            w.tell("honest", "app", "new")
            for number in range(5):
                w.now_ms += 1000
                w.tell("evil", f"x{number}a", f"x{number}b")
                w.tell("honest", "app", "new")
                await w.images.look()
            asked = [head.split()[1].split(b"/")[2].decode() for head in w.server.heads]
            assert asked[:3] == ["app", "app", "new"]

    run(main())


def test_many_registries_are_asked_a_few_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        registry = Registry()
        database = Database(place_at(tmp_path / "data.db"))
        database.open()
        try:
            async with (
                scripted(registry.serve) as a, scripted(registry.serve) as b, scripted(registry.serve) as c,
                scripted(registry.serve) as d, scripted(registry.serve) as e,
            ):  # fmt: skip
                servers = (a, b, c, d, e)
                w = World(database, *servers)
                w.images.containers_changed(
                    "s",
                    [
                        make_facts(f"{n:012x}", f"c{n}", image=w.image("app", server), repo_digests=[OLD])
                        for n, server in enumerate(servers)
                    ],
                )
                await w.images.look()
                assert sum(server.connections for server in servers) == MAX_AT_ONCE
                await w.images.look()
                assert [server.connections for server in servers] == [1] * 5
        finally:
            database.close()

    run(main())


@pytest.mark.parametrize(("header", "pause_ms"), [("X: y", FIRST_PAUSE_MS), ("Retry-After: 600", 600_000)])
def test_too_many_requests_quiet_the_whole_registry(tmp_path: Path, header: str, pause_ms: int) -> None:
    async def main() -> None:
        registry = Registry()
        registry.answer = page(b"", "429 Too Many Requests", header)
        async with world(tmp_path, registry) as w:
            w.tell("s", "app", "db")
            await w.images.look()
            w.now_ms += pause_ms - 1
            await w.images.look()
            assert w.server.connections == 1
            w.now_ms += 1
            registry.answer = None
            await w.images.look()
            assert w.server.connections == 2
            assert b"/v2/db/" in w.server.heads[1], "not the image that it stumbled over"
            w.now_ms += AFTER_FAILURE_MS
            await w.images.look()
            assert w.images.updates_of("s") == {WEB: False, DB: False}

    run(main())


def test_what_was_known_outlives_a_registry_for_two_days(tmp_path: Path) -> None:
    async def main() -> None:
        registry = Registry()
        registry.digest = NEW
        async with world(tmp_path, registry) as w:
            w.tell()
            await w.images.look()
            registry.answer = page(b"", "503 Gone fishing")
            w.now_ms += LOOK_MS
            await w.images.look()
            assert w.images.updates_of("s") == {WEB: True}
            w.now_ms += STALE_MS
            await w.images.look()
            assert w.images.updates_of("s") == {}

    run(main())


def test_a_tag_that_is_gone_is_not_known_any_more(tmp_path: Path) -> None:
    async def main() -> None:
        registry = Registry()
        async with world(tmp_path, registry) as w:
            w.tell()
            await w.images.look()
            registry.answer = page(b"", "404 Not Found")
            w.now_ms += LOOK_MS
            await w.images.look()
            assert w.images.updates_of("s") == {}
            w.now_ms += LOOK_MS - 1
            await w.images.look()
            assert w.server.connections == 2

    run(main())


def test_what_nobody_runs_is_forgotten_after_a_while(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, Registry()) as w:
            w.tell("s", "app", "db")
            await w.images.look()
            await w.images.look()
            w.tell("s", "app")
            await w.images.tidy()
            w.restart()
            await w.images.restore()
            assert len(w.images._looks) == 2
            w.tell("s", "app")
            w.now_ms += LOOK_MS - 1
            await w.images.tidy()
            assert len(w.images._looks) == 2, "started again by then, it is not asked about again"
            w.now_ms += 1
            await w.images.tidy()
            w.restart()
            await w.images.restore()
            assert list(w.images._looks) == [w.image("app")]

    run(main())
