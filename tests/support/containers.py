"""Containers for tests: facts, usage, and an agent that answers what it is asked about them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from beszel_protocol.containers import ContainerFacts, LogLine
from beszel_protocol.messages import Cancel, Containers, ErrorBody, Request, Response
from beszel_protocol.sample import ContainerMetrics
from tests.support.bareagent import Connection, LinkAgent
from tests.support.runninghub import RunningHub

WEB_ID = "3f4e5d6c7b8a"
DB_ID = "0123456789ab"
STARTED = "2026-11-22T07:00:00.000Z"


def make_facts(container_id: str = WEB_ID, name: str = "web", **facts: Any) -> ContainerFacts:
    known: dict[str, Any] = {
        "engine": "docker", "state": "running", "status": "Up", "image": "nginx:1.29", "started_at": STARTED,
    }  # fmt: skip
    return ContainerFacts(id=container_id, name=name, **(known | facts))


def make_usage(container_id: str = WEB_ID, name: str = "web", **usage: Any) -> ContainerMetrics:
    known: dict[str, Any] = {
        "cpu_percent": 12.5, "memory_bytes": 64 << 20, "pids": 7, "rx_bytes_per_second": 1000.0,
        "tx_bytes_per_second": 500.0,
    }  # fmt: skip
    return ContainerMetrics(id=container_id, name=name, **(known | usage))


def make_log_line(text: str, *, stream: str = "stdout", timestamp: str | None = None) -> LogLine:
    """As an agent tells it; here the agent is not one that cleans."""
    return LogLine(stream=stream, timestamp=timestamp, text=text, ansi=text if "\x1b" in text else None)


class ContainerAgent:
    """A connected agent. Requests wait in `requests` until a test answers them."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.requests: asyncio.Queue[Request] = asyncio.Queue()
        self.cancelled: asyncio.Queue[int] = asyncio.Queue()

    async def tell(self, *facts: ContainerFacts) -> None:
        await self.connection.send(Containers(containers=list(facts)))

    async def answer(self, request: Request, *results: Any, more: bool = False) -> None:
        """With a response a result, the last of which ends the answer unless there is `more`."""
        for index, result in enumerate(results):
            has_more = more or index < len(results) - 1
            await self.connection.send(Response(id=request.id, result=result, more=has_more))

    async def fail(self, request: Request, code: str, message: str) -> None:
        await self.connection.send(Response(id=request.id, error=ErrorBody(code=code, message=message)))

    async def read(self) -> None:
        while True:
            message = await self.connection.receive_forever()
            if isinstance(message, Request):
                self.requests.put_nowait(message)
            elif isinstance(message, Cancel):
                self.cancelled.put_nowait(message.id)


@asynccontextmanager
async def container_agent(
    hub: RunningHub, system: tuple[str, str], *facts: ContainerFacts
) -> AsyncIterator[ContainerAgent]:
    """The agent of a system (its id and token) until the block ends; the hub knows its containers when it begins."""
    system_id, token = system
    async with LinkAgent(hub.link_url, token).enrolled() as connection:
        agent = ContainerAgent(connection)
        reading = asyncio.create_task(agent.read())
        try:
            await until(lambda: hub.hub.broker.board.get(system_id) is not None)
            if facts:
                await agent.tell(*facts)
                await until(lambda: (seen := hub.hub.inventory.get(system_id)) is not None and seen.facts == facts)
            yield agent
        finally:
            reading.cancel()
            await asyncio.wait([reading])


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)
