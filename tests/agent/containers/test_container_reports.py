"""A whole agent as a process, a real engine and a hub: inventory, numbers, events, logs and who may ask for them."""

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from beszel_protocol.messages import Cancel, Containers, Event, Request, Response
from tests.support.engines import BUSY, IDLE, Engine
from tests.support.linkhub import LinkHub, openssh_key
from tests.support.programs import clean_environment

pytestmark = pytest.mark.system


@asynccontextmanager
async def connected(engine: Engine, home: Path, **settings: str) -> AsyncIterator[LinkHub]:
    """A hub with an agent that watches this engine."""
    hub = LinkHub()
    async with hub.running():
        environment = clean_environment(
            home, KEY=openssh_key(hub.public_key), TOKEN=hub.token, HUB_URL=hub.url, DATA_DIR=str(home / "data"),
            DOCKER_HOST=str(engine.host), **settings,
        )  # fmt: skip
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "beszel_agent", env=environment)
        try:
            yield hub
            process.terminate()
            assert await asyncio.wait_for(process.wait(), 10) == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(90):
            await work()

    asyncio.run(bounded())


def inventories(hub: LinkHub) -> list[Containers]:
    return [message for message in hub.messages if isinstance(message, Containers)]


def events(hub: LinkHub) -> list[tuple[str, str]]:
    return [(record.kind, record.subject) for _, record in hub.records if isinstance(record, Event)]


def responses(hub: LinkHub, number: int) -> list[Response]:
    return [message for message in hub.messages if isinstance(message, Response) and message.id == number]


async def ask(hub: LinkHub, number: int, action: str, **params: Any) -> list[Response]:
    """All responses, the last of which says that it is."""
    await hub.send(Request(id=number, action=action, params=params))
    await hub.until(action, lambda: any(not response.more for response in responses(hub, number)))
    return responses(hub, number)


def test_what_an_agent_tells_of_containers(docker: Engine, tmp_path: Path) -> None:
    container = docker.run("web", ["sh", "-c", "echo hello; sleep 600"])

    async def main() -> None:
        async with connected(docker, tmp_path) as hub:
            first = await hub.until("an inventory", lambda: inventories(hub))
            assert [(item.name, item.state) for item in first[0].containers] == [("web", "running")]

            def numbers() -> bool:
                found = [item for sample in hub.samples for item in sample.metrics.containers or []]
                return any(item.name == "web" and item.cpu_percent is not None for item in found)

            await hub.until("numbers", numbers)
            (logs, last) = await ask(hub, 1, "container_logs", id=container.id)
            assert logs.more
            assert [line["text"] for line in logs.result["lines"]] == ["hello"]
            assert last.result is None
            (inspection,) = await ask(hub, 2, "container_inspect", id=container.id)
            assert inspection.result["container"]["Id"] == container.id
            (refusal,) = await ask(hub, 3, "container_logs", id="../../images/json")
            assert refusal.error is not None
            assert refusal.error.code == "invalid_params"
            await asyncio.to_thread(container.kill)
            await hub.until("its end", lambda: ("container_died", "web") in events(hub))
            await hub.until("it is told", lambda: inventories(hub)[-1].containers[0].state == "exited")
            await asyncio.to_thread(container.remove)
            await hub.until("none is left", lambda: inventories(hub)[-1].containers == [])

    run(main)


def test_processes_tell_the_names_of_their_containers(docker: Engine, tmp_path: Path) -> None:
    """In samples and in the full list, and the new one after it was renamed."""
    container = docker.run("web", BUSY)
    inside = int(docker.client.api.inspect_container(container.id)["State"]["Pid"])

    numbers = itertools.count(1)

    async def main() -> None:
        async with connected(docker, tmp_path) as hub:

            async def until_listed(name: str) -> None:
                """Asked again and again: that the name is another is known a moment later."""
                while True:
                    (answer,) = await ask(hub, next(numbers), "processes", limit=1000)
                    if [row.get("container") for row in answer.result["processes"] if row["pid"] == inside] == [name]:
                        return

            def sampled() -> set[str | None]:
                told = [process for sample in hub.samples for process in sample.metrics.top_processes or ()]
                return {process.container for process in told if process.pid == inside}

            await hub.until("an inventory", lambda: inventories(hub))
            await until_listed("web")
            # On a busy machine the agent looks less often than every five seconds.
            await hub.until("its name in a sample", lambda: "web" in sampled(), 60)
            await asyncio.to_thread(container.rename, "www")
            await until_listed("www")

    run(main)


def test_following_is_ended_by_the_hub(docker: Engine, tmp_path: Path) -> None:
    container = docker.run("clock", ["sh", "-c", "while :; do echo tick; sleep 0.2; done"])

    async def main() -> None:
        async with connected(docker, tmp_path) as hub:
            await hub.until("an inventory", lambda: inventories(hub))
            params = {"id": container.id, "follow": True}
            await hub.send(Request(id=7, action="container_logs", params=params, timeout_seconds=60))
            await hub.until("three parts", lambda: len(responses(hub, 7)) >= 3)
            await hub.send(Cancel(id=7))
            await hub.until("an end", lambda: not responses(hub, 7)[-1].more)
            error = responses(hub, 7)[-1].error
            assert error is not None
            assert error.code == "cancelled"
            count = len(responses(hub, 7))
            seen = len(hub.samples)
            await hub.until("more samples", lambda: len(hub.samples) > seen + 1)
            assert len(responses(hub, 7)) == count

    run(main)


@pytest.mark.parametrize(
    ("setting", "code"), [("CONTAINER_DETAILS=false", "details_off"), ("ACTIONS=off", "actions_off")]
)
def test_the_host_s_owner_has_the_last_word(docker: Engine, tmp_path: Path, setting: str, code: str) -> None:
    container = docker.run("web", IDLE)
    name, _, value = setting.partition("=")

    async def main() -> None:
        async with connected(docker, tmp_path, **{name: value}) as hub:
            await hub.until("an inventory", lambda: inventories(hub))
            for number, action in enumerate(("container_logs", "container_inspect")):
                (refusal,) = await ask(hub, number, action, id=container.id)
                assert refusal.error is not None
                assert refusal.error.code == code

    run(main)


def test_a_storm_is_told_in_few_inventories(docker: Engine, tmp_path: Path) -> None:
    """At most one a second, however much happens."""

    async def main() -> None:
        async with connected(docker, tmp_path) as hub:
            await hub.until("an inventory", lambda: inventories(hub))
            before, started = len(inventories(hub)), asyncio.get_running_loop().time()
            for number in range(20):
                await asyncio.to_thread(docker.create, f"c{number}", IDLE)
            await hub.until("all of them", lambda: len(inventories(hub)[-1].containers) == 20)
            assert len(inventories(hub)) - before <= asyncio.get_running_loop().time() - started + 2
            await hub.until("all events", lambda: len(set(events(hub))) == 20)

    run(main)
