"""What is urgent is padded, so that an agent hears it that lets small messages wait; an ack is not."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import Event

from beszel_hub.agents.wire import PADDING_BYTES
from beszel_protocol.checks import CheckDefinition
from beszel_protocol.messages import Ack, Cancel, Configuration, Configure, Interval, Welcome
from tests.support.bareagent import Connection, LinkAgent
from tests.support.runninghub import RunningHub

HEADER_BYTES = 2


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Opcode and size of all that an agent was sent, in order."""
    seen: list[tuple[str, int]] = []
    process = ClientConnection.process_event

    def note(self: ClientConnection, event: Event) -> None:
        if isinstance(event, Frame):
            seen.append((event.opcode.name, len(event.data) + HEADER_BYTES))
        process(self, event)

    monkeypatch.setattr(ClientConnection, "process_event", note)
    return seen


def padding_in(frames: list[tuple[str, int]]) -> int:
    return sum(size for opcode, size in frames if opcode == Opcode.PONG.name)


def converse(hub: RunningHub, name: str, talk: Callable[[Connection, str], Awaitable[None]]) -> None:
    system_id, token = hub.create_system(name)

    async def run() -> None:
        async with LinkAgent(hub.link_url, token).connect() as agent:
            welcome = await agent.enrol()
            assert isinstance(welcome, Welcome)
            assert welcome.padding_bytes == PADDING_BYTES
            await talk(agent, system_id)

    asyncio.run(run())


def soon(hub: RunningHub, work: Callable[[], None]) -> None:
    """In the hub's own loop."""
    assert hub.loop is not None
    hub.loop.call_soon_threadsafe(work)


async def until_padded(frames: list[tuple[str, int]], messages: int = 1) -> None:
    """Until there is padding of so many."""
    async with asyncio.timeout(10):
        while padding_in(frames) < messages * PADDING_BYTES:  # noqa: ASYNC110 - what comes is no message
            await asyncio.sleep(0.01)


def test_acks_are_not_padded(hub: RunningHub, frames: list[tuple[str, int]]) -> None:
    async def talk(agent: Connection, system_id: str) -> None:
        for sequence in (1, 2, 3):
            await agent.send(agent.agent.sample(sequence))
            assert await agent.receive() == Ack(stored=[(sequence, sequence)])
        assert padding_in(frames) == 0

    converse(hub, "is acknowledged", talk)


@pytest.mark.parametrize("size", [1, 200, 5000], ids=["small", "deflated", "large"])
def test_requests_are_padded_whatever_their_size(size: int, hub: RunningHub, frames: list[tuple[str, int]]) -> None:
    async def talk(agent: Connection, system_id: str) -> None:
        soon(hub, lambda: ask(hub, system_id, size))
        await agent.receive_until(Cancel)
        await until_padded(frames, 2)
        assert [opcode for opcode, _ in frames if opcode != "PONG"][-2:] == ["TEXT", "TEXT"]
        assert [opcode for opcode, _ in frames][-3:] == ["PONG"] * 3

    converse(hub, f"is asked {size}", talk)


def ask(hub: RunningHub, system_id: str, size: int) -> None:
    """A request that is taken back at once."""
    requests = hub.hub.connections.requests(system_id)
    with requests.open("collectors", {"x": "x" * size}, timeout_seconds=5):
        pass


def test_what_an_agent_is_to_do_is_padded(hub: RunningHub, frames: list[tuple[str, int]]) -> None:
    async def talk(agent: Connection, system_id: str) -> None:
        connections = hub.hub.connections
        soon(hub, lambda: connections.get(system_id).set_interval(30.0))  # type: ignore[union-attr]
        await agent.receive_until(Interval)
        await until_padded(frames)
        frames.clear()
        check = CheckDefinition(name="a", kind="ping", target="example.org")
        soon(hub, lambda: connections.configuration_changed(system_id, Configuration(revision=99, checks=[check])))
        await agent.receive_until(Configure)
        await until_padded(frames)

    converse(hub, "is configured", talk)


def test_a_close_comes_after_its_padding(hub: RunningHub, frames: list[tuple[str, int]]) -> None:
    async def talk(agent: Connection, system_id: str) -> None:
        soon(hub, lambda: hub.hub.connections.get(system_id).close(4409, "enough"))  # type: ignore[union-attr]
        with pytest.raises(ConnectionClosed) as closed:
            await agent.receive_until(msgspec.Struct)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4409
        assert padding_in(frames) == PADDING_BYTES
        assert frames[-1][0] == Opcode.CLOSE.name

    converse(hub, "is closed", talk)
