"""Many agents that send a sample a second, in one thread of the test; a connection that breaks is opened again."""

import asyncio
import contextlib
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from websockets.exceptions import WebSocketException

from tests.support.bareagent import LinkAgent
from tests.support.beside import going_on_beside

HANDSHAKES = 4
"""At a time; the hub takes few strangers from one address at once."""
RETRY_SECONDS = 1.0


@contextmanager
def crowd(hub_url: str, universal_token: str, names: Sequence[str]) -> Iterator[None]:
    """Systems of these names make themselves known by the token, and are there until the block ends."""
    address = urllib.parse.urljoin(hub_url.replace("http", "ws", 1), "/api/beszel/agent-connect")
    agents = [LinkAgent(address, universal_token, name=name) for name in names]
    with going_on_beside(_run(agents), "crowd"):
        yield


async def _run(agents: Sequence[LinkAgent]) -> None:
    gate = asyncio.Semaphore(HANDSHAKES)
    async with asyncio.TaskGroup() as tasks:
        for number, agent in enumerate(agents):
            tasks.create_task(_live(agent, number, gate))


async def _live(agent: LinkAgent, number: int, gate: asyncio.Semaphore) -> None:
    sequence = 0
    while True:
        with contextlib.suppress(OSError, TimeoutError, WebSocketException, AssertionError):
            async with contextlib.AsyncExitStack() as stack:
                async with gate:
                    connection = await stack.enter_async_context(agent.enrolled())
                async with asyncio.TaskGroup() as tasks:
                    reader = tasks.create_task(connection.close_code())
                    while not reader.done():
                        sequence += 1
                        await connection.send(agent.sample(sequence, cpu_percent=(number * 7 + sequence) % 100))
                        await asyncio.sleep(1)
        await asyncio.sleep(RETRY_SECONDS)
